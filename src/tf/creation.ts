/** Tensors from numbers. */
import { DTypeError, ShapeError } from "../errors.ts";
import { formatShape, type Shape } from "../graph/shape.ts";
import { indicators } from "../nn/selections.ts";
import * as T from "../tensor/index.ts";
import { type Tensor, type TensorLike, Variable } from "../tensor/index.ts";
import { atEntry } from "../tensor/lift.ts";
import { asTensor, type DTypeName } from "./convert.ts";
import { define } from "./define.ts";

function made(values: TensorLike, shape: Shape | undefined, dtype: DTypeName | undefined): Tensor {
  const source = asTensor(values, dtype);
  const typed = dtype === undefined ? source : source.cast(dtype);
  return shape ? typed.reshape(shape) : typed;
}

/**
 * A tensor of numbers in nested arrays (float32 unless a dtype is given), booleans (bool) or a typed array.
 *
 * @example
 * ```ts
 * tf.tensor([1, 2, 3, 4], [2, 2], "int32");
 * ```
 */
export function tensor(values: TensorLike, shape?: Shape, dtype?: DTypeName): Tensor {
  return atEntry(tensor, () => made(values, shape, dtype));
}

/** As `tensor`, under TensorFlow's name: `tf.constant([1, 2], { dtype: "int32" })`. */
export function constant(
  values: TensorLike,
  options: { readonly dtype?: DTypeName; readonly shape?: Shape; readonly name?: string } = {},
): Tensor {
  return atEntry(constant, () => made(values, options.shape, options.dtype));
}
/** A tensor of what can be one. */
export function convertToTensor(values: TensorLike, dtype?: DTypeName): Tensor {
  return atEntry(convertToTensor, () => made(values, undefined, dtype));
}

function ofRank(name: string, rank: number, values: TensorLike, shape: Shape | undefined, dtype?: DTypeName): Tensor {
  const result = made(values, shape, dtype);
  if (result.rank !== rank) {
    throw new ShapeError(`${name}: expected ${rank} axes, received values of shape ${formatShape(result.shape)}.`);
  }
  return result;
}
export function scalar(value: number | boolean, dtype?: DTypeName): Tensor {
  return atEntry(scalar, () => ofRank("scalar", 0, value, undefined, dtype));
}
export function tensor1d(values: TensorLike, dtype?: DTypeName): Tensor {
  return atEntry(tensor1d, () => ofRank("tensor1d", 1, values, undefined, dtype));
}
export function tensor2d(values: TensorLike, shape?: Shape, dtype?: DTypeName): Tensor {
  return atEntry(tensor2d, () => ofRank("tensor2d", 2, values, shape, dtype));
}
export function tensor3d(values: TensorLike, shape?: Shape, dtype?: DTypeName): Tensor {
  return atEntry(tensor3d, () => ofRank("tensor3d", 3, values, shape, dtype));
}
export function tensor4d(values: TensorLike, shape?: Shape, dtype?: DTypeName): Tensor {
  return atEntry(tensor4d, () => ofRank("tensor4d", 4, values, shape, dtype));
}

/** TensorFlow.js' way to make a variable; `new tf.Variable(initial, { name, trainable })` is TensorFlow's. */
export function variable(initialValue: TensorLike, trainable = true, name?: string, dtype?: DTypeName): Variable {
  return atEntry(variable, () => new Variable(made(initialValue, undefined, dtype), { trainable, name }));
}

export function zeros(shape: Shape, dtype: DTypeName = "float32"): Tensor {
  return atEntry(zeros, () => T.zeros(shape, dtype));
}
export function ones(shape: Shape, dtype: DTypeName = "float32"): Tensor {
  return atEntry(ones, () => T.ones(shape, dtype));
}
/** Every element is `value`. */
export function fill(shape: Shape, value: number | boolean, dtype?: DTypeName): Tensor {
  return atEntry(fill, () => T.full(shape, Number(value), dtype ?? (typeof value === "boolean" ? "bool" : "float32")));
}
export const zerosLike = define(function zerosLike(x: TensorLike, dtype?: DTypeName): Tensor {
  const like = asTensor(x);
  return T.zeros(like.shape, dtype ?? like.dtype);
});
export const onesLike = define(function onesLike(x: TensorLike, dtype?: DTypeName): Tensor {
  const like = asTensor(x);
  return T.ones(like.shape, dtype ?? like.dtype);
});

/** `range(limit)` or `range(start, limit, delta)`: int32 when all are whole numbers, as in TensorFlow. */
export function range(start: number, limit?: number, delta = 1, dtype?: DTypeName): Tensor {
  return atEntry(range, () => T.arange(start, limit, delta, dtype));
}
/** `count` numbers from `start` to `stop`, both included. */
export function linspace(start: number, stop: number, count: number): Tensor {
  return atEntry(linspace, () => T.linspace(start, stop, count));
}
/** Identity matrices: [...batchShape, rows, columns]. */
export function eye(rows: number, columns = rows, batchShape: Shape = [], dtype: DTypeName = "float32"): Tensor {
  return atEntry(eye, () =>
    T.eye(rows, columns)
      .cast(dtype)
      .expand([...batchShape, rows, columns]),
  );
}

export interface OneHotOptions {
  readonly onValue?: number;
  readonly offValue?: number;
  readonly axis?: number;
  readonly dtype?: DTypeName;
}

/** `onValue` at the index and `offValue` elsewhere, along a new axis (the last by default); an index outside gives `offValue`s. */
export const oneHot = define(function oneHot(
  indices: TensorLike,
  depth: number,
  options: OneHotOptions | number = {},
  offNumber?: number,
): Tensor {
  const given = typeof options === "number" ? { onValue: options, offValue: offNumber } : options;
  const { onValue = 1, offValue = 0, axis = -1, dtype = "float32" } = given as OneHotOptions;
  const index = asTensor(indices, "int32");
  if (index.dtype === "f32") {
    throw new DTypeError(
      'oneHot: indices must be whole numbers, received float32; convert with tf.cast(indices, "int32").',
    );
  }
  return indicators(index, depth, onValue, offValue, axis).cast(dtype);
});
