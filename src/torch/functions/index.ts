/**
 * PyTorch's free functions over tensors: `torch.add(x, y)` is `x.add(y)`. They take what the methods take, with the tensor in front; formulas are in
 * src/functions.
 */
export * from "./arithmetic.ts";
export * from "./comparison.ts";
export * from "./indexing.ts";
export * from "./products.ts";
export * from "./questions.ts";
export * from "./reductions.ts";
export * from "./shape.ts";
