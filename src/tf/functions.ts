/** The functions of `tf` itself. */
export { type Condition, cond, type WhileLoopOptions, whileLoop } from "./control-flow.ts";
export * from "./creation.ts";
export * from "./elementwise.ts";
export {
  conv1d,
  conv2d,
  conv2dTranspose,
  depthwiseConv2d,
  logSoftmax,
  moments,
  separableConv2d,
  softmax,
} from "./nn.ts";
export * from "./products.ts";
export * from "./reductions.ts";
export * from "./shaping.ts";
