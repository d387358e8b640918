/** Schedulers made of schedulers: one after another, and all at once. */
import { type AnyOptimizer, LRScheduler, Scheduler, type SchedulerStateDict } from "./scheduler.ts";

/** What can be a part of another scheduler. */
type Part = LRScheduler | SequentialLR | ChainedScheduler;

abstract class Composed extends Scheduler {
  protected readonly parts: readonly Part[];

  constructor(optimizer: AnyOptimizer | undefined, parts: readonly Part[]) {
    super(optimizer ?? (parts[0]?.optimizer as AnyOptimizer));
    if (!Array.isArray(parts) || parts.length === 0) this.fail("expects at least one scheduler, received none.");
    parts.forEach((part: unknown, index) => {
      if (!(part instanceof LRScheduler || part instanceof Composed)) {
        const name = (part as object | undefined)?.constructor?.name ?? typeof part;
        this.fail(
          part instanceof Scheduler
            ? `does not take ${name} (at index ${index}): its step() needs a metric.`
            : `expects schedulers, received ${name} at index ${index}.`,
        );
      }
      if (part.optimizer !== this.optimizer)
        this.fail(`expects schedulers of one optimizer; the one at index ${index} belongs to another.`);
    });
    this.parts = parts;
  }

  protected override stateNames(): Record<string, string> {
    return { _last_lr: "lastLr" };
  }
  override stateDict(): SchedulerStateDict {
    return { ...super.stateDict(), _schedulers: this.parts.map((part) => part.stateDict()) };
  }
  override checkState(stateDict: SchedulerStateDict): void {
    const { _schedulers: parts, ...own } = stateDict ?? {};
    if (!Array.isArray(parts) || parts.length !== this.parts.length) {
      this.fail(`the state dict must hold the states of ${this.parts.length} schedulers.`);
    }
    super.checkState(own);
    this.parts.forEach((part, index) => {
      part.checkState(parts[index] as SchedulerStateDict);
    });
  }
  override restore(stateDict: SchedulerStateDict): void {
    super.restore(stateDict);
    const states = stateDict._schedulers as readonly SchedulerStateDict[];
    this.parts.forEach((part, index) => {
      part.restore(states[index]);
    });
  }
  /** @internal Takes back the step that the parts' constructors took. */
  undo(): void {
    for (const part of this.parts) {
      if (part instanceof Composed) part.undo();
      else part.lastEpoch--;
    }
  }
}

export interface SequentialLROptions {
  readonly schedulers: readonly Part[];
  readonly milestones: readonly number[];
}

/**
 * One scheduler after another: `schedulers[i + 1]` takes over at epoch `milestones[i]`. A warm-up is a LinearLR before the main schedule.
 *
 * @example
 * ```ts
 * const { LinearLR, CosineAnnealingLR, SequentialLR } = optim.lrScheduler;
 * const warmUp = new LinearLR(optimizer, { startFactor: 0.1, totalIters: 5 });
 * const main = new CosineAnnealingLR(optimizer, 95);
 * const scheduler = new SequentialLR(optimizer, [warmUp, main], [5]);
 * ```
 */
export class SequentialLR extends Composed {
  milestones: number[];

  constructor(
    optimizer: AnyOptimizer,
    schedulers: readonly Part[] | SequentialLROptions,
    milestones: readonly number[] = [],
  ) {
    const given: SequentialLROptions = Array.isArray(schedulers)
      ? { schedulers: schedulers as readonly Part[], milestones }
      : (schedulers as SequentialLROptions);
    super(optimizer, given.schedulers);
    this.milestones = [...given.milestones];
    if (this.milestones.length !== this.parts.length - 1) {
      this.fail(
        `expects one milestone less than schedulers, received ${this.parts.length} schedulers and ${this.milestones.length} milestones.`,
      );
    }
    for (const group of optimizer.paramGroups) group.lr = group.initialLr ?? group.lr;
    this.undo();
    const first = this.partAt(0);
    if (first instanceof LRScheduler) first.initialStep();
    this.lastLr = first.getLastLr();
  }

  private partAt(epoch: number): Part {
    return this.parts[this.milestones.filter((milestone) => milestone <= epoch).length];
  }

  step(): void {
    this.checkPlace();
    this.lastEpoch++;
    const part = this.partAt(this.lastEpoch);
    if (this.milestones.includes(this.lastEpoch) && part instanceof LRScheduler) part.updateLr(0);
    else part.step();
    this.lastLr = part.getLastLr();
  }

  protected override stateNames(): Record<string, string> {
    return { ...super.stateNames(), last_epoch: "lastEpoch", _milestones: "milestones" };
  }
}

/** All schedulers at every step, each on top of what the ones before it set. */
export class ChainedScheduler extends Composed {
  constructor(schedulers: readonly Part[], optimizer?: AnyOptimizer) {
    super(optimizer, schedulers);
    this.lastLr = this.optimizer.paramGroups.map(({ lr }) => lr);
  }
  step(): void {
    for (const part of this.parts) part.step();
    this.lastLr = this.optimizer.paramGroups.map(({ lr }) => lr);
  }
}
