/** What the image data sets have in common. */
import type { Image } from "../../data/image.ts";
import type { VisionTransforms } from "../../data/vision-dataset.ts";
import type { Applied } from "../transforms/transform.ts";

/** A transform of images: a Compose, a single transform, or a function. */
export type ImageTransform = (image: Image) => unknown;
/** A transform of class numbers. */
export type TargetTransform = (target: number) => unknown;

/** What the first entry of an example is. */
export type InputOf<T> = [T] extends [undefined] ? Image : Applied<NonNullable<T>, Image>;
/** What the second entry of an example is. */
export type TargetOf<U> = [U] extends [undefined]
  ? number
  : U extends (target: number) => infer Output
    ? Output
    : number;

/** Options of the image data sets. */
export interface VisionOptions<T extends ImageTransform | undefined, U extends TargetTransform | undefined> {
  /** What is done to an image (an `Image`, as PIL's). Without it, examples hold images, which a loader cannot batch. */
  readonly transform?: T;
  /** What is done to a class number. */
  readonly targetTransform?: U;
}

/** Options of data sets with a training and a test half. */
export interface SplitOptions<T extends ImageTransform | undefined, U extends TargetTransform | undefined>
  extends VisionOptions<T, U> {
  /** The training half (default) or the test half. */
  readonly train?: boolean;
  /** Accepted for PyTorch's sake. Nothing is downloaded: where `root` lacks the files, an installed npm package with them is taken. */
  readonly download?: boolean;
}

/** The transforms alone, as the base class takes them. */
export function transformsOf<T extends ImageTransform | undefined, U extends TargetTransform | undefined>(
  options: VisionOptions<T, U>,
): VisionTransforms {
  return { transform: options.transform as VisionTransforms["transform"], targetTransform: options.targetTransform };
}
