import { type Accumulator, meanOf, sumOf } from "../../nn/accumulator.ts";
import { maskedWeights } from "../../nn/losses.ts";
import type { Assignment } from "../../nn/updates.ts";
import { assignAll, type Tensor, Variable, zeros } from "../../tensor/index.ts";
import type { Config } from "../config.ts";
import { maskOf } from "../mask.ts";
import { autoName } from "../naming.ts";
import { checkOptions } from "../options.ts";

export interface MetricOptions {
  readonly name?: string;
}

/**
 * Base of all metrics: counts in variables that a training step updates inside its own program. Used alone: `updateState`, `result`,
 * `resetState`.
 */
export class Metric {
  readonly name: string;
  protected readonly config: Config;
  private readonly accumulator: () => Accumulator;
  private made: Accumulator | undefined;
  private state: Variable[] | undefined;

  constructor(accumulator: Accumulator | (() => Accumulator), options: MetricOptions = {}, config: Config = {}) {
    this.name = options.name ?? autoName(new.target.name);
    this.config = config;
    this.accumulator = typeof accumulator === "function" ? accumulator : () => accumulator;
  }

  get className(): string {
    return this.constructor.name;
  }
  /** Whether steps that the predictions' mask leaves out do not count. */
  protected get masked(): boolean {
    return false;
  }
  protected get rule(): Accumulator {
    this.made ??= this.accumulator();
    return this.made;
  }
  /** Whether more is better. */
  get direction(): "up" | "down" | undefined {
    return this.rule.direction;
  }
  /** The counts. */
  get variables(): Variable[] {
    this.state ??= this.rule.state.map(
      ({ name, shape }) => new Variable(zeros(shape), { name: `${this.name}/${name}`, trainable: false }),
    );
    return this.state;
  }
  /** What a batch does to the counts, for the program of a step. */
  assignments(yTrue: Tensor, yPred: Tensor, sampleWeight?: Tensor): Assignment[] {
    const { variables } = this;
    const weights = this.masked ? maskedWeights(sampleWeight, maskOf(yPred), "sum") : sampleWeight;
    const next = this.rule.update(variables, yTrue, yPred, weights);
    return variables.map((variable, index): Assignment => [variable, next[index]]);
  }
  /** Counts a batch at once. */
  updateState(yTrue: Tensor, yPred: Tensor, sampleWeight?: Tensor): void {
    assignAll(this.assignments(yTrue, yPred, sampleWeight));
  }
  /** The metric over everything since the last reset. */
  result(): number | number[] {
    return this.rule.finish(this.variables.map((variable) => variable.dataSync()));
  }
  resetState(): void {
    if (!this.state) return;
    for (const variable of this.state) variable.assign(zeros(variable.shape));
  }
  getConfig(): Config {
    return { name: this.name, ...this.config };
  }
}

/** The mean of values: `updateState(values, sampleWeight)`. */
export class Mean extends Metric {
  constructor(options: MetricOptions = {}) {
    checkOptions("Mean", options, ["name"]);
    super(
      meanOf((values) => values),
      { name: options.name ?? "mean" },
    );
  }
  override updateState(values: Tensor, sampleWeight?: Tensor): void {
    super.updateState(values, values, sampleWeight);
  }
}

/** The sum of values: `updateState(values, sampleWeight)`. */
export class Sum extends Metric {
  constructor(options: MetricOptions = {}) {
    checkOptions("Sum", options, ["name"]);
    super(
      sumOf((values) => values),
      { name: options.name ?? "sum" },
    );
  }
  override updateState(values: Tensor, sampleWeight?: Tensor): void {
    super.updateState(values, values, sampleWeight);
  }
}
