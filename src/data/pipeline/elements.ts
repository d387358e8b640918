/** Elements of a pipeline: tensors, numbers and typed arrays, alone or in arrays and plain objects. */
import { DataError, ShapeError } from "../../errors.ts";
import { formatShape, sameShape } from "../../graph/shape.ts";
import { evaluate, gather, type NumericArray, noGrad, slice, stack, Tensor, tensor } from "../../tensor/index.ts";

/** What elements are made of. */
type Numbers =
  | NumericArray
  | readonly number[]
  | readonly (readonly number[])[]
  | readonly (readonly (readonly number[])[])[];

/** The element that slices along the first axis make. */
export type SliceOf<Source> = Source extends Tensor | Numbers
  ? Tensor
  : { -readonly [Name in keyof Source]: SliceOf<Source[Name]> };

/** A batch of elements: their parts stacked along a new first axis. */
export type BatchOf<Element> = Element extends Tensor | NumericArray | number | boolean
  ? Tensor
  : { -readonly [Name in keyof Element]: BatchOf<Element[Name]> };

/** How a function takes an element: the parts of a tuple one by one, anything else as it is. */
export type ArgumentsOf<Element> = [Element] extends [readonly [unknown, ...unknown[]]]
  ? Element & readonly unknown[]
  : readonly [Element];

function isPlainObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && Object.getPrototypeOf(value) === Object.prototype;
}

/** Whether an array holds the parts of a tuple, rather than numbers. */
function isTuple(value: readonly unknown[]): boolean {
  return value.some(
    (part) =>
      part instanceof Tensor ||
      ArrayBuffer.isView(part) ||
      isPlainObject(part) ||
      (Array.isArray(part) && isTuple(part)),
  );
}

/** The same structure with its leaves changed; an array of plain numbers is a leaf. */
export function mapLeaves(value: unknown, change: (leaf: unknown) => unknown): unknown {
  if (Array.isArray(value) && isTuple(value)) return value.map((part) => mapLeaves(part, change));
  if (isPlainObject(value)) {
    return Object.fromEntries(Object.entries(value).map(([name, part]) => [name, mapLeaves(part, change)]));
  }
  return change(value);
}

/** Computes the tensors of an element, so that no later program repeats it. */
export function settled(element: unknown): unknown {
  const tensors: Tensor[] = [];
  const visit = (value: unknown): void => {
    if (value instanceof Tensor) tensors.push(value);
    else if (Array.isArray(value)) value.forEach(visit);
    else if (isPlainObject(value)) Object.values(value).forEach(visit);
  };
  visit(element);
  if (tensors.length > 0) evaluate(...tensors);
  return element;
}

/** Rows of tensors that belong together: data in memory, of which elements are views. */
export class Table {
  readonly count: number;
  private readonly structure: unknown;

  constructor(operation: string, source: unknown) {
    let count: number | undefined;
    this.structure = mapLeaves(source, (leaf) => {
      const whole = leafTensor(operation, leaf);
      if (whole.rank === 0) throw new ShapeError(`${operation}: a scalar has no slices.`);
      if (count !== undefined && whole.shape[0] !== count) {
        throw new ShapeError(
          `${operation}: all parts must have the same number of elements along the first axis, received ${count} and ${whole.shape[0]}.`,
        );
      }
      count = whole.shape[0];
      return whole;
    });
    if (count === undefined) throw new DataError(`${operation}: there is nothing to take slices of.`);
    settled(this.structure);
    this.count = count;
  }
  /** One element. */
  row(index: number): unknown {
    return settled(
      mapLeaves(this.structure, (whole) => {
        const part = slice(whole as Tensor, [index], [index + 1]);
        return part.reshape(part.shape.slice(1));
      }),
    );
  }
  /** Several elements as a batch: a view where they follow one another. */
  rows(indices: readonly number[]): unknown {
    const first = indices[0];
    const consecutive = indices.every((index, position) => index === first + position);
    const places = consecutive ? undefined : tensor(Int32Array.from(indices));
    return settled(
      mapLeaves(this.structure, (whole) =>
        places ? gather(whole as Tensor, places, 0) : slice(whole as Tensor, [first], [first + indices.length]),
      ),
    );
  }
}

/** An element of a table that nobody has looked at yet: shuffled and batched by its number. */
export class Row {
  readonly table: Table;
  readonly index: number;

  constructor(table: Table, index: number) {
    this.table = table;
    this.index = index;
  }
}

/** The element itself. */
export function looked(element: unknown): unknown {
  if (element instanceof Row) return element.table.row(element.index);
  if (element instanceof Bundle) return element.parts.map(looked);
  return element;
}

/** An element as the arguments of a function: the parts of a tuple one by one. */
export function spread(element: unknown): readonly unknown[] {
  const value = looked(element);
  return Array.isArray(value) ? value : [value];
}

/** Elements of several pipelines side by side, not looked at yet. */
export class Bundle {
  readonly parts: readonly unknown[];

  constructor(parts: readonly unknown[]) {
    this.parts = parts;
  }
}

function leafTensor(operation: string, leaf: unknown): Tensor {
  if (leaf instanceof Tensor) return leaf;
  if (typeof leaf === "number" || typeof leaf === "boolean" || ArrayBuffer.isView(leaf) || Array.isArray(leaf)) {
    return tensor(leaf as NumericArray);
  }
  const what = leaf === null || typeof leaf !== "object" ? typeof leaf : leaf.constructor.name;
  throw new DataError(`${operation}: expected tensors and numbers, received ${what}.`);
}

/** Elements stacked along a new first axis. */
export function collate(elements: readonly unknown[]): unknown {
  const [first] = elements;
  if (first instanceof Row && elements.every((each) => each instanceof Row && each.table === first.table)) {
    return first.table.rows(elements.map((each) => (each as Row).index));
  }
  if (first instanceof Bundle && elements.every((each) => each instanceof Bundle)) {
    return first.parts.map((_, index) => collate(elements.map((each) => (each as Bundle).parts[index])));
  }
  return settled(noGrad(() => joined(elements.map(looked))));
}

function joined(elements: readonly unknown[]): unknown {
  const [first] = elements;
  if (Array.isArray(first) && (isTuple(first) || elements.length === 0)) {
    return first.map((_, index) => joined(elements.map((each) => (each as readonly unknown[])[index])));
  }
  if (isPlainObject(first)) {
    return Object.fromEntries(
      Object.keys(first).map((name) => [name, joined(elements.map((each) => (each as Record<string, unknown>)[name]))]),
    );
  }
  if (typeof first === "number" || typeof first === "boolean") return tensor(elements as number[]);
  const tensors = elements.map((each) => leafTensor("batch", each));
  const odd = tensors.find(({ shape }) => !sameShape(shape, tensors[0].shape));
  if (odd) {
    throw new ShapeError(
      `batch: elements of shapes ${formatShape(tensors[0].shape)} and ${formatShape(odd.shape)} cannot be stacked.`,
    );
  }
  return stack(tensors);
}
