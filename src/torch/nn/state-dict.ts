/** State dicts: tensors by name, and what loading one checks. */
import { ArgumentError } from "../../errors.ts";
import { formatShape, sameShape } from "../../graph/shape.ts";
import { assignAll, Tensor, tensorView, Variable } from "../../tensor/index.ts";
import type { AnyModule, StateEntry } from "./any-module.ts";

/** Tensors under PyTorch's names: `conv1.weight`, `bn.running_mean`. */
export interface StateDict {
  [name: string]: Tensor;
}

/** What a load that is not strict left out. */
export interface LoadResult {
  /** Names of the module that the dict does not have. */
  readonly missingKeys: readonly string[];
  /** Names of the dict that the module does not have. */
  readonly unexpectedKeys: readonly string[];
}

/** A state dict that does not fit: everything that is wrong, at once. Nothing was changed. */
export class StateDictError extends ArgumentError {
  readonly missingKeys: readonly string[];
  readonly unexpectedKeys: readonly string[];
  /** One line for each tensor of another shape. */
  readonly mismatches: readonly string[];
  constructor(message: string, found: LoadResult & { readonly mismatches: readonly string[] }) {
    super(message);
    this.missingKeys = found.missingKeys;
    this.unexpectedKeys = found.unexpectedKeys;
    this.mismatches = found.mismatches;
  }
}

const quoted = (names: readonly string[]): string => names.map((name) => `"${name}"`).join(", ");

/** A tensor with the values of this moment, which later steps leave as it is. */
export function snapshot(tensor: Tensor): Tensor {
  return tensorView(tensor.dataSync(), tensor.shape, tensor.dtype);
}

/** Checks a dict against the places of a module's state, then replaces all of them in one step. */
export function loadStateDict(
  module: AnyModule,
  places: readonly (readonly [name: string, entry: StateEntry])[],
  dict: StateDict,
  strict: boolean,
): LoadResult {
  const owner = module.constructor.name;
  if (dict === null || typeof dict !== "object") {
    throw new ArgumentError(`loadStateDict: ${owner} expects an object of tensors by name, received ${typeof dict}.`);
  }
  const known = new Set(places.map(([name]) => name));
  const missingKeys = places.flatMap(([name]) => (Object.hasOwn(dict, name) ? [] : [name]));
  const unexpectedKeys = Object.keys(dict).filter((name) => !known.has(name));
  const present = places.filter(([name]) => Object.hasOwn(dict, name));
  const mismatches = present.flatMap(([name, { get }]) => {
    const value: unknown = dict[name];
    if (!(value instanceof Tensor)) return [`${name} is not a tensor but ${value === null ? "null" : typeof value}`];
    if (sameShape(value.shape, get().shape)) return [];
    return [`${name} has shape ${formatShape(value.shape)}, the module ${formatShape(get().shape)}`];
  });
  const complaints = [
    ...(strict && missingKeys.length > 0 ? [`missing: ${quoted(missingKeys)}`] : []),
    ...(strict && unexpectedKeys.length > 0 ? [`unexpected: ${quoted(unexpectedKeys)}`] : []),
    ...mismatches,
  ];
  if (complaints.length > 0) {
    throw new StateDictError(`loadStateDict: the state dict does not fit ${owner}:\n  ${complaints.join("\n  ")}`, {
      missingKeys,
      unexpectedKeys,
      mismatches,
    });
  }
  // snapshots: a dict may hold the module's own variables, of which some are overwritten before others are read
  const assignments: [Variable, Tensor][] = [];
  const replacements: (() => void)[] = [];
  for (const [name, { get, replace }] of present) {
    const target = get();
    const given = dict[name];
    const value = snapshot(given.dtype === target.dtype ? given : given.cast(target.dtype));
    if (target instanceof Variable) assignments.push([target, value]);
    else replacements.push(() => replace(value));
  }
  assignAll(assignments);
  for (const replace of replacements) replace();
  return { missingKeys, unexpectedKeys };
}
