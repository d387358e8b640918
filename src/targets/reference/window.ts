import type { Shape } from "../../graph/shape.ts";
import type { Meaning } from "../../ops/define.ts";
import { forEachTap } from "./convolution.ts";

type Window = Meaning & { readonly kind: "window" };

/** Pooling over NHWC in each of its six forms; `x` and `y` are the shapes of the large and the small side. */
export function evaluateWindow(
  { combine, geometry }: Window,
  inputs: readonly Float64Array[],
  x: Shape,
  y: Shape,
  size: number,
): Float64Array {
  const channels = x[3];
  const result = new Float64Array(size);
  const [first, taps] = inputs;
  /** Calls `visit(element of x, element of y, tap)` for every channel of every tap. */
  const each = (visit: (from: number, to: number, tap: number) => void): void =>
    forEachTap(x, y, geometry, (pixel, outputPixel, tap) => {
      for (let c = 0; c < channels; c++) visit(pixel * channels + c, outputPixel * channels + c, tap);
    });
  switch (combine) {
    case "sum":
      each((from, to) => {
        result[to] += first[from];
      });
      return result;
    case "sumTranspose":
      each((from, to) => {
        result[from] += first[to];
      });
      return result;
    case "pick":
      each((from, to, tap) => {
        if (taps[to] === tap) result[to] = first[from];
      });
      return result;
    case "pickTranspose":
      each((from, to, tap) => {
        if (taps[to] === tap) result[from] += first[to];
      });
      return result;
    case "max":
    case "argmax": {
      const best = new Float64Array(size).fill(Number.NEGATIVE_INFINITY);
      const chosen = new Float64Array(size).fill(-1);
      each((from, to, tap) => {
        const value = first[from];
        // The first maximal tap; a NaN is larger than everything but an earlier NaN.
        if (chosen[to] < 0 || value > best[to] || (Number.isNaN(value) && !Number.isNaN(best[to]))) {
          best[to] = value;
          chosen[to] = tap;
        }
      });
      return combine === "max" ? best : chosen.map((tap) => Math.max(0, tap));
    }
  }
}
