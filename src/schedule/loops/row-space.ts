/** Where the elements of a row kernel lie: axes merged where that changes nothing, the row's own last, and the strides of everything that is read or stored. */
import { stridesOf } from "../../graph/shape.ts";
import { type LoopBody, usedAxes } from "./body.ts";
import { collapse } from "./collapse.ts";
import type { Operand } from "./nest.ts";

export interface RowSpace {
  /** Extents of the merged axes: those between rows, then those of a row, of which there is at least one. */
  readonly extents: readonly number[];
  /** The merged axis of each axis of the body; -1: it has one element. */
  readonly axisOf: readonly number[];
  /** Axes of the body that are not reduced. */
  readonly keptAxisNumbers: readonly number[];
  /** Loads of full values, loads of kept values, then stores. */
  readonly operands: readonly Operand[];
  readonly stores: readonly { readonly member: number; readonly operand: number }[];
  /** Strides of the row-major position among the reduced axes. */
  readonly flat: readonly number[];
  /** Number of merged axes between rows. */
  readonly keptCount: number;
}

/** Merges the axes of a body and finds the strides of its operands. */
export function rowSpaceOf(body: LoopBody): RowSpace {
  const { extents, reduceAxes, fullLoads, keptLoads, members } = body;
  const kinds = extents.map((_, axis) => (reduceAxes.includes(axis) ? 1 : 0));
  const keptAxisNumbers = extents.map((_, axis) => axis).filter((axis) => kinds[axis] === 0);
  const spread = (axes: readonly number[], strides: readonly number[]): number[] => {
    const all = new Array<number>(extents.length).fill(0);
    axes.forEach((axis, index) => {
      all[axis] = strides[index];
    });
    return all;
  };
  const extentsOf = (axes: readonly number[]) => axes.map((axis) => extents[axis]);
  const guards = [...fullLoads, ...keptLoads].map((load) => load.guard);
  const isKept = (index: number) => members[index].level === "kept" && !members[index].combine;
  const expressions = members.map((member) => member.expression);
  const pinned = usedAxes([...expressions.filter((_, index) => !isKept(index)), ...guards]);
  for (const axis of usedAxes([...expressions.filter((_, index) => isKept(index)), ...guards.slice(fullLoads.length)]))
    pinned.add(keptAxisNumbers[axis]);
  const space = collapse(
    extents,
    kinds,
    [
      ...fullLoads.map((load) => load.strides),
      ...keptLoads.map((load) => spread(keptAxisNumbers, load.strides)),
      stridesOf(extents),
      spread(keptAxisNumbers, stridesOf(extentsOf(keptAxisNumbers))),
      spread(reduceAxes, stridesOf(extentsOf(reduceAxes))),
    ],
    pinned,
  );
  // A row of one element still needs an axis to run along.
  const hasReduced = space.kinds[space.kinds.length - 1] === 1;
  const widen = (strides: readonly number[]): readonly number[] => (hasReduced ? strides : [...strides, 0]);
  const operands: Operand[] = [...fullLoads, ...keptLoads].map((load, index) => ({
    ...load,
    strides: widen(space.strides[index]),
  }));
  const [fullIdentity, keptIdentity, flat] = space.strides.slice(operands.length).map(widen);
  const stores: { readonly member: number; readonly operand: number }[] = [];
  members.forEach((member, index) => {
    for (const store of member.stores) {
      const strides = member.level === "full" ? fullIdentity : keptIdentity;
      stores.push({ member: index, operand: operands.length });
      operands.push({ ...store, dtype: member.dtype, offset: 0, strides });
    }
  });
  return {
    extents: hasReduced ? space.extents : [...space.extents, 1],
    axisOf: space.axisOf,
    keptAxisNumbers,
    operands,
    stores,
    flat,
    keptCount: hasReduced ? space.kinds.filter((kind) => kind === 0).length : space.extents.length,
  };
}
