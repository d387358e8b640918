/** Schedulers that hold or ramp the rate over a number of epochs. */
import { type AnyOptimizer, LRScheduler, named, type SchedulerOptions, stateNamesOf } from "./scheduler.ts";

export interface ConstantLROptions extends SchedulerOptions {
  readonly factor?: number;
  readonly totalIters?: number;
}

/** Base rate times `factor` (1/3) until epoch `totalIters` (5), then the base rate. */
export class ConstantLR extends LRScheduler {
  factor: number;
  totalIters: number;

  constructor(optimizer: AnyOptimizer, options: ConstantLROptions = {}) {
    super(optimizer);
    this.factor = options.factor ?? 1 / 3;
    this.totalIters = options.totalIters ?? 5;
    if (!(this.factor >= 0 && this.factor <= 1)) this.fail(`factor must be between 0 and 1, received ${this.factor}.`);
    this.begin(options);
  }
  protected override getLr(): number[] {
    if (this.lastEpoch === 0) return this.scaled(this.factor);
    return this.scaled(this.lastEpoch === this.totalIters ? 1 / this.factor : 1);
  }
  protected override closedForm(): number[] {
    return this.baseLrs.map((rate) => rate * (this.lastEpoch >= this.totalIters ? 1 : this.factor));
  }
  protected override stateNames(): Record<string, string> {
    return { ...super.stateNames(), ...stateNamesOf("factor", "totalIters") };
  }
}

export interface LinearLROptions extends SchedulerOptions {
  readonly startFactor?: number;
  readonly endFactor?: number;
  readonly totalIters?: number;
}

/** Base rate times a factor that goes in equal steps from `startFactor` (1/3) to `endFactor` (1) over `totalIters` (5) epochs: a warm-up. */
export class LinearLR extends LRScheduler {
  startFactor: number;
  endFactor: number;
  totalIters: number;

  constructor(optimizer: AnyOptimizer, options: LinearLROptions = {}) {
    super(optimizer);
    this.startFactor = options.startFactor ?? 1 / 3;
    this.endFactor = options.endFactor ?? 1;
    this.totalIters = options.totalIters ?? 5;
    if (!(this.startFactor > 0 && this.startFactor <= 1))
      this.fail(`startFactor must be greater than 0 and at most 1, received ${this.startFactor}.`);
    if (!(this.endFactor >= 0 && this.endFactor <= 1))
      this.fail(`endFactor must be between 0 and 1, received ${this.endFactor}.`);
    this.begin(options);
  }
  protected override getLr(): number[] {
    const { startFactor, endFactor, totalIters, lastEpoch } = this;
    if (lastEpoch === 0) return this.scaled(startFactor);
    if (this.isInitial || lastEpoch > totalIters) return this.scaled(1);
    const slope = endFactor - startFactor;
    return this.scaled(1 + slope / (totalIters * startFactor + (lastEpoch - 1) * slope));
  }
  protected override closedForm(): number[] {
    const progress = Math.min(this.totalIters, this.lastEpoch) / this.totalIters;
    return this.baseLrs.map((rate) => rate * (this.startFactor + (this.endFactor - this.startFactor) * progress));
  }
  protected override stateNames(): Record<string, string> {
    return { ...super.stateNames(), ...stateNamesOf("startFactor", "endFactor", "totalIters") };
  }
}

export interface PolynomialLROptions extends SchedulerOptions {
  readonly totalIters?: number;
  readonly power?: number;
}

/** Base rate times (1 − epoch / totalIters)^power, 0 from epoch `totalIters` (5) on. */
export class PolynomialLR extends LRScheduler {
  totalIters: number;
  power: number;

  constructor(
    optimizer: AnyOptimizer,
    totalIters: number | PolynomialLROptions = {},
    options?: Omit<PolynomialLROptions, "totalIters">,
  ) {
    super(optimizer);
    const given = named<PolynomialLROptions, "totalIters">("totalIters", totalIters, options);
    this.totalIters = given.totalIters ?? 5;
    this.power = given.power ?? 1;
    this.begin(given);
  }
  protected override getLr(): number[] {
    const { totalIters, lastEpoch, power } = this;
    if (this.isInitial || lastEpoch > totalIters) return this.scaled(1);
    return this.scaled(((1 - lastEpoch / totalIters) / (1 - (lastEpoch - 1) / totalIters)) ** power);
  }
  protected override closedForm(): number[] {
    const progress = Math.min(this.totalIters, this.lastEpoch) / this.totalIters;
    return this.baseLrs.map((rate) => rate * (1 - progress) ** this.power);
  }
  protected override stateNames(): Record<string, string> {
    return { ...super.stateNames(), ...stateNamesOf("totalIters", "power") };
  }
}
