import { DataError } from "../errors.ts";

/** Grey images with one label each; images are `count` x `height` x `width` bytes, row-major. */
export interface ImageSet {
  readonly images: Uint8Array;
  readonly labels: Uint8Array;
  readonly count: number;
  readonly height: number;
  readonly width: number;
}

/** A data set divided the way its authors divided it. */
export interface SplitImageSet {
  readonly train: ImageSet;
  readonly test: ImageSet;
  readonly classes: number;
}

/** Options of the data set loaders. */
export interface LoadOptions {
  /** Folder that holds the four IDX files (raw or .gz). Default: the npm package with the data. */
  readonly path?: string;
}

/**
 * Checks that images and labels belong together.
 * @throws DataError naming the files when counts differ or a label is not below `classes`.
 */
export function checkImageSet(set: ImageSet, classes: number, imagesName: string, labelsName: string): ImageSet {
  if (set.labels.length !== set.count) {
    throw new DataError(`${imagesName} holds ${set.count} images but ${labelsName} holds ${set.labels.length} labels.`);
  }
  const wrong = set.labels.findIndex((label) => label >= classes);
  if (wrong >= 0) {
    throw new DataError(`${labelsName}: label ${set.labels[wrong]} at ${wrong}, expected 0 to ${classes - 1}.`);
  }
  return set;
}
