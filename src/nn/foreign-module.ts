/** What another door's network must offer to be a layer: nothing of that door is named here, only what is asked of it. */
import { type Tensor, Variable } from "../tensor/index.ts";

/** A callable network that names its weights and knows training from use. */
export interface ForeignModule<In extends readonly unknown[] = [Tensor], Out = Tensor> {
  (...inputs: In): Out;
  readonly training: boolean;
  /** Weights that are trained, by name. */
  namedParameters(): readonly (readonly [name: string, parameter: Variable])[];
  /** What else is saved, by name. */
  namedBuffers(): readonly (readonly [name: string, buffer: Tensor])[];
  /** Switches between training (true) and use (false). */
  train(mode?: boolean): unknown;
}

/** Whether a value offers it. */
export function isForeignModule(value: unknown): value is ForeignModule<never, unknown> {
  if (typeof value !== "function") return false;
  const module = value as unknown as Record<string, unknown>;
  return ["namedParameters", "namedBuffers", "train"].every((name) => typeof module[name] === "function");
}

/** Parameters and assignable buffers, with their names. */
export function stateOf(module: ForeignModule<never, unknown>): {
  readonly parameters: readonly (readonly [name: string, parameter: Variable])[];
  readonly buffers: readonly (readonly [name: string, buffer: Variable])[];
} {
  const buffers = module.namedBuffers().filter((entry): entry is [string, Variable] => entry[1] instanceof Variable);
  return { parameters: module.namedParameters(), buffers };
}

/** Runs a module in a mode, and leaves it in the mode that it had. */
export function runInMode<Out>(module: ForeignModule<never, unknown>, training: boolean, run: () => Out): Out {
  const before = module.training;
  if (before !== training) module.train(training);
  try {
    return run();
  } finally {
    if (before !== training) module.train(before);
  }
}
