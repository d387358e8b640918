import { ArgumentError } from "../errors.ts";
import { formatShape, type Shape } from "../graph/shape.ts";

/** One axis of a slice, as in Python's `start:stop:step`. */
export type SliceRange = { readonly start?: number; readonly stop?: number; readonly step?: number };

/** Python's slice rules: bounds count from the end when negative and are clamped; axes left out are taken whole. */
export function sliceRanges(operation: string, shape: Shape, ranges: readonly (SliceRange | undefined)[]) {
  if (ranges.length > shape.length) {
    throw new ArgumentError(
      `${operation}: received ${ranges.length} ranges for shape ${formatShape(shape)}, expected at most ${shape.length}.`,
    );
  }
  const starts: number[] = [];
  const sizes: number[] = [];
  const steps: number[] = [];
  shape.forEach((extent, axis) => {
    const range = ranges[axis] ?? {};
    const step = range.step ?? 1;
    if (![range.start ?? 0, range.stop ?? 0, step].every(Number.isInteger) || step === 0) {
      throw new ArgumentError(
        `${operation}: range ${JSON.stringify(range)} on axis ${axis}: start, stop and step must be integers and step not 0.`,
      );
    }
    const [least, most] = step > 0 ? [0, extent] : [-1, extent - 1];
    const clamp = (bound: number) => Math.min(most, Math.max(least, bound < 0 ? bound + extent : bound));
    const start = range.start === undefined ? (step > 0 ? 0 : extent - 1) : clamp(range.start);
    const stop = range.stop === undefined ? (step > 0 ? extent : -1) : clamp(range.stop);
    const size = Math.max(0, Math.ceil((stop - start) / step));
    starts.push(size === 0 ? 0 : start);
    sizes.push(size);
    steps.push(step);
  });
  return { starts, sizes, steps };
}
