/** Shapes, broadcasting and movement on random shapes, against plain loops over positions. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Node } from "../../src/graph/node.ts";
import { broadcastShapes, type Shape, sizeOf, stridesOf } from "../../src/graph/shape.ts";
import { add, concat, expand, flip, mul, pad, permute, reshape, slice, sub } from "../../src/ops/index.ts";
import { amax, argmax, mean, prod, sum } from "../../src/ops/reduce.ts";
import { assertClose } from "../../src/testing/allclose.ts";
import { broadcastPairs, shapes } from "../../src/testing/arbitraries.ts";
import { leafOf, valuesOf } from "../../src/testing/nodes.ts";

/** A leaf of distinct numbers, and how to read it by position. */
function numbered(shape: Shape, start = 0) {
  const data = Array.from({ length: sizeOf(shape) }, (_, i) => ((i * 37) % 101) + start);
  const strides = stridesOf(shape);
  return {
    node: leafOf(shape, "f32", data),
    at: (position: readonly number[]) => data[position.reduce((offset, p, axis) => offset + p * strides[axis], 0)],
  };
}
function positionsOf(shape: Shape): number[][] {
  const strides = stridesOf(shape);
  return Array.from({ length: sizeOf(shape) }, (_, i) =>
    shape.map((extent, axis) => Math.floor(i / strides[axis]) % extent),
  );
}
/** Compares a node with a function of the position. */
function check(node: Node, shape: Shape, at: (position: number[]) => number): void {
  expect(node.shape).toEqual(shape);
  assertClose(valuesOf([node])[0], positionsOf(shape).map(at), { relative: 1e-12, absolute: 1e-12 });
}
const runs = { numRuns: 60 };

describe("on any shape", () => {
  test("binary ops broadcast both ways", () => {
    fc.assert(
      fc.property(broadcastPairs(fc), ({ left, right }) => {
        const [a, b] = [numbered(left), numbered(right, 1)];
        const shape = broadcastShapes("test", left, right);
        const seen = (position: number[], of: Shape) =>
          of.map((extent, axis) => (extent === 1 ? 0 : position[axis + shape.length - of.length]));
        const values = (position: number[]) => [a.at(seen(position, left)), b.at(seen(position, right))];
        check(add(a.node, b.node), shape, (p) => values(p)[0] + values(p)[1]);
        check(sub(mul(a.node, b.node), a.node), shape, (p) => values(p)[0] * values(p)[1] - values(p)[0]);
      }),
      runs,
    );
  });

  test("permute and flip", () => {
    const shuffled = shapes(fc).chain((shape) =>
      fc.record({
        shape: fc.constant(shape),
        order: fc.shuffledSubarray(
          shape.map((_, axis) => axis),
          { minLength: shape.length },
        ),
        flipped: fc.subarray(shape.map((_, axis) => axis)),
      }),
    );
    fc.assert(
      fc.property(shuffled, ({ shape, order, flipped }) => {
        const x = numbered(shape);
        check(
          permute(x.node, order),
          order.map((axis) => shape[axis]),
          (p) => x.at(shape.map((_, axis) => p[order.indexOf(axis)])),
        );
        check(flip(x.node, flipped), shape, (p) =>
          x.at(p.map((position, axis) => (flipped.includes(axis) ? shape[axis] - 1 - position : position))),
        );
      }),
      runs,
    );
  });

  test("slice follows Python's rules, pad undoes it", () => {
    const bound = fc.option(fc.integer({ min: -6, max: 6 }), { nil: undefined });
    const step = fc.constantFrom(1, 2, 3, -1, -2, -3, undefined);
    const ranged = shapes(fc, 3).chain((shape) =>
      fc.record({
        shape: fc.constant(shape),
        ranges: fc.tuple(...shape.map(() => fc.record({ start: bound, stop: bound, step }))),
      }),
    );
    fc.assert(
      fc.property(ranged, ({ shape, ranges }) => {
        const x = numbered(shape);
        // Python's own definition: the positions of range(*slice.indices(n)).
        const taken = ranges.map(({ start, stop, step = 1 }, axis) => {
          const n = shape[axis];
          const clip = (value: number) =>
            step > 0 ? Math.min(Math.max(value, 0), n) : Math.min(Math.max(value, -1), n - 1);
          const wrap = (value: number) => clip(value < 0 ? value + n : value);
          const first = start === undefined ? (step > 0 ? 0 : n - 1) : wrap(start);
          const last = stop === undefined ? (step > 0 ? n : -1) : wrap(stop);
          const list: number[] = [];
          for (let i = first; step > 0 ? i < last : i > last; i += step) list.push(i);
          return list;
        });
        check(
          slice(x.node, ranges),
          taken.map((list) => list.length),
          (p) => x.at(p.map((position, axis) => taken[axis][position])),
        );
        const padding = shape.map((_, axis) => [axis, 2] as const);
        const back = pad(
          pad(x.node, padding, 7),
          padding.map(([before, after]) => [-before, -after] as const),
        );
        check(back, shape, (p) => x.at(p));
      }),
      runs,
    );
  });

  test("reductions", () => {
    const reduced = shapes(fc).chain((shape) =>
      fc.record({ shape: fc.constant(shape), axes: fc.subarray(shape.map((_, axis) => axis)) }),
    );
    fc.assert(
      fc.property(reduced, ({ shape, axes }) => {
        const x = numbered(shape, -50);
        const kept = shape.filter((_, axis) => !axes.includes(axis));
        const over = shape.filter((_, axis) => axes.includes(axis));
        const group = (p: number[]) =>
          positionsOf(over).map((inner) => {
            const [outerLeft, innerLeft] = [[...p], [...inner]];
            return x.at(
              shape.map((_, axis) => (axes.includes(axis) ? innerLeft.shift() : outerLeft.shift()) as number),
            );
          });
        check(sum(x.node, axes), kept, (p) => group(p).reduce((a, b) => a + b, 0));
        check(prod(x.node, axes), kept, (p) => group(p).reduce((a, b) => a * b, 1));
        if (sizeOf(over) > 0) {
          check(amax(x.node, axes), kept, (p) => Math.max(...group(p)));
          check(mean(x.node, axes), kept, (p) => group(p).reduce((a, b) => a + b, 0) / sizeOf(over));
        }
        if (axes.length === 1 && over[0] > 0) {
          check(argmax(x.node, axes[0]), kept, (p) => group(p).indexOf(Math.max(...group(p))));
        }
        const keptAll = sum(x.node, axes, true);
        expect(keptAll.shape).toEqual(shape.map((extent, axis) => (axes.includes(axis) ? 1 : extent)));
      }),
      runs,
    );
  });

  test("concat, expand and reshape", () => {
    fc.assert(
      fc.property(shapes(fc, 3), fc.nat(2), fc.nat(3), (shape, where, more) => {
        const x = numbered(shape);
        check(expand(x.node, [more, ...shape]), [more, ...shape], (p) => x.at(p.slice(1)));
        check(reshape(x.node, [1, ...shape, 1]), [1, ...shape, 1], (p) => x.at(p.slice(1, -1)));
        if (shape.length === 0) return;
        const axis = where % shape.length;
        const y = numbered(
          shape.map((extent, i) => (i === axis ? more : extent)),
          1000,
        );
        check(
          concat([x.node, y.node, x.node], axis),
          shape.map((extent, i) => (i === axis ? 2 * extent + more : extent)),
          (p) => {
            const at = (offset: number) => p.map((position, i) => (i === axis ? position - offset : position));
            if (p[axis] < shape[axis]) return x.at(p);
            return p[axis] < shape[axis] + more ? y.at(at(shape[axis])) : x.at(at(shape[axis] + more));
          },
        );
      }),
      runs,
    );
  });
});
