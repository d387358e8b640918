/** `tf.linalg`. */

export { eye } from "./creation.ts";
export {
  bandPart,
  diag,
  einsum,
  globalNorm,
  l2Normalize,
  matMul,
  matmul,
  matrixTranspose,
  matvec,
  norm,
  tensordot,
  trace,
} from "./products.ts";
