/**
 * PyTorch's free functions over tensors: `torch.add(x, y)` is `x.add(y)`. They take what the methods take, with the tensor in front; formulas are in
 * src/functions.
 */
import { ArgumentError } from "../errors.ts";
import { bincount as countOccurrences, nonzeroPositions, type UniqueValues } from "../tensor/dynamic.ts";
import * as F from "../tensor/functions.ts";
import { isTensor } from "../tensor/handle.ts";
import { atEntry, type Operand } from "../tensor/lift.ts";
import type { UniqueOptions } from "../tensor/methods/indexing.ts";
import type { ValuesAndIndices } from "../tensor/methods/reductions.ts";
import type { Tensor } from "../tensor/tensor.ts";

type MethodName = {
  [K in keyof Tensor]: Tensor[K] extends (this: Tensor, ...args: never[]) => unknown ? K : never;
}[keyof Tensor];
type Free<K extends MethodName> = Tensor[K] extends (this: Tensor, ...args: infer Args) => infer Result
  ? (input: Tensor, ...args: Args) => Result
  : never;

/** A method as a function of the tensor and the method's arguments. */
function free<K extends MethodName & string>(method: K): Free<K> {
  const entry = (input: Tensor, ...args: unknown[]): unknown =>
    atEntry(entry, () => {
      if (!isTensor(input))
        throw new ArgumentError(
          `torch.${method}: expected a tensor, received ${JSON.stringify(input) ?? typeof input}.`,
        );
      return (input[method] as (...rest: unknown[]) => unknown)(...args);
    });
  Object.defineProperty(entry, "name", { value: method });
  return entry as Free<K>;
}

/** Tensors as one list or one by one. */
type TensorList = readonly Tensor[] | readonly [readonly Tensor[]];
const listOf = (tensors: TensorList): readonly Tensor[] =>
  Array.isArray(tensors[0]) ? (tensors[0] as readonly Tensor[]) : (tensors as readonly Tensor[]);

// ---- arithmetic ----
/** input + alpha · other, broadcast. */
export const add = free("add");
/** input − alpha · other, broadcast. */
export const sub = free("sub");
/** input · other; either may be a number. */
export const mul = F.mul;
/** input / other in f32, or rounded with `roundingMode`. */
export const div = free("div");
/** Power; base or exponent may be a number. */
export const pow = F.pow;
/** ⌊input / other⌋. */
export const floorDivide = F.floorDivide;
/** Remainder with the sign of the divisor. */
export const remainder = F.remainder;
/** Remainder with the sign of the dividend. */
export const fmod = F.fmod;
/** PyTorch's other name of `mul`. */
export const multiply = free("multiply");
/** PyTorch's other name of `sub`. */
export const subtract = free("subtract");
/** PyTorch's other name of `div`. */
export const divide = free("divide");
/** PyTorch's other name of `div`. */
export const trueDivide = free("trueDivide");
/** −x. */
export const neg = free("neg");
/** −x. */
export const negative = free("negative");
/** |x|. */
export const abs = free("abs");
/** |x|. */
export const absolute = free("absolute");
/** −1, 0 or 1. */
export const sign = free("sign");
/** ⌊x⌋. */
export const floor = free("floor");
/** ⌈x⌉. */
export const ceil = free("ceil");
/** The nearest integer, of two the even one. */
export const round = free("round");
/** x without what is behind the point. */
export const trunc = free("trunc");
/** What is behind the point. */
export const frac = free("frac");
/** √x. */
export const sqrt = free("sqrt");
/** 1 / √x. */
export const rsqrt = free("rsqrt");
/** x². */
export const square = free("square");
/** 1 / x. */
export const reciprocal = free("reciprocal");
/** eˣ. */
export const exp = free("exp");
/** 2ˣ. */
export const exp2 = free("exp2");
/** eˣ − 1. */
export const expm1 = free("expm1");
/** ln x. */
export const log = free("log");
/** log₂ x. */
export const log2 = free("log2");
/** log₁₀ x. */
export const log10 = free("log10");
/** ln(1 + x). */
export const log1p = free("log1p");
/** Sine. */
export const sin = free("sin");
/** Cosine. */
export const cos = free("cos");
/** Tangent. */
export const tan = free("tan");
/** Inverse sine. */
export const asin = free("asin");
/** Inverse cosine. */
export const acos = free("acos");
/** Inverse tangent. */
export const atan = free("atan");
/** Hyperbolic sine. */
export const sinh = free("sinh");
/** Hyperbolic cosine. */
export const cosh = free("cosh");
/** Hyperbolic tangent. */
export const tanh = free("tanh");
/** Inverse hyperbolic sine. */
export const asinh = free("asinh");
/** Inverse hyperbolic cosine. */
export const acosh = free("acosh");
/** Inverse hyperbolic tangent. */
export const atanh = free("atanh");
/** 1 / (1 + e⁻ˣ). */
export const sigmoid = free("sigmoid");
/** max(x, 0). */
export const relu = free("relu");
/** Error function. */
export const erf = free("erf");
/** 1 − erf x. */
export const erfc = free("erfc");
/** ln(x / (1 − x)). */
export const logit = free("logit");
/** The angle of the point (second, first). */
export const atan2 = F.atan2;
/** √(a² + b²). */
export const hypot = F.hypot;
/** ln(eᵃ + eᵇ). */
export const logaddexp = F.logAddExp;
/** a · ln b, 0 where a is 0. */
export const xlogy = F.xlogy;
/** Limits values to bounds. */
export const clamp = free("clamp");
/** Limits values to bounds. */
export const clip = free("clamp");
/** start + weight · (end − start). */
export const lerp = free("lerp");
/** input + value · a · b. */
export const addcmul = free("addcmul");
/** input + value · a / b. */
export const addcdiv = free("addcdiv");
/** 0 below 0, 1 above, `values` at 0. */
export const heaviside = free("heaviside");
/** Numbers in place of NaN and infinities. */
export const nanToNum = free("nanToNum");
/** The value where the mask holds. */
export const maskedFill = free("maskedFill");
/** The larger of each pair. */
export const maximum = F.maximum;
/** The smaller of each pair. */
export const minimum = F.minimum;

// ---- comparison and logic ----
/** Mask of left < right. */
export const lt = F.lt;
/** Mask of left ≤ right. */
export const le = F.le;
/** Mask of left > right. */
export const gt = F.gt;
/** Mask of left ≥ right. */
export const ge = F.ge;
/** Mask of left = right. */
export const eq = F.eq;
/** Mask of left ≠ right. */
export const ne = F.ne;
/** Mask of left < right. */
export const less = free("less");
/** Mask of left ≤ right. */
export const lessEqual = free("lessEqual");
/** Mask of left > right. */
export const greater = free("greater");
/** Mask of left ≥ right. */
export const greaterEqual = free("greaterEqual");
/** Mask of left ≠ right. */
export const notEqual = free("notEqual");
/** Both are true. */
export const logicalAnd = F.logicalAnd;
/** One is true. */
export const logicalOr = F.logicalOr;
/** Exactly one is true. */
export const logicalXor = F.logicalXor;
/** And of bits. */
export const bitwiseAnd = F.bitwiseAnd;
/** Or of bits. */
export const bitwiseOr = F.bitwiseOr;
/** Exclusive or of bits. */
export const bitwiseXor = F.bitwiseXor;
/** Not true. */
export const logicalNot = free("logicalNot");
/** Mask of NaN. */
export const isnan = free("isnan");
/** Mask of infinities. */
export const isinf = free("isinf");
/** Mask of finite numbers. */
export const isfinite = free("isfinite");
/** Mask of close pairs. */
export const isclose = free("isclose");
/** Whether all pairs are close; reads them. */
export const allclose = free("allclose");
/** Whether shapes and elements are equal; reads them. */
export const equal = free("equal");
/** Mask of what is among others. */
export const isin = free("isin");
/** Elements of `input` where the condition holds, else of `other`; with the condition alone its positions, which are read. */
export function where(condition: Tensor): Tensor[];
export function where(condition: Tensor, input: Operand, other: Operand): Tensor;
export function where(condition: Tensor, input?: Operand, other?: Operand): Tensor | Tensor[] {
  return atEntry(where, () => {
    if (input === undefined && other === undefined) return nonzeroPositions(condition);
    if (input === undefined || other === undefined)
      throw new ArgumentError("torch.where: give both values, or the condition alone.");
    return F.where(condition, input, other);
  });
}

// ---- reductions ----
/** Sum over all elements or `dim`. */
export const sum = free("sum");
/** Mean over all elements or `dim`. */
export const mean = free("mean");
/** Product over all elements or `dim`. */
export const prod = free("prod");
/** Largest element over all or several axes. */
export const amax = free("amax");
/** Smallest element over all or several axes. */
export const amin = free("amin");
/** Smallest and largest element. */
export const aminmax = free("aminmax");
/** Whether any element is true. */
export const any = free("any");
/** Whether all elements are true. */
export const all = free("all");
/** Position of the largest element. */
export const argmax = free("argmax");
/** Position of the smallest element. */
export const argmin = free("argmin");
/** Standard deviation (correction 1). */
export const std = free("std");
/** Variance and mean. */
export const varMean = free("varMean");
/** Standard deviation and mean. */
export const stdMean = free("stdMean");
/** (Σ |x|ᵖ)^(1/p). */
export const norm = free("norm");
/** The norm of a difference. */
export const dist = free("dist");
/** ln Σ eˣ. */
export const logsumexp = free("logsumexp");
/** How many elements are not 0. */
export const countNonzero = free("countNonzero");
/** Sum of what is not NaN. */
export const nansum = free("nansum");
/** The value below which a part of the elements lies. */
export const quantile = free("quantile");
/** The k-th smallest element and its position. */
export const kthvalue = free("kthvalue");
/** Running sum along an axis. */
export const cumsum = free("cumsum");
/** Running product along an axis. */
export const cumprod = free("cumprod");
/** Differences of neighbours. */
export const diff = free("diff");
/** eˣ / Σ eˣ along an axis. */
export const softmax = free("softmax");
/** x − ln Σ eˣ along an axis. */
export const logSoftmax = free("logSoftmax");
/** Variance (correction 1). */
const variance = free("var");

export { variance as var };
/** The largest element; with an axis values and positions; with a tensor the larger of each pair. */
export function max(input: Tensor): Tensor;
export function max(input: Tensor, other: Tensor): Tensor;
export function max(input: Tensor, dim: number, keepdim?: boolean | { readonly keepdim?: boolean }): ValuesAndIndices;
export function max(input: Tensor, ...rest: unknown[]): Tensor | ValuesAndIndices {
  return (input.max as (...args: unknown[]) => Tensor | ValuesAndIndices)(...rest);
}
/** The smallest element; with an axis values and positions; with a tensor the smaller of each pair. */
export function min(input: Tensor): Tensor;
export function min(input: Tensor, other: Tensor): Tensor;
export function min(input: Tensor, dim: number, keepdim?: boolean | { readonly keepdim?: boolean }): ValuesAndIndices;
export function min(input: Tensor, ...rest: unknown[]): Tensor | ValuesAndIndices {
  return (input.min as (...args: unknown[]) => Tensor | ValuesAndIndices)(...rest);
}
/** The lower median of all elements, or of those along an axis with its position. */
export function median(input: Tensor): Tensor;
export function median(
  input: Tensor,
  dim: number,
  keepdim?: boolean | { readonly keepdim?: boolean },
): ValuesAndIndices;
export function median(input: Tensor, ...rest: unknown[]): Tensor | ValuesAndIndices {
  return (input.median as (...args: unknown[]) => Tensor | ValuesAndIndices)(...rest);
}
/** How often each number 0, 1, … occurs; reads the tensor. */
export function bincount(
  input: Tensor,
  options: { readonly weights?: Tensor; readonly minlength?: number } = {},
): Tensor {
  return countOccurrences(input, options.weights, options.minlength);
}

// ---- products ----
/** Matrix product with batches and vectors. */
export const matmul = free("matmul");
/** Product of two matrices. */
export const mm = free("mm");
/** Products of two batches of matrices. */
export const bmm = free("bmm");
/** Matrix times vector. */
export const mv = free("mv");
/** Σ aᵢ bᵢ. */
export const dot = free("dot");
/** aᵢ bⱼ. */
export const outer = free("outer");
/** beta · input + alpha · a × b. */
export const addmm = free("addmm");
/** beta · input + alpha · a × v. */
export const addmv = free("addmv");
/** beta · input + alpha · a × b of batches. */
export const baddbmm = free("baddbmm");
/** Sum of the diagonal. */
export const trace = free("trace");
/**
 * Sum of products by an equation: `einsum("bij,bjk->bik", a, b)`. Letters that the result lacks are summed over; "..." stands for the remaining axes.
 */
export function einsum(equation: string, ...operands: TensorList): Tensor {
  return F.einsum(equation, listOf(operands));
}
/** Sum over products along axes: the last `dims` of a with the first of b, or those named. */
export function tensordot(
  a: Tensor,
  b: Tensor,
  options: { readonly dims?: number | readonly [readonly number[], readonly number[]] } = {},
): Tensor {
  return F.tensorDot(a, b, options.dims);
}

// ---- shape ----
/** Same elements in another shape. */
export const reshape = F.reshape;
/** One axis in place of several. */
export const flatten = free("flatten");
/** One axis in place of all. */
export const ravel = free("ravel");
/** Several axes in place of one. */
export const unflatten = free("unflatten");
/** Axes in another order. */
export const permute = F.permute;
/** Two axes swapped. */
export const transpose = free("transpose");
/** Two axes swapped. */
export const swapaxes = free("swapaxes");
/** Transpose of a matrix. */
export const t = free("t");
/** Axes moved to other places. */
export const movedim = free("movedim");
/** Axes of size 1 removed. */
export const squeeze = free("squeeze");
/** An axis of size 1 inserted. */
export const unsqueeze = free("unsqueeze");
/** Repeated along axes of size 1. */
export const broadcastTo = F.expand;
/** A range along an axis. */
export const narrow = free("narrow");
/** One position along an axis. */
export const select = free("select");
/** Parts along an axis. */
export const split = free("split");
/** Equal parts along an axis. */
export const chunk = free("chunk");
/** The slices along an axis. */
export const unbind = free("unbind");
/** The diagonal of matrices. */
export const diagonal = free("diagonal");
/** Copies side by side. */
export const tile = F.tile;
/** Each element several times. */
export const repeatInterleave = free("repeatInterleave");
/** Elements shifted around. */
export const roll = free("roll");
/** Order reversed along axes. */
export const flip = F.flip;
/** Columns in reverse order. */
export const fliplr = free("fliplr");
/** Rows in reverse order. */
export const flipud = free("flipud");
/** Diagonal of a matrix, or matrix of a diagonal. */
export const diag = free("diag");
/** Lower triangle. */
export const tril = free("tril");
/** Upper triangle. */
export const triu = free("triu");
/** Tensors one after the other along an axis; dtypes are promoted. */
export function cat(tensors: readonly Tensor[], dim?: number | { readonly dim?: number }): Tensor {
  return F.join(tensors, typeof dim === "object" ? dim.dim : dim);
}
/** PyTorch's other names of `cat`. */
export { cat as concat, cat as concatenate };
/** Tensors of one shape along a new axis. */
export function stack(tensors: readonly Tensor[], dim?: number | { readonly dim?: number }): Tensor {
  return F.stackPromoted(tensors, typeof dim === "object" ? dim.dim : dim);
}
/** Tensors side by side. */
export const hstack = F.stackHorizontally;
/** Tensors one below the other. */
export const vstack = F.stackVertically;
/** Tensors one behind the other. */
export const dstack = F.stackInDepth;
/** Tensors expanded to their common shape. */
export function broadcastTensors(...tensors: TensorList): Tensor[] {
  return F.broadcastTensors(listOf(tensors));
}
/** Coordinates of a grid: `meshgrid([x, y], { indexing: "ij" })`. */
export function meshgrid(tensors: readonly Tensor[], options: { readonly indexing?: "ij" | "xy" } = {}): Tensor[] {
  return F.meshgrid(tensors, options.indexing);
}

// ---- indexing and order ----
/** y[…, i, …] = x[…, index[…, i, …], …] along one axis. */
export const gather = free("gather");
/** As `gather`, with the axis last. */
export const takeAlongDim = free("takeAlongDim");
/** Elements at positions of the flattened tensor. */
export const take = free("take");
/** Rows along an axis at positions. */
export const indexSelect = free("indexSelect");
/** Elements written at positions along an axis. */
export const scatter = free("scatter");
/** Elements added at positions along an axis. */
export const scatterAdd = free("scatterAdd");
/** Rows added at positions. */
export const indexAdd = free("indexAdd");
/** Rows written at positions. */
export const indexCopy = free("indexCopy");
/** Rows filled at positions. */
export const indexFill = free("indexFill");
/** The elements where a mask holds; reads the mask. */
export const maskedSelect = free("maskedSelect");
/** Coordinates of what is not 0; reads the tensor. */
export const argwhere = free("argwhere");
/** Elements in order with their positions. */
export const sort = free("sort");
/** Positions that put elements in order. */
export const argsort = free("argsort");
/** The k largest elements with their positions. */
export const topk = free("topk");
/** A tensor of its own with the same value. */
export const clone = free("clone");
/** Coordinates of what is not 0, as rows or with `asTuple` as one vector for each axis; reads the tensor. */
export function nonzero(input: Tensor): Tensor;
export function nonzero(input: Tensor, options: { readonly asTuple: true }): Tensor[];
export function nonzero(input: Tensor, options?: { readonly asTuple: true }): Tensor | Tensor[] {
  return options ? input.nonzero(options) : input.nonzero();
}
/** The different values in ascending order, or with options their places and counts too; reads the tensor. */
export function unique(input: Tensor): Tensor;
export function unique(input: Tensor, options: UniqueOptions): UniqueValues;
export function unique(input: Tensor, options?: UniqueOptions): Tensor | UniqueValues {
  return options ? input.unique(options) : input.unique();
}
/** As `unique`, of runs of equal elements; reads the tensor. */
export function uniqueConsecutive(input: Tensor): Tensor;
export function uniqueConsecutive(input: Tensor, options: UniqueOptions): UniqueValues;
export function uniqueConsecutive(input: Tensor, options?: UniqueOptions): Tensor | UniqueValues {
  return options ? input.uniqueConsecutive(options) : input.uniqueConsecutive();
}

// ---- questions ----
/** Whether a value is a tensor. */
export { isTensor } from "../tensor/handle.ts";
/** A slice by Python's arguments, for `x.at(torch.slice(1, null, 2))`. */
export { sliceOf as slice } from "../tensor/indexing.ts";
/** Number of elements. */
export const numel = free("numel");
/** Whether the dtype is a floating-point one. */
export const isFloatingPoint = free("isFloatingPoint");
