/** Initial values of layers: PyTorch's uniform distributions. */
import type { Shape } from "../../graph/shape.ts";
import { randomUniform, zeros } from "../../tensor/index.ts";
import { Parameter } from "./parameter.ts";

/** How kernels read the weight of a dense layer (out, in): as (in, out). */
export const denseOrder = [1, 0] as const;
/** How kernels read the weight of a convolution (out, in, height, width): as (height, width, in, out). */
export const convolutionOrder = [2, 3, 1, 0] as const;

/** U(−1/√fanIn, 1/√fanIn): what kaiming_uniform with a = √5 gives. `order` is that of the axes in memory. */
export function initialWeight(owner: string, shape: Shape, fanIn: number, order?: readonly number[]): Parameter {
  return initialUniform(`${owner}.weight`, shape, fanIn, order);
}
/** The same bounds as the weight's. */
export function initialBias(owner: string, shape: Shape, fanIn: number): Parameter {
  return initialUniform(`${owner}.bias`, shape, fanIn);
}

function initialUniform(name: string, shape: Shape, fanIn: number, order?: readonly number[]): Parameter {
  const options = { name, ...(order && { order }) };
  if (fanIn === 0) return new Parameter(zeros(shape), options);
  const bound = 1 / Math.sqrt(fanIn);
  return new Parameter(randomUniform(shape, { min: -bound, max: bound }), options);
}
