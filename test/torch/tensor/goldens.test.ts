/** Every expression of the table gives PyTorch's value, shape, dtype and gradients. Goldens: tools/goldens/torch_tensor.py. */
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { hashUniform } from "../../../src/testing/hash-uniform.ts";
import * as torch from "../../../src/torch/index.ts";
import * as expressions from "./expressions.ts";
import { type Inputs, inputs } from "./inputs.ts";
import * as shapes from "./shape-expressions.ts";

type Numbers = readonly (number | "NaN" | "Infinity" | "-Infinity")[];
type Stored =
  | readonly [dtype: string, shape: readonly number[], data: Numbers]
  | { list: Stored[] }
  | { value: unknown };
type Golden = readonly [value: Stored, ...gradients: Numbers[]];

const file = new URL("../../goldens/torch-tensor.json", import.meta.url);
const goldens: Record<string, Golden> = JSON.parse(readFileSync(file, "utf8")).cases;

function close(found: ArrayLike<number>, wanted: Numbers, what: string): void {
  const numbers = wanted.map(Number);
  const scale = Math.max(1e-3, ...numbers.filter(Number.isFinite).map(Math.abs));
  expect(found.length, what).toBe(numbers.length);
  numbers.forEach((value, i) => {
    const equal = Number.isFinite(value) ? Math.abs(found[i] - value) <= 4e-6 * scale : Object.is(found[i], value);
    if (!equal) expect.fail(`${what}: element ${i} is ${found[i]}, PyTorch has ${value}`);
  });
}

function compare(found: expressions.Value, wanted: Stored, what: string): void {
  if (torch.isTensor(found)) {
    if (!("0" in wanted)) throw new Error(`${what}: PyTorch gives no tensor`);
    const [dtype, shape, data] = wanted;
    expect([what, found.dtype, [...found.shape]]).toEqual([what, dtype, shape]);
    close(found.dataSync(), data, what);
  } else if ("list" in wanted) {
    const list = found as readonly expressions.Value[];
    expect(list.length, what).toBeLessThanOrEqual(wanted.list.length);
    list.forEach((entry, i) => compare(entry, wanted.list[i], `${what}, ${i}`));
  } else if ("value" in wanted) {
    if (typeof wanted.value === "number") expect(found).toBeCloseTo(wanted.value, 6);
    else expect(found).toBe(wanted.value);
  }
}

function floats(value: expressions.Value): torch.Tensor[] {
  if (torch.isTensor(value)) return value.dtype === "f32" ? [value] : [];
  return Array.isArray(value) ? value.flatMap(floats) : [];
}

for (const [name, table] of Object.entries({ ...expressions, ...shapes })) {
  describe(name, () => {
    test.each(table.map(([python, here, names = ""]) => ({ python, here, names })))("$python", (row) => {
      const { python, here, names } = row;
      const golden = goldens[python];
      expect(golden, "no golden: run tools/goldens/torch_tensor.py").toBeDefined();
      const values = inputs();
      const leaves = names.split(" ").filter(Boolean) as (keyof Inputs)[];
      for (const leaf of leaves) values[leaf].requiresGrad_();
      const result = here(values);
      compare(result, golden[0], python);
      if (leaves.length === 0) return;
      const seeds = floats(result).map((part) => torch.tensor(hashUniform(99, part.numel()), { shape: part.shape }));
      const gradients = torch.autograd.grad(
        floats(result),
        leaves.map((leaf) => values[leaf]),
        { gradOutputs: seeds },
      );
      gradients.forEach((gradient, i) =>
        close(gradient.dataSync(), golden[i + 1] as Numbers, `${python}: d/d${leaves[i]}`),
      );
    });
  });
}
