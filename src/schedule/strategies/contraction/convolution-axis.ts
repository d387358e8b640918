import type { Meaning } from "../../../ops/define.ts";

/**
 * One spatial axis of a convolution as the kernels see it: output i lies at `start + step·i`, and tap t of it reads input
 * `inputStep·i + offset + offsetStep·t` with kernel index `kernelFirst + kernelStep·t`. Both the forward direction and (by phases of the
 * stride) the input gradient have this form, so one kernel serves both and no multiplication by a stuffed zero is ever done.
 */
export interface ConvolutionAxis {
  readonly count: number;
  readonly start: number;
  readonly step: number;
  readonly inputSize: number;
  readonly inputStep: number;
  readonly taps: number;
  readonly kernelFirst: number;
  readonly kernelStep: number;
  readonly offset: number;
  readonly offsetStep: number;
}

/** Extents and window of one axis; `padding` is what lies before the first element. */
export interface AxisGeometry {
  readonly inputSize: number;
  readonly outputSize: number;
  readonly window: number;
  readonly stride: number;
  readonly dilation: number;
  readonly padding: number;
}

/** out[i] = Σ_t in[stride·i + dilation·t − padding] · w[t]. */
export function forwardAxis(geometry: AxisGeometry): ConvolutionAxis {
  return {
    count: geometry.outputSize,
    start: 0,
    step: 1,
    inputSize: geometry.inputSize,
    inputStep: geometry.stride,
    taps: geometry.window,
    kernelFirst: 0,
    kernelStep: 1,
    offset: -geometry.padding,
    offsetStep: geometry.dilation,
  };
}

/**
 * dx[p] = Σ_{t, q: stride·q + dilation·t − padding = p} g[q] · w[t], split by p modulo the stride: within a phase the taps that hit are
 * evenly spaced and q advances by one with every output. Taps run backwards so that g is read forwards. Empty phases have no taps.
 */
export function inputGradientAxes(geometry: AxisGeometry): ConvolutionAxis[] {
  const { inputSize, outputSize, window, stride, dilation, padding } = geometry;
  const axes: ConvolutionAxis[] = [];
  for (let phase = 0; phase < Math.min(stride, inputSize); phase++) {
    const hits: number[] = [];
    for (let t = window - 1; t >= 0; t--) if (modulo(phase + padding - t * dilation, stride) === 0) hits.push(t);
    const kernelStep = hits.length > 1 ? hits[1] - hits[0] : -1;
    axes.push({
      count: Math.ceil((inputSize - phase) / stride),
      start: phase,
      step: stride,
      inputSize: outputSize,
      inputStep: 1,
      taps: hits.length,
      kernelFirst: hits[0] ?? 0,
      kernelStep,
      offset: hits.length > 0 ? (phase + padding - hits[0] * dilation) / stride : 0,
      offsetStep: hits.length > 1 ? (-kernelStep * dilation) / stride : 1,
    });
  }
  return axes;
}

const modulo = (value: number, divisor: number): number => ((value % divisor) + divisor) % divisor;

/** The input position that tap `tap` of output `index` reads. */
export const inputPosition = (axis: ConvolutionAxis, index: number, tap: number): number =>
  axis.inputStep * index + axis.offset + axis.offsetStep * tap;

/** Whether tap `tap` of output `index` lies inside the input. */
export function tapInside(axis: ConvolutionAxis, index: number, tap: number): boolean {
  const position = inputPosition(axis, index, tap);
  return position >= 0 && position < axis.inputSize;
}

/** Whether every tap of outputs first … first + count − 1 lies inside. */
export function allInside(axis: ConvolutionAxis, first: number, count: number): boolean {
  if (axis.taps === 0) return true;
  const corners = [first, first + count - 1].flatMap((index) => [
    inputPosition(axis, index, 0),
    inputPosition(axis, index, axis.taps - 1),
  ]);
  return Math.min(...corners) >= 0 && Math.max(...corners) < axis.inputSize;
}

/** Extents and window of the two spatial axes, from the shapes of x and of the forward result. */
export function spatialAxes(
  meaning: Extract<Meaning, { kind: "conv2d" }>,
  x: readonly number[],
  y: readonly number[],
): readonly [AxisGeometry, AxisGeometry] {
  const axis = (index: 0 | 1): AxisGeometry => ({
    inputSize: x[1 + index],
    outputSize: y[1 + index],
    window: meaning.geometry.window[index],
    stride: meaning.geometry.strides[index],
    dilation: meaning.geometry.dilation[index],
    padding: meaning.geometry.padding[index][0],
  });
  return [axis(0), axis(1)];
}
