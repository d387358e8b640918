import { ArgumentError } from "../../errors.ts";
import { engine } from "../../tensor/index.ts";
import { atEntry } from "../../tensor/lift.ts";
import { Optimizer } from "./optimizer.ts";
import { type CommonSettings, type ParamGroup, snakeCase } from "./param-groups.ts";

/** An optimizer of any kind. */
export type AnyOptimizer = Optimizer<CommonSettings>;
/** A group of any optimizer, with the settings that some have. */
export type AnyGroup = ParamGroup<CommonSettings> & { momentum?: number; betas?: readonly [number, number] };

/** Plain data: what schedulers keep, as `torch.save` takes it. */
export type SchedulerValue =
  | number
  | string
  | boolean
  | null
  | readonly SchedulerValue[]
  | { readonly [name: string]: SchedulerValue };
/** What `scheduler.stateDict()` gives. */
export type SchedulerStateDict = { readonly [name: string]: SchedulerValue };

/** Options that every scheduler takes. */
export interface SchedulerOptions {
  /** The last epoch of the run to resume, when the optimizer's groups already have an `initialLr`; -1 starts. */
  readonly lastEpoch?: number;
}

/** What all schedulers have in common. */
export abstract class Scheduler {
  readonly optimizer: AnyOptimizer;
  /** Number of the last epoch, counted from 0. */
  lastEpoch = 0;
  protected lastLr: number[] = [];

  constructor(optimizer: AnyOptimizer) {
    if (!(optimizer instanceof Optimizer)) {
      throw new ArgumentError(`${new.target.name}: the first argument must be an optimizer of torch.optim.`);
    }
    this.optimizer = optimizer;
  }

  /** The learning rates that the last step set, one for each group. */
  getLastLr(): number[] {
    return [...this.lastLr];
  }

  /** @internal The properties that make up the state, by their names in a state dict. */
  protected abstract stateNames(): Readonly<Record<string, string>>;

  /** A copy of everything but the optimizer, under PyTorch's names. Functions are not part of it. */
  stateDict(): SchedulerStateDict {
    const own = this as unknown as Record<string, SchedulerValue>;
    return Object.fromEntries(
      Object.entries(this.stateNames()).map(([name, property]) => [name, structuredClone(own[property])]),
    );
  }

  /** Restores a state dict of a scheduler of the same kind. Names and types are checked first; on an error nothing changes. */
  loadStateDict(stateDict: SchedulerStateDict): void {
    atEntry(this.loadStateDict, () => {
      this.checkState(stateDict);
      this.restore(stateDict);
    });
  }

  /** @internal Throws where a state dict does not fit. */
  checkState(stateDict: SchedulerStateDict): void {
    const { name: owner } = this.constructor;
    const own = this as unknown as Record<string, unknown>;
    const names = this.stateNames();
    const given = stateDict !== null && typeof stateDict === "object" ? stateDict : {};
    const problems = Object.entries(names).flatMap(([name, property]) => {
      if (!Object.hasOwn(given, name)) return [`${name} is missing`];
      return alike(given[name], own[property]) ? [] : [`${name} is ${JSON.stringify(given[name])}`];
    });
    for (const name of Object.keys(given)) {
      if (!Object.hasOwn(names, name) && !foreignState.has(name)) problems.push(`${name} is unknown`);
    }
    if (problems.length > 0) {
      throw new ArgumentError(`loadStateDict: the state dict does not fit this ${owner}: ${problems.join("; ")}.`);
    }
  }
  /** @internal Takes over a state dict that was checked. */
  restore(stateDict: SchedulerStateDict): void {
    for (const [name, property] of Object.entries(this.stateNames())) {
      (this as unknown as Record<string, unknown>)[property] = structuredClone(stateDict[name]);
    }
  }

  /** @internal A step inside a compiled function would be taken once, when it is traced. */
  protected checkPlace(): void {
    if (engine.tracing)
      this.fail("step() inside a compiled function has no effect on its later calls; call it outside.");
  }
  /** @internal */
  protected fail(message: string): never {
    throw new ArgumentError(`${this.constructor.name}: ${message}`);
  }
  /** @internal One value for each group, from one value or a list. */
  protected perGroup<Value>(name: string, value: Value | readonly Value[]): Value[] {
    const count = this.optimizer.paramGroups.length;
    if (!Array.isArray(value)) return this.optimizer.paramGroups.map(() => value as Value);
    if (value.length !== count)
      this.fail(`expected ${count} values for ${name}, one for each group, got ${value.length}.`);
    return [...(value as readonly Value[])];
  }
}

/** Entries of PyTorch's state dicts that mean nothing here. */
const foreignState = new Set([
  "_get_lr_called_within_step",
  "_is_initial",
  "lr_lambdas",
  "mode_worse",
  "_anneal_func_type",
]);

function alike(given: unknown, own: unknown): boolean {
  if (Array.isArray(own)) return Array.isArray(given) && given.every((part) => own.length === 0 || alike(part, own[0]));
  if (own === null || given === null) return true;
  if (typeof own === "object") return typeof given === "object" && !Array.isArray(given);
  return typeof given === typeof own;
}

/** Property names to the names of a state dict: `totalIters` to `total_iters`. */
export const stateNamesOf = (...properties: string[]): Record<string, string> =>
  Object.fromEntries(properties.map((property) => [snakeCase(property), property]));

/**
 * Base of the schedulers that compute a learning rate from the last one. `step()` after each epoch, or after each batch where the schedule is
 * in batches; rates are arguments of the compiled step, so nothing is compiled anew.
 */
export abstract class LRScheduler extends Scheduler {
  /** Rates of the groups before any schedule. */
  baseLrs: number[] = [];
  protected stepCount = 0;
  /** True while the constructor takes the first step. */
  protected isInitial = false;

  /** The rates of epoch `lastEpoch`, from the groups' present ones. */
  protected abstract getLr(): number[];

  /** @internal Called at the end of each constructor: notes the base rates and takes the first step. */
  protected begin(options: SchedulerOptions): void {
    const { lastEpoch = -1 } = options;
    const { paramGroups } = this.optimizer;
    paramGroups.forEach((group, index) => {
      if (lastEpoch === -1) group.initialLr ??= group.lr;
      else if (group.initialLr === undefined) {
        this.fail(
          `paramGroups[${index}] has no initialLr, so lastEpoch ${lastEpoch} cannot be resumed; load the optimizer's state dict first.`,
        );
      }
    });
    this.baseLrs = paramGroups.map((group) => group.initialLr as number);
    this.lastEpoch = lastEpoch;
    this.initialStep();
  }
  /** @internal */
  initialStep(): void {
    this.stepCount = 0;
    this.isInitial = true;
    try {
      this.step();
    } finally {
      this.isInitial = false;
    }
  }

  /** Sets the rates of the next epoch (or of the epoch given). */
  step(epoch?: number): void {
    this.checkPlace();
    if (this.stepCount === 1 && !this.optimizer.stepped) {
      console.warn(
        `${this.constructor.name}: step() was called before the first optimizer.step(), so the first rate of the schedule is skipped. Call optimizer.step() first.`,
      );
    }
    this.stepCount++;
    this.updateLr(epoch);
  }

  /** @internal */
  updateLr(epoch?: number): void {
    this.lastEpoch = epoch ?? this.lastEpoch + 1;
    const rates = epoch === undefined ? this.getLr() : (this.closedForm?.() ?? this.getLr());
    this.setRates(rates);
  }
  /** The rates of epoch `lastEpoch` without looking at the present ones, where there is such a formula. */
  protected closedForm?(): number[];

  /** @internal */
  protected setRates(rates: readonly number[]): void {
    this.optimizer.paramGroups.forEach((group, index) => {
      group.lr = rates[index];
    });
    this.lastLr = [...rates];
  }
  /** @internal Present rates, scaled. */
  protected scaled(factor: number): number[] {
    return this.optimizer.paramGroups.map(({ lr }) => lr * factor);
  }

  protected override stateNames(): Record<string, string> {
    return { base_lrs: "baseLrs", last_epoch: "lastEpoch", _step_count: "stepCount", _last_lr: "lastLr" };
  }
}

/** `(optimizer, 30, { gamma })` and `(optimizer, { stepSize: 30, gamma })` are the same. */
export function named<Options extends object, Name extends keyof Options>(
  name: Name,
  first: Options | Options[Name],
  more: Omit<Options, Name> | undefined,
): Options {
  const isOptions = first !== null && typeof first === "object" && !Array.isArray(first);
  return (isOptions ? first : { ...more, [name]: first }) as Options;
}
