/**
 * Initialisers that write parameters. Fans are PyTorch's: weights have shape (out, in, …), the axes after the second are the receptive field.
 * Xavier: Glorot and Bengio, 2010; Kaiming: He et al., 2015; orthogonal: Saxe et al., 2014. After torch.nn.init.
 */
import { ArgumentError, ShapeError } from "../../errors.ts";
import { formatShape, type Shape, sizeOf } from "../../graph/shape.ts";
import { orthogonalInitializer, truncatedNormalBetween } from "../../nn/initializers.ts";
import {
  full,
  type Generator,
  randomNormal,
  randomUniform,
  type Tensor,
  tensor,
  Variable,
} from "../../tensor/index.ts";

/** A generator for initial values; the default one is seeded by `manualSeed`. */
export interface InitOptions {
  readonly generator?: Generator;
}
/** Activations whose gain is known. */
export type Nonlinearity =
  | "linear"
  | "conv1d"
  | "conv2d"
  | "conv_transpose1d"
  | "conv_transpose2d"
  | "sigmoid"
  | "tanh"
  | "relu"
  | "leaky_relu"
  | "selu";

/** The factor by which an activation asks for larger weights; `param` is the slope of leaky_relu (default 0.01). */
export function calculateGain(nonlinearity: Nonlinearity, param = 0.01): number {
  switch (nonlinearity) {
    case "linear":
    case "conv1d":
    case "conv2d":
    case "conv_transpose1d":
    case "conv_transpose2d":
    case "sigmoid":
      return 1;
    case "tanh":
      return 5 / 3;
    case "relu":
      return Math.SQRT2;
    case "leaky_relu":
      return Math.sqrt(2 / (1 + param ** 2));
    case "selu":
      return 3 / 4;
    default:
      throw new ArgumentError(`calculateGain: unknown nonlinearity "${String(nonlinearity)}".`);
  }
}

/** Inputs and outputs of each unit: the first two axes times the receptive field. */
export function calculateFans(shape: Shape): { readonly fanIn: number; readonly fanOut: number } {
  if (shape.length < 2) {
    throw new ShapeError(`init: fans need a weight of at least two axes, received shape ${formatShape(shape)}.`);
  }
  const field = sizeOf(shape.slice(2));
  return { fanIn: shape[1] * field, fanOut: shape[0] * field };
}

function write<Target extends Tensor>(owner: string, target: Target, value: (shape: Shape) => Tensor): Target {
  if (!(target instanceof Variable)) {
    throw new ArgumentError(
      `${owner}: only parameters and variables can be written; make the tensor with ${owner.replace("_", "")} values instead.`,
    );
  }
  target.assign(value(target.shape));
  return target;
}

/** Uniform numbers in [a, b). */
export function uniform_<Target extends Tensor>(target: Target, a = 0, b = 1, options: InitOptions = {}): Target {
  return write("uniform_", target, (shape) => randomUniform(shape, { min: a, max: b, ...options }));
}
/** Normal numbers. */
export function normal_<Target extends Tensor>(target: Target, mean = 0, std = 1, options: InitOptions = {}): Target {
  return write("normal_", target, (shape) => randomNormal(shape, { mean, std, ...options }));
}
/** Normal numbers between a and b, both absolute. */
export function truncNormal_<Target extends Tensor>(
  target: Target,
  mean = 0,
  std = 1,
  a = -2,
  b = 2,
  options: InitOptions = {},
): Target {
  return write("truncNormal_", target, (shape) => truncatedNormalBetween(mean, std, a, b)(shape, options.generator));
}
export function constant_<Target extends Tensor>(target: Target, value: number): Target {
  return write("constant_", target, (shape) => full(shape, value));
}
export function ones_<Target extends Tensor>(target: Target): Target {
  return constant_(target, 1);
}
export function zeros_<Target extends Tensor>(target: Target): Target {
  return constant_(target, 0);
}

/** The identity matrix, also for matrices that are not square. */
export function eye_<Target extends Tensor>(target: Target): Target {
  return write("eye_", target, (shape) => {
    if (shape.length !== 2) throw new ShapeError(`eye_: expected a matrix, received shape ${formatShape(shape)}.`);
    return filled(shape, (place) => (place[0] === place[1] ? 1 : 0));
  });
}
/** Kernels that pass each channel on unchanged, as many as fit, in each group. */
export function dirac_<Target extends Tensor>(target: Target, groups = 1): Target {
  return write("dirac_", target, (shape) => {
    if (shape.length < 3 || shape.length > 5 || shape[0] % groups !== 0) {
      throw new ShapeError(
        `dirac_: expected a kernel (filters, channels, …) of 3 to 5 axes with filters in ${groups} groups, received shape ${formatShape(shape)}.`,
      );
    }
    const perGroup = shape[0] / groups;
    return filled(shape, ([filter, channel, ...place]) =>
      filter % perGroup === channel && place.every((at, axis) => at === Math.floor(shape[axis + 2] / 2)) ? 1 : 0,
    );
  });
}

function filled(shape: Shape, value: (place: readonly number[]) => number): Tensor {
  const values = Float32Array.from({ length: sizeOf(shape) }, (_, index) => {
    const place = new Array<number>(shape.length);
    let rest = index;
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      place[axis] = rest % shape[axis];
      rest = Math.floor(rest / shape[axis]);
    }
    return value(place);
  });
  return tensor(values, { shape });
}

/** U(−a, a) with a = gain·√(6 / (fan in + fan out)). */
export function xavierUniform_<Target extends Tensor>(target: Target, gain = 1, options: InitOptions = {}): Target {
  const { fanIn, fanOut } = calculateFans(target.shape);
  const bound = gain * Math.sqrt(6 / (fanIn + fanOut));
  return uniform_(target, -bound, bound, options);
}
/** N(0, σ) with σ = gain·√(2 / (fan in + fan out)). */
export function xavierNormal_<Target extends Tensor>(target: Target, gain = 1, options: InitOptions = {}): Target {
  const { fanIn, fanOut } = calculateFans(target.shape);
  return normal_(target, 0, gain * Math.sqrt(2 / (fanIn + fanOut)), options);
}

export interface KaimingOptions extends InitOptions {
  /** Slope of leaky_relu (default 0). */
  readonly a?: number;
  readonly mode?: "fan_in" | "fan_out";
  readonly nonlinearity?: Nonlinearity;
}
function kaimingDeviation(shape: Shape, options: KaimingOptions): number {
  const { a = 0, mode = "fan_in", nonlinearity = "leaky_relu" } = options;
  if (mode !== "fan_in" && mode !== "fan_out") {
    throw new ArgumentError(`kaiming: mode must be "fan_in" or "fan_out", received "${String(mode)}".`);
  }
  const { fanIn, fanOut } = calculateFans(shape);
  return calculateGain(nonlinearity, a) / Math.sqrt(mode === "fan_in" ? fanIn : fanOut);
}
/** U(−a, a) with a = gain·√(3 / fan). */
export function kaimingUniform_<Target extends Tensor>(target: Target, options: KaimingOptions = {}): Target {
  const bound = Math.sqrt(3) * kaimingDeviation(target.shape, options);
  return uniform_(target, -bound, bound, options.generator && { generator: options.generator });
}
/** N(0, gain / √fan). */
export function kaimingNormal_<Target extends Tensor>(target: Target, options: KaimingOptions = {}): Target {
  const deviation = kaimingDeviation(target.shape, options);
  return normal_(target, 0, deviation, options.generator && { generator: options.generator });
}

/** A random matrix (out, product of the other axes) with orthonormal rows, or columns where there are fewer of them. */
export function orthogonal_<Target extends Tensor>(target: Target, gain = 1, options: InitOptions = {}): Target {
  return write("orthogonal_", target, (shape) => {
    if (shape.length < 2) {
      throw new ShapeError(`orthogonal_: expected at least two axes, received shape ${formatShape(shape)}.`);
    }
    const rows = shape[0];
    return orthogonalInitializer(gain)([rows, sizeOf(shape) / rows], options.generator).reshape(shape);
  });
}
