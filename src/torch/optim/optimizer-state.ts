/** State dicts of optimizers: PyTorch's structure and names, strictly checked on the way in. */
import { ArgumentError } from "../../errors.ts";
import { formatShape, sameShape } from "../../graph/shape.ts";
import type { ParameterStates, RestoredState } from "../../optim/index.ts";
import { assignAll, Tensor, tensorView, type Variable } from "../../tensor/index.ts";
import type { OptimizerKind } from "./optimizer.ts";
import { type CommonSettings, camelCase, type ParamGroup, scheduledNames, snakeCase } from "./param-groups.ts";

/** A setting in a state dict. */
export type SettingValue = number | boolean | readonly number[];

/** What `optimizer.stateDict()` gives: plain objects, arrays, numbers and tensors, as `torch.save` takes them. */
export interface OptimizerStateDict {
  /** Tensors of each parameter by its position: `step`, `exp_avg`, `momentum_buffer`, … */
  readonly state: { readonly [index: number]: { readonly [name: string]: Tensor } };
  /** Settings of each group under PyTorch's names, with the positions of its parameters. */
  readonly param_groups: readonly { readonly params: readonly number[]; readonly [name: string]: SettingValue }[];
}

/** Settings of PyTorch's implementations that mean nothing here. */
const foreignSettings = new Set([
  "foreach",
  "capturable",
  "differentiable",
  "fused",
  "decoupled_weight_decay",
  "param_names",
]);

export function optimizerStateDict<Settings extends CommonSettings>(
  groups: readonly ParamGroup<Settings>[],
  states: ParameterStates,
  names: Readonly<Record<string, string>>,
): OptimizerStateDict {
  let position = 0;
  const state: Record<number, Record<string, Tensor>> = {};
  const packed = groups.map(({ params, ...settings }) => {
    const positions = params.map((parameter) => {
      const entries = [...states.stateOf(parameter)].flatMap(([name, variable]) =>
        name in names ? [[names[name], copyOf(variable)] as const] : [],
      );
      if (entries.length > 0) state[position] = Object.fromEntries(entries);
      return position++;
    });
    const values = Object.entries(settings).map(([name, value]) => [
      snakeCase(name),
      Array.isArray(value) ? [...value] : value,
    ]);
    return { ...(Object.fromEntries(values) as Record<string, SettingValue>), params: positions };
  });
  return { state, param_groups: packed };
}

/** All state is float32 in PyTorch, the count of steps too. */
const copyOf = (variable: Variable): Tensor => {
  const values = variable.dataSync();
  return tensorView(values instanceof Float32Array ? values : Float32Array.from(values), variable.shape, "f32");
};

/** Problems found while looking through a state dict: all are reported at once. */
class Complaints {
  readonly list: string[] = [];
  private readonly owner: string;
  constructor(owner: string) {
    this.owner = owner;
  }
  add(message: string): void {
    this.list.push(message);
  }
  throwIfAny(): void {
    if (this.list.length === 0) return;
    const shown = this.list.slice(0, 20);
    if (this.list.length > shown.length) shown.push(`… and ${this.list.length - shown.length} more`);
    throw new ArgumentError(`loadStateDict: the state dict does not fit this ${this.owner}:\n  ${shown.join("\n  ")}`);
  }
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  value !== null && typeof value === "object" && !Array.isArray(value) && !(value instanceof Tensor);

export function loadOptimizerState<Settings extends CommonSettings>(
  kind: OptimizerKind<Settings>,
  groups: readonly ParamGroup<Settings>[],
  states: ParameterStates,
  dict: OptimizerStateDict,
  check: (settings: Settings) => void,
): void {
  const complaints = new Complaints(kind.name);
  if (!isObject(dict) || !isObject(dict.state) || !Array.isArray(dict.param_groups)) {
    throw new ArgumentError(`loadStateDict: ${kind.name} expects an object with state and param_groups.`);
  }
  const saved = dict.param_groups as readonly unknown[];
  if (saved.length !== groups.length) {
    throw new ArgumentError(
      `loadStateDict: the loaded state dict has a different number of parameter groups: ${saved.length}, the optimizer ${groups.length}.`,
    );
  }
  const positions = new Map<string, { parameter: Variable; group: ParamGroup<Settings>; settings: Settings }>();
  const settings = groups.map((group, index) => {
    const given = saved[index];
    const listed = isObject(given) && Array.isArray(given.params) ? (given.params as readonly unknown[]) : [];
    if (!isObject(given) || listed.length !== group.params.length) {
      throw new ArgumentError(
        `loadStateDict: parameter group ${index} of the loaded state dict has ${listed.length} parameters, the optimizer's group ${group.params.length}.`,
      );
    }
    const read = readSettings(kind, given, index, complaints);
    listed.forEach((position, place) => {
      if (!Number.isInteger(position) || positions.has(String(position)))
        complaints.add(`param_groups[${index}].params[${place}] is ${String(position)}, not a position of its own`);
      positions.set(String(position), { parameter: group.params[place], group, settings: read });
    });
    return read;
  });
  complaints.throwIfAny();
  settings.forEach(check);
  const restored = readState(kind, dict.state, positions, complaints);
  complaints.throwIfAny();

  groups.forEach((group, index) => {
    for (const name of scheduledNames) if (!(name in settings[index])) delete group[name];
    Object.assign(group, settings[index]);
  });
  const assignments = states.restore(restored);
  if (assignments.length > 0) assignAll(assignments);
}

function readSettings<Settings extends CommonSettings>(
  kind: OptimizerKind<Settings>,
  given: Record<string, unknown>,
  index: number,
  complaints: Complaints,
): Settings {
  const result: Record<string, unknown> = {};
  const defaults = kind.defaults as unknown as Record<string, unknown>;
  for (const [saved, value] of Object.entries(given)) {
    const name = camelCase(saved);
    if (saved === "params" || (foreignSettings.has(saved) && !(name in defaults))) continue;
    const scheduled = (scheduledNames as readonly string[]).includes(name);
    if (!scheduled && !Object.hasOwn(defaults, name)) {
      complaints.add(`param_groups[${index}] has the unknown setting "${saved}"`);
      continue;
    }
    const pattern = scheduled ? 0 : defaults[name];
    const fits = Array.isArray(pattern)
      ? Array.isArray(value) && value.length === pattern.length && value.every((part) => typeof part === "number")
      : typeof value === typeof pattern;
    if (!fits) complaints.add(`param_groups[${index}].${saved} is ${String(value)}`);
    result[name] = Array.isArray(value) ? [...value] : value;
  }
  for (const name of Object.keys(defaults)) {
    if (!(name in result)) complaints.add(`param_groups[${index}] lacks the setting "${snakeCase(name)}"`);
  }
  return result as unknown as Settings;
}

function readState<Settings extends CommonSettings>(
  kind: OptimizerKind<Settings>,
  state: OptimizerStateDict["state"],
  positions: ReadonlyMap<string, { parameter: Variable; group: ParamGroup<Settings>; settings: Settings }>,
  complaints: Complaints,
): RestoredState[] {
  const ruleNames = new Map(Object.entries(kind.names).map(([rule, torch]) => [torch, rule]));
  return Object.entries(state).flatMap(([position, entries]): RestoredState[] => {
    const place = positions.get(position);
    if (!place || !isObject(entries)) {
      complaints.add(`state[${position}] belongs to no parameter`);
      return [];
    }
    const { parameter, group, settings } = place;
    const rule = kind.rule(settings);
    const counterNames = ["step", ...(rule.counters ?? []).map(({ name }) => name)];
    const slots: Record<string, Tensor> = {};
    const counters: Record<string, number> = {};
    for (const [name, value] of Object.entries(entries)) {
      const where = `state[${position}].${name}`;
      const own = ruleNames.get(name);
      if (value === null || value === undefined) continue;
      if (own === undefined) complaints.add(`${where} is unknown to ${kind.name}`);
      else if (counterNames.includes(own)) {
        const count = value instanceof Tensor && value.size === 1 ? value.item() : value;
        if (typeof count === "number" && Number.isFinite(count)) counters[own] = count;
        else complaints.add(`${where} is not one number`);
      } else if (!(value instanceof Tensor) || value.dtype !== parameter.dtype) {
        complaints.add(`${where} is not a tensor of dtype ${parameter.dtype}`);
      } else if (!sameShape(value.shape, parameter.shape)) {
        complaints.add(`${where} has shape ${formatShape(value.shape)}, the parameter ${formatShape(parameter.shape)}`);
      } else slots[own] = value;
    }
    const wanted = [...rule.slots.map(({ name }) => name), ...counterNames.filter((name) => name in kind.names)];
    for (const name of wanted) {
      if (!(name in slots) && !(name in counters)) complaints.add(`state[${position}] lacks ${kind.names[name]}`);
    }
    // SGD does not save how often it stepped; a saved buffer says that the first step is over
    if (!("step" in kind.names)) counters.step = 1;
    return [{ parameter, group, slots, counters }];
  });
}
