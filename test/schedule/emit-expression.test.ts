import { describe, expect, it } from "vitest";
import { KernelBuilder } from "../../src/kernel/builder.ts";
import { interpretKernel } from "../../src/kernel/interpreter.ts";
import { type ScalarExpression, scalarCall, scalarConstant, scalarInput } from "../../src/kernel/scalar.ts";
import { emitExpressions } from "../../src/schedule/emit-expression.ts";

const values = [Number.NaN, 0, -0, 6, -6, 5.5, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
const pairs = values.flatMap((x) => values.map((y): [number, number] => [x, y]));

/** What an expression gives for every pair, as bits, and the functions of its kernel. */
function emitted(expression: ScalarExpression): { bits: number[]; functions: string } {
  const k = new KernelBuilder("choice", 3);
  const inputs = [k.load(k.at(k.argument(0))), k.load(k.at(k.argument(1)))];
  const [result] = emitExpressions(k, [expression], (index) => inputs[index]);
  k.store(result, k.at(k.argument(2)));
  const kernel = k.build();
  const bits: number[] = [];
  for (let first = 0; first < pairs.length; first += 16) {
    const [x, y] = [0, 1].map((side) => Float32Array.from(pairs.slice(first, first + 16), (pair) => pair[side]));
    const out = new Float32Array(16);
    interpretKernel(kernel, { arguments: [x, y, out] });
    bits.push(...new Uint32Array(out.buffer));
  }
  const functions = kernel.body.map((each) => ("function" in each ? each.function : each.op)).join(" ");
  return { bits, functions };
}

const holds = {
  lt: (a: number, b: number) => a < b,
  le: (a: number, b: number) => a <= b,
  gt: (a: number, b: number) => a > b,
  ge: (a: number, b: number) => a >= b,
} as const;
const names = Object.keys(holds) as (keyof typeof holds)[];
const bitsOf = (value: number): number => new Uint32Array(Float32Array.of(value).buffer)[0];

describe("choices of the smaller or larger of two numbers", () => {
  const [x, y, six] = [scalarInput(0, "f32"), scalarInput(1, "f32"), scalarConstant(6)];

  it.each(names)("of two inputs keep their bits: %s", (name) => {
    for (const swapped of [false, true]) {
      const [a, b] = swapped ? [y, x] : [x, y];
      const { bits, functions } = emitted(scalarCall("select", scalarCall(name, x, y), a, b));
      expect(bits).toEqual(pairs.map(([left, right]) => bitsOf(holds[name](left, right) === swapped ? right : left)));
      // zeros of either sign are equal, so only a strict choice is the machine's
      expect(/fmin|fmax/.test(functions)).toBe(name === "lt" || name === "gt");
    }
  });

  it.each(names)("of a constant and an input keep their bits in one instruction: %s", (name) => {
    for (const swapped of [false, true]) {
      const [a, b] = swapped ? [x, six] : [six, x];
      const { bits, functions } = emitted(scalarCall("select", scalarCall(name, six, x), a, b));
      expect(bits).toEqual(pairs.map(([value]) => bitsOf(holds[name](6, value) === swapped ? value : 6)));
      expect(functions).toMatch(/fmin|fmax/);
      expect(functions).not.toMatch(/select/);
    }
  });
});
