/** Where the vectors of a row lie: in its operands, and in scratch memory what one pass computes for a later one. */
import { bytesPerElement } from "../../graph/dtype.ts";
import type { KernelBuilder } from "../../kernel/builder.ts";
import type { Address, IntOperand, IntRegister } from "../../kernel/ir.ts";
import type { LoopBody } from "./body.ts";
import type { Pointers } from "./nest.ts";
import type { RowSpace } from "./row-space.ts";
import type { Stages } from "./row-stages.ts";

/** Options of a load or store of the first lanes, or of whole vectors. */
export const firstLanes = (lanes: number): { readonly lanes?: number } => (lanes < 16 ? { lanes } : {});

/** Element `position + extra` of a run of elements of `size` bytes, `displacement` bytes from `base`. */
export function lineAt(
  k: KernelBuilder,
  base: IntRegister,
  position: IntOperand,
  size: 1 | 4,
  extra: number,
  displacement: number,
): Address {
  if (typeof position === "number") return k.at(base, displacement + (position + extra) * size);
  return k.at(base, position, size, displacement + extra * size);
}

/** Calls `vectors` for a run of elements: four vectors at a time, then one by one; `first` counts these. */
export function inVectors(
  k: KernelBuilder,
  length: number,
  vectors: (position: IntOperand, count: number, lanes: number, first: number) => void,
): void {
  const main = length - (length % 64);
  if (main > 0) k.loop(0, main, 64, (position) => vectors(position, 4, 16, 0));
  for (let at = main, first = 0; at < length; at += 16, first++) vectors(at, 1, Math.min(16, length - at), first);
}

/**
 * Where the rows begin that the next turn of the loop over rows reads, if they come from memory. The second pass fetches them, which finds its own
 * row in the caches: otherwise memory would rest while later passes compute, and the first one wait for it.
 */
export function nextRows(k: KernelBuilder, body: LoopBody, space: RowSpace, pointers: Pointers): IntRegister[] {
  const { extents, keptCount, operands } = space;
  if (keptCount === 0 || extents.length - keptCount !== 1) return [];
  return body.fullLoads.flatMap(({ guard, dtype }, index) => {
    const { strides } = operands[index];
    const bytes = strides.reduce((size, stride, axis) => Math.max(size, stride * extents[axis]), 0) * 4;
    const away = strides[keptCount - 1];
    if (guard || bytesPerElement[dtype] !== 4 || strides[keptCount] !== 1 || away === 0) return [];
    if (bytes < body.machine.l2Bytes) return [];
    return k.address(k.at(pointers.register(index), pointers.displacement(index) + 4 * away));
  });
}

/** Scratch memory for the full members of one row that a later pass reads. */
export class RowStash {
  readonly base: IntRegister;
  private readonly k: KernelBuilder;
  private readonly stashed: readonly number[];
  private readonly bytes: number;

  constructor(k: KernelBuilder, { extents, keptCount }: RowSpace, { stashed }: Stages) {
    this.k = k;
    this.stashed = stashed;
    const points = extents.slice(keptCount).reduce((size, extent) => size * extent, 1);
    this.bytes = Math.ceil(points / 16) * 64;
    this.base = k.scratch(stashed.length * this.bytes);
  }

  holds(member: number): boolean {
    return this.stashed.includes(member);
  }

  /** The place of a vector of a member; `run` is where the part of the row that `position` counts in begins. */
  slot(run: IntRegister, member: number, position: IntOperand, extra: number): Address {
    return lineAt(this.k, run, position, 4, extra, this.stashed.indexOf(member) * this.bytes);
  }
}
