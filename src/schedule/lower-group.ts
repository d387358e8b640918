/** From a fused group to kernels: the body of a loop kernel, or the request of a strategy. */
import { InternalError } from "../errors.ts";
import { bytesPerElement } from "../graph/dtype.ts";
import { type Shape, sizeOf, stridesOf } from "../graph/shape.ts";
import type { MachineDescription } from "../kernel/ir.ts";
import type { ScalarExpression } from "../kernel/scalar.ts";
import { type Group, type GroupGraph, keptExtents } from "./groups.ts";
import { type Inliner, type Load, resolveView } from "./inline.ts";
import type { LoopBody, LoopLoad, LoopMember } from "./loops/body.ts";
import type { Lowerings } from "./lowerings.ts";
import type { GroupReads, Storage } from "./storage.ts";
import type { FusedPooling, Lowering, OperandView, Strategy, StrategyRequest } from "./strategy.ts";
import type { Value } from "./tensor-graph.ts";

/** Expressions of a group's members, once fusion is complete. */
export interface GroupExpressions extends GroupReads {
  /** One per member. */
  readonly expressions: readonly ScalarExpression[];
}

/** Inlines every member of a finished group. */
export function inlineGroup(state: GroupGraph, group: Group): GroupExpressions {
  const { graph } = state;
  const full = state.inliner(group, "full");
  const kept = group.reduceAxes.length > 0 ? state.inliner(group, "kept") : undefined;
  const expressions = group.members.map(({ value, level }, index) => {
    const node = graph.values[value];
    if (group.kind === "strategy" && (index === 0 || value === group.taps)) return inputZero(node);
    if (value === group.pooled) return pooledExpression(state, full, group, node);
    const isReduction = node.meaning?.kind === "reduce";
    const inliner = level === "kept" && !isReduction ? kept! : full;
    const expression = state.expressionOf(inliner, group, node);
    if (!expression) throw new InternalError(`${node.opName} no longer fits the kernel it joined`);
    return expression;
  });
  const operands: number[] = [];
  if (group.kind === "strategy") {
    for (const input of graph.values[group.members[0].value].inputs) operands.push(viewOf(state, input).value);
  }
  group.reads.clear();
  for (const load of [...full.loads, ...(kept?.loads ?? [])]) group.reads.add(load.value);
  for (const operand of operands) group.reads.add(operand);
  return { full, kept, operands, expressions };
}

/** What a pooling that joined a convolution pools. */
function pooledExpression(state: GroupGraph, full: Inliner, group: Group, pooling: Value): ScalarExpression {
  const data = state.graph.values[pooling.inputs[0]];
  if (data.id === group.members[0].value) return inputZero(data);
  const expression = state.expressionOf(full, group, data);
  if (!expression) throw new InternalError(`${data.opName} no longer fits the kernel it joined`);
  return expression;
}

const inputZero = (value: Value): ScalarExpression => ({ kind: "input", index: 0, dtype: value.type.dtype });

export function viewOf(state: GroupGraph, id: number) {
  const view = resolveView(state.graph, id, (other) => other.programInput >= 0 || state.isRoot(other.id));
  if ("blocked" in view) throw new InternalError(`${state.graph.values[id].opName} was expected in memory`);
  return view;
}

/** Buffers of one lowering, numbered as they are asked for. */
export class OperandTable {
  readonly storages: Storage[] = [];
  private readonly numbers = new Map<Storage, number>();
  indexOf(storage: Storage): number {
    let index = this.numbers.get(storage);
    if (index === undefined) {
      index = this.storages.length;
      this.numbers.set(storage, index);
      this.storages.push(storage);
    }
    return index;
  }
}

/** Storage of each value in memory, and where a root is stored to. */
export interface Placement {
  readonly read: (value: number) => Storage;
  readonly write: (value: number) => readonly Storage[];
}

export interface LoweredGroup {
  readonly lowering: Lowering;
  readonly operands: readonly Storage[];
}

export function lowerGroup(
  state: GroupGraph,
  group: Group,
  content: GroupExpressions,
  placement: Placement,
  machine: MachineDescription,
  lowerings: Lowerings,
  strategyOf: (value: Value) => Strategy,
): LoweredGroup {
  // Merged into another group.
  if (group.members.length === 0) return { lowering: { steps: [], temporaries: [] }, operands: [] };
  return group.kind === "strategy"
    ? lowerStrategy(state, group, content, placement, machine, lowerings, strategyOf)
    : lowerLoops(state, group, content, placement, machine, lowerings);
}

function lowerStrategy(
  state: GroupGraph,
  group: Group,
  content: GroupExpressions,
  placement: Placement,
  machine: MachineDescription,
  lowerings: Lowerings,
  strategyOf: (value: Value) => Strategy,
): LoweredGroup {
  const { graph } = state;
  const op = graph.values[group.members[0].value];
  const table = new OperandTable();
  const views = op.inputs.map((input): OperandView => {
    const { value, access } = viewOf(state, input);
    const operand = table.indexOf(placement.read(value));
    return { operand, dtype: graph.values[input].type.dtype, offset: access.offset, strides: access.strides };
  });
  const loads = content.full.loads.map((load): OperandView => {
    const operand = table.indexOf(placement.read(load.value));
    return { operand, dtype: load.dtype, offset: load.access.offset, strides: load.access.strides };
  });
  const viewsTo = (value: number, shape = op.type.shape): OperandView[] =>
    placement.write(value).map((storage) => {
      const { dtype } = graph.values[value].type;
      const view = { operand: table.indexOf(storage), dtype, offset: 0, strides: stridesOf(shape) };
      return passesCaches(state, value, storage, machine, 8) ? { ...view, streaming: true } : view;
    });
  const stores = group.members.flatMap(({ value }, index) =>
    value === group.taps || value === group.pooled
      ? []
      : viewsTo(value).map((view) => ({ expression: content.expressions[index], view })),
  );
  const { spread } = op;
  const request: StrategyRequest = {
    opName: op.opName,
    meaning: op.meaning!,
    inputs: (spread ? op.inputs.slice(0, -1) : op.inputs).map((input, index) =>
      index === spread?.input ? spread.type : graph.values[input].type,
    ),
    output: op.type,
    views: spread ? views.slice(0, -1) : views,
    ...(spread && { spread: { input: spread.input, window: spread.window, taps: views.at(-1)! } }),
    epilogue: { loads, stores },
    ...(group.pooled !== undefined
      ? { pooling: poolingOf(state, group, content, viewsTo) }
      : group.taps !== undefined && { taps: viewsTo(group.taps) }),
    machine,
  };
  return { lowering: lowerings.ofRequest(strategyOf(op), request), operands: table.storages };
}

/** A temporary this large has left every cache when its reader comes. */
const largeTemporary = 32 * 1024 * 1024;

/**
 * Whether a result will have left the caches before anybody reads it, because it is large or written for the user alone: an ordinary store would
 * first fetch every line that it overwrites. `caches`: the size from which the user's results go past them, in second-level caches. Products
 * need what the caches hold for their operands; loops read and write as much, so that a result which the last level holds had better stay.
 */
function passesCaches(
  state: GroupGraph,
  value: number,
  storage: Storage,
  machine: MachineDescription,
  caches: number,
): boolean {
  const { type, bytes } = state.graph.values[value];
  if (type.dtype !== "f32" || (type.shape.at(-1) ?? 1) % 16 !== 0) return false;
  if (storage.kind === "arena") return bytes >= Math.max(32 * machine.l2Bytes, largeTemporary);
  if (storage.kind !== "output" || bytes < caches * machine.l2Bytes) return false;
  if (state.graph.outputs[storage.index].overwrites !== undefined) return false;
  return !state.groups.some((group) => group.reads.has(value));
}

function poolingOf(
  { graph }: GroupGraph,
  { pooled, taps, members }: Group,
  { expressions }: GroupExpressions,
  viewsTo: (value: number, shape: Shape) => OperandView[],
): FusedPooling {
  const { meaning, type } = graph.values[pooled!];
  if (meaning?.kind !== "window") throw new InternalError("only a window op pools");
  return {
    window: [meaning.geometry.window[0], meaning.geometry.window[1]],
    expression: expressions[members.findIndex((member) => member.value === pooled)],
    largest: viewsTo(pooled!, type.shape),
    taps: taps === undefined ? [] : viewsTo(taps, type.shape),
  };
}

function lowerLoops(
  state: GroupGraph,
  group: Group,
  content: GroupExpressions,
  placement: Placement,
  machine: MachineDescription,
  lowerings: Lowerings,
): LoweredGroup {
  const { graph } = state;
  const table = new OperandTable();
  const load = ({ value, dtype, access, guard }: Load): LoopLoad => {
    const argument = table.indexOf(placement.read(value));
    return { argument, dtype, offset: access.offset, strides: access.strides, ...(guard ? { guard } : {}) };
  };
  const fullLoads = content.full.loads.map(load);
  const keptLoads = content.kept?.loads.map(load) ?? [];
  const members = group.members.map(({ value, level }, index): LoopMember => {
    const { meaning, type } = graph.values[value];
    const stores = placement.write(value).map((storage) => {
      const argument = table.indexOf(storage);
      return passesCaches(state, value, storage, machine, 32) ? { argument, streaming: true } : { argument };
    });
    const combine = meaning?.kind === "reduce" ? { combine: meaning.combine } : {};
    return { level, expression: content.expressions[index], dtype: type.dtype, stores, ...combine };
  });
  const body: LoopBody = {
    name: nameOf(state, group),
    extents: group.space,
    reduceAxes: group.reduceAxes,
    fullLoads,
    keptLoads,
    members,
    argumentCount: table.storages.length,
    machine,
  };
  const lowering = lowerings.ofLoop(body);
  const read = bytesOf(state, content.full, group.space) + bytesOf(state, content.kept, keptExtents(group));
  const bytes = read + storedBytes(body);
  const steps = lowering.steps.map((step, index) => ({ ...step, bytes: index === 0 ? bytes : step.bytes }));
  return { lowering: { ...lowering, steps }, operands: table.storages };
}

function nameOf(state: GroupGraph, group: Group): string {
  const ops = [...new Set(group.members.map(({ value }) => state.graph.values[value].opName))];
  const kind = group.reduceAxes.length > 0 ? "reduce" : "map";
  return `${kind}_${ops.slice(0, 3).join("_")}_${group.space.join("x") || "scalar"}`;
}

/** Least bytes that are read: of what is joined or padded, no more than there is. */
function bytesOf({ graph }: GroupGraph, inliner: Inliner | undefined, extents: readonly number[]): number {
  let bytes = 0;
  for (const load of inliner?.loads ?? []) {
    let elements = 1;
    load.access.strides.forEach((stride, axis) => {
      if (stride !== 0) elements *= extents[axis];
    });
    bytes += Math.min(elements, graph.values[load.value].size) * bytesPerElement[load.dtype];
  }
  return bytes;
}

function storedBytes(body: LoopBody): number {
  const kept = sizeOf(body.extents.filter((_, axis) => !body.reduceAxes.includes(axis)));
  return body.members.reduce(
    (sum, member) =>
      sum +
      member.stores.length * bytesPerElement[member.dtype] * (member.level === "full" ? sizeOf(body.extents) : kept),
    0,
  );
}
