/** How a reduction is laid out: the collapsed space, the axis that lanes run along, blocks of a long reduction. Shapes and strides decide. */
import { stridesOf } from "../../graph/shape.ts";
import { type LoopBody, usedAxes } from "./body.ts";
import { collapse } from "./collapse.ts";
import type { Operand } from "./nest.ts";

const kept = 0;
const reduced = 1;

/** Elements per lane-wise block of a long reduction, and the length from which one is cut. */
const innerBlock = 8192;
const innerLong = 32768;
/** The same in rows, where lanes run along a kept axis. */
const outerBlock = 128;
const outerLong = 512;

/** The collapsed space: full loads, then kept loads, then stores, then the flat position in the reduced axes. */
export interface ReductionPlan {
  readonly extents: readonly number[];
  readonly kinds: readonly number[];
  readonly axisOf: readonly number[];
  readonly operands: readonly Operand[];
  readonly stores: readonly { readonly member: number; readonly operand: number }[];
  readonly flat: readonly number[];
  readonly keptAxes: readonly number[];
  readonly reducedAxes: readonly number[];
  /** The axis that lanes run along, and whether it is a reduced one. */
  readonly laneAxis: number;
  readonly lanesReduced: boolean;
  /** Blocks along one reduced axis, when the reduction is long. */
  readonly long: { readonly axis: number; readonly block: number; readonly blocks: number } | undefined;
}

export function planReduction(body: LoopBody, mayBlock = true): ReductionPlan {
  const { extents, reduceAxes, fullLoads, keptLoads, members } = body;
  const kinds = extents.map((_, axis) => (reduceAxes.includes(axis) ? reduced : kept));
  const keptAxisNumbers = extents.map((_, axis) => axis).filter((axis) => kinds[axis] === kept);
  const spread = (axes: readonly number[], strides: readonly number[]): number[] => {
    const all = new Array<number>(extents.length).fill(0);
    axes.forEach((axis, index) => {
      all[axis] = strides[index];
    });
    return all;
  };
  const stores = members.flatMap((member, index) => member.stores.map(({ argument }) => ({ member: index, argument })));
  const keptIdentity = spread(keptAxisNumbers, stridesOf(keptAxisNumbers.map((axis) => extents[axis])));
  const flat = spread(reduceAxes, stridesOf(reduceAxes.map((axis) => extents[axis])));
  const fullMembers = members.filter((member) => member.combine).map((member) => member.expression);
  const pinned = usedAxes([...fullMembers, ...fullLoads.map((load) => load.guard)]);
  const keptExpressions = members.filter((member) => !member.combine).map((member) => member.expression);
  for (const axis of usedAxes([...keptExpressions, ...keptLoads.map((load) => load.guard)]))
    pinned.add(keptAxisNumbers[axis]);
  const space = collapse(
    extents,
    kinds,
    [
      ...fullLoads.map((load) => load.strides),
      ...keptLoads.map((load) => spread(keptAxisNumbers, load.strides)),
      keptIdentity,
      flat,
    ],
    pinned,
  );
  const operands: Operand[] = [...fullLoads, ...keptLoads].map((load, index) => ({
    ...load,
    strides: space.strides[index],
  }));
  const identityStrides = space.strides[operands.length];
  const flatStrides = space.strides[operands.length + 1];
  const storeOperands = stores.map(({ member, argument }) => {
    operands.push({ argument, dtype: members[member].dtype, offset: 0, strides: identityStrides });
    return { member, operand: operands.length - 1 };
  });
  const axes = space.extents.map((_, axis) => axis);
  const keptAxes = axes.filter((axis) => space.kinds[axis] === kept);
  const reducedAxes = axes.filter((axis) => space.kinds[axis] === reduced);
  const laneAxis = chooseLaneAxis(space.extents.length, keptAxes, reducedAxes, operands.slice(0, fullLoads.length));
  const lanesReduced = space.kinds[laneAxis] === reduced;
  const positional = members.some((member) => member.combine === "argmax" || member.combine === "argmin");
  const long = positional || !mayBlock ? undefined : chooseBlocks(space.extents, reducedAxes, laneAxis, lanesReduced);
  return {
    extents: space.extents,
    kinds: space.kinds,
    axisOf: space.axisOf,
    operands,
    stores: storeOperands,
    flat: flatStrides,
    keptAxes,
    reducedAxes,
    laneAxis,
    lanesReduced,
    long,
  };
}

/** The last kept axis or a reduced one: where most loads are contiguous, the later one when equal. */
function chooseLaneAxis(
  rank: number,
  keptAxes: readonly number[],
  reducedAxes: readonly number[],
  loads: readonly Operand[],
): number {
  const candidates = keptAxes.length > 0 ? [...reducedAxes, keptAxes[keptAxes.length - 1]] : reducedAxes;
  let best = rank - 1;
  let most = -1;
  for (const axis of [...candidates].sort((a, b) => a - b)) {
    const contiguous = loads.filter(({ strides }) => strides[axis] === 1).length;
    if (contiguous >= most) {
      best = axis;
      most = contiguous;
    }
  }
  return best;
}

function chooseBlocks(
  extents: readonly number[],
  reducedAxes: readonly number[],
  laneAxis: number,
  lanesReduced: boolean,
): ReductionPlan["long"] {
  const total = reducedAxes.reduce((size, axis) => size * extents[axis], 1);
  if (total < (lanesReduced ? innerLong : outerLong)) return undefined;
  const axis = reducedAxes.reduce((best, candidate) => (extents[candidate] > extents[best] ? candidate : best));
  const perIndex = total / extents[axis];
  let block = Math.max(1, Math.floor((lanesReduced ? innerBlock : outerBlock) / perIndex));
  if (axis === laneAxis) block = Math.max(64, block - (block % 64));
  else if (block > 1) block -= block % 2;
  const blocks = Math.ceil(extents[axis] / block);
  return blocks >= 4 ? { axis, block, blocks } : undefined;
}
