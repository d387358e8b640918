/** `keras.optimizers`: names, defaults and state of Keras over the neutral update rules. */
import { ArgumentError } from "../errors.ts";
import type { Assignment } from "../nn/updates.ts";
import * as neutral from "../optim/index.ts";
import { assignAll, noGrad, type Tensor, tensorView, type Variable } from "../tensor/index.ts";
import type { Config } from "./config.ts";
import { autoName } from "./naming.ts";
import { checkOptions } from "./options.ts";
import { constructing, Registry, type Serialized } from "./registry.ts";
import * as schedules from "./schedules.ts";
import { Weight } from "./weight.ts";

export * as schedules from "./schedules.ts";

/** A number, or a schedule of the number of steps. */
export type LearningRate = number | schedules.LearningRateSchedule;

/** Options of all optimizers. */
export interface OptimizerOptions extends neutral.OptimizerOptions {
  readonly learningRate?: LearningRate;
  readonly name?: string;
}
const commonOptions = [
  "learningRate",
  "name",
  "weightDecay",
  "clipnorm",
  "clipvalue",
  "globalClipnorm",
  "gradientAccumulationSteps",
] as const;

/** Options without those that are null: a configuration says null where an option is not set. */
function given<Options extends object>(options: Options): Options {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== null)) as Options;
}

/** `new SGD(0.1, { momentum: 0.9 })` and `new SGD({ learningRate: 0.1, momentum: 0.9 })` are the same. */
function merge<Options extends OptimizerOptions>(
  first: LearningRate | Options | undefined,
  second: Options | undefined,
): Options {
  if (typeof first === "number" || first instanceof schedules.LearningRateSchedule) {
    return { ...given(second ?? ({} as Options)), learningRate: first };
  }
  return given(first ?? second ?? ({} as Options));
}

/**
 * Base of all optimizers: state over the model's trainable weights. `applyGradients` takes a step at once; under `fit` a step joins the one
 * program of the training step.
 */
export abstract class Optimizer {
  readonly name: string;
  private readonly state: neutral.OptimizerState;
  private readonly follows: schedules.LearningRateSchedule | undefined;
  private readonly ownConfig: Config;
  private readonly options: OptimizerOptions;

  constructor(rule: neutral.UpdateRule, defaultRate: number, options: OptimizerOptions, ownConfig: Config) {
    const className = new.target.name;
    checkOptions(className, options, [...commonOptions, ...Object.keys(ownConfig)]);
    this.name = options.name ?? autoName(className);
    const rate = options.learningRate ?? defaultRate;
    if (typeof rate !== "number" && !(rate instanceof schedules.LearningRateSchedule)) {
      throw new ArgumentError(`${className}: learningRate must be a number or a schedule, received ${typeof rate}.`);
    }
    this.follows = typeof rate === "number" ? undefined : rate;
    this.options = options;
    this.ownConfig = ownConfig;
    const { weightDecay, clipnorm, clipvalue, globalClipnorm, gradientAccumulationSteps } = options;
    this.state = new neutral.OptimizerState(className, rule, typeof rate === "number" ? rate : rate.follow, {
      weightDecay,
      clipnorm,
      clipvalue,
      globalClipnorm,
      gradientAccumulationSteps,
    });
  }

  get className(): string {
    return this.constructor.name;
  }
  /** Number of steps taken. */
  get iterations(): Variable {
    return this.state.iterations;
  }
  get built(): boolean {
    return this.state.built;
  }
  /** Whether the learning rate follows a schedule. */
  get followsSchedule(): boolean {
    return this.follows !== undefined;
  }
  /** The rate of the next step. Setting it never recompiles; a schedule cannot be replaced by a number. */
  get learningRate(): number {
    return this.state.learningRate;
  }
  set learningRate(value: number) {
    this.state.learningRate = value;
  }

  /** Makes the state for the variables. */
  build(variables: readonly Variable[]): void {
    this.state.build(variables);
  }
  /** What a step writes, for the program of a training step. */
  assignments(gradients: readonly (Tensor | undefined)[], variables: readonly Variable[]): Assignment[] {
    return this.state
      .step(gradients, variables)
      .map(
        ([variable, value]): Assignment =>
          variable instanceof Weight && variable.constraint
            ? [variable, variable.constraint(value)]
            : [variable, value],
      );
  }
  /** Takes a step. */
  applyGradients(pairs: readonly (readonly [gradient: Tensor | undefined, variable: Variable])[]): void {
    this.apply(
      pairs.map(([gradient]) => gradient),
      pairs.map(([, variable]) => variable),
    );
  }
  /** Takes a step; gradients and variables match one to one. */
  apply(gradients: readonly (Tensor | undefined)[], variables: readonly Variable[]): void {
    assignAll(noGrad(() => this.assignments(gradients, variables)));
  }
  /** Leaves variables out of weight decay. */
  excludeFromWeightDecay(variables: readonly Variable[]): void {
    this.state.excludeFromWeightDecay(variables);
  }

  /** Iterations and the state of every weight; together with the learning rate, all that training goes on from. */
  get variables(): Variable[] {
    return this.state.variables;
  }
  /** Numbers in the state: variables, and the learning rate unless it follows a schedule. */
  countParams(): number {
    const numbers = this.variables.reduce((sum, variable) => sum + variable.size, 0);
    return numbers + (this.follows ? 0 : 1);
  }
  /** Copies of the variables' values. */
  getWeights(): Tensor[] {
    return this.variables.map((variable) => tensorView(variable.dataSync(), variable.shape, variable.dtype));
  }
  setWeights(values: readonly Tensor[]): void {
    const { variables } = this;
    if (values.length !== variables.length) {
      throw new ArgumentError(
        `setWeights: ${this.className} has ${variables.length} variables, received ${values.length}; build the optimizer on the model's weights first.`,
      );
    }
    values.forEach((value, index) => {
      variables[index].assign(value);
    });
  }

  getConfig(): Config {
    const { weightDecay, clipnorm, clipvalue, globalClipnorm, gradientAccumulationSteps } = this.options;
    return {
      name: this.name,
      learningRate: this.follows ? (schedules.serialize(this.follows) as unknown as Config) : this.learningRate,
      weightDecay: weightDecay ?? null,
      clipnorm: clipnorm ?? null,
      globalClipnorm: globalClipnorm ?? null,
      clipvalue: clipvalue ?? null,
      gradientAccumulationSteps: gradientAccumulationSteps ?? null,
      ...this.ownConfig,
    };
  }
}

export interface SGDOptions extends OptimizerOptions {
  readonly momentum?: number;
  readonly nesterov?: boolean;
}

/** Gradient descent, with momentum and Nesterov's look-ahead on request. Learning rate 0.01. */
export class SGD extends Optimizer {
  constructor(learningRate?: LearningRate | SGDOptions, options?: SGDOptions) {
    const merged = merge(learningRate, options);
    const { momentum = 0, nesterov = false } = merged;
    super(neutral.sgd({ momentum, nesterov }), 0.01, merged, { momentum, nesterov });
  }
}

export interface AdamOptions extends OptimizerOptions {
  readonly beta1?: number;
  readonly beta2?: number;
  readonly epsilon?: number;
  readonly amsgrad?: boolean;
}

function adamSettings({ beta1 = 0.9, beta2 = 0.999, epsilon = 1e-7, amsgrad = false }: AdamOptions) {
  return { beta1, beta2, epsilon, amsgrad };
}

/** Adam. Learning rate 0.001. */
export class Adam extends Optimizer {
  constructor(learningRate?: LearningRate | AdamOptions, options?: AdamOptions) {
    const merged = merge(learningRate, options);
    const settings = adamSettings(merged);
    super(neutral.adam(settings), 0.001, merged, settings);
  }
}

/** Adam with decoupled weight decay (Loshchilov & Hutter 2019), 0.004 by default. */
export class AdamW extends Optimizer {
  constructor(learningRate?: LearningRate | AdamOptions, options?: AdamOptions) {
    const merged = merge(learningRate, options);
    const settings = adamSettings(merged);
    super(neutral.adam(settings), 0.001, { ...merged, weightDecay: merged.weightDecay ?? 0.004 }, settings);
  }
}

export interface RMSpropOptions extends OptimizerOptions {
  readonly rho?: number;
  readonly momentum?: number;
  readonly epsilon?: number;
  readonly centered?: boolean;
}

/** RMSprop. Learning rate 0.001. */
export class RMSprop extends Optimizer {
  constructor(learningRate?: LearningRate | RMSpropOptions, options?: RMSpropOptions) {
    const merged = merge(learningRate, options);
    const { rho = 0.9, momentum = 0, epsilon = 1e-7, centered = false } = merged;
    const settings = { rho, momentum, epsilon, centered };
    super(neutral.rmsprop(settings), 0.001, merged, settings);
  }
}

export interface AdagradOptions extends OptimizerOptions {
  readonly initialAccumulatorValue?: number;
  readonly epsilon?: number;
}

/** Adagrad. Learning rate 0.001. */
export class Adagrad extends Optimizer {
  constructor(learningRate?: LearningRate | AdagradOptions, options?: AdagradOptions) {
    const merged = merge(learningRate, options);
    const { initialAccumulatorValue = 0.1, epsilon = 1e-7 } = merged;
    const settings = { initialAccumulatorValue, epsilon };
    super(neutral.adagrad(settings), 0.001, merged, settings);
  }
}

export interface AdadeltaOptions extends OptimizerOptions {
  readonly rho?: number;
  readonly epsilon?: number;
}

/** Adadelta. Learning rate 0.001. */
export class Adadelta extends Optimizer {
  constructor(learningRate?: LearningRate | AdadeltaOptions, options?: AdadeltaOptions) {
    const merged = merge(learningRate, options);
    const { rho = 0.95, epsilon = 1e-7 } = merged;
    const settings = { rho, epsilon };
    super(neutral.adadelta(settings), 0.001, merged, settings);
  }
}

/** Names that strings may have. */
export type OptimizerName = "sgd" | "adam" | "adamw" | "rmsprop" | "adagrad" | "adadelta";
/** What `compile({ optimizer })` takes. */
export type OptimizerLike = OptimizerName | Optimizer;

/** A serialised optimizer: its class and configuration. */
export type SerializedOptimizer = Serialized;

const names: Readonly<Record<OptimizerName, () => Optimizer>> = {
  sgd: () => new SGD(),
  adam: () => new Adam(),
  adamw: () => new AdamW(),
  rmsprop: () => new RMSprop(),
  adagrad: () => new Adagrad(),
  adadelta: () => new Adadelta(),
};

/** A configuration with its learning rate as constructors take it. */
function withSchedule({ learningRate, ...config }: Config): Config {
  if (typeof learningRate !== "object" || learningRate === null) return { ...config, learningRate };
  const schedule = schedules.deserialize(learningRate as unknown as schedules.SerializedSchedule);
  return { ...config, learningRate: schedule as unknown as Config };
}

const registry = new Registry<Optimizer>({
  kind: "an optimizer",
  base: Optimizer,
  classes: constructing<Optimizer>({ SGD, Adam, AdamW, RMSprop, Adagrad, Adadelta }),
  names,
  revive: withSchedule,
});

/** The optimizer that a name, an instance or a serialised form stands for. */
export function get(identifier: OptimizerLike | SerializedOptimizer, owner = "optimizers.get"): Optimizer {
  return registry.get(identifier, owner);
}

/** What `get` makes the same optimizer of. */
export function serialize(optimizer: Optimizer): SerializedOptimizer {
  return registry.serialize(optimizer);
}
