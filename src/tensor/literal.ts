import { defaultEngine } from "../engine/default-engine.ts";
import { DTypeError, ShapeError } from "../errors.ts";
import { bytesPerElement, type DType, parseDType, type TensorData, viewOf } from "../graph/dtype.ts";
import { dataNode, type Node } from "../graph/node.ts";
import { checkShape, formatShape, type Shape, sizeOf, stridesOf } from "../graph/shape.ts";
import type { Tensor } from "./tensor.ts";

/** Numbers or booleans in nested arrays of equal lengths. */
export type NestedArray = number | boolean | readonly NestedArray[];
/** Typed arrays that become tensors: Float32Array f32, Int32Array i32, Uint8Array u8 (Float64Array is rounded to f32). */
export type NumericArray = Float32Array | Float64Array | Int32Array | Uint8Array | Uint8ClampedArray;
/** What a tensor can be made from. */
export type TensorLike = Tensor | NumericArray | NestedArray;

export interface LiteralOptions {
  readonly shape?: Shape;
  readonly dtype?: DType | (string & {});
}

function typedArrayDType(array: ArrayBufferView): DType {
  if (array instanceof Float32Array || array instanceof Float64Array) return "f32";
  if (array instanceof Int32Array) return "i32";
  if (array instanceof Uint8Array || array instanceof Uint8ClampedArray) return "u8";
  throw new DTypeError(
    `tensor: ${array.constructor.name} has no dtype here; convert it to Float32Array (f32), Int32Array (i32) or Uint8Array (u8).`,
  );
}

function shapeOfNested(data: NestedArray): number[] {
  const shape: number[] = [];
  for (let level: NestedArray = data; Array.isArray(level); level = level[0]) shape.push(level.length);
  return shape;
}

function flatten(data: NestedArray, shape: Shape, target: TensorData): void {
  let position = 0;
  const visit = (value: NestedArray, axis: number): void => {
    if (axis === shape.length) {
      if (typeof value !== "number" && typeof value !== "boolean") {
        throw new ShapeError(
          `tensor: expected a number at depth ${axis}, got ${Array.isArray(value) ? "an array" : typeof value}; nested arrays must have equal lengths.`,
        );
      }
      target[position++] = Number(value);
      return;
    }
    if (!Array.isArray(value) || value.length !== shape[axis]) {
      throw new ShapeError(
        `tensor: nested arrays must have equal lengths: expected ${shape[axis]} entries at depth ${axis}, got ${Array.isArray(value) ? value.length : "a number"}.`,
      );
    }
    for (const entry of value) visit(entry, axis + 1);
  };
  visit(data, 0);
}

function firstLeaf(data: NestedArray): number | boolean | undefined {
  let level: NestedArray | undefined = data;
  while (Array.isArray(level)) level = level[0];
  return level as number | boolean | undefined;
}

/** A data leaf with a copy of the values. */
export function tensorNode(data: NumericArray | NestedArray, options: LiteralOptions = {}): Node {
  const wanted = options.dtype === undefined ? undefined : parseDType(options.dtype);
  if (ArrayBuffer.isView(data)) {
    const dtype = wanted ?? typedArrayDType(data);
    const shape = options.shape ?? [data.length];
    checkShape("tensor", shape);
    if (sizeOf(shape) !== data.length) {
      throw new ShapeError(
        `tensor: ${data.length} values do not fill shape ${formatShape(shape)}, which holds ${sizeOf(shape)}.`,
      );
    }
    const { node, view } = emptyNode(shape, dtype);
    if (dtype === "bool") for (let i = 0; i < data.length; i++) view[i] = data[i] ? 1 : 0;
    else view.set(data);
    return node;
  }
  const nested = shapeOfNested(data as NestedArray);
  const dtype = wanted ?? (typeof firstLeaf(data as NestedArray) === "boolean" ? "bool" : "f32");
  const shape = options.shape ?? nested;
  checkShape("tensor", shape);
  // a single number fills any shape with one element
  if (sizeOf(shape) !== sizeOf(nested)) {
    throw new ShapeError(
      `tensor: ${sizeOf(nested)} values do not fill shape ${formatShape(shape)}, which holds ${sizeOf(shape)}.`,
    );
  }
  const { node, view } = emptyNode(shape, dtype);
  flatten(data as NestedArray, nested, view);
  if (dtype === "bool") for (let i = 0; i < view.length; i++) view[i] = view[i] ? 1 : 0;
  return node;
}

/** A data leaf whose storage the caller fills. */
export function emptyNode(shape: Shape, dtype: DType): { node: Node; view: TensorData } {
  const value = defaultEngine.target.allocate(sizeOf(shape) * bytesPerElement[dtype]);
  return {
    node: dataNode({ shape: [...shape], dtype }, value),
    view: viewOf(dtype, value.buffer, value.byteOffset, sizeOf(shape)),
  };
}

/** Nested arrays of a row-major array's values. */
export function nestedArray(data: TensorData, shape: Shape, dtype: DType): NestedArray {
  const strides = stridesOf(shape);
  const build = (axis: number, offset: number): NestedArray => {
    if (axis === shape.length) return dtype === "bool" ? data[offset] !== 0 : data[offset];
    return Array.from({ length: shape[axis] }, (_, i) => build(axis + 1, offset + i * strides[axis]));
  };
  return build(0, 0);
}
