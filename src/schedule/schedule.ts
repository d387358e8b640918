/** The scheduler: from a tensor graph to kernels in order with every buffer placed. */
import { bytesPerElement } from "../graph/dtype.ts";
import type { GraphProgram } from "../graph/program.ts";
import type { ScanLoop } from "../graph/scan-loop.ts";
import { sizeOf } from "../graph/shape.ts";
import type { MachineDescription } from "../kernel/ir.ts";
import { scalarInput } from "../kernel/scalar.ts";
import { isIdentity } from "./access.ts";
import { explain } from "./explain.ts";
import { fuse } from "./fusion.ts";
import type { GroupGraph } from "./groups.ts";
import { type GroupExpressions, inlineGroup, lowerGroup, type Placement, viewOf } from "./lower-group.ts";
import { Lowerings } from "./lowerings.ts";
import type { BufferReference, Guard, Plan, PlanStep } from "./plan.ts";
import {
  findPreparations,
  type LastingInputs,
  lastingInputs,
  type PlacedStep,
  type Preparations,
} from "./preparations.ts";
import { findRoots } from "./roots.ts";
import { lowerScan, usesOfResults } from "./scan.ts";
import { spreadInReaders } from "./spread.ts";
import { orderUnits, placeStorages, planStores, type Storage, type Storing, type Unit } from "./storage.ts";
import { guard as guardStrategy } from "./strategies/guard.ts";
import { strategyFor, takesEpilogue, takesPooling, takesSpread } from "./strategies/index.ts";
import type { Lowering, Strategy } from "./strategy.ts";
import { buildTensorGraph, withoutReshape } from "./tensor-graph.ts";

/**
 * Compiles a program into a plan. The plan depends on the program's structure and the machine only, never on thread counts or on what was
 * compiled before. `firstGuard` guards of the program around it (the body of a loop is a program) come before its own.
 */
export function schedule(program: GraphProgram, machine: MachineDescription, firstGuard = 0): Plan {
  const graph = spreadInReaders(buildTensorGraph(program), takesSpread);
  const lasting = lastingInputs(program);
  const roots = findRoots(graph, lasting);
  const state = fuse(graph, roots, {
    takesEpilogue: (value) => takesEpilogue(value.opName, value.meaning!),
    takesPooling: (value, pooling) => {
      const inputs = value.inputs.map((input) => graph.values[input].type.shape);
      return takesPooling(value.meaning!, inputs, value.type.shape, pooling.meaning!);
    },
  });
  const contents = state.groups.map((group) => inlineGroup(state, group));
  const storing = planStores(state, contents);
  return new Planner(state, contents, storing, machine, firstGuard).plan(lasting);
}

/** One lowered unit with its buffers. */
interface LoweredUnit {
  readonly unit: Unit;
  readonly lowering: Lowering;
  readonly operands: readonly Storage[];
  readonly temporaries: readonly Storage[];
}

class Planner {
  private readonly state: GroupGraph;
  private readonly contents: readonly GroupExpressions[];
  private readonly storing: Storing;
  private readonly machine: MachineDescription;
  private readonly storageOf = new Map<number, Storage>();
  private readonly outputStorages: readonly Storage[];
  private readonly arena: Storage[] = [];
  private readonly lowerings = new Lowerings();
  private readonly firstGuard: number;
  private readonly guards: Guard[];

  constructor(
    state: GroupGraph,
    contents: readonly GroupExpressions[],
    storing: Storing,
    machine: MachineDescription,
    firstGuard: number,
  ) {
    this.firstGuard = firstGuard;
    this.guards = state.graph.guards.map(({ opName, limit }) => ({ opName, limit }));
    this.state = state;
    this.contents = contents;
    this.storing = storing;
    this.machine = machine;
    this.outputStorages = state.graph.outputs.map(({ value }, index) =>
      fixed("output", index, state.graph.values[value].bytes),
    );
  }

  plan(lasting: LastingInputs): Plan {
    const { state, storing } = this;
    const { graph } = state;
    for (const value of graph.values)
      if (value.programInput >= 0) this.storageOf.set(value.id, fixed("input", value.programInput, value.bytes));
    const reads = storing.units.map((unit) => this.readsOf(unit));
    const stored = new Set<number>();
    for (const values of reads) for (const value of values) if (state.groupOf[value] >= 0) stored.add(value);
    const inArena = (value: number): boolean =>
      stored.has(value) && state.groupOf[value] >= 0 && !storing.outputsOf.has(value);
    const produced = storing.units.map((unit) =>
      unit.kind === "group" ? unit.group.members.map((member) => member.value).filter(inArena) : [],
    );
    const order = orderUnits(
      storing,
      produced,
      reads.map((values) => values.filter(inArena)),
      (value) => graph.values[value].bytes,
    );
    this.assignStorages(order, reads, stored);
    const placement: Placement = {
      read: (value) => this.storageOf.get(value)!,
      write: (value) => this.writes(value, stored),
    };
    const lowered = order.map((unit, position) => this.lower(storing.units[unit], position, placement));
    const arenaBytes = placeStorages(this.arena);
    const placed = lowered.flatMap((unit) => placedSteps(unit));
    const { preparations, kept } = findPreparations(placed, lasting);
    const steps = placed.map((step) => planStep(step, kept));
    const explanation = explain(state, storing, lowered, this.arena, arenaBytes, preparations);
    return { steps, arenaBytes, constants: [], guards: this.guards, preparations, explanation };
  }

  private readsOf(unit: Unit): number[] {
    if (unit.kind === "group") return [...unit.group.reads];
    return [unit.value];
  }

  /** Roots get output storage where they have any, else a place in the arena that lives from their kernel to the last reader. */
  private assignStorages(order: readonly number[], reads: readonly (readonly number[])[], stored: ReadonlySet<number>) {
    const { state, storing } = this;
    const lastRead = new Map<number, number>();
    order.forEach((unit, position) => {
      for (const value of reads[unit]) lastRead.set(value, position);
    });
    order.forEach((unitIndex, position) => {
      const unit = storing.units[unitIndex];
      if (unit.kind !== "group") return;
      for (const { value } of unit.group.members) {
        const outputs = storing.outputsOf.get(value);
        if (outputs) {
          this.storageOf.set(value, this.outputStorages[outputs[0]]);
          continue;
        }
        if (!stored.has(value)) continue;
        const { bytes, opName, type } = state.graph.values[value];
        const to = lastRead.get(value) ?? position;
        const reused = this.reusable(unit.group.id, value, position, lastRead);
        if (reused) {
          reused.to = Math.max(reused.to, to);
          this.storageOf.set(value, reused);
          continue;
        }
        const label = `${opName} ${type.dtype}[${type.shape.join("x")}]`;
        const storage: Storage = { kind: "arena", index: 0, bytes, label, from: position, to, byteOffset: 0 };
        this.storageOf.set(value, storage);
        this.arena.push(storage);
      }
    });
  }

  /** The storage of an input that dies in a pointwise kernel which reads it only where it writes. */
  private reusable(group: number, value: number, position: number, lastRead: ReadonlyMap<number, number>) {
    const { state, contents } = this;
    const { graph } = state;
    const { kind, reduceAxes, members } = state.groups[group];
    if (kind !== "loop" || reduceAxes.length > 0) return undefined;
    const { full } = contents[group];
    const taken = new Set(members.map((member) => this.storageOf.get(member.value)));
    for (const load of full.loads) {
      const storage = this.storageOf.get(load.value);
      const source = graph.values[load.value];
      if (storage?.kind !== "arena" || taken.has(storage) || storage.to !== position) continue;
      if (source.bytes !== graph.values[value].bytes || storage.bytes !== source.bytes) continue;
      if (bytesPerElement[source.type.dtype] !== bytesPerElement[graph.values[value].type.dtype]) continue;
      if (lastRead.get(load.value) !== position) continue;
      const alike = full.loads.filter((other) => this.storageOf.get(other.value) === storage);
      if (alike.every((other) => isIdentity(other.access, full.extents))) return storage;
    }
    return undefined;
  }

  private writes(value: number, stored: ReadonlySet<number>): readonly Storage[] {
    const outputs = this.storing.outputsOf.get(value);
    if (outputs) return outputs.map((output) => this.outputStorages[output]);
    const storage = stored.has(value) ? this.storageOf.get(value) : undefined;
    return storage ? [storage] : [];
  }

  private lower(unit: Unit, position: number, placement: Placement): LoweredUnit {
    const { state, machine } = this;
    const { graph } = state;
    let lowering: Lowering;
    let operands: readonly Storage[];
    if (unit.kind === "group") {
      const content = this.contents[unit.group.id];
      const result = lowerGroup(state, unit.group, content, placement, machine, this.lowerings, (value) =>
        value.meaning?.kind === "scan"
          ? this.scanStrategy(value.id, value.meaning.loop)
          : strategyFor(value.opName, value.meaning!),
      );
      ({ lowering, operands } = result);
    } else if (unit.kind === "guard") {
      const { value, limit } = graph.guards[unit.guard];
      const { value: source, access } = viewOf(state, value);
      const { type } = graph.values[value];
      const view = { operand: 0, dtype: type.dtype, offset: access.offset, strides: access.strides };
      lowering = guardStrategy({ type, view, limit, code: this.firstGuard + unit.guard + 1, machine });
      operands = [placement.read(source)];
    } else {
      lowering = this.copy(unit.value);
      operands = [placement.read(withoutReshape(graph, unit.value)), this.outputStorages[unit.output]];
    }
    const temporaries = lowering.temporaries.map((bytes): Storage => {
      const label = `temporary of ${lowering.steps[0]?.kernel.name}`;
      return { kind: "arena", index: 0, bytes, label, from: position, to: position, byteOffset: 0 };
    });
    this.arena.push(...temporaries);
    return { unit, lowering, operands, temporaries };
  }

  private scanStrategy(id: number, loop: ScanLoop): Strategy {
    return (request) =>
      lowerScan(request, loop, usesOfResults(this.state.graph, id, loop), (body) => {
        const plan = schedule(body, this.machine, this.firstGuard + this.guards.length);
        this.guards.push(...plan.guards);
        return plan;
      });
  }

  /** A contiguous copy from argument 0 to argument 1. */
  private copy(value: number): Lowering {
    const { type, bytes } = this.state.graph.values[value];
    const size = sizeOf(type.shape);
    const { dtype } = type;
    const lowering = this.lowerings.ofLoop({
      name: `copy_${dtype}_${size}`,
      extents: [size],
      reduceAxes: [],
      fullLoads: [{ argument: 0, dtype, offset: 0, strides: [1] }],
      keptLoads: [],
      members: [{ level: "full", expression: scalarInput(0, dtype), dtype, stores: [{ argument: 1 }] }],
      argumentCount: 2,
      machine: this.machine,
    });
    return { ...lowering, steps: lowering.steps.map((step) => ({ ...step, bytes: 2 * bytes })) };
  }
}

function fixed(kind: "input" | "output", index: number, bytes: number): Storage {
  return { kind, index, bytes, label: `${kind} ${index}`, from: 0, to: 0, byteOffset: 0 };
}

function placedSteps({ unit, lowering, operands, temporaries }: LoweredUnit): PlacedStep[] {
  return lowering.steps.map((step) => ({
    step,
    checksStatus: unit.kind === "guard" || (step.checksStatus ?? false),
    arguments: step.arguments.map((argument) => {
      if (argument.kind === "status") return undefined;
      const storages = argument.kind === "operand" ? operands : temporaries;
      return { storage: storages[argument.index], byteOffset: argument.byteOffset ?? 0 };
    }),
  }));
}

function planStep({ step, checksStatus, arguments: list }: PlacedStep, kept: Preparations["kept"]): PlanStep {
  const { kernel, tasks, flops, bytes } = step;
  return {
    kernel,
    arguments: list.map((argument): BufferReference => {
      if (!argument) return { kind: "status" };
      const { storage, byteOffset } = argument;
      if (storage.kind !== "arena") return { kind: storage.kind, index: storage.index, byteOffset };
      const place = kept.get(storage);
      return {
        kind: "arena",
        byteOffset: storage.byteOffset + byteOffset,
        ...(place && { kept: { ...place, byteOffset: place.byteOffset + byteOffset } }),
      };
    }),
    tasks,
    flops,
    bytes,
    ...(checksStatus && { checksStatus: true }),
  };
}
