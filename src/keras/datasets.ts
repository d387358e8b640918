/** `keras.datasets`: `const [[xTrain, yTrain], [xTest, yTest]] = await datasets.mnist.loadData()`. */
import { type ImageSet, type LoadOptions, loadFashionMnist, loadMnist, type SplitImageSet } from "../data/index.ts";
import { type Tensor, tensorView } from "../tensor/index.ts";

/** [[training images, labels], [test images, labels]], as u8: images [count, height, width], labels [count]. */
export type LoadedData = readonly [train: readonly [x: Tensor, y: Tensor], test: readonly [x: Tensor, y: Tensor]];

const tensorsOf = ({ images, labels, count, height, width }: ImageSet): readonly [Tensor, Tensor] => [
  tensorView(images, [count, height, width], "u8"),
  tensorView(labels, [count], "u8"),
];
const loaded = ({ train, test }: SplitImageSet): LoadedData => [tensorsOf(train), tensorsOf(test)];

/** 60,000 training and 10,000 test images of handwritten digits, 28 x 28. */
export const mnist = {
  async loadData(options: LoadOptions = {}): Promise<LoadedData> {
    return loaded(loadMnist(options));
  },
};

/** 60,000 training and 10,000 test images of clothes, 28 x 28, in ten classes. */
export const fashionMnist = {
  async loadData(options: LoadOptions = {}): Promise<LoadedData> {
    return loaded(loadFashionMnist(options));
  },
};
