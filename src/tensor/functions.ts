/** The public functions over tensors. Operands of two-input functions may be numbers; everything broadcasts. */
import { defaultEngine } from "../engine/default-engine.ts";
import { ArgumentError, ShapeError } from "../errors.ts";
import * as functions from "../functions/index.ts";
import type { DType } from "../graph/dtype.ts";
import { gradEnabled } from "../graph/grad-mode.ts";
import { Node } from "../graph/node.ts";
import { formatShape, normalizeAxes, normalizeAxis, type Shape } from "../graph/shape.ts";
import * as ops from "../ops/index.ts";
import { atEntry, lift, liftBinary, type Operand, operandNode, wrap } from "./lift.ts";
import type { Tensor } from "./tensor.ts";

// ---- arithmetic ----
export const add = liftBinary(ops.add);
export const sub = liftBinary(ops.sub);
export const mul = liftBinary(ops.mul);
export const div = liftBinary(ops.div);
export const minimum = liftBinary(ops.minimum);
export const maximum = liftBinary(ops.maximum);
export const floorDivide = liftBinary(ops.floorDivide);
export const remainder = liftBinary(ops.remainder);
const power = liftBinary(ops.pow);

/** `base` to the power of `exponent`; a few exponents given as numbers become cheaper operations. */
export function pow(base: Operand, exponent: Operand): Tensor {
  return atEntry(pow, () => {
    if (typeof base !== "object") return power(base, exponent);
    if (exponent === 2) return square(base);
    if (exponent === 1) return clone(base);
    if (exponent === 0.5 && base.dtype === "f32") return sqrt(base);
    if (exponent === -1 && base.dtype === "f32") return reciprocal(base);
    if (base.dtype !== "f32" && typeof exponent === "number" && Number.isInteger(exponent) && exponent >= 0)
      return wrap(functions.integerPower(base.node, exponent));
    return power(base, exponent);
  });
}

export const neg = lift(ops.neg);
export const abs = lift(ops.abs);
export const sign = lift(ops.sign);
export const floor = lift(ops.floor);
export const ceil = lift(ops.ceil);
export const round = lift(ops.round);
export const trunc = lift(ops.trunc);
export const sqrt = lift(ops.sqrt);
export const rsqrt = lift(ops.rsqrt);
export const exp = lift(ops.exp);
export const expm1 = lift(ops.expm1);
export const log = lift(ops.log);
export const log1p = lift(ops.log1p);
export const tanh = lift(ops.tanh);
export const sigmoid = lift(ops.sigmoid);
export const erf = lift(ops.erf);
export const sin = lift(ops.sin);
export const cos = lift(ops.cos);
export const relu = lift(ops.relu);
export const atan = lift(ops.atan);
/** x · x. */
export const square = lift(function square(x: Node): Node {
  return ops.mul(x, x);
});
/** 1 / x. */
export const reciprocal = lift(function reciprocal(x: Node): Node {
  return ops.div(ops.constant(1, x.shape, "f32"), x);
});

// ---- elementary functions ----
export const exp2 = lift(functions.exp2);
export const log2 = lift(functions.log2);
export const log10 = lift(functions.log10);
export const tan = lift(functions.tan);
export const sinh = lift(functions.sinh);
export const cosh = lift(functions.cosh);
export const asin = lift(functions.asin);
export const acos = lift(functions.acos);
export const asinh = lift(functions.asinh);
export const acosh = lift(functions.acosh);
export const atanh = lift(functions.atanh);
export const erfc = lift(functions.erfc);
export const logit = lift(functions.logit);
export const frac = lift(functions.frac);
export const atan2 = liftBinary(functions.atan2);
export const hypot = liftBinary(functions.hypot);
export const xlogy = liftBinary(functions.xlogy);
export const logAddExp = liftBinary(functions.logAddExp);
export const fmod = liftBinary(functions.fmod);
export const truncatedDivide = liftBinary(functions.truncatedDivide);
export const isNotANumber = lift(functions.isNotANumber);
export const isInfinite = lift(functions.isInfinite);
export const isFiniteNumber = lift(functions.isFiniteNumber);
export const isClose = lift(functions.isClose);
export const nanToNumber = lift(functions.nanToNumber);

/** start + weight · (end − start). */
export function lerp(start: Tensor, end: Tensor, weight: Operand): Tensor {
  return atEntry(lerp, () => wrap(functions.lerp(start.node, end.node, operandNode(weight, start.dtype))));
}
/** The value where the mask holds, else x, whose dtype the result has. */
export function maskedFill(x: Tensor, mask: Tensor, value: Operand): Tensor {
  return atEntry(maskedFill, () => wrap(functions.maskedFill(x.node, mask.node, operandNode(value, x.dtype))));
}

/** Limits values to [minimum, maximum], numbers or tensors; either bound may be left out. The gradient passes on the bounds themselves. */
export function clip(x: Tensor, minimumValue?: Operand, maximumValue?: Operand): Tensor {
  return atEntry(clip, () => {
    if (minimumValue === undefined && maximumValue === undefined)
      throw new ArgumentError("clip: give a minimum, a maximum, or both.");
    const bound = (value: Operand | undefined) => (value === undefined ? undefined : operandNode(value, x.dtype));
    return wrap(functions.clamp(x.node, bound(minimumValue), bound(maximumValue)));
  });
}

/**
 * PyTorch's clamp. Its gradient on the bounds: with one number it passes, with two numbers it does not, with tensors both share it.
 */
export function clamp(x: Tensor, least?: Operand, most?: Operand): Tensor {
  return atEntry(clamp, () => {
    if (least === undefined && most === undefined)
      throw new ArgumentError("clamp: give a minimum, a maximum, or both.");
    const bound = (value: Operand | undefined) => (value === undefined ? undefined : operandNode(value, x.dtype));
    const [low, high] = [bound(least), bound(most)];
    if (typeof least === "object" || typeof most === "object") return wrap(functions.clampBetween(x.node, low, high));
    return wrap(functions.clamp(x.node, low, high, low && high ? "outside" : "inside"));
  });
}

// ---- comparison, logic, choice ----
export const lt = liftBinary(ops.lt);
export const le = liftBinary(ops.le);
export const gt = liftBinary(ops.gt);
export const ge = liftBinary(ops.ge);
export const eq = liftBinary(ops.eq);
export const ne = liftBinary(ops.ne);
export const logicalAnd = liftBinary(ops.logicalAnd);
export const logicalOr = liftBinary(ops.logicalOr);
export const logicalXor = liftBinary(ops.logicalXor);
export const logicalNot = lift(ops.logicalNot);
export const bitwiseAnd = liftBinary(ops.bitwiseAnd);
export const bitwiseOr = liftBinary(ops.bitwiseOr);
export const bitwiseXor = liftBinary(ops.bitwiseXor);

/** One value, a number or a scalar tensor, with the shape and dtype of x. */
export function filled(x: Tensor, value: Operand): Tensor {
  return atEntry(filled, () => wrap(ops.expand(ops.cast(operandNode(value, x.dtype), x.dtype), x.shape)));
}

/** Elements of `left` where the condition holds, else of `right`. */
export function where(condition: Tensor, left: Operand, right: Operand): Tensor {
  return atEntry(where, () => {
    const beside = typeof left === "object" ? left.dtype : typeof right === "object" ? right.dtype : "f32";
    return wrap(ops.where(condition.node, operandNode(left, beside), operandNode(right, beside)));
  });
}

// ---- reductions ----
export const sum = lift(ops.sum);
export const mean = lift(ops.mean);
export const prod = lift(ops.prod);
export const amax = lift(ops.amax);
export const amin = lift(ops.amin);
export const any = lift(ops.any);
export const all = lift(ops.all);
export const argmax = lift(ops.argmax);
export const argmin = lift(ops.argmin);

// ---- shape ----
/** Same elements, row-major order kept; one size may be -1. */
export const reshape = lift(ops.reshape);
export const permute = lift(ops.permute);
export const expand = lift(function expand(x: Node, shape: Shape): Node {
  const lead = shape.length - x.shape.length;
  return ops.expand(
    x,
    shape.map((extent, axis) => (extent === -1 ? x.shape[axis - lead] : extent)),
  );
});
/** Swaps two axes. */
export const transpose = lift(function transpose(x: Node, firstAxis?: number, secondAxis?: number): Node {
  const axes = x.shape.map((_, axis) => axis);
  const [a, b] = [
    normalizeAxis("transpose", firstAxis ?? -2, axes.length),
    normalizeAxis("transpose", secondAxis ?? -1, axes.length),
  ];
  [axes[a], axes[b]] = [b, a];
  return ops.permute(x, axes);
});
/** Transpose of a matrix. */
export const matrixTranspose = lift(function t(x: Node): Node {
  if (x.shape.length !== 2)
    throw new ShapeError(
      `t: expected a matrix, received shape ${formatShape(x.shape)}; use transpose(first, second) or mT.`,
    );
  return ops.permute(x, [1, 0]);
});
export const squeeze = lift(function squeeze(x: Node, axis?: number | readonly number[]): Node {
  const dropped =
    axis === undefined
      ? x.shape.flatMap((extent, i) => (extent === 1 ? [i] : []))
      : normalizeAxes("squeeze", axis, x.shape.length);
  const wrong = dropped.find((i) => x.shape[i] !== 1);
  if (wrong !== undefined)
    throw new ArgumentError(
      `squeeze: axis ${wrong} has size ${x.shape[wrong]}, only an axis of size 1 can be removed.`,
    );
  return ops.reshape(
    x,
    x.shape.filter((_, i) => !dropped.includes(i)),
  );
});
/** As `squeeze`, but named axes of another size stay: PyTorch's rule. */
export const squeezeIfOne = lift(function squeeze(x: Node, axis: number | readonly number[]): Node {
  const dropped = normalizeAxes("squeeze", axis, x.shape.length).filter((i) => x.shape[i] === 1);
  return ops.reshape(
    x,
    x.shape.filter((_, i) => !dropped.includes(i)),
  );
});
export const unsqueeze = lift(function unsqueeze(x: Node, axis: number): Node {
  const at = normalizeAxis("unsqueeze", axis, x.shape.length + 1);
  return ops.reshape(x, [...x.shape.slice(0, at), 1, ...x.shape.slice(at)]);
});
/** Elements from `starts` to `ends` (exclusive) by `steps`, with Python's rules; axes left out are taken whole. */
export const slice = lift(function slice(
  x: Node,
  starts: readonly number[],
  ends?: readonly number[],
  steps?: readonly number[],
): Node {
  return ops.slice(
    x,
    starts.map((start, axis) => ({ start, stop: ends?.[axis], step: steps?.[axis] })),
  );
});
export const pad = lift(ops.pad);
export const flip = lift(ops.flip);
export const concat = lift(ops.concat);
/** Joins tensors along a new axis. */
export const stack = lift(function stack(inputs: readonly Node[], axis?: number): Node {
  if (inputs.length === 0) throw new ArgumentError("stack: expected at least one tensor.");
  const at = normalizeAxis("stack", axis ?? 0, inputs[0].shape.length + 1);
  return ops.concat(
    inputs.map((x) => ops.reshape(x, [...x.shape.slice(0, at), 1, ...x.shape.slice(at)])),
    at,
  );
});
export const cast = lift(function cast(x: Node, dtype: DType): Node {
  return ops.cast(x, dtype);
});
/** The same value as a tensor of its own, with a gradient path to this one. The copy of a variable outlives the variable's next assignment. */
export const clone = lift(function clone(x: Node): Node {
  const copy = new Node(ops.reshape, [x], { shape: x.shape }, x.type, {
    requiresGrad: x.requiresGrad && gradEnabled(),
  });
  let source = x;
  while (
    source.inputs.length === 1 &&
    (source.op === ops.permute || source.op === ops.reshape || source.op === ops.slice)
  )
    source = source.inputs[0];
  if (source.leaf?.kind === "variable" && !defaultEngine.tracing) defaultEngine.keep(copy);
  return copy;
});
/** The same value without a gradient path: differentiating stops here. */
export const detach = lift(function detach(x: Node): Node {
  if (!x.requiresGrad) return x;
  // a reshape to the same shape is an alias: no copy is made
  return new Node(ops.reshape, [x], { shape: x.shape }, x.type);
});

export const join = lift(functions.join);
export const stackPromoted = lift(functions.stackPromoted);
export const stackHorizontally = lift(functions.stackHorizontally);
export const stackVertically = lift(functions.stackVertically);
export const stackInDepth = lift(functions.stackInDepth);
export const split = lift(functions.split);
export const chunk = lift(functions.chunk);
export const unbind = lift(functions.unbind);
export const narrow = lift(functions.narrow);
export const select = lift(functions.select);
export const roll = lift(functions.roll);
export const moveAxes = lift(functions.moveAxes);
export const repeat = lift(functions.repeat);
export const tile = lift(functions.tile);
export const repeatInterleave = lift(functions.repeatInterleave);
export const flattenAxes = lift(functions.flattenAxes);
export const unflatten = lift(functions.unflatten);
export const broadcastTensors = lift(functions.broadcastTensors);
export const meshgrid = lift(functions.meshgrid);
export const diagonal = lift(functions.diagonal);
export const diag = lift(functions.diag);
export const tril = lift(functions.tril);
export const triu = lift(functions.triu);

// ---- linear algebra, convolution, pooling ----
export const matmul = lift(ops.matmul);
/** Matrix product of f32 or of integers. */
export const multiply = lift(functions.multiply);
export const dot = lift(functions.dot);
export const outer = lift(functions.outer);
export const matrixProduct = lift(functions.matrixProduct);
export const batchProduct = lift(functions.batchProduct);
export const matrixVectorProduct = lift(functions.matrixVectorProduct);
export const tensorDot = lift(functions.tensorDot);
export const einsum = lift(functions.einsum);
/** β · x + α · product. */
export function addProduct(x: Tensor, product: Tensor, beta: Operand = 1, alpha: Operand = 1): Tensor {
  return atEntry(addProduct, () => {
    const factor = (value: Operand) => (value === 1 ? undefined : operandNode(value, x.dtype));
    if (beta === 0)
      return wrap(
        functions.addProduct(ops.expand(ops.constant(0, [], x.dtype), x.shape), product.node, undefined, factor(alpha)),
      );
    return wrap(functions.addProduct(x.node, product.node, factor(beta), factor(alpha)));
  });
}
export const norm = lift(functions.norm);
export const distance = lift(functions.distance);
export const distances = lift(functions.distances);
export const normalize = lift(functions.normalize);
export const renorm = lift(functions.renorm);
export const cosineSimilarity = lift(functions.cosineSimilarity);
export const conv2d = lift(ops.conv2d);
export const maxPool2d = lift(functions.maxPool2d);
export const averagePool2d = lift(functions.averagePool2d);
export const globalAveragePool2d = lift(functions.globalAveragePool2d);
export const globalMaxPool2d = lift(functions.globalMaxPool2d);

// ---- indices, order ----
export const gather = lift(ops.gather);
export const scatterAdd = lift(ops.scatterAdd);
export const takeAlongAxis = lift(ops.takeAlongAxis);
export const scatterAddAlongAxis = lift(ops.scatterAddAlongAxis);
export const argsort = lift(ops.argsort);
export const sort = lift(functions.sort);
export const topK = lift(functions.topK);
export const oneHot = lift(functions.oneHot);
export const cumulativeSum = lift(ops.cumulativeSum);
export const cumulativeProduct = lift(ops.cumulativeProduct);

/** y = x, then y[…, index[…, i, …], …] = source[…, i, …] along one axis; of repeated positions the last holds. */
export function scatter(x: Tensor, axis: number, indices: Tensor, source: Operand): Tensor {
  return atEntry(scatter, () => wrap(functions.scatter(x.node, axis, indices.node, operandNode(source, x.dtype))));
}
/** y = x, then y[…, index[…, i, …], …] += source[…, i, …] along one axis. */
export const addScattered = lift(functions.addScattered);
/** A copy of x with rows along an axis replaced by, or with `accumulate` increased by, others. */
export function writeRows(x: Tensor, indices: Tensor, content: Operand, axis: number, accumulate?: boolean): Tensor {
  return atEntry(writeRows, () => {
    const normal = normalizeAxis("writeRows", axis, x.rank);
    const positions = functions.wrapped(indices.node, x.shape[normal]);
    return wrap(functions.writeRows(x.node, positions, operandNode(content, x.dtype), normal, accumulate));
  });
}
export const extremeWithIndex = lift(functions.extremeWithIndex);
export const sortWithIndex = lift(functions.sortWithIndex);
export const kthValue = lift(functions.kthValue);
export const median = lift(functions.median);
export const quantile = lift(functions.quantile);
export const countNonzero = lift(functions.countNonzero);
export const differences = lift(functions.differences);

// ---- statistics ----
export const variance = lift(functions.variance);
export const std = lift(functions.std);
export const logSumExp = lift(functions.logSumExp);

// ---- activations ----
export const softmax = lift(functions.softmax);
export const logSoftmax = lift(functions.logSoftmax);
export const relu6 = lift(functions.relu6);
export const leakyRelu = lift(functions.leakyRelu);
export const elu = lift(functions.elu);
export const selu = lift(functions.selu);
export const softplus = lift(functions.softplus);
export const logSigmoid = lift(functions.logSigmoid);
export const softsign = lift(functions.softsign);
export const silu = lift(functions.silu);
export const gelu = lift(functions.gelu);
export const hardSigmoid = lift(functions.hardSigmoid);
export const hardSilu = lift(functions.hardSilu);
export const mish = lift(functions.mish);

// ---- normalisation ----
export const batchNormalizationTraining = lift(functions.batchNormalizationTraining);
export const batchNormalizationInference = lift(functions.batchNormalizationInference);
export const layerNormalization = lift(functions.layerNormalization);

// ---- losses ----
export const categoricalCrossentropy = lift(functions.categoricalCrossentropy);
export const sparseCategoricalCrossentropy = lift(functions.sparseCategoricalCrossentropy);
export const binaryCrossentropy = lift(functions.binaryCrossentropy);
export const meanSquaredError = lift(functions.meanSquaredError);
export const meanAbsoluteError = lift(functions.meanAbsoluteError);
export const huber = lift(functions.huber);
export const crossEntropy = lift(functions.crossEntropy);
export const nllLoss = lift(functions.nllLoss);
