/** Generators of shapes and tensors for property-based tests. They take fast-check as an argument, so that it stays a development dependency. */
import type * as FastCheck from "fast-check";
import type { Shape } from "../graph/shape.ts";

type Fc = (typeof FastCheck)["default"];
type Arbitrary<T> = FastCheck.Arbitrary<T>;

/** Sizes at which vector code changes its path: empty, one, around 8, 16 and 32 lanes. */
export function extents(fc: Fc): Arbitrary<number> {
  return fc.oneof(
    { weight: 5, arbitrary: fc.integer({ min: 1, max: 5 }) },
    { weight: 2, arbitrary: fc.constantFrom(7, 8, 9, 15, 16, 17, 31, 33) },
    { weight: 1, arbitrary: fc.constant(0) },
  );
}

/** Shapes of up to `maxRank` axes and at most about `maxSize` elements. */
export function shapes(fc: Fc, maxRank = 4, maxSize = 600): Arbitrary<Shape> {
  return fc
    .array(extents(fc), { minLength: 0, maxLength: maxRank })
    .filter((shape) => shape.reduce((size, extent) => size * Math.max(extent, 1), 1) <= maxSize);
}

/** Two shapes that broadcast, in either direction and over missing axes. */
export function broadcastPairs(fc: Fc, maxRank = 4): Arbitrary<{ readonly left: Shape; readonly right: Shape }> {
  return shapes(fc, maxRank).chain((shape) => {
    const side = fc
      .tuple(
        fc.integer({ min: 0, max: shape.length }),
        fc.array(fc.boolean(), { minLength: shape.length, maxLength: shape.length }),
      )
      .map(([dropped, ones]) => shape.map((extent, axis) => (ones[axis] ? 1 : extent)).slice(dropped));
    return fc.record({ left: side, right: side });
  });
}

/** f32 numbers with the traps among them: zeros of both signs, infinities, NaN, denormals. */
export function floats(fc: Fc, special = true): Arbitrary<number> {
  const ordinary = fc.double({ min: -100, max: 100, noNaN: true }).map(Math.fround);
  if (!special) return ordinary;
  const traps = fc.constantFrom(0, -0, 1, -1, 0.5, Infinity, -Infinity, Number.NaN, 2 ** -140, 3.4e38);
  return fc.oneof({ weight: 8, arbitrary: ordinary }, { weight: 1, arbitrary: traps });
}

/** Elements of one shape. */
export function elements(fc: Fc, size: number, special = true): Arbitrary<number[]> {
  return fc.array(floats(fc, special), { minLength: size, maxLength: size });
}
