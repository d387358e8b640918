/**
 * Work on weights alone (packing them for a kernel, transforming filters, the constants of a normalisation) gives the same in every run until somebody
 * writes a weight. It is found here, in the finished list of kernels; whether its results are kept is decided when the program runs.
 */
import type { GraphProgram } from "../graph/program.ts";
import { kernelKey } from "../kernel/key.ts";
import { storedArguments } from "../kernel/stored-arguments.ts";
import type { Preparation } from "./plan.ts";
import type { Storage } from "./storage.ts";
import type { LoweredStep } from "./strategy.ts";

/**
 * Inputs of a program that may be the same in the next run: variables that it does not write, and numbers. `undefined` for all others; empty where no
 * variable is among them.
 */
export type LastingInputs = readonly ("variable" | "number" | undefined)[];

export function lastingInputs({ nodes, inputs, outputs }: GraphProgram): LastingInputs {
  const written = new Set(outputs.map(({ overwrites }) => overwrites));
  const kinds = inputs.map((node, input) => {
    const { variable, type } = nodes[node];
    if (written.has(input)) return undefined;
    return variable ? "variable" : type.shape.length === 0 ? "number" : undefined;
  });
  return kinds.includes("variable") ? kinds : [];
}

/** A kernel with the places that it is given. */
export interface PlacedStep {
  readonly step: LoweredStep;
  readonly checksStatus: boolean;
  /** `undefined` for the status word. */
  readonly arguments: readonly ({ readonly storage: Storage; readonly byteOffset: number } | undefined)[];
}

export interface Preparations {
  readonly preparations: readonly Preparation[];
  /** Results that later kernels read: which preparation's they are, and where among its results. */
  readonly kept: ReadonlyMap<Storage, { readonly preparation: number; readonly byteOffset: number }>;
}

const alignUp = (bytes: number): number => Math.ceil(bytes / 64) * 64;

/** The preparations of a program: each has at least one variable among its inputs. */
export function findPreparations(steps: readonly PlacedStep[], lasting: LastingInputs): Preparations {
  if (lasting.length === 0) return { preparations: [], kept: new Map() };
  const preparing = preparingSteps(steps, (input) => lasting[input] !== undefined);
  const groups = groupsOf(steps, preparing);
  const readElsewhere = new Set(steps.flatMap((step, index) => (preparing.has(index) ? [] : storagesOf(step))));
  const preparations: Preparation[] = [];
  const kept = new Map<Storage, { preparation: number; byteOffset: number }>();
  for (const group of groups) {
    const storages = group.flatMap((index) => storagesOf(steps[index]));
    const inputs = [...new Set(storages.flatMap(({ kind, index }) => (kind === "input" ? [index] : [])))];
    if (!inputs.some((input) => lasting[input] === "variable")) continue;
    const temporaries = new Set(storages.filter(({ kind }) => kind === "arena"));
    const results = [...temporaries].filter((storage) => readElsewhere.has(storage));
    if (results.length === 0) continue;
    let bytes = 0;
    for (const storage of results) {
      kept.set(storage, { preparation: preparations.length, byteOffset: bytes });
      bytes += alignUp(storage.bytes);
    }
    const key = keyOf(
      group.map((index) => steps[index]),
      inputs,
      results,
    );
    preparations.push({ key, inputs, steps: group, bytes });
  }
  return { preparations, kept };
}

function storagesOf({ arguments: list }: PlacedStep): Storage[] {
  return list.flatMap((argument) => (argument ? [argument.storage] : []));
}

/** Kernels that see nothing but constant inputs and what such kernels wrote, in memory that no other kernel writes. */
function preparingSteps(steps: readonly PlacedStep[], constant: (input: number) => boolean): ReadonlySet<number> {
  /** Memory that other kernels write. */
  const changing = new Set<Storage>();
  for (;;) {
    const preparing = new Set<number>();
    const prepared = new Set<Storage>();
    /** What kernels outside have read by now: it must not change any more. */
    const taken = new Set<Storage>();
    const before = changing.size;
    const mayPrepare = (storage: Storage): boolean =>
      storage.kind === "input" ? constant(storage.index) : storage.kind === "arena" && !changing.has(storage);
    steps.forEach(({ step, checksStatus, arguments: list }, index) => {
      if (!checksStatus && list.every((argument) => argument !== undefined && mayPrepare(argument.storage))) {
        preparing.add(index);
        list.forEach((argument, position) => {
          const { storage } = argument!;
          if (taken.has(storage) && storedArguments(step.kernel).has(position)) changing.add(storage);
          prepared.add(storage);
        });
        return;
      }
      list.forEach((argument, position) => {
        if (argument?.storage.kind !== "arena" || changing.has(argument.storage)) return;
        // what nobody wrote before is written here
        if (!prepared.has(argument.storage) || storedArguments(step.kernel).has(position))
          changing.add(argument.storage);
        else taken.add(argument.storage);
      });
    });
    // a kernel was taken for a preparation whose memory is used again further down: once more without it
    if (changing.size === before || ![...changing].some((storage) => prepared.has(storage))) return preparing;
  }
}

/** Preparing kernels that share memory belong together: groups of positions, in order. */
function groupsOf(steps: readonly PlacedStep[], preparing: ReadonlySet<number>): readonly (readonly number[])[] {
  const groupOf = new Map<Storage, number[]>();
  const groups = new Set<number[]>();
  for (const index of preparing) {
    const joined = [index];
    const shared = storagesOf(steps[index]).filter(({ kind }) => kind === "arena");
    for (const storage of shared) {
      const other = groupOf.get(storage);
      if (other && groups.delete(other)) joined.push(...other);
    }
    groups.add(joined);
    for (const member of joined)
      for (const storage of storagesOf(steps[member])) if (storage.kind === "arena") groupOf.set(storage, joined);
  }
  return [...groups].map((group) => group.sort((a, b) => a - b));
}

/** Equal keys: the same kernels over the same places, so the same results from the same inputs, whatever program they stand in. */
function keyOf(steps: readonly PlacedStep[], inputs: readonly number[], results: readonly Storage[]): string {
  const others: Storage[] = [];
  const nameOf = (storage: Storage): string => {
    if (storage.kind === "input") return `i${inputs.indexOf(storage.index)}`;
    const result = results.indexOf(storage);
    if (result >= 0) return `r${result}`;
    if (!others.includes(storage)) others.push(storage);
    return `t${others.indexOf(storage)}`;
  };
  const parts = steps.map(({ step, arguments: list }) => {
    const places = list.map((argument) => (argument ? `${nameOf(argument.storage)}+${argument.byteOffset}` : ""));
    return `${places.join()};${step.tasks};${kernelKey(step.kernel)}`;
  });
  return `${results.map(({ bytes }) => bytes).join()}\n${parts.join("\n")}`;
}
