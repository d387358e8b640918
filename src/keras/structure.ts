/** Types of what layers take and give: one tensor, several in a list, several by name; and the same for symbolic tensors and for shapes. */
import type { Tensor } from "../tensor/index.ts";
import type { Structure } from "../train/structure.ts";
import type { BatchShape } from "./config.ts";
import type { KerasTensor } from "./keras-tensor.ts";

export { isRecord, leavesOf, mapStructure, packLike, type Structure, structureKey } from "../train/structure.ts";

/** One tensor, a list of tensors, or tensors by name. */
export type TensorStructure = Structure<Tensor>;
/** The same with symbolic tensors. */
export type SymbolicStructure = Structure<KerasTensor>;
/** The same with shapes. */
export type ShapeStructure = BatchShape | readonly BatchShape[] | { readonly [name: string]: BatchShape };

/** A structure of tensors with every tensor replaced by something else. */
type Replaced<In, Leaf> = [In] extends [never] ? never : In extends Tensor ? Leaf : { [K in keyof In]: Leaf };

/** What a layer over `In` takes when it is called on symbolic tensors. */
export type SymbolicOf<In> = Replaced<In, KerasTensor>;
/** The shapes of `In`. */
export type ShapesOf<In> = [In] extends [never] ? ShapeStructure : Replaced<In, BatchShape>;
/** The symbolic tensors that a layer over `In` was called on. */
export type GivenTo<In> = [In] extends [never] ? SymbolicStructure : Replaced<In, KerasTensor>;
/** The masks of `In`: undefined where a tensor has none. */
export type MasksOf<In> = Replaced<In, Tensor | undefined>;
/** The tensors that symbolic tensors stand for. */
export type ConcreteOf<Symbols> = Symbols extends KerasTensor ? Tensor : { [K in keyof Symbols]: Tensor };

const isShape = (value: unknown): value is BatchShape =>
  Array.isArray(value) && (value.length === 0 || !Array.isArray(value[0]));

/** The shapes of a structure, in order. */
export function shapesIn(structure: ShapeStructure): readonly BatchShape[] {
  if (isShape(structure)) return [structure];
  return Array.isArray(structure) ? (structure as readonly BatchShape[]) : Object.values(structure as object);
}

/** A structure of shapes with something else for each shape. */
export function mapShapes<Result>(structure: ShapeStructure, change: (shape: BatchShape) => Result): Structure<Result> {
  if (isShape(structure)) return change(structure);
  if (Array.isArray(structure)) return (structure as readonly BatchShape[]).map(change);
  return Object.fromEntries(Object.entries(structure).map(([name, shape]) => [name, change(shape as BatchShape)]));
}
