/** Cosine annealing, with and without warm restarts. */
import { type AnyOptimizer, LRScheduler, named, type SchedulerOptions } from "./scheduler.ts";

export interface CosineAnnealingLROptions extends SchedulerOptions {
  /** PyTorch's `T_max`: epochs from the base rate down to `etaMin`. */
  readonly tMax: number;
  readonly etaMin?: number;
}

/** η_min + ½(η₀ − η_min)(1 + cos(π·epoch / tMax)), computed from the present rate (Loshchilov & Hutter 2016, without restarts). */
export class CosineAnnealingLR extends LRScheduler {
  tMax: number;
  etaMin: number;

  constructor(
    optimizer: AnyOptimizer,
    tMax: number | CosineAnnealingLROptions,
    options?: Omit<CosineAnnealingLROptions, "tMax">,
  ) {
    super(optimizer);
    const given = named<CosineAnnealingLROptions, "tMax">("tMax", tMax, options);
    this.tMax = given.tMax;
    this.etaMin = given.etaMin ?? 0;
    if (!(this.tMax > 0)) this.fail(`tMax must be greater than 0, received ${this.tMax}.`);
    this.begin(given);
  }
  protected override getLr(): number[] {
    const { tMax, etaMin, lastEpoch } = this;
    if (this.isInitial) return this.scaled(1);
    if (this.stepCount === 1 && lastEpoch > 0) return this.closedForm();
    if ((lastEpoch - 1 - tMax) % (2 * tMax) === 0) {
      // the rate has reached its minimum: the ratio of the general case would divide by 0
      return this.optimizer.paramGroups.map(
        ({ lr }, index) => lr + ((this.baseLrs[index] - etaMin) * (1 - Math.cos(Math.PI / tMax))) / 2,
      );
    }
    const ratio = (1 + Math.cos((Math.PI * lastEpoch) / tMax)) / (1 + Math.cos((Math.PI * (lastEpoch - 1)) / tMax));
    return this.optimizer.paramGroups.map(({ lr }) => ratio * (lr - etaMin) + etaMin);
  }
  protected override closedForm(): number[] {
    const height = (1 + Math.cos((Math.PI * this.lastEpoch) / this.tMax)) / 2;
    return this.baseLrs.map((rate) => this.etaMin + (rate - this.etaMin) * height);
  }
  protected override stateNames(): Record<string, string> {
    return { ...super.stateNames(), T_max: "tMax", eta_min: "etaMin" };
  }
}

export interface CosineAnnealingWarmRestartsOptions extends SchedulerOptions {
  /** PyTorch's `T_0`: epochs of the first period. */
  readonly t0: number;
  /** PyTorch's `T_mult`: each period is this many times as long as the one before. */
  readonly tMult?: number;
  readonly etaMin?: number;
}

/** Cosine annealing that starts again from the base rate after t0, t0·tMult, … epochs (Loshchilov & Hutter 2016). */
export class CosineAnnealingWarmRestarts extends LRScheduler {
  t0: number;
  tMult: number;
  etaMin: number;
  /** Length of the present period, and epochs since it began. */
  tI: number;
  tCur: number;

  constructor(
    optimizer: AnyOptimizer,
    t0: number | CosineAnnealingWarmRestartsOptions,
    options?: Omit<CosineAnnealingWarmRestartsOptions, "t0">,
  ) {
    super(optimizer);
    const given = named<CosineAnnealingWarmRestartsOptions, "t0">("t0", t0, options);
    this.t0 = given.t0;
    this.tMult = given.tMult ?? 1;
    this.etaMin = given.etaMin ?? 0;
    if (!(Number.isInteger(this.t0) && this.t0 > 0)) this.fail(`t0 must be a positive integer, received ${this.t0}.`);
    if (!(Number.isInteger(this.tMult) && this.tMult >= 1))
      this.fail(`tMult must be an integer of at least 1, received ${this.tMult}.`);
    this.tI = this.t0;
    this.tCur = given.lastEpoch ?? -1;
    this.begin(given);
  }
  protected override getLr(): number[] {
    const height = (1 + Math.cos((Math.PI * this.tCur) / this.tI)) / 2;
    return this.baseLrs.map((rate) => this.etaMin + (rate - this.etaMin) * height);
  }
  /** The next epoch, or the epoch given: a fraction (epoch + batch / batches) anneals within an epoch. */
  override updateLr(epoch?: number): void {
    const next = epoch ?? (this.lastEpoch < 0 ? 0 : undefined);
    if (next === undefined) {
      this.tCur++;
      if (this.tCur >= this.tI) {
        this.tCur %= this.tI;
        this.tI *= this.tMult;
      }
      this.lastEpoch++;
    } else {
      if (!(next >= 0)) this.fail(`the epoch must be 0 or more, received ${next}.`);
      this.place(next);
      this.lastEpoch = Math.floor(next);
    }
    this.setRates(this.getLr());
  }
  /** Finds the period that an epoch is in. */
  private place(epoch: number): void {
    const { t0, tMult } = this;
    this.tI = t0;
    this.tCur = epoch;
    if (epoch < t0) return;
    if (tMult === 1) {
      this.tCur = epoch % t0;
      return;
    }
    const period = Math.trunc(Math.log((epoch / t0) * (tMult - 1) + 1) / Math.log(tMult));
    this.tCur = epoch - (t0 * (tMult ** period - 1)) / (tMult - 1);
    this.tI = t0 * tMult ** period;
  }
  protected override stateNames(): Record<string, string> {
    return { ...super.stateNames(), T_0: "t0", T_mult: "tMult", eta_min: "etaMin", T_i: "tI", T_cur: "tCur" };
  }
}
