export { Dataset, type Zipped } from "./dataset.ts";
export type { ArgumentsOf, BatchOf, SliceOf } from "./elements.ts";
export type { Cardinality } from "./sources.ts";
