/** `keras.optimizers.schedules`: names and argument order of Keras over the neutral schedules. */
import { Callable } from "../nn/callable.ts";
import * as neutral from "../optim/index.ts";
import { full, type Tensor } from "../tensor/index.ts";
import type { Config } from "./config.ts";
import { checkOptions, lookUp } from "./options.ts";

/**
 * A learning rate that depends on the number of steps. `schedule(step)` is the rate as a tensor; given to an optimizer it follows the
 * optimizer's iterations inside the program of the step.
 */
export abstract class LearningRateSchedule extends Callable<[step: Tensor | number], Tensor> {
  /** The rate as a graph function of the step. */
  readonly follow: neutral.ScheduleFunction;
  private readonly config: Config;

  constructor(follow: neutral.ScheduleFunction, config: Config) {
    super();
    this.follow = follow;
    this.config = config;
  }
  override invoke(step: Tensor | number): Tensor {
    return this.follow(typeof step === "number" ? full([], step) : step.cast("f32"));
  }
  get className(): string {
    return this.constructor.name;
  }
  getConfig(): Config {
    return { ...this.config };
  }
}

export interface ScheduleOptions {
  readonly name?: string;
}
export interface StaircaseOptions extends ScheduleOptions {
  /** Change the rate only every `decaySteps` steps. */
  readonly staircase?: boolean;
}

export class ExponentialDecay extends LearningRateSchedule {
  constructor(initialLearningRate: number, decaySteps: number, decayRate: number, options: StaircaseOptions = {}) {
    checkOptions("ExponentialDecay", options, ["staircase", "name"]);
    const { staircase = false, name = "ExponentialDecay" } = options;
    const settings = { initialLearningRate, decaySteps, decayRate, staircase };
    super(neutral.exponentialDecay(settings), { ...settings, name });
  }
}

export class InverseTimeDecay extends LearningRateSchedule {
  constructor(initialLearningRate: number, decaySteps: number, decayRate: number, options: StaircaseOptions = {}) {
    checkOptions("InverseTimeDecay", options, ["staircase", "name"]);
    const { staircase = false, name = "InverseTimeDecay" } = options;
    const settings = { initialLearningRate, decaySteps, decayRate, staircase };
    super(neutral.inverseTimeDecay(settings), { ...settings, name });
  }
}

export class PiecewiseConstantDecay extends LearningRateSchedule {
  constructor(boundaries: readonly number[], values: readonly number[], options: ScheduleOptions = {}) {
    checkOptions("PiecewiseConstantDecay", options, ["name"]);
    super(neutral.piecewiseConstantDecay({ boundaries, values }), {
      boundaries,
      values,
      name: options.name ?? "PiecewiseConstant",
    });
  }
}

export interface PolynomialDecayOptions extends ScheduleOptions {
  readonly endLearningRate?: number;
  readonly power?: number;
  readonly cycle?: boolean;
}

export class PolynomialDecay extends LearningRateSchedule {
  constructor(initialLearningRate: number, decaySteps: number, options: PolynomialDecayOptions = {}) {
    checkOptions("PolynomialDecay", options, ["endLearningRate", "power", "cycle", "name"]);
    const { endLearningRate = 1e-4, power = 1, cycle = false, name = "PolynomialDecay" } = options;
    const settings = { initialLearningRate, decaySteps, endLearningRate, power, cycle };
    super(neutral.polynomialDecay(settings), { ...settings, name });
  }
}

export interface CosineDecayOptions extends ScheduleOptions {
  /** Smallest rate, as a fraction of the initial one. */
  readonly alpha?: number;
  /** Rate to rise to first. */
  readonly warmupTarget?: number | null;
  readonly warmupSteps?: number;
}

export class CosineDecay extends LearningRateSchedule {
  constructor(initialLearningRate: number, decaySteps: number, options: CosineDecayOptions = {}) {
    checkOptions("CosineDecay", options, ["alpha", "warmupTarget", "warmupSteps", "name"]);
    const { alpha = 0, warmupTarget = null, warmupSteps = 0, name = "CosineDecay" } = options;
    const settings = { initialLearningRate, decaySteps, alpha, warmupSteps };
    super(neutral.cosineDecay({ ...settings, warmupTarget: warmupTarget ?? undefined }), {
      ...settings,
      warmupTarget,
      name,
    });
  }
}

export interface CosineDecayRestartsOptions extends ScheduleOptions {
  /** How much longer each period is than the one before. */
  readonly tMul?: number;
  /** How much smaller the rate at its start is. */
  readonly mMul?: number;
  readonly alpha?: number;
}

export class CosineDecayRestarts extends LearningRateSchedule {
  constructor(initialLearningRate: number, firstDecaySteps: number, options: CosineDecayRestartsOptions = {}) {
    checkOptions("CosineDecayRestarts", options, ["tMul", "mMul", "alpha", "name"]);
    const { tMul = 2, mMul = 1, alpha = 0, name = "SGDRDecay" } = options;
    const settings = { initialLearningRate, firstDecaySteps, tMul, mMul, alpha };
    super(neutral.cosineDecayRestarts(settings), { ...settings, name });
  }
}

/** A schedule as plain data. */
export interface SerializedSchedule {
  readonly className: string;
  readonly config: Config;
}

export function serialize(schedule: LearningRateSchedule): SerializedSchedule {
  return { className: schedule.className, config: schedule.getConfig() };
}

type Numbers = readonly number[];
const makers: Readonly<Record<string, (config: Config) => LearningRateSchedule>> = {
  ExponentialDecay: ({ initialLearningRate, decaySteps, decayRate, ...options }) =>
    new ExponentialDecay(initialLearningRate as number, decaySteps as number, decayRate as number, options),
  InverseTimeDecay: ({ initialLearningRate, decaySteps, decayRate, ...options }) =>
    new InverseTimeDecay(initialLearningRate as number, decaySteps as number, decayRate as number, options),
  PiecewiseConstantDecay: ({ boundaries, values, ...options }) =>
    new PiecewiseConstantDecay(boundaries as Numbers, values as Numbers, options),
  PolynomialDecay: ({ initialLearningRate, decaySteps, ...options }) =>
    new PolynomialDecay(initialLearningRate as number, decaySteps as number, options),
  CosineDecay: ({ initialLearningRate, decaySteps, ...options }) =>
    new CosineDecay(initialLearningRate as number, decaySteps as number, options),
  CosineDecayRestarts: ({ initialLearningRate, firstDecaySteps, ...options }) =>
    new CosineDecayRestarts(initialLearningRate as number, firstDecaySteps as number, options),
};

export function deserialize({ className, config }: SerializedSchedule): LearningRateSchedule {
  return lookUp("schedules.deserialize", "schedule", className, makers)(config);
}
