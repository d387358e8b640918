export { loadFashionMnist } from "./fashion-mnist.ts";
export { HostRandom } from "./host-random.ts";
export { type IdxArray, parseIdx, readIdx } from "./idx.ts";
export { Image, type ImageMode } from "./image.ts";
export type { ImageSet, LoadOptions, SplitImageSet } from "./image-set.ts";
export * from "./loading/index.ts";
export { loadMnist } from "./mnist.ts";
export { getWorkerInfo, sampleRandom, type WorkerInfo } from "./sample-context.ts";
