/** Schedulers that multiply the rate at certain epochs, or by a function of the user. */
import { type AnyOptimizer, LRScheduler, named, type SchedulerOptions, stateNamesOf } from "./scheduler.ts";

/** A factor as a function of the epoch; for several groups one each. */
export type LrLambda = ((epoch: number) => number) | readonly ((epoch: number) => number)[];

export interface LambdaLROptions extends SchedulerOptions {
  readonly lrLambda: LrLambda;
}

abstract class LambdaScheduler extends LRScheduler {
  protected readonly lrLambdas: ((epoch: number) => number)[];

  constructor(optimizer: AnyOptimizer, lrLambda: LrLambda | LambdaLROptions, options?: SchedulerOptions) {
    super(optimizer);
    const given: LambdaLROptions =
      typeof lrLambda === "function" || Array.isArray(lrLambda)
        ? { ...options, lrLambda: lrLambda as LrLambda }
        : (lrLambda as LambdaLROptions);
    this.lrLambdas = this.perGroup("lrLambda", given.lrLambda);
    for (const lambda of this.lrLambdas) {
      if (typeof lambda !== "function") this.fail(`lrLambda must be a function, received ${typeof lambda}.`);
    }
    this.begin(given);
  }
}

/** Base rate times `lrLambda(epoch)`. */
export class LambdaLR extends LambdaScheduler {
  protected override getLr(): number[] {
    return this.baseLrs.map((rate, index) => rate * this.lrLambdas[index](this.lastEpoch));
  }
}

/** Present rate times `lrLambda(epoch)`, from epoch 1 on. */
export class MultiplicativeLR extends LambdaScheduler {
  protected override getLr(): number[] {
    return this.optimizer.paramGroups.map(({ lr }, index) =>
      this.isInitial ? lr : lr * this.lrLambdas[index](this.lastEpoch),
    );
  }
}

export interface StepLROptions extends SchedulerOptions {
  readonly stepSize: number;
  readonly gamma?: number;
}

/** Rate times `gamma` (0.1) every `stepSize` epochs. */
export class StepLR extends LRScheduler {
  stepSize: number;
  gamma: number;

  constructor(optimizer: AnyOptimizer, stepSize: number | StepLROptions, options?: Omit<StepLROptions, "stepSize">) {
    super(optimizer);
    const given = named<StepLROptions, "stepSize">("stepSize", stepSize, options);
    this.stepSize = given.stepSize;
    this.gamma = given.gamma ?? 0.1;
    if (!(Number.isInteger(this.stepSize) && this.stepSize > 0))
      this.fail(`stepSize must be a positive integer, received ${this.stepSize}.`);
    this.begin(given);
  }
  protected override getLr(): number[] {
    return this.scaled(this.lastEpoch === 0 || this.lastEpoch % this.stepSize !== 0 ? 1 : this.gamma);
  }
  protected override closedForm(): number[] {
    return this.baseLrs.map((rate) => rate * this.gamma ** Math.floor(this.lastEpoch / this.stepSize));
  }
  protected override stateNames(): Record<string, string> {
    return { ...super.stateNames(), ...stateNamesOf("stepSize", "gamma") };
  }
}

export interface MultiStepLROptions extends SchedulerOptions {
  readonly milestones: readonly number[];
  readonly gamma?: number;
}

/** Rate times `gamma` (0.1) at each of the milestones. */
export class MultiStepLR extends LRScheduler {
  milestones: number[];
  gamma: number;

  constructor(
    optimizer: AnyOptimizer,
    milestones: readonly number[] | MultiStepLROptions,
    options?: Omit<MultiStepLROptions, "milestones">,
  ) {
    super(optimizer);
    const given = named<MultiStepLROptions, "milestones">(
      "milestones",
      milestones as MultiStepLROptions | readonly number[],
      options,
    );
    this.milestones = [...given.milestones].sort((left, right) => left - right);
    this.gamma = given.gamma ?? 0.1;
    this.begin(given);
  }
  protected override getLr(): number[] {
    const times = this.milestones.filter((milestone) => milestone === this.lastEpoch).length;
    return this.scaled(this.gamma ** times);
  }
  protected override closedForm(): number[] {
    const times = this.milestones.filter((milestone) => milestone <= this.lastEpoch).length;
    return this.baseLrs.map((rate) => rate * this.gamma ** times);
  }
  protected override stateNames(): Record<string, string> {
    return { ...super.stateNames(), ...stateNamesOf("milestones", "gamma") };
  }
}

export interface ExponentialLROptions extends SchedulerOptions {
  readonly gamma: number;
}

/** Rate times `gamma` every epoch. */
export class ExponentialLR extends LRScheduler {
  gamma: number;

  constructor(optimizer: AnyOptimizer, gamma: number | ExponentialLROptions, options?: SchedulerOptions) {
    super(optimizer);
    const given = named<ExponentialLROptions, "gamma">("gamma", gamma, options);
    this.gamma = given.gamma;
    this.begin(given);
  }
  protected override getLr(): number[] {
    return this.scaled(this.isInitial ? 1 : this.gamma);
  }
  protected override closedForm(): number[] {
    return this.baseLrs.map((rate) => rate * this.gamma ** this.lastEpoch);
  }
  protected override stateNames(): Record<string, string> {
    return { ...super.stateNames(), ...stateNamesOf("gamma") };
  }
}
