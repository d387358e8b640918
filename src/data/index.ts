export { loadFashionMnist } from "./fashion-mnist.ts";
export { type IdxArray, parseIdx, readIdx } from "./idx.ts";
export type { ImageSet, LoadOptions, SplitImageSet } from "./image-set.ts";
export { loadMnist } from "./mnist.ts";
