/** Loops that the tests of `scan` share. */
import { gradients } from "../../src/autodiff/gradients.ts";
import { scan } from "../../src/control/scan.ts";
import type { Node } from "../../src/graph/node.ts";
import { add, expand, matmul, mul, reshape, sigmoid, sub, sum, tanh, where } from "../../src/ops/index.ts";
import { leafOf } from "../../src/testing/nodes.ts";

/** A leaf of numbers that vary and stay small. */
export function leaf(shape: readonly number[], phase: number): Node {
  const size = shape.reduce((product, n) => product * n, 1);
  return leafOf(
    shape,
    "f32",
    Array.from({ length: size }, (_, i) => 0.8 * Math.sin(1.7 * i + phase)),
    true,
  );
}

/** h' = where(mask, tanh(x·W + h·U + b), h), stacked beside σ(z)·h, with a loss and its gradients. */
export function maskedNetwork(T: number, B: number, H: number, reverse = false) {
  const leaves = [leaf([T, B, 3], 1), leaf([B, H], 2), leaf([3, H], 3), leaf([H, H], 4), leaf([H], 5)];
  const [x, h0, W, U, b] = leaves;
  const mask = leafOf(
    [T, B],
    "bool",
    Array.from({ length: T * B }, (_, i) => (i % 3 === 1 ? 0 : 1)),
  );
  const { outputs, carries } = scan(
    ([h], [element, keep]) => {
      const z = add(add(matmul(element, W), matmul(h, U)), expand(b, [B, H]));
      const next = where(expand(reshape(keep, [B, 1]), [B, H]), tanh(z), h);
      return { carries: [next], outputs: [next, mul(sigmoid(z), h)] };
    },
    [h0],
    [x, mask],
    { reverse },
  );
  const loss = add(sum(mul(outputs[0], outputs[1])), sum(sub(carries[0], h0)));
  return { leaves, outputs, carries, loss, gradients: gradients([loss], leaves) as Node[] };
}
