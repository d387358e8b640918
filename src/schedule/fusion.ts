/**
 * Fusion: every root joins the kernel that computes what it reads, where that is legal and pays, or starts a kernel of its own.
 * Roots are visited in topological order; a root joins a kernel only if nothing else that it reads depends on that kernel.
 */

import { sameShape, sizeOf } from "../graph/shape.ts";
import { isIdentity } from "./access.ts";
import { type Group, GroupGraph, keptExtents, pointsOf } from "./groups.ts";
import { type Load, resolveView } from "./inline.ts";
import { countCalls } from "./loops/body.ts";
import { longestRow } from "./loops/rows.ts";
import type { Roots } from "./roots.ts";
import type { TensorGraph, Value } from "./tensor-graph.ts";

/** Buffers that one kernel walks at once: more would not fit in address registers. */
const mostOperands = 14;

/** Scalar functions per element of one kernel: more would compile slowly and run no faster. */
const mostCalls = 500;

/** Kernels tried for a value that depends on none of them. */
const mostSiblings = 6;

/** Points of a kernel that is too small to share between threads. */
const smallKernel = 4096;

export interface FusionOptions {
  /** Whether the strategy of an op takes an epilogue. */
  readonly takesEpilogue: (value: Value) => boolean;
  /** Whether the strategy of an op pools its result as well. */
  readonly takesPooling: (value: Value, pooling: Value) => boolean;
}

export function fuse(graph: TensorGraph, roots: Roots, options: FusionOptions): GroupGraph {
  const fusion = new Fusion(graph, roots, options);
  for (const value of graph.values) {
    const kind = roots.kindOf[value.id];
    if (kind === "strategy") fusion.strategy(value);
    else if (kind === "reduce") fusion.reduction(value);
    else if (kind === "pointwise") fusion.pointwise(value);
  }
  return fusion.state;
}

class Fusion {
  readonly state: GroupGraph;
  private readonly graph: TensorGraph;
  private readonly options: FusionOptions;
  private readonly small: Group[] = [];
  private readonly calls = new Map<Group, number>();
  /** Loop groups that read a value. */
  private readonly readers = new Map<number, Group[]>();

  constructor(graph: TensorGraph, roots: Roots, options: FusionOptions) {
    this.graph = graph;
    this.options = options;
    this.state = new GroupGraph(graph, roots);
  }

  strategy(value: Value): void {
    const { state, graph } = this;
    if (this.joinMaxPooling(value) || this.joinConvolution(value)) return;
    const group = state.create("strategy", value.type.shape, []);
    const reads = value.inputs.map((input) => {
      const view = resolveView(graph, input, (other) => other.programInput >= 0 || state.isRoot(other.id));
      return { value: "value" in view ? view.value : view.blocked };
    });
    state.add(group, value.id, "full", reads);
  }

  /** The argmax of a pooling window is found by the kernel that finds its max. */
  private joinMaxPooling(value: Value): boolean {
    const { state, graph } = this;
    const { meaning } = value;
    if (meaning?.kind !== "window" || meaning.combine !== "argmax") return false;
    const geometry = JSON.stringify(meaning.geometry);
    for (const group of state.groups) {
      const op = graph.values[group.pooled ?? group.members[0]?.value];
      if (group.kind !== "strategy" || group.taps !== undefined || op?.meaning?.kind !== "window") continue;
      if (op.meaning.combine !== "max" || op.inputs[0] !== value.inputs[0]) continue;
      if (JSON.stringify(op.meaning.geometry) !== geometry) continue;
      group.taps = value.id;
      state.add(group, value.id, "full", []);
      group.notes.push(`${value.opName} joins: same windows`);
      return true;
    }
    return false;
  }

  /** Max pooling joins the convolution whose result it reads, unless work that follows it could run in its kernel. */
  private joinConvolution(value: Value): boolean {
    const { state, graph } = this;
    if (value.meaning?.kind !== "window" || value.meaning.combine !== "max") return false;
    const [data] = value.inputs;
    const group = state.groups[state.groupOf[data]];
    if (group?.kind !== "strategy" || group.pooled !== undefined) return false;
    const op = graph.values[group.members[0].value];
    if (!sameShape(group.space, graph.values[data].type.shape) || !this.options.takesPooling(op, value)) return false;
    if (this.isFollowed(value)) return false;
    group.pooled = value.id;
    state.add(group, value.id, "full", []);
    group.notes.push(`${value.opName} joins: pools the result`);
    return true;
  }

  /** Whether elementwise work waits for nothing but this value and earlier ones. */
  private isFollowed(value: Value): boolean {
    const { state, graph } = this;
    return graph.values.some((other) => {
      if (other.id <= value.id || other.size !== value.size || state.roots.kindOf[other.id] !== "pointwise")
        return false;
      const { loads } = this.alone(other, other.type.shape, []);
      // what reads it in another order (a channels-first flattening) does not fit its kernel anyway
      const own = loads.filter((load) => load.value === value.id);
      const inPlace = own.length > 0 && own.every((load) => isIdentity(load.access, other.type.shape));
      return inPlace && loads.every((load) => load.value <= value.id);
    });
  }

  reduction(value: Value): void {
    const { state, graph } = this;
    if (value.meaning?.kind !== "reduce") return;
    const { axes } = value.meaning;
    const space = graph.values[value.inputs[0]].type.shape;
    const alone = this.alone(value, space, axes);
    const producers = [...state.groupsOfLoads(alone.loads)].sort((a, b) => b - a).map((id) => state.groups[id]);
    for (const group of producers) {
      if (group.kind !== "loop" || !sameShape(group.space, space)) continue;
      if (group.reduceAxes.length > 0 && !sameAxes(group.reduceAxes, axes)) continue;
      if (!fitsRows(space, axes)) continue;
      const before = group.reduceAxes;
      group.reduceAxes = axes;
      if (this.join(value, group, "kept", "reduces what the kernel computes")) return;
      group.reduceAxes = before;
    }
    for (const group of this.siblings(alone.loads, sizeOf(space))) {
      if (producers.includes(group) || !sameShape(group.space, space) || !sameAxes(group.reduceAxes, axes)) continue;
      if (this.join(value, group, "kept", "reduces the same elements")) return;
    }
    this.start(value, space, axes, "kept", alone);
  }

  pointwise(value: Value): void {
    const { state } = this;
    const space = value.type.shape;
    const alone = this.alone(value, space, []);
    const producers = [...state.groupsOfLoads(alone.loads)].sort((a, b) => b - a).map((id) => state.groups[id]);
    for (const group of producers) {
      if (group.kind === "strategy") {
        if (pointsOf(group, "full") !== value.size) continue;
        if (!this.options.takesEpilogue(this.graph.values[group.members[0].value])) continue;
        if (this.join(value, group, "full", "epilogue")) return;
        continue;
      }
      if (group.reduceAxes.length > 0 && sizeOf(keptExtents(group)) === value.size) {
        if (this.join(value, group, "kept", "follows the reduction")) return;
      }
      if (pointsOf(group, "full") !== value.size) continue;
      if (group.reduceAxes.length > 0 && !fitsRows(group.space, group.reduceAxes)) continue;
      if (this.join(value, group, "full", group.reduceAxes.length > 0 ? "same rows" : "same points")) return;
    }
    for (const group of this.siblings(alone.loads, value.size)) {
      if (group.reduceAxes.length > 0 || !sameShape(group.space, space)) continue;
      if (this.join(value, group, "full", "reads the same elements")) return;
    }
    this.start(value, space, [], "full", alone);
  }

  /** What a root reads when it has a kernel of its own. */
  private alone(value: Value, space: readonly number[], axes: readonly number[]) {
    const { state } = this;
    const probe: Group = {
      id: -2,
      kind: "loop",
      space,
      reduceAxes: axes,
      members: [],
      requires: new Set(),
      reads: new Set(),
      notes: [],
    };
    const inliner = state.inliner(probe, "full");
    const expression = state.expressionOf(inliner, probe, value);
    return { loads: inliner.loads, calls: expression ? countCalls([expression]) : 0 };
  }

  private start(
    value: Value,
    space: readonly number[],
    axes: readonly number[],
    level: "full" | "kept",
    { loads, calls }: { readonly loads: readonly Load[]; readonly calls: number },
  ): void {
    const group = this.state.create("loop", space, axes);
    this.calls.set(group, calls);
    if (sizeOf(space) <= smallKernel) this.small.push(group);
    this.accept(value, group, level, loads);
  }

  private accept(value: Value, group: Group, level: "full" | "kept", loads: readonly Load[]): void {
    this.state.add(group, value.id, level, loads);
    for (const load of loads) {
      const list = this.readers.get(load.value);
      if (!list) this.readers.set(load.value, [group]);
      else if (!list.includes(group)) list.push(group);
    }
  }

  /** Joins when the expression can be built there and no cycle arises. */
  private join(value: Value, group: Group, level: "full" | "kept", reason: string): boolean {
    const { state } = this;
    if (!this.lastsAlike(value, group)) return false;
    const isReduction = value.meaning?.kind === "reduce";
    const inliner = state.inliner(group, isReduction ? "full" : level);
    const expression = state.expressionOf(inliner, group, value);
    if (!expression) return false;
    const calls = (this.calls.get(group) ?? 0) + countCalls([expression]);
    if (calls > mostCalls) return false;
    for (const other of state.groupsOfLoads(inliner.loads)) {
      if (other !== group.id && state.precedes(group.id, other)) return false;
    }
    const reads = new Set(group.reads);
    for (const load of inliner.loads) reads.add(load.value);
    if (reads.size + group.members.length + 1 > mostOperands) return false;
    this.accept(value, group, level, inliner.loads);
    this.calls.set(group, calls);
    group.notes.push(`${value.opName} joins: ${reason}`);
    for (const load of inliner.loads) this.absorb(state.groupOf[load.value], group);
    return true;
  }

  /** What is made of weights alone has kernels of its own: they are left out while the weights stay the same. */
  private lastsAlike(value: Value, group: Group): boolean {
    const { lasting } = this.state.roots;
    return lasting[value.id] === lasting[group.members[0].value];
  }

  /** Takes in another loop kernel over the same space that computes what this one reads. */
  private absorb(id: number, group: Group): void {
    const { state } = this;
    const first = state.groups[id];
    if (!first || first === group || first.kind !== "loop" || group.kind !== "loop") return;
    if (!sameShape(first.space, group.space)) return;
    if (!this.lastsAlike(this.graph.values[first.members[0].value], group)) return;
    const axes = group.reduceAxes.length > 0 ? group.reduceAxes : first.reduceAxes;
    if (axes.length > 0 && !fitsRows(group.space, axes)) return;
    if (first.reduceAxes.length > 0 && !sameAxes(first.reduceAxes, axes)) return;
    const operands = new Set([...first.reads, ...group.reads]).size + first.members.length + group.members.length;
    if (operands > mostOperands || state.between(first, group)) return;
    const calls = (this.calls.get(first) ?? 0) + (this.calls.get(group) ?? 0);
    if (calls > mostCalls) return;
    const names = first.members.map(({ value }) => this.graph.values[value].opName).join(" + ");
    if (!state.merge(first, group)) return;
    this.calls.set(group, calls);
    group.notes.push(`${names} joins: the kernel reads it over the same space`);
    for (const list of this.readers.values()) {
      const at = list.indexOf(first);
      if (at >= 0) list[at] = group;
    }
    const small = this.small.indexOf(first);
    if (small >= 0) this.small.splice(small, 1);
  }

  /** Loop groups that read one of the same large values and have as many points. */
  private siblings(loads: readonly Load[], points: number): Group[] {
    const found = new Set<Group>();
    for (const load of loads) {
      if (this.graph.values[load.value].size < points) continue;
      for (const group of (this.readers.get(load.value) ?? []).slice(-mostSiblings)) {
        if (group.kind === "loop" && pointsOf(group, "full") === points) found.add(group);
      }
    }
    // A small kernel costs little more than its launch, so it may do anything else of its size as well.
    if (points <= smallKernel) {
      for (const group of this.small.slice(-mostSiblings)) if (pointsOf(group, "full") === points) found.add(group);
    }
    return [...found].sort((a, b) => b.id - a.id);
  }
}

function sameAxes(left: readonly number[], right: readonly number[]): boolean {
  return left.length === right.length && left.every((axis, index) => axis === right[index]);
}

/** Whether a task can own whole rows: the reduced axes are the last ones and a row is short. Never a question of how many rows there are. */
function fitsRows(space: readonly number[], axes: readonly number[]): boolean {
  let length = 1;
  for (let index = 0; index < axes.length; index++) {
    if (axes[axes.length - 1 - index] !== space.length - 1 - index) return false;
    length *= space[axes[index]];
  }
  return axes.length > 0 && length <= longestRow;
}
