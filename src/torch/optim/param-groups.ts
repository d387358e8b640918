/** Parameter groups: what users pass, what optimizers hold, and the checks between. */
import { ArgumentError } from "../../errors.ts";
import { didYouMean } from "../../nearest-name.ts";
import { Tensor, Variable } from "../../tensor/index.ts";

/** Settings that every optimizer has. All of them may be changed at any time. */
export interface CommonSettings {
  /** Learning rate. */
  lr: number;
  weightDecay: number;
  /** Climb instead of descend. */
  maximize: boolean;
}

/** What schedulers note in a group. */
export interface ScheduledSettings {
  initialLr?: number;
  maxLr?: number;
  minLr?: number;
  baseMomentum?: number;
  maxMomentum?: number;
}
export const scheduledNames = ["initialLr", "maxLr", "minLr", "baseMomentum", "maxMomentum"] as const;

/** Parameters with their settings. A changed number takes effect with the next step and never recompiles. */
export type ParamGroup<Settings> = { params: Variable[] } & Settings & ScheduledSettings;

/** A group as it is passed: settings left out come from the optimizer's options. */
export type ParamGroupInput<Settings> = { readonly params: Variable | Iterable<Variable> } & Partial<Settings> &
  ScheduledSettings;

/** Parameters, or groups of them. */
export type Params<Settings> = Iterable<Variable | ParamGroupInput<Settings>>;

const describe = (value: unknown): string =>
  value instanceof Tensor
    ? "a tensor that is no variable"
    : value === null
      ? "null"
      : ((value as object | undefined)?.constructor?.name ?? typeof value);

/** The variables of one group. */
export function parametersOf(owner: string, given: unknown): Variable[] {
  if (given instanceof Variable) return [given];
  if (given instanceof Tensor || given === null || typeof given !== "object" || !(Symbol.iterator in given)) {
    throw new ArgumentError(
      `${owner}: params must be an iterable of variables or of groups { params: […] }, received ${describe(given)}.`,
    );
  }
  if (given instanceof Set) {
    throw new ArgumentError(
      `${owner}: optimizer parameters need to be in an ordered collection, and a set does not promise one between runs. Use an array.`,
    );
  }
  const list = [...(given as Iterable<unknown>)];
  for (const value of list) {
    if (value instanceof Variable) continue;
    if (value instanceof Tensor) {
      throw new ArgumentError(
        `${owner}: can't optimize a tensor that is no variable; make it a Parameter or Variable: new nn.Parameter(tensor).`,
      );
    }
    throw new ArgumentError(`${owner}: can only optimize variables, but one of the params is ${describe(value)}.`);
  }
  return list as Variable[];
}

/** Splits what a constructor was given into groups. */
export function groupInputs<Settings>(owner: string, params: unknown): ParamGroupInput<Settings>[] {
  if (params instanceof Tensor || params === null || typeof params !== "object" || !(Symbol.iterator in params)) {
    throw new ArgumentError(
      `${owner}: params must be an iterable of variables or of groups { params: […] }, received ${describe(params)}.`,
    );
  }
  const isGroup = (value: unknown): value is ParamGroupInput<Settings> =>
    value !== null && typeof value === "object" && !(value instanceof Tensor) && "params" in value;
  const single = (): ParamGroupInput<Settings>[] => [
    { params: parametersOf(owner, params) } as unknown as ParamGroupInput<Settings>,
  ];
  if (params instanceof Set) return single();
  const list: unknown[] = [...(params as Iterable<unknown>)];
  if (list.length === 0) throw new ArgumentError(`${owner}: optimizer got an empty parameter list.`);
  if (!list.some(isGroup)) return single();
  if (!list.every(isGroup)) {
    throw new ArgumentError(`${owner}: params mixes variables and groups; put the variables into a group too.`);
  }
  return list;
}

/** A parameter may be in an optimizer once. */
export function checkDistinct(
  owner: string,
  params: readonly Variable[],
  groups: readonly { readonly params: readonly Variable[] }[],
): void {
  if (new Set(params).size !== params.length) {
    throw new ArgumentError(`${owner}: a parameter group contains duplicate parameters.`);
  }
  const known = new Set(groups.flatMap((group) => group.params));
  if (params.some((parameter) => known.has(parameter))) {
    throw new ArgumentError(`${owner}: some parameters appear in more than one parameter group.`);
  }
}

/** Rejects options that nobody reads: a misspelled one would otherwise be ignored without a word. */
export function checkOptionNames(owner: string, options: object, allowed: readonly string[]): void {
  for (const [name, value] of Object.entries(options)) {
    if (value === undefined || allowed.includes(name)) continue;
    throw new ArgumentError(
      `${owner}: unknown option "${name}"${didYouMean(name, allowed)}; expected ${allowed.join(", ")}.`,
    );
  }
}

/** `weightDecay` to `weight_decay`. */
export const snakeCase = (name: string): string => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
/** `weight_decay` to `weightDecay`. */
export const camelCase = (name: string): string =>
  name.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());
