import type { Image } from "../../data/image.ts";
import { decodeImageFile } from "../../data/image-decoder.ts";
import { listImageFolder } from "../../data/image-folder.ts";
import { VisionDataset } from "../../data/vision-dataset.ts";
import type { VisionOptions } from "./options.ts";

/** Options of `ImageFolder`. */
export interface ImageFolderOptions<Input, Target> extends VisionOptions<Input, Target> {
  /** Reads an image file. Default: the package `sharp`, as RGB. */
  readonly loader?: (path: string) => Image;
  /** Endings of image files. Default: the usual ones. */
  readonly extensions?: readonly string[];
  /** Whether a class may be without images. Default false. */
  readonly allowEmpty?: boolean;
}

/**
 * The pixels of an image file, as RGB: what `ImageFolder` reads with. After torchvision.datasets.folder.default_loader.
 * @throws UnsupportedError when `sharp` is not installed; DataError when the file is no image.
 */
export function defaultLoader(path: string): Image {
  return decodeImageFile(path);
}

/**
 * Images in folders, one for each class: `root/dog/1.png`, `root/cat/2.jpg`. Classes are numbered in the order of their names. Files are decoded by `sharp` when they
 * are asked for (install it beside Trivium), or by `loader`.
 * @throws DataError when there are no classes or no images; UnsupportedError, at the first image, when `sharp` is not installed.
 */
export class ImageFolder<Input = Image, Target = number> extends VisionDataset<Input, Target> {
  readonly classes: readonly string[];
  readonly classToIdx: Readonly<Record<string, number>>;
  /** Each file with its class number. */
  readonly samples: readonly (readonly [path: string, target: number])[];
  private readonly loader: (path: string) => Image;

  constructor(root: string, options: ImageFolderOptions<Input, Target> = {}) {
    super(options);
    const { classes, samples } = listImageFolder(root, options);
    this.classes = classes;
    this.classToIdx = Object.fromEntries(classes.map((name, index) => [name, index]));
    this.samples = samples;
    this.loader = options.loader ?? defaultLoader;
  }
  get length(): number {
    return this.samples.length;
  }
  imageAt(index: number): Image {
    return this.loader(this.samples[index]![0]);
  }
  targetAt(index: number): number {
    return this.samples[index]![1];
  }
  /** All class numbers. */
  get targets(): number[] {
    return this.samples.map(([, target]) => target);
  }
}
