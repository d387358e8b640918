import { describe, expect, test } from "vitest";
import { scan } from "../../src/control/scan.ts";
import type { Node } from "../../src/graph/node.ts";
import { add, cast, expand, matmul, mul, reshape, sigmoid, slice, sub, sum, tanh, where } from "../../src/ops/index.ts";
import { checkGradients } from "../../src/testing/gradient-check.ts";
import { leafOf, valuesOf } from "../../src/testing/nodes.ts";
import { leaf } from "./networks.ts";

/** A plain recurrent network: h' = tanh(x·W + h·U + b). */
function network(T: number, B: number, I: number, H: number, reverse = false) {
  const [x, h0, W, U, b] = [leaf([T, B, I], 1), leaf([B, H], 2), leaf([I, H], 3), leaf([H, H], 4), leaf([H], 5)];
  const step = (h: Node, element: Node): Node => {
    const z = add(add(matmul(element, W), matmul(h, U)), expand(b, [B, H]));
    return tanh(z);
  };
  const result = scan(
    ([h], [element]) => {
      const next = step(h, element);
      return { carries: [next], outputs: [next, mul(next, next)] };
    },
    [h0],
    [x],
    { reverse },
  );
  let h = h0;
  const rows: Node[] = [];
  for (let count = 0; count < T; count++) {
    const t = reverse ? T - 1 - count : count;
    h = step(h, reshape(slice(x, [{ start: t, stop: t + 1 }]), [B, I]));
    rows[t] = h;
  }
  return { leaves: [x, h0, W, U, b], result, rows, final: h };
}

const close = (left: Float64Array, right: ArrayLike<number>): void => {
  expect(left.length).toBe(right.length);
  left.forEach((value, i) => expect(value).toBeCloseTo(right[i], 9));
};

describe("values", () => {
  test.each([1, 2, 5])("are those of the loop written out, %i steps", (T) => {
    for (const reverse of [false, true]) {
      const { result, rows, final } = network(T, 2, 3, 4, reverse);
      const [outputs, squares, last, ...expected] = valuesOf([...result.outputs, result.carries[0], final, ...rows]);
      close(last, expected[0]);
      close(
        outputs,
        expected.slice(1).flatMap((row) => [...row]),
      );
      close(
        squares,
        expected.slice(1).flatMap((row) => [...row].map((v) => v * v)),
      );
    }
  });
});

describe("gradients", () => {
  test.each([1, 2, 4])("to second order, %i steps", (T) => {
    for (const reverse of [false, true]) {
      const { result, leaves } = network(T, 2, 3, 2, reverse);
      checkGradients([...result.outputs, result.carries[0]], leaves);
      checkGradients([result.carries[0]], leaves);
      checkGradients([result.outputs[0]], leaves);
    }
  });

  test("of two carries that read each other, a mask, a weight that multiplies elementwise", () => {
    const [T, B, H] = [4, 2, 3];
    const [x, h0, c0, W, v] = [leaf([T, B, H], 1), leaf([B, H], 2), leaf([B, H], 3), leaf([H, H], 4), leaf([B, H], 5)];
    const mask = leafOf([T, B, 1], "bool", [1, 1, 0, 1, 1, 0, 1, 1]);
    const result = scan(
      ([h, c], [element, keep]) => {
        const gate = sigmoid(add(matmul(h, W), element));
        const nextC = add(mul(gate, c), mul(v, element));
        const nextH = mul(gate, tanh(nextC));
        const kept = expand(keep, [B, H]);
        const [a, b] = [where(kept, nextH, h), where(kept, nextC, c)];
        return { carries: [a, b], outputs: [a, sum(mul(b, cast(kept, "f32")), [1])] };
      },
      [h0, c0],
      [x, mask],
    );
    checkGradients([...result.outputs, ...result.carries], [x, h0, c0, W, v]);
  });

  test("of loops in loops", () => {
    const [T, S, H] = [3, 2, 2];
    const [x, y, h0, w] = [leaf([T, H], 1), leaf([S, H], 2), leaf([H], 3), leaf([H], 4)];
    const outer = scan(
      ([h], [element]) => {
        const inner = scan(
          ([g], [other]) => {
            const next = tanh(add(mul(g, w), mul(other, element)));
            return { carries: [next], outputs: [sub(next, h)] };
          },
          [h],
          [y],
        );
        return { carries: inner.carries, outputs: inner.outputs };
      },
      [h0],
      [x],
    );
    checkGradients([...outer.outputs, ...outer.carries], [x, y, h0, w]);
  });
});
