/** Initial values of layers: PyTorch's uniform distributions. */
import type { Shape } from "../../graph/shape.ts";
import { randomUniform, zeros } from "../../tensor/index.ts";
import { Parameter } from "./parameter.ts";

/** U(−1/√fanIn, 1/√fanIn): what kaiming_uniform with a = √5 gives. */
export function initialWeight(owner: string, shape: Shape, fanIn: number, name = "weight"): Parameter {
  return initialUniform(`${owner}.${name}`, shape, fanIn);
}
/** The same bounds as the weight's. */
export function initialBias(owner: string, shape: Shape, fanIn: number): Parameter {
  return initialUniform(`${owner}.bias`, shape, fanIn);
}

function initialUniform(name: string, shape: Shape, fanIn: number): Parameter {
  if (fanIn === 0) return new Parameter(zeros(shape), { name });
  const bound = 1 / Math.sqrt(fanIn);
  return new Parameter(randomUniform(shape, { min: -bound, max: bound }), { name });
}
