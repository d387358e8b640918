import { ArgumentError } from "../../errors.ts";
import { type GroupStep, ParameterStates, type UpdateRule } from "../../optim/index.ts";
import { assignAll, enableGrad, noGrad, type Tensor, type Variable, zerosLike } from "../../tensor/index.ts";
import { atEntry } from "../../tensor/lift.ts";
import { loadOptimizerState, type OptimizerStateDict, optimizerStateDict } from "./optimizer-state.ts";
import {
  type CommonSettings,
  checkDistinct,
  checkOptionNames,
  groupInputs,
  type ParamGroup,
  type ParamGroupInput,
  type Params,
  parametersOf,
  scheduledNames,
} from "./param-groups.ts";

/** What tells one optimizer from another. */
export interface OptimizerKind<Settings extends CommonSettings> {
  readonly name: string;
  readonly defaults: Settings;
  /** Throws for settings outside their domain. */
  check(settings: Settings, fail: (message: string) => never): void;
  /** The update, reading its numbers from the group at every step. */
  rule(group: Settings): UpdateRule;
  /** PyTorch's names of the rule's slots and counters; what is not named is not part of a state dict. */
  readonly names: Readonly<Record<string, string>>;
  decoupledWeightDecay?(group: Settings): boolean;
  /** State exists before the first step. */
  readonly eager?: boolean;
}

/**
 * Base of `torch.optim`: parameter groups over PyTorch's update rules. A step updates every parameter that has a gradient, in one compiled
 * program together with whatever waits to be computed; gradients stay readable until `zeroGrad()`. Takes variables of every door.
 *
 * @example
 * ```ts
 * const optimizer = new optim.SGD(model.parameters(), { lr: 0.01, momentum: 0.9 });
 * optimizer.zeroGrad();
 * criterion(model(images), labels).backward();
 * optimizer.step();
 * ```
 */
export abstract class Optimizer<Settings extends CommonSettings = CommonSettings> {
  /** Settings of groups that do not say otherwise. */
  readonly defaults: Settings;
  /** The groups; their settings may be changed at any time. */
  readonly paramGroups: ParamGroup<Settings>[] = [];
  /** @internal Whether `step` has been called: a scheduler warns when it is stepped first. */
  stepped = false;
  private readonly kind: OptimizerKind<Settings>;
  private readonly states = new ParameterStates();

  constructor(kind: OptimizerKind<Settings>, params: Params<Settings>, options: Partial<Settings>) {
    this.kind = kind;
    checkOptionNames(kind.name, options, Object.keys(kind.defaults));
    this.defaults = { ...kind.defaults, ...defined(options) };
    for (const group of groupInputs<Settings>(kind.name, params)) this.addParamGroup(group);
  }

  /** Adds parameters with settings of their own, for example when frozen layers begin to learn. */
  addParamGroup(group: ParamGroupInput<Settings>): void {
    atEntry(this.addParamGroup, () => {
      const { name } = this.kind;
      const { params: given, ...settings } = group;
      const params = parametersOf(name, given);
      checkDistinct(name, params, this.paramGroups);
      checkOptionNames(name, settings, [...Object.keys(this.defaults), ...scheduledNames]);
      const added = { ...this.defaults, ...defined(settings), params } as ParamGroup<Settings>;
      this.check(added);
      this.paramGroups.push(added);
      if (this.kind.eager) this.states.build(added, this.kind.rule(added), params);
    });
  }

  private check(settings: Settings): void {
    const fail = (message: string): never => {
      throw new ArgumentError(`${this.kind.name}: ${message}`);
    };
    if (!(settings.lr >= 0)) fail(`lr must be 0 or more, received ${settings.lr}.`);
    if (!(settings.weightDecay >= 0)) fail(`weightDecay must be 0 or more, received ${settings.weightDecay}.`);
    this.kind.check(settings, fail);
  }

  /**
   * Forgets the gradients: `grad` is undefined afterwards, or zeros with `{ setToNone: false }` (zeros still move momentum and decay weights;
   * a parameter without a gradient is skipped).
   */
  zeroGrad(options: { readonly setToNone?: boolean } = {}): void {
    const { setToNone = true } = options;
    for (const { params } of this.paramGroups) {
      for (const parameter of params) {
        if (parameter.peekGradient()) parameter.grad = setToNone ? undefined : zerosLike(parameter);
      }
    }
  }

  /** Updates the parameters that have a gradient. A closure is called first, with gradients recorded, and its result is returned. */
  step(): undefined;
  step<Result>(closure: () => Result): Result;
  step<Result>(closure?: () => Result): Result | undefined {
    return atEntry(this.step as (...args: never[]) => unknown, () => {
      const result = closure && enableGrad(closure);
      this.stepped = true;
      const groups = this.paramGroups.map((group): GroupStep => {
        const parameters = group.params.filter((parameter) => parameter.peekGradient() !== undefined);
        return {
          group,
          rule: this.kind.rule(group),
          learningRate: () => group.lr,
          weightDecay: group.weightDecay === 0 ? 0 : () => group.weightDecay,
          decoupledWeightDecay: this.kind.decoupledWeightDecay?.(group) ?? false,
          maximize: group.maximize,
          parameters,
          gradients: parameters.map((parameter) => parameter.peekGradient() as Tensor),
        };
      });
      const assignments = noGrad(() => this.states.step(groups.filter(({ parameters }) => parameters.length > 0)));
      if (assignments.length > 0) assignAll(assignments);
      return result;
    });
  }

  /**
   * A copy of the state in PyTorch's structure and names: `state` by position of the parameter, `param_groups` with settings. Together with the
   * parameters' own values it is all that training goes on from.
   */
  stateDict(): OptimizerStateDict {
    return atEntry(this.stateDict, () => optimizerStateDict(this.paramGroups, this.states, this.kind.names));
  }

  /** Restores a state dict of the same optimizer over parameters in the same order. Everything is checked first; on an error nothing changes. */
  loadStateDict(stateDict: OptimizerStateDict): void {
    atEntry(this.loadStateDict, () => {
      const { kind, paramGroups, states } = this;
      loadOptimizerState(kind, paramGroups, states, stateDict, (settings) => this.check(settings));
    });
  }

  toString(): string {
    const groups = this.paramGroups.map(({ params: _, ...settings }, index) => {
      const lines = Object.entries(settings).map(([name, value]) => `    ${name}: ${String(value)}`);
      return `Parameter Group ${index}\n${lines.sort().join("\n")}\n`;
    });
    return `${this.kind.name} (\n${groups.join("\n")})`;
  }

  /** @internal All parameters in the order of a state dict. */
  get parameters(): Variable[] {
    return this.paramGroups.flatMap(({ params }) => params);
  }
}

/** Options without those that are undefined, which mean the default. */
function defined<Options extends object>(options: Options): Options {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as Options;
}
