export { type Collated, defaultCollate } from "./collate.ts";
export { DataLoader, type DataLoaderState } from "./data-loader.ts";
export {
  type BatchContext,
  ConcatDataset,
  Dataset,
  IterableDataset,
  type MapStyleDataset,
  randomSplit,
  Subset,
  TensorDataset,
} from "./dataset.ts";
export { DatasetError } from "./dataset-error.ts";
export type { DataLoaderOptions, LocalDataset } from "./loader-options.ts";
export {
  BatchSampler,
  RandomSampler,
  type RandomSamplerOptions,
  type Sampler,
  type SamplerState,
  SequentialSampler,
  SubsetRandomSampler,
  WeightedRandomSampler,
} from "./samplers.ts";
