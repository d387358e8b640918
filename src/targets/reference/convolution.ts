import type { Shape } from "../../graph/shape.ts";
import type { Meaning, WindowGeometry } from "../../ops/define.ts";

type Convolution = Meaning & { readonly kind: "conv2d" };

/**
 * All three directions of one convolution are the same sum over (n, oy, ox, ky, kx, group, c, k) of x · w → y; they differ in which of the
 * three is the result.
 */
export function evaluateConvolution(
  { direction, geometry, groups }: Convolution,
  first: Float64Array,
  second: Float64Array,
  shapes: { readonly x: Shape; readonly w: Shape; readonly y: Shape },
  size: number,
): Float64Array {
  const { x, w, y } = shapes;
  const result = new Float64Array(size);
  const data = direction === "inputGradient" ? result : first;
  const kernel = direction === "forward" ? second : direction === "inputGradient" ? second : result;
  const gradient = direction === "forward" ? result : direction === "inputGradient" ? first : second;
  const channels = w[2];
  const filters = w[3];
  const filtersPerGroup = filters / groups;
  const run = runs[direction];
  forEachTap(x, y, geometry, (pixel, outputPixel, tap) => {
    for (let group = 0; group < groups; group++) {
      const from = group * filtersPerGroup;
      run(
        data,
        pixel * x[3] + group * channels,
        kernel,
        tap * channels * filters + from,
        gradient,
        outputPixel * filters + from,
        channels,
        filters,
        filtersPerGroup,
      );
    }
  });
  return result;
}

type Run = (
  x: Float64Array,
  xBase: number,
  w: Float64Array,
  wBase: number,
  y: Float64Array,
  yBase: number,
  channels: number,
  filters: number,
  count: number,
) => void;

const runs: Readonly<Record<Convolution["direction"], Run>> = {
  forward(x, xBase, w, wBase, y, yBase, channels, filters, count) {
    for (let c = 0; c < channels; c++) {
      const value = x[xBase + c];
      const row = wBase + c * filters;
      for (let k = 0; k < count; k++) y[yBase + k] += value * w[row + k];
    }
  },
  inputGradient(x, xBase, w, wBase, y, yBase, channels, filters, count) {
    for (let c = 0; c < channels; c++) {
      const row = wBase + c * filters;
      let total = 0;
      for (let k = 0; k < count; k++) total += y[yBase + k] * w[row + k];
      x[xBase + c] += total;
    }
  },
  weightGradient(x, xBase, w, wBase, y, yBase, channels, filters, count) {
    for (let c = 0; c < channels; c++) {
      const value = x[xBase + c];
      const row = wBase + c * filters;
      for (let k = 0; k < count; k++) w[row + k] += value * y[yBase + k];
    }
  },
};

/**
 * Calls `visit` for every window position and every tap of it that lies inside the data, taps in order: with the pixel number in x
 * (over n, h, w), the pixel number in y (over n, oh, ow) and the tap number.
 */
export function forEachTap(
  x: Shape,
  y: Shape,
  { window, strides, dilation, padding }: WindowGeometry,
  visit: (pixel: number, outputPixel: number, tap: number) => void,
): void {
  const [batch, height, width] = x;
  const [, outputHeight, outputWidth] = y;
  let outputPixel = 0;
  for (let n = 0; n < batch; n++) {
    for (let oy = 0; oy < outputHeight; oy++) {
      for (let ox = 0; ox < outputWidth; ox++, outputPixel++) {
        for (let i = 0; i < window[0]; i++) {
          const row = oy * strides[0] + i * dilation[0] - padding[0][0];
          if (row < 0 || row >= height) continue;
          for (let j = 0; j < window[1]; j++) {
            const column = ox * strides[1] + j * dilation[1] - padding[1][0];
            if (column < 0 || column >= width) continue;
            visit((n * height + row) * width + column, outputPixel, i * window[1] + j);
          }
        }
      }
    }
  }
}
