/** Groups: the kernels that fusion decides on, before code is generated. */
import type { Shape } from "../graph/shape.ts";
import { sizeOf } from "../graph/shape.ts";
import { type ScalarExpression, scalarInput } from "../kernel/scalar.ts";
import { type Access, identityAccess, isIdentity } from "./access.ts";
import { Inliner, type Load, type Resolution } from "./inline.ts";
import { keptLoadBase, memberBase } from "./loops/body.ts";
import type { Roots } from "./roots.ts";
import type { TensorGraph, Value } from "./tensor-graph.ts";

/** A root in its group. In a group with reductions, `full` members have an element per point, `kept` ones per point of the kept axes. */
export interface Member {
  readonly value: number;
  level: "full" | "kept";
}

export interface Group {
  readonly id: number;
  /** A strategy group starts with its op; its other members are the epilogue. */
  readonly kind: "loop" | "strategy";
  space: Shape;
  reduceAxes: readonly number[];
  readonly members: Member[];
  /** A convolution: the member that is the max pooling of another one, done while that is at hand. */
  pooled?: number;
  /** Max pooling: the member that is the argmax over the same window, computed beside it. */
  taps?: number;
  /** Groups that must run before. */
  readonly requires: Set<number>;
  /** Values read from memory. */
  readonly reads: Set<number>;
  /** Decisions, for the explanation. */
  readonly notes: string[];
}

export function keptExtents(group: Group): number[] {
  return group.space.filter((_, axis) => !group.reduceAxes.includes(axis));
}

/** Shared state of fusion and lowering: which group computes which root. */
export class GroupGraph {
  readonly graph: TensorGraph;
  readonly roots: Roots;
  readonly groups: Group[] = [];
  readonly groupOf: Int32Array;

  constructor(graph: TensorGraph, roots: Roots) {
    this.graph = graph;
    this.roots = roots;
    this.groupOf = new Int32Array(graph.values.length).fill(-1);
  }

  isRoot(id: number): boolean {
    return this.roots.kindOf[id] !== "none";
  }

  /** The expression builder of one level of a group. `"full"` is also the level of a pointwise group and of an epilogue. */
  inliner(group: Group, level: "full" | "kept"): Inliner {
    const extents = level === "kept" ? keptExtents(group) : group.space;
    const firstLoad = level === "kept" ? keptLoadBase : group.kind === "strategy" ? 1 : 0;
    return new Inliner(
      this.graph,
      extents,
      (value, access) => this.resolve(group, level, extents, value, access),
      firstLoad,
    );
  }

  /** The expression of a root at its level in a group (for a reduction, of its elements), with all loads of the inliner. */
  expressionOf(inliner: Inliner, group: Group, value: Value): ScalarExpression | undefined {
    const { extents } = inliner;
    if (value.meaning?.kind === "reduce") {
      return inliner.inline(value.inputs[0], identityAccess(extents));
    }
    this.current = value.id;
    const expression = inliner.inline(value.id, identityAccess(extents));
    this.current = -1;
    if (group.kind === "strategy" && inliner.loads.some((load) => load.guard)) return undefined;
    return expression;
  }

  /** The root whose own expression is being built. */
  private current = -1;

  private resolve(group: Group, level: "full" | "kept", extents: Shape, value: Value, access: Access): Resolution {
    if (value.id === this.current) {
      this.current = -1;
      return "inline";
    }
    if (value.programInput >= 0) return "load";
    if (!this.isRoot(value.id)) return "inline";
    if (this.groupOf[value.id] !== group.id) return "load";
    const index = group.members.findIndex((member) => member.value === value.id);
    const member = group.members[index];
    if (group.kind === "strategy") {
      if (!isIdentity(access, extents)) return undefined;
      return index === 0 ? scalarInput(0, value.type.dtype) : "inline";
    }
    const aligned =
      member.level === level
        ? isIdentity(access, extents)
        : level === "full" && isBroadcastOfKept(access, extents, group.reduceAxes);
    return aligned ? scalarInput(memberBase + index, value.type.dtype) : undefined;
  }

  /** Whether `group` runs before `other`, directly or not. */
  precedes(group: number, other: number): boolean {
    if (group === other) return false;
    const seen = new Set<number>();
    const stack = [other];
    while (stack.length > 0) {
      for (const before of this.groups[stack.pop()!].requires) {
        if (before === group) return true;
        if (!seen.has(before)) {
          seen.add(before);
          stack.push(before);
        }
      }
    }
    return false;
  }

  /** Groups that compute what loads read. */
  groupsOfLoads(loads: readonly Load[]): Set<number> {
    const groups = new Set<number>();
    for (const { value } of loads) if (this.groupOf[value] >= 0) groups.add(this.groupOf[value]);
    return groups;
  }

  /** Whether a third group lies between two: then they cannot be one. */
  between(first: Group, last: Group): boolean {
    for (const id of last.requires) if (id !== first.id && this.precedes(first.id, id)) return true;
    return false;
  }

  /**
   * Moves the members of `first` to the front of `last`, if every expression still fits; `first` stays behind empty. The caller has made
   * sure that no other group lies between.
   */
  merge(first: Group, last: Group): boolean {
    const axes = last.reduceAxes;
    const members = [...last.members];
    const assign = (list: readonly Member[], id: number) => {
      for (const { value } of list) this.groupOf[value] = id;
    };
    last.reduceAxes = axes.length > 0 ? axes : first.reduceAxes;
    last.members.splice(0, 0, ...first.members);
    assign(first.members, last.id);
    const full = this.inliner(last, "full");
    const kept = last.reduceAxes.length > 0 ? this.inliner(last, "kept") : full;
    const fits = last.members.every(({ value, level }) => {
      const node = this.graph.values[value];
      return this.expressionOf(node.meaning?.kind !== "reduce" && level === "kept" ? kept : full, last, node);
    });
    if (!fits) {
      last.reduceAxes = axes;
      last.members.splice(0, last.members.length, ...members);
      assign(first.members, first.id);
      return false;
    }
    for (const read of first.reads) last.reads.add(read);
    for (const member of last.members) last.reads.delete(member.value);
    for (const before of first.requires) last.requires.add(before);
    last.notes.unshift(...first.notes);
    first.members.length = 0;
    first.reads.clear();
    first.requires.clear();
    for (const group of this.groups) {
      if (group.requires.delete(first.id) && group !== last) group.requires.add(last.id);
    }
    return true;
  }

  create(kind: Group["kind"], space: Shape, reduceAxes: readonly number[]): Group {
    const group: Group = {
      id: this.groups.length,
      kind,
      space,
      reduceAxes,
      members: [],
      requires: new Set(),
      reads: new Set(),
      notes: [],
    };
    this.groups.push(group);
    return group;
  }

  add(group: Group, value: number, level: "full" | "kept", loads: readonly { readonly value: number }[]): void {
    group.members.push({ value, level });
    this.groupOf[value] = group.id;
    for (const load of loads) {
      group.reads.add(load.value);
      const other = this.groupOf[load.value];
      if (other >= 0 && other !== group.id) group.requires.add(other);
    }
  }
}

/** Whether every point of the full space reads the element of its kept position. */
function isBroadcastOfKept(access: Access, extents: Shape, reduceAxes: readonly number[]): boolean {
  const kept = extents.map((_, axis) => axis).filter((axis) => !reduceAxes.includes(axis));
  for (const axis of reduceAxes) if (extents[axis] !== 1 && access.strides[axis] !== 0) return false;
  return isIdentity(
    { offset: access.offset, strides: kept.map((axis) => access.strides[axis]) },
    kept.map((axis) => extents[axis]),
  );
}

/** Points of a group's level. */
export function pointsOf(group: Group, level: "full" | "kept"): number {
  return sizeOf(level === "kept" ? keptExtents(group) : group.space);
}
