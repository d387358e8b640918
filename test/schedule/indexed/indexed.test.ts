import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { viewOf } from "../../../src/graph/dtype.ts";
import type { Node } from "../../../src/graph/node.ts";
import { sizeOf, stridesOf } from "../../../src/graph/shape.ts";
import type { Op } from "../../../src/ops/define.ts";
import {
  argsort,
  checkIndices,
  cumulativeProduct,
  cumulativeSum,
  gather,
  linearRecurrence,
  ops,
  scatterAdd,
  scatterAddAlongAxis,
  takeAlongAxis,
} from "../../../src/ops/index.ts";
import { guard } from "../../../src/schedule/strategies/guard.ts";
import { indexedStrategies } from "../../../src/schedule/strategies/indexed/index.ts";
import { everyCase } from "../../../src/testing/cases.ts";
import { leafOf } from "../../../src/testing/nodes.ts";
import { checkStrategy, interpret, type Layout, machine } from "./harness.ts";

const values = (size: number, seed: number): number[] =>
  Array.from({ length: size }, (_, i) => Math.fround(Math.sin(i * 12.9898 + seed * 78.233) * 4));
const indexValues = (size: number, limit: number, seed: number): number[] =>
  Array.from({ length: size }, (_, i) => (i * 7919 + seed * 104729 + ((i * i) >> 3)) % limit);

const shapes = fc.array(fc.integer({ min: 1, max: 6 }), { minLength: 1, maxLength: 3 });
const extents = fc.oneof(fc.integer({ min: 1, max: 40 }), fc.constantFrom(15, 16, 17, 33));
const layouts: fc.Arbitrary<Layout> = fc.constantFrom("rowMajor", "transposed", "strided");

function check(
  node: Node,
  options: { layouts?: readonly Layout[]; fused?: boolean; relative?: number; largest?: number } = {},
): void {
  checkStrategy(indexedStrategies[node.op!.opName]!, node, options);
}

/** A shape with a chosen extent along a chosen axis. */
const shaped = fc
  .record({ shape: shapes, axis: fc.nat(), extent: extents, seed: fc.nat(100), layout: layouts, fused: fc.boolean() })
  .map(({ shape, axis, extent, ...rest }) => {
    const at = axis % shape.length;
    return { ...rest, axis: at, shape: shape.map((size, i) => (i === at ? extent : size)) };
  });

describe("indexed kernels", () => {
  test("every indexed op has a strategy", () => {
    const names = everyCase()
      .map(({ build }) => build().result)
      .filter(
        (node) =>
          node.op &&
          node.op.meaning(
            node.inputs.map((i) => i.type),
            node.attributes,
            node.type,
          ).kind === "indexed",
      )
      .map((node) => node.op!.opName);
    for (const name of names) expect(indexedStrategies[name], name).toBeDefined();
    expect(Object.keys(indexedStrategies).every((name) => name in (ops as Record<string, Op>))).toBe(true);
  });

  test("worked cases", () => {
    for (const { build } of everyCase()) {
      const { result } = build();
      if (!indexedStrategies[result.op?.opName ?? ""] || result.inputs.some((input) => input.op)) continue;
      check(result);
      check(result, { fused: true });
    }
  });

  test("gather", () => {
    fc.assert(
      fc.property(
        shaped,
        shapes,
        fc.constantFrom("f32", "u8"),
        ({ shape, axis, seed, layout, fused }, index, dtype) => {
          const data = leafOf(
            shape,
            dtype as "f32" | "u8",
            values(sizeOf(shape), seed).map((x) => (dtype === "u8" ? Math.abs(x) * 30 : x)),
          );
          const indices = leafOf(index, "i32", indexValues(sizeOf(index), shape[axis], seed));
          check(gather(data, indices, axis), { layouts: [layout, layout], fused });
        },
      ),
      { numRuns: 40 },
    );
  });

  test("gather of long rows and of many single elements", () => {
    const data = leafOf([5, 9000], "f32", values(45000, 1));
    check(gather(data, leafOf([3], "i32", [4, 0, 2])));
    check(gather(leafOf([9000], "f32", values(9000, 2)), leafOf([17011], "i32", indexValues(17011, 9000, 3))));
  });

  test("takeAlongAxis and scatterAddAlongAxis", () => {
    fc.assert(
      fc.property(shaped, extents, ({ shape, axis, seed, layout, fused }, count) => {
        const data = leafOf(shape, "f32", values(sizeOf(shape), seed));
        const index = shape.map((size, i) => (i === axis ? count : Math.max(1, size - 1)));
        const indices = leafOf(index, "i32", indexValues(sizeOf(index), shape[axis], seed));
        check(takeAlongAxis(data, indices, axis), { layouts: [layout, layout], fused });
        const updates = leafOf(index, "f32", values(sizeOf(index), seed));
        check(scatterAddAlongAxis(updates, indices, axis, shape), {
          layouts: [layout, layout],
          fused,
          largest: 4 * count,
        });
      }),
      { numRuns: 30 },
    );
  });

  test("scatterAdd", () => {
    fc.assert(
      fc.property(shaped, extents, ({ shape, axis, seed, layout, fused }, count) => {
        const updateShape = shape.map((size, i) => (i === axis ? count : size));
        const updates = leafOf(updateShape, "f32", values(sizeOf(updateShape), seed));
        const indices = leafOf([count], "i32", indexValues(count, shape[axis], seed));
        check(scatterAdd(updates, indices, axis, shape[axis]), {
          layouts: [layout, layout],
          fused,
          largest: 4 * count,
        });
      }),
      { numRuns: 30 },
    );
    const updates = leafOf([40, 70], "i32", indexValues(2800, 1000, 1));
    check(scatterAdd(updates, leafOf([40], "i32", indexValues(40, 600, 1)), 0, 600));
    // Several tasks, each of which finds its own among whole vectors of indices and a rest; places that are named twice.
    const many = leafOf([83, 40], "f32", values(83 * 40, 2));
    check(scatterAdd(many, leafOf([83], "i32", indexValues(83, 30, 3)), 0, 2000));
    check(scatterAdd(many, leafOf([83], "i32", indexValues(83, 2000, 4)), 0, 2000));
  });

  test("argsort", () => {
    fc.assert(
      fc.property(shaped, fc.boolean(), ({ shape, axis, seed, layout, fused }, descending) => {
        const numbers = values(sizeOf(shape), seed).map((x, i) =>
          i % 11 === 0 ? Number.NaN : i % 7 === 0 ? -0 : Math.round(x),
        );
        check(argsort(leafOf(shape, "f32", numbers), { axis, descending }), { layouts: [layout], fused });
      }),
      { numRuns: 30 },
    );
    check(argsort(leafOf([3000], "f32", values(3000, 5))));
  });

  test("cumulative", () => {
    fc.assert(
      fc.property(shaped, fc.boolean(), ({ shape, axis, seed, layout, fused }, reverse) => {
        const data = leafOf(
          shape,
          "f32",
          values(sizeOf(shape), seed).map((x) => x / 3),
        );
        const other = leafOf(
          shape,
          "f32",
          values(sizeOf(shape), seed + 1).map((x) => x / 4),
        );
        const options = { layouts: [layout, "rowMajor"] as Layout[], fused, relative: 1e-4 };
        check(cumulativeSum(data, { axis, reverse }), options);
        check(cumulativeProduct(data, { axis, reverse }), options);
        check(linearRecurrence(other, data, { axis, reverse }), options);
      }),
      { numRuns: 20 },
    );
    check(cumulativeSum(leafOf([3, 170], "i32", indexValues(510, 9, 1)), { axis: 0 }));
  });

  test("checkIndices passes through in any layout", () => {
    check(checkIndices(leafOf([3, 5], "i32", indexValues(15, 9, 1)), 9), { layouts: ["transposed"], fused: true });
  });

  test("an index out of range touches no memory outside", () => {
    const wild = [-1, 2147483647, -2147483648, 1000000, 3];
    const run = (node: Node): void => {
      try {
        check(node);
      } catch (error) {
        // The values are unspecified; the interpreter reports stray addresses as internal errors.
        expect(String(error)).not.toMatch(/outside|InternalError/);
      }
    };
    run(gather(leafOf([4, 3], "f32", values(12, 1)), leafOf([5], "i32", wild)));
    run(gather(leafOf([4], "f32", values(4, 1)), leafOf([5], "i32", wild)));
    run(takeAlongAxis(leafOf([4], "f32", values(4, 1)), leafOf([5], "i32", wild), 0));
    run(scatterAdd(leafOf([5, 2], "f32", values(10, 1)), leafOf([5], "i32", wild), 0, 4));
    run(scatterAddAlongAxis(leafOf([5], "f32", values(5, 1)), leafOf([5], "i32", wild), 0, [4]));
  });
});

describe("guards", () => {
  const run = (shape: number[], indices: number[], limit: number, dtype: "i32" | "u8" = "i32"): number => {
    const data = leafOf(shape, dtype, indices);
    const view = { operand: 0, dtype, offset: 0, strides: stridesOf(shape) };
    const status = new ArrayBuffer(4);
    const lowering = guard({ type: { shape, dtype }, view, limit, code: 7, machine });
    interpret(lowering, [data.value!.buffer], status);
    return viewOf("i32", status)[0];
  };
  test("report an index outside and only that", () => {
    expect(run([3], [0, 1, 2], 3)).toBe(0);
    expect(run([3], [0, 3, 2], 3)).toBe(7);
    expect(run([20], [...new Array(19).fill(0), -1], 3)).toBe(7);
    expect(run([2, 2], [0, 1, 9, 255], 255, "u8")).toBe(7);
    expect(run([], [-2147483648], 3)).toBe(7);
    expect(run([1], [0], 0)).toBe(7);
    expect(run([0], [], 0)).toBe(0);
    expect(run([9000], [...new Array(8999).fill(5), 6], 6)).toBe(7);
  });
});
