/** Composites: built from ops, with no gradient or kernel of their own. */
export * from "./activations.ts";
export * from "./class-losses.ts";
export * from "./crossentropy.ts";
export * from "./normalization.ts";
export * from "./pooling.ts";
export * from "./random.ts";
export * from "./regression-losses.ts";
export * from "./softmax.ts";
export * from "./sorting.ts";
export * from "./statistics.ts";
