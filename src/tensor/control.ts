import { defaultEngine } from "../engine/default-engine.ts";
import { createTarget, type TargetName } from "../engine/default-target.ts";
import type { EngineStatistics, ProfiledRun } from "../engine/program-runner.ts";
import { ArgumentError } from "../errors.ts";
import { gradEnabled, withGradMode } from "../graph/grad-mode.ts";
import type { Node } from "../graph/node.ts";
import type { StepTiming } from "../targets/target.ts";
import { atEntry } from "./lift.ts";
import type { Tensor } from "./tensor.ts";
import { Variable } from "./variable.ts";

/** Computes tensors together, in one program. */
export function evaluate(...tensors: readonly Tensor[]): void {
  atEntry(evaluate, () => {
    const nodes = tensors.map((tensor) => tensor.node);
    // a variable is computed where it lies: a copy of it would be other data to the next program
    const isVariable = (node: Node): boolean => node.leaf?.kind === "variable" && node.owner instanceof Variable;
    defaultEngine.compute(nodes.filter((node) => !isVariable(node)));
    defaultEngine.prepareVariables(nodes.filter(isVariable));
  });
}

function synchronous<T>(name: string, callback: () => T): T {
  const result = callback();
  if (result instanceof Promise)
    throw new ArgumentError(
      `${name}: the callback is asynchronous; gradient recording is decided while it runs, so it must be synchronous.`,
    );
  return result;
}

/** Whether operations record gradient paths at this moment. */
export const isGradEnabled = gradEnabled;

/** Runs a synchronous callback without recording gradient paths. */
export function noGrad<T>(callback: () => T): T {
  return atEntry(noGrad, () => withGradMode(false, () => synchronous("noGrad", callback)));
}

/** Runs a synchronous callback with gradient paths recorded, inside `noGrad` too. */
export function enableGrad<T>(callback: () => T): T {
  return atEntry(enableGrad, () => withGradMode(true, () => synchronous("enableGrad", callback)));
}

export interface AssignOptions {
  /** Tensors computed together with the new values, from the old ones. */
  readonly compute?: readonly Tensor[];
}

/**
 * A training step: gives variables their new values in one compiled program, written over the old storage, together with the tensors in
 * `compute`, accumulated gradients and everything marked `keep()`. Other pending tensors that captured an old value become stale.
 */
export function assignAll(assignments: readonly (readonly [Variable, Tensor])[], options: AssignOptions = {}): void {
  atEntry(assignAll, () => {
    for (const [variable, value] of assignments) variable.assign(value);
    if (defaultEngine.tracing) return;
    defaultEngine.compute((options.compute ?? []).map((tensor) => tensor.node));
  });
}

/** The engine behind the public functions: what it did, what it runs on, and how to look inside. */
export const engine = {
  /** Counts since the process started. */
  stats: (): EngineStatistics => defaultEngine.statistics(),
  /** Why the last program was compiled, its kernels, fusion and arena map. */
  explain: (): string => defaultEngine.explain(),
  /** Time per kernel of the programs that a callback runs. */
  profile: (callback: () => void): StepTiming[][] => defaultEngine.profile(callback),
  /** Times every kernel from now on, until the function that this returns is called, which gives the runs. */
  startProfiling: (): (() => readonly ProfiledRun[]) => defaultEngine.startProfiling(),
  /** Debug mode: programs run op by op and the first NaN or infinity is an error that names its op and line. */
  setDebug: (on: boolean): void => {
    defaultEngine.debug = on;
  },
  /** Whether debug mode is on. */
  get debugging(): boolean {
    return defaultEngine.debug;
  },
  /** Chooses the target; compiled programs are dropped, values stay. */
  setTarget: (name: TargetName): void => defaultEngine.setTarget(createTarget(name)),
  /** Whether a compiled function is being traced: what happens now happens once, not at each of its calls. */
  get tracing(): boolean {
    return defaultEngine.tracing;
  },
  get targetName(): string {
    return defaultEngine.target.name;
  },
  get targetDescription(): string {
    return defaultEngine.target.description;
  },
  get threads(): number {
    return defaultEngine.target.threads;
  },
};
