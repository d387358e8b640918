import { dropout, type Tensor, Variable } from "../../../src/tensor/index.ts";

import { hashed as random } from "../../hashed.ts";

/** Two layers with weights from a stream, and their loss. */
export function network() {
  const weights = [new Variable(random(1, [3, 8])), new Variable(random(2, [8])), new Variable(random(3, [8, 1]))];
  const forward = (x: Tensor, rate = 0) => {
    const hidden = x.matmul(weights[0]).add(weights[1]).tanh();
    return (rate > 0 ? dropout(hidden, rate) : hidden).matmul(weights[2]);
  };
  const loss = (x: Tensor, y: Tensor, rate = 0) => forward(x, rate).sub(y).square().mean();
  const values = () => weights.map((weight) => [...weight.dataSync()]);
  return { weights, loss, values };
}

/** Inputs and targets of a step. */
export const batch = (step: number, rows = 16) => [random(50 + step, [rows, 3]), random(90 + step, [rows, 1])] as const;
