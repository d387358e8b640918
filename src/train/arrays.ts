/** What users pass as data, turned into tensors whose values exist. */
import { ArgumentError, DataError, ShapeError } from "../errors.ts";
import { formatShape, type Shape } from "../graph/shape.ts";
import { evaluate, type NestedArray, type NumericArray, Tensor, tensor } from "../tensor/index.ts";
import { isRecord, leavesOf, mapStructure, type Structure } from "./structure.ts";

/** A flat typed array and the shape of what it holds. */
export interface ShapedArray {
  readonly data: NumericArray;
  readonly shape: Shape;
}

/** Data of one kind: inputs, targets or weights of examples. Anything but a tensor is copied. */
export type ArrayInput = Tensor | NumericArray | NestedArray | ShapedArray;

/** Data of several inputs or outputs: in a list, or by name. */
export type DataStructure = Structure<ArrayInput>;

/** One batch, or a whole data set: inputs, targets and weights per example, each one tensor or a structure of tensors. */
export interface Examples {
  readonly x: Structure<Tensor>;
  readonly y?: Structure<Tensor> | undefined;
  readonly sampleWeight?: Structure<Tensor> | undefined;
}

export function isShapedArray(value: unknown): value is ShapedArray {
  return (
    typeof value === "object" &&
    value !== null &&
    !(value instanceof Tensor) &&
    !Array.isArray(value) &&
    ArrayBuffer.isView((value as ShapedArray).data) &&
    Array.isArray((value as ShapedArray).shape)
  );
}

export function isArrayInput(value: unknown): value is ArrayInput {
  return value instanceof Tensor || Array.isArray(value) || ArrayBuffer.isView(value) || isShapedArray(value);
}

/** A tensor with a value of its own: what is pending is computed now, so that no training step repeats it. */
export function toTensor(operation: string, name: string, value: ArrayInput): Tensor {
  if (value instanceof Tensor) {
    if (value.rank === 0) throw new ShapeError(`${operation}: ${name} is a scalar; expected one entry per example.`);
    evaluate(value);
    return value;
  }
  if (isShapedArray(value)) return tensor(value.data, { shape: value.shape });
  if (Array.isArray(value) && value.length === 0) {
    throw new DataError(`${operation}: ${name} is empty; there is nothing to work on.`);
  }
  if (ArrayBuffer.isView(value) || Array.isArray(value)) return tensor(value as NumericArray | NestedArray);
  throw new ArgumentError(
    `${operation}: ${name} must be a tensor, a typed array, nested arrays or { data, shape }, received ${describe(value)}.`,
  );
}

export function describe(value: unknown): string {
  if (value === null || value === undefined) return String(value);
  if (typeof value === "object") return value.constructor?.name ?? "an object";
  return typeof value === "string" ? JSON.stringify(value) : `${typeof value} ${String(value)}`;
}

/**
 * Whether data is a structure of arrays rather than one array. A list whose entries are tensors or typed arrays is one; nested numbers are, where
 * `count` arrays are expected and as many are there.
 */
export function isStructured(value: unknown, count: number): boolean {
  if (isShapedArray(value)) return false;
  if (isRecord(value)) return true;
  if (!Array.isArray(value) || value.length === 0) return false;
  const [first] = value as readonly unknown[];
  if (first instanceof Tensor || ArrayBuffer.isView(first) || isShapedArray(first)) return true;
  return count > 1 && value.length === count;
}

/** Tensors from data of one or several inputs (or outputs); `count` is how many there are to be. */
export function toTensors(operation: string, name: string, value: DataStructure, count: number): Structure<Tensor> {
  if (!isStructured(value, count)) return toTensor(operation, name, value as ArrayInput);
  return mapStructure<ArrayInput, Tensor>(value, (entry, key) => toTensor(operation, nameOf(name, key), entry));
}

const nameOf = (name: string, key: string | number | undefined): string =>
  key === undefined ? name : typeof key === "number" ? `${name}[${key}]` : `${name}.${key}`;

/** Number of examples; all kinds must agree. */
export function countExamples(operation: string, examples: Examples): number {
  const [first] = leavesOf<Tensor>(examples.x);
  if (first === undefined) throw new DataError(`${operation}: x holds no array.`);
  const count = first.shape[0];
  if (count === 0) throw new DataError(`${operation}: x has shape ${formatShape(first.shape)}: there are no examples.`);
  for (const kind of ["x", "y", "sampleWeight"] as const) {
    const part = examples[kind];
    if (part === undefined) continue;
    mapStructure<Tensor, void>(part, (other, key) => {
      if (other.shape[0] === count) return;
      const name = nameOf(kind, key);
      throw new ShapeError(
        `${operation}: x and ${name} must have the same number of examples, received ${count} in x ${formatShape(first.shape)} ` +
          `and ${other.shape[0]} in ${name} ${formatShape(other.shape)}.`,
      );
    });
  }
  return count;
}

/** What the targets must be for the loss at hand. */
export interface LabelRule {
  /** Targets are class numbers from 0 to this, exclusive. */
  readonly classes?: number;
}

/** The rule for the targets of an output, by position or name. */
export type LabelRules = (key: number | string | undefined, position: number) => LabelRule;

/** Targets must be numbers, and class numbers in range: found before anything is trained. */
export function checkLabels(operation: string, y: Structure<Tensor>, rules?: LabelRules): void {
  let position = 0;
  mapStructure<Tensor, void>(y, (target, key) => checkTarget(operation, target, rules?.(key, position++)));
}

function checkTarget(operation: string, y: Tensor, rule: LabelRule = {}): void {
  if (y.dtype !== "f32" && rule.classes === undefined) return;
  const values = y.dataSync();
  const { classes } = rule;
  for (let index = 0; index < values.length; index++) {
    const value = values[index];
    if (Number.isNaN(value)) {
      throw new DataError(`${operation}: the labels hold NaN, first at element ${index} of y ${formatShape(y.shape)}.`);
    }
    if (classes !== undefined && !(value >= 0 && value < classes && Number.isInteger(value))) {
      throw new DataError(
        `${operation}: label ${value} at element ${index} of y ${formatShape(y.shape)} is not a class number from 0 to ${classes - 1}; ` +
          `the model's output has ${classes} classes.`,
      );
    }
  }
}

/** Weights per example from weights per class; one-hot targets count as the class of their largest entry. */
export function weightsOfClasses(y: Tensor, classWeight: Readonly<Record<number, number>>): Tensor {
  const values = y.dataSync();
  const count = y.shape[0];
  const width = count === 0 ? 0 : values.length / count;
  const weights = new Float32Array(count);
  for (let row = 0; row < count; row++) {
    let label = values[row * width];
    if (width > 1) {
      let best = 0;
      for (let column = 1; column < width; column++) {
        if (values[row * width + column] > values[row * width + best]) best = column;
      }
      label = best;
    }
    weights[row] = classWeight[Math.round(label)] ?? 1;
  }
  return tensor(weights);
}
