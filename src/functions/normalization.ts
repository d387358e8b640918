import { ShapeError } from "../errors.ts";
import type { Node } from "../graph/node.ts";
import { formatShape, normalizeAxes, normalizeAxis, type Shape } from "../graph/shape.ts";
import { add, mul, sub } from "../ops/arithmetic.ts";
import { constantLike } from "../ops/prepare.ts";
import { reshape } from "../ops/reshape.ts";
import { neg, rsqrt } from "../ops/unary.ts";
import { moments } from "./statistics.ts";

export interface NormalizationOptions {
  readonly gamma?: Node;
  readonly beta?: Node;
  readonly epsilon?: number;
}

/** A parameter with the sizes of `axes`, shaped so that it broadcasts against x. */
function aligned(operation: string, what: string, parameter: Node, shape: Shape, axes: readonly number[]): Node {
  const sizes = axes.map((axis) => shape[axis]);
  if (parameter.shape.length !== sizes.length || parameter.shape.some((size, i) => size !== sizes[i])) {
    throw new ShapeError(
      `${operation}: ${what} has shape ${formatShape(parameter.shape)}, expected ${formatShape(sizes)} for data of shape ${formatShape(shape)}.`,
    );
  }
  return reshape(
    parameter,
    shape.map((size, axis) => (axes.includes(axis) ? size : 1)),
  );
}

/** centred / √(variance + ε) · γ + β. */
function scaleAndShift(
  centred: Node,
  variance: Node,
  epsilon: number,
  gamma: Node | undefined,
  beta: Node | undefined,
): Node {
  const inverse = rsqrt(add(variance, constantLike(variance, epsilon)));
  const result = mul(centred, gamma ? mul(inverse, gamma) : inverse);
  return beta ? add(result, beta) : result;
}

export interface BatchNormalizationOptions extends NormalizationOptions {
  /** The axis of features (default −1). */
  readonly axis?: number;
}

/** Normalises with the batch's own statistics; returns them (shape: features) for the running averages. Source: Ioffe and Szegedy, 2015. */
export function batchNormalizationTraining(
  x: Node,
  { gamma, beta, epsilon = 1e-3, axis = -1 }: BatchNormalizationOptions = {},
): { readonly output: Node; readonly mean: Node; readonly variance: Node } {
  const name = "batchNormalization";
  const feature = normalizeAxis(name, axis, x.shape.length);
  const others = x.shape.flatMap((_, i) => (i === feature ? [] : [i]));
  const { mean, centred, variance } = moments(x, others);
  const output = scaleAndShift(
    centred,
    variance,
    epsilon,
    gamma && aligned(name, "gamma", gamma, x.shape, [feature]),
    beta && aligned(name, "beta", beta, x.shape, [feature]),
  );
  const features = [x.shape[feature]];
  return { output, mean: reshape(mean, features), variance: reshape(variance, features) };
}

/**
 * Normalises with given statistics (shape: features), as one factor and one summand a feature: x · γ/√(variance + ε) + (β − mean · γ/√(variance + ε)).
 * Both are made of weights alone, so a compiled forward pass keeps them, and what is left joins the layer before.
 */
export function batchNormalizationInference(
  x: Node,
  mean: Node,
  variance: Node,
  { gamma, beta, epsilon = 1e-3, axis = -1 }: BatchNormalizationOptions = {},
): Node {
  const name = "batchNormalization";
  const feature = normalizeAxis(name, axis, x.shape.length);
  const parameter = (what: string, node: Node): Node => aligned(name, what, node, x.shape, [feature]);
  const spread = parameter("variance", variance);
  const inverse = rsqrt(add(spread, constantLike(spread, epsilon)));
  const scale = gamma ? mul(inverse, parameter("gamma", gamma)) : inverse;
  const centre = mul(parameter("mean", mean), scale);
  return add(mul(x, scale), beta ? sub(parameter("beta", beta), centre) : neg(centre));
}

export interface LayerNormalizationOptions extends NormalizationOptions {
  /** The axes that are normalised together (default −1); gamma and beta have their sizes. */
  readonly axes?: number | readonly number[];
}

/** Normalises each example by its own mean and variance over `axes`. Source: Ba, Kiros and Hinton, 2016. */
export function layerNormalization(
  x: Node,
  { gamma, beta, epsilon = 1e-3, axes = -1 }: LayerNormalizationOptions = {},
): Node {
  const name = "layerNormalization";
  const reduced = normalizeAxes(name, axes, x.shape.length);
  const { centred, variance } = moments(x, reduced);
  return scaleAndShift(
    centred,
    variance,
    epsilon,
    gamma && aligned(name, "gamma", gamma, x.shape, reduced),
    beta && aligned(name, "beta", beta, x.shape, reduced),
  );
}
