import {
  type AnyGroup,
  type AnyOptimizer,
  LRScheduler,
  named,
  type SchedulerOptions,
  stateNamesOf,
} from "./scheduler.ts";

export interface OneCycleLROptions extends SchedulerOptions {
  /** Highest rate, or one for each group. */
  readonly maxLr: number | readonly number[];
  /** Steps of the cycle; otherwise `epochs` times `stepsPerEpoch`. */
  readonly totalSteps?: number;
  readonly epochs?: number;
  readonly stepsPerEpoch?: number;
  /** Part of the cycle in which the rate rises. */
  readonly pctStart?: number;
  readonly annealStrategy?: "cos" | "linear";
  /** Move the momentum against the rate. */
  readonly cycleMomentum?: boolean;
  readonly baseMomentum?: number | readonly number[];
  readonly maxMomentum?: number | readonly number[];
  /** The first rate is maxLr / divFactor. */
  readonly divFactor?: number;
  /** The last rate is the first / finalDivFactor. */
  readonly finalDivFactor?: number;
  /** Down to the first rate as it went up, and on to the last one in a third phase. */
  readonly threePhase?: boolean;
}

type RateName = "initialLr" | "maxLr" | "minLr";
type MomentumName = "baseMomentum" | "maxMomentum";

interface Phase {
  readonly endStep: number;
  readonly rates: readonly [RateName, RateName];
  readonly momenta: readonly [MomentumName, MomentumName];
}

/**
 * The 1cycle policy (Smith & Topin 2018): the rate rises from maxLr / divFactor to maxLr and falls far below where it began, momentum moves the
 * other way. Step it after every batch.
 */
export class OneCycleLR extends LRScheduler {
  totalSteps: number;
  cycleMomentum: boolean;
  useBeta1 = false;
  private readonly phases: readonly Phase[];
  private readonly strategy: "cos" | "linear";

  constructor(
    optimizer: AnyOptimizer,
    maxLr: number | readonly number[] | OneCycleLROptions,
    options?: Omit<OneCycleLROptions, "maxLr">,
  ) {
    super(optimizer);
    const given = named<OneCycleLROptions, "maxLr">("maxLr", maxLr as OneCycleLROptions, options);
    const { epochs, stepsPerEpoch, pctStart = 0.3, annealStrategy = "cos", threePhase = false } = given;
    const { divFactor = 25, finalDivFactor = 1e4, lastEpoch = -1 } = given;
    const steps =
      given.totalSteps ?? (epochs !== undefined && stepsPerEpoch !== undefined ? epochs * stepsPerEpoch : 0);
    if (!(Number.isInteger(steps) && steps > 0)) {
      this.fail("define either totalSteps or both epochs and stepsPerEpoch, as positive integers.");
    }
    if (!(pctStart >= 0 && pctStart <= 1)) this.fail(`pctStart must be between 0 and 1, received ${pctStart}.`);
    if (annealStrategy !== "cos" && annealStrategy !== "linear")
      this.fail(`annealStrategy must be "cos" or "linear", received "${String(annealStrategy)}".`);
    this.totalSteps = steps;
    this.strategy = annealStrategy;
    this.phases = phasesOf(steps, pctStart, threePhase);
    const groups = optimizer.paramGroups as AnyGroup[];
    const highest = this.perGroup("maxLr", given.maxLr);
    if (lastEpoch === -1) {
      groups.forEach((group, index) => {
        group.initialLr = highest[index] / divFactor;
        group.maxLr = highest[index];
        group.minLr = group.initialLr / finalDivFactor;
      });
    }
    this.cycleMomentum = given.cycleMomentum ?? true;
    if (this.cycleMomentum) this.beginMomentum(groups, given, lastEpoch);
    this.begin(given);
  }

  private beginMomentum(groups: AnyGroup[], given: OneCycleLROptions, lastEpoch: number): void {
    this.useBeta1 = "betas" in this.optimizer.defaults;
    if (!this.useBeta1 && !("momentum" in this.optimizer.defaults))
      this.fail("the optimizer has neither momentum nor betas to cycle; pass { cycleMomentum: false }.");
    const highest = this.perGroup("maxMomentum", given.maxMomentum ?? 0.95);
    const lowest = this.perGroup("baseMomentum", given.baseMomentum ?? 0.85);
    if (lastEpoch !== -1) return;
    groups.forEach((group, index) => {
      group.maxMomentum = highest[index];
      group.baseMomentum = lowest[index];
      this.setMomentum(group, highest[index]);
    });
  }
  private setMomentum(group: AnyGroup, value: number): void {
    if (this.useBeta1) group.betas = [value, group.betas?.[1] ?? 0];
    else group.momentum = value;
  }

  private anneal(start: number, end: number, progress: number): number {
    if (this.strategy === "linear") return (end - start) * progress + start;
    return end + ((start - end) / 2) * (Math.cos(Math.PI * progress) + 1);
  }

  protected override getLr(): number[] {
    const step = this.lastEpoch;
    if (step > this.totalSteps) this.fail(`tried to step ${step} times; the cycle has ${this.totalSteps} steps.`);
    let start = 0;
    let phase = this.phases[0];
    for (phase of this.phases) {
      if (step <= phase.endStep) break;
      if (phase !== this.phases[this.phases.length - 1]) start = phase.endStep;
    }
    const progress = (step - start) / (phase.endStep - start);
    return (this.optimizer.paramGroups as AnyGroup[]).map((group) => {
      const between = (names: readonly [RateName | MomentumName, RateName | MomentumName]) =>
        this.anneal(group[names[0]] as number, group[names[1]] as number, progress);
      if (this.cycleMomentum) this.setMomentum(group, between(phase.momenta));
      return between(phase.rates);
    });
  }

  protected override stateNames(): Record<string, string> {
    return { ...super.stateNames(), ...stateNamesOf("totalSteps", "cycleMomentum"), use_beta1: "useBeta1" };
  }
}

function phasesOf(steps: number, pctStart: number, threePhase: boolean): Phase[] {
  const rising: Phase = {
    endStep: pctStart * steps - 1,
    rates: ["initialLr", "maxLr"],
    momenta: ["maxMomentum", "baseMomentum"],
  };
  if (!threePhase) {
    return [rising, { endStep: steps - 1, rates: ["maxLr", "minLr"], momenta: ["baseMomentum", "maxMomentum"] }];
  }
  return [
    rising,
    { endStep: 2 * pctStart * steps - 2, rates: ["maxLr", "initialLr"], momenta: ["baseMomentum", "maxMomentum"] },
    { endStep: steps - 1, rates: ["initialLr", "minLr"], momenta: ["maxMomentum", "maxMomentum"] },
  ];
}
