import { ArgumentError, ShapeError } from "../errors.ts";
import { bytesPerElement, type DType, parseDType, type TensorData } from "../graph/dtype.ts";
import { dataNode, numberNode } from "../graph/node.ts";
import { checkShape, type Shape, sizeOf } from "../graph/shape.ts";
import { cast, constant, eq, iota } from "../ops/index.ts";
import { atEntry, wrap } from "./lift.ts";
import { emptyNode, type LiteralOptions, type NestedArray, type NumericArray, tensorNode } from "./literal.ts";
import { Tensor } from "./tensor.ts";

type DTypeName = DType | (string & {});

/**
 * A tensor with a copy of the values: nested arrays of numbers (f32) or booleans (bool), or a typed array (Float32Array f32, Int32Array
 * i32, Uint8Array u8) with an optional shape.
 *
 * @example
 * ```ts
 * tensor([[1, 2], [3, 4]]).shape; // [2, 2]
 * tensor(new Int32Array([1, 2, 3, 4]), { shape: [2, 2] }).dtype; // "i32"
 * ```
 */
export function tensor(data: NumericArray | NestedArray, options: LiteralOptions = {}): Tensor {
  return atEntry(tensor, () => new Tensor(tensorNode(data, options)));
}

/** A tensor over an array without a copy, for loaders: the array must not change afterwards. Arrays of 64 bytes or less are copied. */
export function tensorView(data: TensorData, shape: Shape, dtype: DType): Tensor {
  return atEntry(tensorView, () => {
    checkShape("tensorView", shape);
    if (sizeOf(shape) !== data.length)
      throw new ShapeError(`tensorView: ${data.length} values do not fill shape (${shape.join(", ")}).`);
    if (
      data.byteLength <= 64 ||
      !(data.buffer instanceof ArrayBuffer) ||
      data.byteOffset % bytesPerElement[dtype] !== 0
    ) {
      return new Tensor(tensorNode(data, { shape, dtype }));
    }
    return new Tensor(dataNode({ shape: [...shape], dtype }, { buffer: data.buffer, byteOffset: data.byteOffset }));
  });
}

/** Every element is `value`. */
export function full(shape: Shape, value: number, dtype: DTypeName = "f32"): Tensor {
  return atEntry(full, () => wrap(constant(value, shape, parseDType(dtype))));
}
export function zeros(shape: Shape, dtype: DTypeName = "f32"): Tensor {
  return atEntry(zeros, () => wrap(constant(0, shape, parseDType(dtype))));
}
export function ones(shape: Shape, dtype: DTypeName = "f32"): Tensor {
  return atEntry(ones, () => wrap(constant(1, shape, parseDType(dtype))));
}
export function zerosLike(like: Tensor): Tensor {
  return zeros(like.shape, like.dtype);
}
export function onesLike(like: Tensor): Tensor {
  return ones(like.shape, like.dtype);
}

/** `start`, `start + step`, … below `stop`; i32 when all three are integers. `arange(n)` counts from 0. */
export function arange(startOrStop: number, stop?: number, step = 1, dtype?: DTypeName): Tensor {
  return atEntry(arange, () => {
    const [start, end] = stop === undefined ? [0, startOrStop] : [startOrStop, stop];
    if (step === 0 || !Number.isFinite((end - start) / step))
      throw new ArgumentError(`arange: no numbers lead from ${start} to ${end} by ${step}.`);
    const count = Math.max(0, Math.ceil((end - start) / step));
    const whole = Number.isInteger(start) && Number.isInteger(step);
    const { node, view } = emptyNode([count], dtype === undefined ? (whole ? "i32" : "f32") : parseDType(dtype));
    for (let i = 0; i < count; i++) view[i] = start + i * step;
    return new Tensor(node);
  });
}

/** `count` evenly spaced numbers from `start` to `stop`, both included. */
export function linspace(start: number, stop: number, count: number): Tensor {
  return atEntry(linspace, () => {
    checkShape("linspace", [count]);
    const { node, view } = emptyNode([count], "f32");
    for (let i = 0; i < count; i++)
      view[i] = i === count - 1 && count > 1 ? stop : start + ((stop - start) * i) / Math.max(1, count - 1);
    return new Tensor(node);
  });
}

/** `count` numbers from base^start to base^stop, evenly spaced on a logarithmic scale. */
export function logspace(start: number, stop: number, count: number, base = 10): Tensor {
  return atEntry(logspace, () => {
    checkShape("logspace", [count]);
    const { node, view } = emptyNode([count], "f32");
    for (let i = 0; i < count; i++) view[i] = base ** (start + ((stop - start) * i) / Math.max(1, count - 1));
    return new Tensor(node);
  });
}

/** Positions (i32, shape [2, n]) of the lower or upper triangle of a matrix, row by row. */
export function triangleIndices(side: "lower" | "upper", rows: number, columns: number, offset = 0): Tensor {
  return atEntry(triangleIndices, () => {
    checkShape("triangleIndices", [rows, columns]);
    const places: [number, number][] = [];
    for (let i = 0; i < rows; i++) {
      for (let j = 0; j < columns; j++) if (side === "lower" ? j - i <= offset : j - i >= offset) places.push([i, j]);
    }
    const { node, view } = emptyNode([2, places.length], "i32");
    places.forEach(([i, j], n) => {
      view[n] = i;
      view[places.length + n] = j;
    });
    return new Tensor(node);
  });
}

/** The identity matrix. */
export function eye(rows: number, columns = rows): Tensor {
  return atEntry(eye, () => {
    const shape = [rows, columns];
    return wrap(cast(eq(iota(shape, 0), iota(shape, 1)), "f32"));
  });
}

/**
 * A scalar whose value is asked for again at each replay of a compiled function: learning rates. An argument of the program, never part of
 * its key. Make it anew in each step that is not compiled.
 */
export function liveNumber(read: () => number): Tensor {
  return wrap(numberNode(read(), "f32", read));
}
