/**
 * Creation of tensors. Sizes stand one by one or in an array; keyword arguments are one object at the end:
 * `torch.zeros(2, 3)`, `torch.zeros([2, 3], { dtype: torch.int64, requiresGrad: true })`.
 */
import type { DType } from "../graph/dtype.ts";
import type { Shape } from "../graph/shape.ts";
import * as create from "../tensor/creation.ts";
import { isTensor } from "../tensor/handle.ts";
import { atEntry } from "../tensor/lift.ts";
import type { NestedArray, NumericArray, TensorLike } from "../tensor/literal.ts";
import * as random from "../tensor/random.ts";
import type { Tensor } from "../tensor/tensor.ts";

/** Keyword arguments of creation functions. */
export interface TensorOptions {
  readonly dtype?: DType | (string & {});
  /** Whether gradients are recorded for the tensor. */
  readonly requiresGrad?: boolean;
}
/** Keyword arguments of creation functions that take data. */
export interface DataOptions extends TensorOptions {
  /** Shape of the data of a typed array. */
  readonly shape?: Shape;
}
/** Keyword arguments of creation functions that draw numbers. */
export interface RandomTensorOptions extends TensorOptions {
  readonly generator?: random.Generator;
}
/** Sizes one by one or as an array, and keyword arguments. */
export type SizeArguments<Options> =
  | readonly number[]
  | readonly [shape: Shape, options?: Options]
  | readonly [...sizes: number[], options: Options];

function shapeAndOptions<Options extends object>(
  args: SizeArguments<Options>,
): [shape: Shape, options: Partial<Options>] {
  const list: readonly unknown[] = args;
  const last = list[list.length - 1];
  const options = typeof last === "object" && !Array.isArray(last) ? (last as Options) : {};
  const sizes = options === last ? list.slice(0, -1) : list;
  return [Array.isArray(sizes[0]) ? (sizes[0] as Shape) : (sizes as Shape), options];
}

function made(value: Tensor, options: TensorOptions): Tensor {
  const result = options.dtype === undefined ? value : value.to(options.dtype);
  return options.requiresGrad ? result.requiresGrad_() : result;
}

/**
 * A tensor with a copy of the data: nested arrays of numbers (f32) or booleans (bool), a typed array, or another tensor. JavaScript does not tell 1 from 1.0,
 * so numbers are f32 unless a dtype is given: `torch.tensor([0, 2], { dtype: torch.long })`.
 */
export function tensor(data: TensorLike, options: DataOptions = {}): Tensor {
  return atEntry(tensor, () => {
    if (isTensor(data)) return made(data.detach().clone(), options);
    const value = create.tensor(data as NumericArray | NestedArray, { dtype: options.dtype, shape: options.shape });
    return made(value, { requiresGrad: options.requiresGrad });
  });
}
/** As `tensor`, but a tensor that has the dtype is returned itself. */
export function asTensor(data: TensorLike, options: DataOptions = {}): Tensor {
  return atEntry(asTensor, () => (isTensor(data) ? made(data, options) : tensor(data, options)));
}
/** A tensor with a copy of a typed array, as `torch.from_numpy`: Float32Array gives f32, Int32Array i32, Uint8Array u8. */
export function fromNumpy(array: NumericArray, options: DataOptions = {}): Tensor {
  return atEntry(fromNumpy, () => made(create.tensor(array, { shape: options.shape }), options));
}

/** Zeros: `zeros(2, 3)` or `zeros([2, 3])`. */
export function zeros(...args: SizeArguments<TensorOptions>): Tensor {
  return atEntry(zeros, () => filledBy(0, ...shapeAndOptions(args)));
}
/** Ones: `ones(2, 3)` or `ones([2, 3])`. */
export function ones(...args: SizeArguments<TensorOptions>): Tensor {
  return atEntry(ones, () => filledBy(1, ...shapeAndOptions(args)));
}
/** Memory to be filled; here it holds zeros. */
export function empty(...args: SizeArguments<TensorOptions>): Tensor {
  return atEntry(empty, () => filledBy(0, ...shapeAndOptions(args)));
}
/** Every element is one value; a boolean gives a mask. */
export function full(shape: Shape, value: number | boolean, options: TensorOptions = {}): Tensor {
  return atEntry(full, () => filledBy(value, shape, options));
}

function filledBy(value: number | boolean, shape: Shape, options: TensorOptions): Tensor {
  const dtype = options.dtype ?? (typeof value === "boolean" ? "bool" : "f32");
  return made(create.full(shape, Number(value), dtype), { requiresGrad: options.requiresGrad });
}

/** Numbers from start (0) by step (1) below end: `arange(end)`, `arange(start, end)`, `arange(start, end, step)`; i32 for whole numbers. */
export function arange(...args: SizeArguments<TensorOptions>): Tensor {
  return atEntry(arange, () => {
    const [[start, stop, step], { dtype, requiresGrad }] = shapeAndOptions(args);
    return made(create.arange(start, stop, step, dtype), { requiresGrad });
  });
}
/** `steps` evenly spaced numbers from start to end, both included. */
export function linspace(start: number, end: number, steps: number, options: TensorOptions = {}): Tensor {
  return atEntry(linspace, () => made(create.linspace(start, end, steps), options));
}
/** `steps` numbers from base^start to base^end, evenly spaced on a logarithmic scale. */
export function logspace(
  start: number,
  end: number,
  steps: number,
  options: TensorOptions & { readonly base?: number } = {},
): Tensor {
  return atEntry(logspace, () => made(create.logspace(start, end, steps, options.base), options));
}
/** The identity matrix: `eye(n)`, `eye(n, m)`. */
export function eye(...args: SizeArguments<TensorOptions>): Tensor {
  return atEntry(eye, () => {
    const [[rows, columns], options] = shapeAndOptions(args);
    return made(create.eye(rows, columns), options);
  });
}
/** Positions of the lower triangle of a matrix: [2, n]. */
export function trilIndices(rows: number, columns: number, offset = 0): Tensor {
  return create.triangleIndices("lower", rows, columns, offset);
}
/** Positions of the upper triangle of a matrix: [2, n]. */
export function triuIndices(rows: number, columns: number, offset = 0): Tensor {
  return create.triangleIndices("upper", rows, columns, offset);
}

/** Uniform numbers in [0, 1): `rand(2, 3)`. */
export function rand(...args: SizeArguments<RandomTensorOptions>): Tensor {
  return atEntry(rand, () => {
    const [shape, options] = shapeAndOptions(args);
    return made(random.randomUniform(shape, options), options);
  });
}
/** Normal numbers of mean 0 and variance 1: `randn(2, 3)`. */
export function randn(...args: SizeArguments<RandomTensorOptions>): Tensor {
  return atEntry(randn, () => {
    const [shape, options] = shapeAndOptions(args);
    return made(random.randomNormal(shape, { generator: options.generator }), options);
  });
}
/** Integers (i32) in [low, high): `randint(10, [2, 3])`, `randint(5, 10, [2, 3])`. */
export function randint(high: number, size: Shape, options?: RandomTensorOptions): Tensor;
export function randint(low: number, high: number, size: Shape, options?: RandomTensorOptions): Tensor;
export function randint(
  first: number,
  second: number | Shape,
  third?: Shape | RandomTensorOptions,
  fourth?: RandomTensorOptions,
): Tensor {
  return atEntry(randint, () => {
    const one = typeof second !== "number";
    const [low, high, size] = one ? [0, first, second] : [first, second, third as Shape];
    const options = (one ? (third as RandomTensorOptions | undefined) : fourth) ?? {};
    return made(random.randomIntegers(size, low, high, options), options);
  });
}
/** The numbers 0 … n − 1 in random order (i32). */
export function randperm(n: number, options: RandomTensorOptions = {}): Tensor {
  return atEntry(randperm, () => made(random.randomPermutation(n, options), options));
}
/** Normal numbers: `normal(mean, std, size)` with numbers, or `normal(mean, std)` where one of them is a tensor. */
export function normal(
  mean: Tensor | number,
  std: Tensor | number = 1,
  size?: Shape | RandomTensorOptions,
  options: RandomTensorOptions = {},
): Tensor {
  return atEntry(normal, () => {
    const sized = Array.isArray(size);
    const all: RandomTensorOptions = sized ? options : ((size as RandomTensorOptions | undefined) ?? options);
    if (typeof mean === "object" || typeof std === "object")
      return made(random.randomNormalAround(mean, std, all), all);
    const shape = sized ? (size as Shape) : [];
    return made(random.randomNormal(shape, { mean, std, generator: all.generator }), all);
  });
}
/** 1 with the probability that the tensor holds at each place, else 0. */
export function bernoulli(probabilities: Tensor, options: { readonly generator?: random.Generator } = {}): Tensor {
  return atEntry(bernoulli, () => random.randomMask(probabilities, options).to(probabilities.dtype));
}
/**
 * Numbers of categories (i32) drawn with probabilities proportional to the rows of `input`. The weights are not read: what PyTorch refuses (negative
 * weights, too few that are not 0) is undefined here.
 */
export function multinomial(
  input: Tensor,
  numSamples: number,
  replacement: boolean | { readonly replacement?: boolean; readonly generator?: random.Generator } = false,
  options: { readonly generator?: random.Generator } = {},
): Tensor {
  const all = typeof replacement === "object" ? replacement : { ...options, replacement };
  return random.randomCategories(input, numSamples, all);
}

/** Zeros with the shape and dtype of a tensor. */
export function zerosLike(input: Tensor, options: TensorOptions = {}): Tensor {
  return atEntry(zerosLike, () => filledBy(0, input.shape, { dtype: input.dtype, ...options }));
}
/** Ones with the shape and dtype of a tensor. */
export function onesLike(input: Tensor, options: TensorOptions = {}): Tensor {
  return atEntry(onesLike, () => filledBy(1, input.shape, { dtype: input.dtype, ...options }));
}
/** Memory with the shape and dtype of a tensor; here it holds zeros. */
export function emptyLike(input: Tensor, options: TensorOptions = {}): Tensor {
  return atEntry(emptyLike, () => filledBy(0, input.shape, { dtype: input.dtype, ...options }));
}
/** One value with the shape and dtype of a tensor. */
export function fullLike(input: Tensor, value: number | boolean, options: TensorOptions = {}): Tensor {
  return atEntry(fullLike, () => filledBy(value, input.shape, { dtype: input.dtype, ...options }));
}
/** Uniform numbers in [0, 1) with the shape of a tensor. */
export function randLike(input: Tensor, options: RandomTensorOptions = {}): Tensor {
  return rand(input.shape, options);
}
/** Normal numbers with the shape of a tensor. */
export function randnLike(input: Tensor, options: RandomTensorOptions = {}): Tensor {
  return randn(input.shape, options);
}
/** Integers in [low, high) with the shape and dtype of a tensor: `randintLike(x, high)`, `randintLike(x, low, high)`. */
export function randintLike(input: Tensor, low: number, high?: number, options: RandomTensorOptions = {}): Tensor {
  const [from, to] = high === undefined ? [0, low] : [low, high];
  return randint(from, to, input.shape, { dtype: input.dtype, ...options });
}
