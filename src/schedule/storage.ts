/** Where values lie: program storage for inputs and outputs, the arena for the rest; which outputs are written in place; in which order kernels run. */
import { InternalError } from "../errors.ts";
import { isIdentity } from "./access.ts";
import type { Group, GroupGraph } from "./groups.ts";
import type { Inliner } from "./inline.ts";
import { loopHasGuards } from "./scan.ts";
import { withoutReshape } from "./tensor-graph.ts";

/** One place in memory. */
export interface Storage {
  readonly kind: "input" | "output" | "arena";
  /** Position in the program's inputs or outputs. */
  readonly index: number;
  readonly bytes: number;
  readonly label: string;
  /** First and last step group that uses it (arena only); offset once placed. */
  from: number;
  to: number;
  byteOffset: number;
}

/** A unit of ordering: a fused group, an index guard, or a copy into an output that could not be written directly. */
export type Unit =
  | { readonly kind: "group"; readonly group: Group }
  | { readonly kind: "guard"; readonly guard: number; readonly value: number }
  | { readonly kind: "copy"; readonly value: number; readonly output: number };

/** What each group reads, with the inliners whose loads say how. */
export interface GroupReads {
  readonly full: Inliner;
  readonly kept: Inliner | undefined;
  /** Values that a strategy's op reads as operands. */
  readonly operands: readonly number[];
}

export interface Storing {
  readonly units: readonly Unit[];
  /** Units before each unit. */
  readonly requires: readonly ReadonlySet<number>[];
  /** Outputs that a root's kernel stores to. */
  readonly outputsOf: ReadonlyMap<number, readonly number[]>;
  readonly notes: readonly string[];
}

/** Decides which outputs are written by the kernel that computes them and orders every reader of an overwritten input before its writer. */
export function planStores(state: GroupGraph, reads: readonly GroupReads[]): Storing {
  const { graph, groups, groupOf } = state;
  const units: Unit[] = groups.map((group) => ({ kind: "group", group }));
  const requires: Set<number>[] = groups.map((group) => new Set(group.requires));
  const readers = new Map<number, number[]>();
  groups.forEach((group, unit) => {
    for (const value of group.reads) {
      const list = readers.get(value);
      if (list) list.push(unit);
      else readers.set(value, [unit]);
    }
  });
  const guards: number[] = [];
  graph.guards.forEach((guard, index) => {
    const value = viewedValue(state, guard.value);
    guards.push(units.length);
    units.push({ kind: "guard", guard: index, value });
    requires.push(new Set(groupOf[value] >= 0 ? [groupOf[value]] : []));
  });
  // The guards inside a loop run with it.
  groups.forEach((group, unit) => {
    const meaning = graph.values[group.members[0]?.value]?.meaning;
    if (meaning?.kind === "scan" && loopHasGuards(meaning.loop)) guards.push(unit);
  });
  const outputsOf = new Map<number, number[]>();
  const notes: string[] = [];
  const copies: { root: number; output: number; overwrites: number | undefined }[] = [];
  graph.outputs.forEach(({ value, overwrites }, output) => {
    const root = withoutReshape(graph, value);
    const unit = groupOf[root];
    if (unit < 0) {
      if (root === overwrites) return;
      throw new InternalError(`output ${output} is computed by no kernel`);
    }
    const direct = (): void => {
      const list = outputsOf.get(root);
      if (list) list.push(output);
      else outputsOf.set(root, [output]);
    };
    // A loop's result lies in one place.
    if (outputsOf.has(root) && graph.values[root].meaning?.kind === "scan") {
      copies.push({ root, output, overwrites });
      return;
    }
    if (overwrites === undefined) {
      direct();
      return;
    }
    const others = [...(readers.get(overwrites) ?? []), ...guards].filter((reader) => reader !== unit);
    const inKernel = !groups[unit].reads.has(overwrites) || readsInPlace(groups[unit], reads[unit], overwrites, root);
    const reachable = inKernel ? reachesAny(requires, unit, others) : undefined;
    if (inKernel && !reachable) {
      for (const reader of others) requires[unit].add(reader);
      direct();
      notes.push(`output ${output} overwrites input ${graph.values[overwrites].programInput} in its own kernel`);
    } else {
      copies.push({ root, output, overwrites });
      const why = inKernel ? "a later kernel reads the old value" : "the kernel reads the old value elsewhere";
      notes.push(`output ${output} goes through a temporary: ${why}`);
    }
  });
  for (const { root, output, overwrites } of copies) {
    const unit = units.length;
    units.push({ kind: "copy", value: root, output });
    const before = overwrites === undefined ? [] : (readers.get(overwrites) ?? []);
    requires.push(new Set([...before, ...guards, groupOf[root]]));
    // Copies only write; whoever reads the copied value reads the temporary.
    void unit;
  }
  return { units, requires, outputsOf, notes };
}

/** The value in memory that a view reads. */
function viewedValue(state: GroupGraph, id: number): number {
  let value = state.graph.values[id];
  while (value.programInput < 0 && !state.isRoot(value.id)) value = state.graph.values[value.inputs[0]];
  return value.id;
}

/** Whether a kernel reads an input only at the very elements it then overwrites with `root`. */
function readsInPlace(group: Group, reads: GroupReads, input: number, root: number): boolean {
  if (reads.operands.includes(input)) return false;
  const level = group.members.find((member) => member.value === root)?.level;
  const full = reads.full.loads.filter((load) => load.value === input);
  const kept = reads.kept?.loads.filter((load) => load.value === input) ?? [];
  if (group.kind === "strategy" || group.reduceAxes.length === 0)
    return full.every((load) => isIdentity(load.access, reads.full.extents));
  // A row is passed over more than once, so its elements stay until the kernel is done with them.
  if (level !== "kept" || full.length > 0) return false;
  return kept.every((load) => isIdentity(load.access, reads.kept!.extents));
}

/** Whether `unit` must run before one of `others`. */
function reachesAny(requires: readonly ReadonlySet<number>[], unit: number, others: readonly number[]): boolean {
  const seen = new Set<number>();
  const stack = [...others];
  while (stack.length > 0) {
    const current = stack.pop()!;
    if (current === unit) return true;
    if (seen.has(current)) continue;
    seen.add(current);
    for (const before of requires[current]) stack.push(before);
  }
  return false;
}

/**
 * Orders the units: guards as early as they can be, then whatever frees memory, then program order. `arenaBytes(unit)` says what a unit
 * brings to life, `lastReads` which values' bytes die with it.
 */
export function orderUnits(
  storing: Storing,
  produced: readonly (readonly number[])[],
  consumed: readonly (readonly number[])[],
  bytesOf: (value: number) => number,
): number[] {
  const { units, requires } = storing;
  const waiting = requires.map((set) => set.size);
  const followers: number[][] = units.map(() => []);
  requires.forEach((set, unit) => {
    for (const before of set) followers[before].push(unit);
  });
  const readersLeft = new Map<number, number>();
  for (const values of consumed) for (const value of values) readersLeft.set(value, (readersLeft.get(value) ?? 0) + 1);
  const ready = units.map((_, unit) => unit).filter((unit) => waiting[unit] === 0);
  const order: number[] = [];
  while (ready.length > 0) {
    let best = 0;
    let bestCost = Number.POSITIVE_INFINITY;
    ready.forEach((unit, index) => {
      let cost = 0;
      if (units[unit].kind === "guard") cost = Number.NEGATIVE_INFINITY;
      for (const value of produced[unit]) cost += bytesOf(value);
      for (const value of consumed[unit]) if (readersLeft.get(value) === 1) cost -= bytesOf(value);
      // Only kernels that do not add to memory go ahead of program order.
      if (cost > 0) cost = 0.5 + unit * 1e-6;
      if (cost < bestCost || (cost === bestCost && unit < ready[best])) {
        best = index;
        bestCost = cost;
      }
    });
    const unit = ready[best];
    ready.splice(best, 1);
    order.push(unit);
    for (const value of consumed[unit]) readersLeft.set(value, readersLeft.get(value)! - 1);
    for (const follower of followers[unit]) if (--waiting[follower] === 0) ready.push(follower);
  }
  if (order.length !== units.length)
    throw new InternalError("the kernels of a program depend on each other in a circle");
  return order;
}

/** Places arena storages: largest first, each in the smallest gap left by those whose lives overlap. Returns the arena's size. */
export function placeStorages(storages: readonly Storage[]): number {
  const bySize = [...storages].sort((a, b) => b.bytes - a.bytes || a.from - b.from);
  const placed: Storage[] = [];
  let total = 0;
  for (const storage of bySize) {
    const size = align(storage.bytes);
    const busy = placed
      .filter((other) => other.from <= storage.to && storage.from <= other.to)
      .sort((a, b) => a.byteOffset - b.byteOffset);
    let best = -1;
    let bestGap = Number.POSITIVE_INFINITY;
    let end = 0;
    for (const other of busy) {
      const gap = other.byteOffset - end;
      if (gap >= size && gap < bestGap) {
        best = end;
        bestGap = gap;
      }
      end = Math.max(end, other.byteOffset + align(other.bytes));
    }
    storage.byteOffset = best >= 0 ? best : end;
    total = Math.max(total, storage.byteOffset + size);
    placed.push(storage);
  }
  return total;
}

const align = (bytes: number): number => Math.ceil(bytes / 64) * 64;
