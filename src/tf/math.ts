/** `tf.math`: the functions that compute, also under TensorFlow's names. */
export * from "./elementwise.ts";
export { inTopK, logSoftmax, softmax } from "./nn.ts";
export { l2Normalize } from "./products.ts";
export * from "./reductions.ts";
export { topk as topK } from "./reductions.ts";
export { unsortedSegmentSum } from "./shaping.ts";
