/** What the image data sets have in common. */
import type { Image } from "../../data/image.ts";

/** Options of the image data sets. `Input` and `Target` are what the two entries of an example are, after the transforms. */
export interface VisionOptions<Input, Target> {
  /** What is done to an image (an `Image`, as PIL's). Without it, examples hold images, which a loader cannot batch. */
  readonly transform?: (image: Image) => Input;
  /** What is done to a class number. */
  readonly targetTransform?: (target: number) => Target;
}

/** Options of data sets with a training and a test half. */
export interface SplitOptions<Input, Target> extends VisionOptions<Input, Target> {
  /** The training half (default) or the test half. */
  readonly train?: boolean;
  /** Accepted for PyTorch's sake. Nothing is downloaded: where `root` lacks the files, an installed npm package with them is taken. */
  readonly download?: boolean;
}
