/** Image data sets: torchvision.datasets. */
export { CIFAR10 } from "./cifar.ts";
export { FakeData, type FakeDataOptions } from "./fake-data.ts";
export { defaultLoader, ImageFolder, type ImageFolderOptions } from "./folder.ts";
export { FashionMNIST, MNIST } from "./mnist.ts";
export type { SplitOptions, VisionOptions } from "./options.ts";
