/** Strategies for matrix products and convolutions. */
export { conv2d } from "./convolution.ts";
export { matmul } from "./matmul.ts";
export { outputTile, spreadsGradient } from "./winograd-plan.ts";
