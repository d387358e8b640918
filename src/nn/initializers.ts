/**
 * Weight initialisers, after Keras: shapes are channels-last (`[in, out]`, `[kh, kw, in, out]`), fans are counted over the receptive field.
 * Glorot: Glorot & Bengio 2010; He: He et al. 2015; LeCun: LeCun et al. 1998; orthogonal: Saxe et al. 2014.
 */
import { ArgumentError, ShapeError } from "../errors.ts";
import { formatShape, type Shape, sizeOf } from "../graph/shape.ts";
import {
  full,
  type Generator,
  ones,
  randomNormal,
  randomUniform,
  type Tensor,
  tensor,
  truncatedNormal,
  zeros,
} from "../tensor/index.ts";

/** Makes a weight of a shape; without a generator the default one (seeded by `setRandomSeed`) is drawn from. */
export type Initialize = (shape: Shape, generator?: Generator) => Tensor;

export type FanMode = "fan_in" | "fan_out" | "fan_avg";
export type ScalingDistribution = "uniform" | "truncated_normal" | "untruncated_normal";

/** Inputs and outputs per unit: the last two axes times the receptive field (the axes before them). */
export function computeFans(shape: Shape): { fanIn: number; fanOut: number } {
  if (shape.length === 0) return { fanIn: 1, fanOut: 1 };
  if (shape.length === 1) return { fanIn: shape[0], fanOut: shape[0] };
  const receptiveField = sizeOf(shape.slice(0, -2));
  return { fanIn: shape[shape.length - 2] * receptiveField, fanOut: shape[shape.length - 1] * receptiveField };
}

/** Standard deviation of a normal distribution cut off at two standard deviations, for a unit normal. */
const truncatedNormalDeviation = 0.8796256610342398;

/**
 * Variance scaling: variance = scale / fan. Uniform in ±√(3·scale/fan), or normal with deviation √(scale/fan), truncated at two
 * deviations (and widened to keep the variance) or not.
 */
export function varianceScaling(
  options: { scale?: number; mode?: FanMode; distribution?: ScalingDistribution } = {},
): Initialize {
  const { scale = 1, mode = "fan_in", distribution = "truncated_normal" } = options;
  if (!(scale > 0)) throw new ArgumentError(`varianceScaling: scale must be positive, received ${scale}.`);
  return (shape, generator) => {
    const { fanIn, fanOut } = computeFans(shape);
    const fan = mode === "fan_in" ? fanIn : mode === "fan_out" ? fanOut : (fanIn + fanOut) / 2;
    const variance = scale / Math.max(1, fan);
    if (distribution === "uniform") {
      const limit = Math.sqrt(3 * variance);
      return randomUniform(shape, { min: -limit, max: limit, generator });
    }
    if (distribution === "truncated_normal") {
      return truncatedNormal(shape, { mean: 0, std: Math.sqrt(variance) / truncatedNormalDeviation, generator });
    }
    return randomNormal(shape, { mean: 0, std: Math.sqrt(variance), generator });
  };
}

export const glorotUniform = varianceScaling({ mode: "fan_avg", distribution: "uniform" });
export const glorotNormal = varianceScaling({ mode: "fan_avg", distribution: "truncated_normal" });
export const heUniform = varianceScaling({ scale: 2, distribution: "uniform" });
export const heNormal = varianceScaling({ scale: 2, distribution: "truncated_normal" });
export const lecunUniform = varianceScaling({ distribution: "uniform" });
export const lecunNormal = varianceScaling({ distribution: "truncated_normal" });

export const zerosInitializer: Initialize = (shape) => zeros(shape);
export const onesInitializer: Initialize = (shape) => ones(shape);
export const constantInitializer =
  (value: number): Initialize =>
  (shape) =>
    full(shape, value);

export const randomUniformInitializer =
  (min: number, max: number): Initialize =>
  (shape, generator) =>
    randomUniform(shape, { min, max, generator });

export const randomNormalInitializer =
  (mean: number, std: number): Initialize =>
  (shape, generator) =>
    randomNormal(shape, { mean, std, generator });

export const truncatedNormalInitializer =
  (mean: number, std: number): Initialize =>
  (shape, generator) =>
    truncatedNormal(shape, { mean, std, generator });

/** Identity matrix times `gain`. */
export const identityInitializer =
  (gain = 1): Initialize =>
  (shape) => {
    if (shape.length !== 2) {
      throw new ShapeError(`identity initializer: expected a matrix, received shape ${formatShape(shape)}.`);
    }
    const [rows, columns] = shape;
    const values = new Float32Array(rows * columns);
    for (let index = 0; index < Math.min(rows, columns); index++) values[index * columns + index] = gain;
    return tensor(values, { shape });
  };

/**
 * A random orthogonal matrix of shape [product of all axes but the last, last], times `gain`. Gram-Schmidt in f64 (twice, for orthogonality to
 * rounding) of a random normal matrix; signs are those of a QR decomposition with positive diagonal, so the result is uniform over the group.
 */
export const orthogonalInitializer =
  (gain = 1): Initialize =>
  (shape, generator) => {
    if (shape.length < 2) {
      throw new ShapeError(`orthogonal initializer: expected at least two axes, received shape ${formatShape(shape)}.`);
    }
    const columns = shape[shape.length - 1];
    const rows = sizeOf(shape) / columns;
    const [count, length] = rows < columns ? [rows, columns] : [columns, rows];
    const sample = Float64Array.from(randomNormal([count, length], { generator }).dataSync());
    const vectors = Array.from({ length: count }, (_, index) => sample.subarray(index * length, (index + 1) * length));
    vectors.forEach(orthonormalize);
    const values = new Float32Array(rows * columns);
    for (let row = 0; row < rows; row++) {
      for (let column = 0; column < columns; column++) {
        values[row * columns + column] = gain * (rows < columns ? vectors[row][column] : vectors[column][row]);
      }
    }
    return tensor(values, { shape });
  };

/** Makes vector number `index` a unit vector at right angles to all before it. */
function orthonormalize(vector: Float64Array, index: number, all: readonly Float64Array[]): void {
  for (let pass = 0; pass < 2; pass++) {
    for (let earlier = 0; earlier < index; earlier++) {
      const other = all[earlier];
      const projection = vector.reduce((sum, value, axis) => sum + value * other[axis], 0);
      for (let axis = 0; axis < vector.length; axis++) vector[axis] -= projection * other[axis];
    }
  }
  const norm = Math.sqrt(vector.reduce((sum, value) => sum + value * value, 0));
  for (let axis = 0; axis < vector.length; axis++) vector[axis] /= norm;
}

/** Coefficients of Acklam's rational approximation of the normal quantile (relative error below 1.2e-9). */
const quantileTerms = {
  numerator: [
    -3.969683028665376e1, 2.209460984245205e2, -2.759285104469687e2, 1.38357751867269e2, -3.066479806614716e1,
    2.506628277459239,
  ],
  denominator: [
    -5.447609879822406e1, 1.615858368580409e2, -1.556989798598866e2, 6.680131188771972e1, -1.328068155288572e1, 1,
  ],
  tailNumerator: [
    -7.784894002430293e-3, -3.223964580411365e-1, -2.400758277161838, -2.549732539343734, 4.374664141464968,
    2.938163982698783,
  ],
  tailDenominator: [7.784695709041462e-3, 3.224671290700398e-1, 2.445134137142996, 3.754408661907416, 1],
};
const polynomial = (terms: readonly number[], x: number): number => terms.reduce((sum, term) => sum * x + term, 0);

/** The number below which a standard normal number lies with probability p. After Acklam, 2003. */
function normalQuantile(p: number): number {
  const { numerator, denominator, tailNumerator, tailDenominator } = quantileTerms;
  if (p <= 0) return Number.NEGATIVE_INFINITY;
  if (p >= 1) return Number.POSITIVE_INFINITY;
  if (p < 0.02425) {
    const q = Math.sqrt(-2 * Math.log(p));
    return polynomial(tailNumerator, q) / polynomial(tailDenominator, q);
  }
  if (p > 1 - 0.02425) return -normalQuantile(1 - p);
  const q = p - 0.5;
  return (q * polynomial(numerator, q * q)) / polynomial(denominator, q * q);
}

/** Probability that a standard normal number lies below x (Abramowitz and Stegun 26.2.17 would lose digits: a series and a continued fraction). */
function normalProbability(x: number): number {
  if (x < 0) return 1 - normalProbability(-x);
  const density = Math.exp((-x * x) / 2) / Math.sqrt(2 * Math.PI);
  if (x > 6) return 1 - density / x;
  let term = x;
  let total = x;
  for (let n = 1; term > 1e-17 * total; n++) {
    term *= (x * x) / (2 * n + 1);
    total += term;
  }
  return 0.5 + density * total;
}

/** Normal numbers between two bounds, by the inverse of the distribution function. */
export const truncatedNormalBetween =
  (mean: number, std: number, least: number, most: number): Initialize =>
  (shape, generator) => {
    if (!(std > 0 && least < most)) {
      throw new ArgumentError(
        `truncated normal: expected a positive deviation and bounds in order, received ${std}, ${least} and ${most}.`,
      );
    }
    const [low, high] = [normalProbability((least - mean) / std), normalProbability((most - mean) / std)];
    const values = randomUniform(shape, { min: low, max: high, generator }).dataSync();
    return tensor(
      Float32Array.from(values, (p) => Math.min(Math.max(mean + std * normalQuantile(p), least), most)),
      { shape },
    );
  };

/** Weights of the steps of a frame: a cosine sum a₀ − a₁·cos 2πt + a₂·cos 4πt. */
export const windows = {
  boxcar: [1],
  hann: [0.5, 0.5],
  hamming: [0.54, 0.46],
  blackman: [0.42, 0.5, 0.08],
} as const satisfies Readonly<Record<string, readonly number[]>>;
export type WindowName = keyof typeof windows;

/**
 * Kernels [length, 1, frequencies] of a short-time Fourier transform: cos or sin of −2π·step·f / (2·(frequencies − 1)), times the window, divided by
 * the window's norm ("density") or sum ("spectrum").
 */
export const fourierInitializer =
  (options: {
    readonly side: "real" | "imag";
    readonly window: WindowName | null;
    readonly scaling: "density" | "spectrum" | null;
    readonly periodic: boolean;
  }): Initialize =>
  (shape) => {
    if (shape.length !== 3 || shape[1] !== 1) {
      throw new ShapeError(`STFT: expected a shape (frame length, 1, frequencies), received ${formatShape(shape)}.`);
    }
    const [length, , frequencies] = shape;
    const terms = options.window === null ? windows.boxcar : windows[options.window];
    const period = Math.max(1, options.periodic ? length : length - 1);
    const weights = Array.from({ length }, (_, step) =>
      length === 1
        ? 1
        : terms.reduce(
            (sum: number, term, k) => sum + (-1) ** k * term * Math.cos((2 * Math.PI * k * step) / period),
            0,
          ),
    );
    const total = weights.reduce((sum, weight) => sum + Math.abs(weight), 0);
    const norm = Math.sqrt(weights.reduce((sum, weight) => sum + weight * weight, 0));
    const scaled = options.window !== null && options.scaling !== null;
    const divisor = scaled ? (options.scaling === "density" ? norm : total) : 1;
    const wave = options.side === "real" ? Math.cos : Math.sin;
    const values = Float32Array.from({ length: length * frequencies }, (_, index) => {
      const [step, frequency] = [Math.floor(index / frequencies), index % frequencies];
      const angle = (-2 * Math.PI * step * frequency) / (2 * (frequencies - 1));
      return (wave(angle) * weights[step]) / divisor;
    });
    return tensor(values, { shape });
  };
