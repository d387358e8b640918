import { ArgumentError } from "../errors.ts";
import { formatShape, sameShape } from "../graph/shape.ts";
import type { Assignment } from "../nn/updates.ts";
import { assignAll, full, liveNumber, type Tensor, Variable, where, zeros } from "../tensor/index.ts";
import { type ClipOptions, checkClipOptions, clipGradients } from "./clipping.ts";
import type { UpdateRule } from "./rule.ts";
import type { ScheduleFunction } from "./schedules.ts";

export interface OptimizerOptions extends ClipOptions {
  /** Fraction of the learning rate by which weights shrink every step, before the update: w ← w − w·λ·η. */
  readonly weightDecay?: number;
  /** Steps whose gradients are averaged into one update. */
  readonly gradientAccumulationSteps?: number;
}

/**
 * The state of an optimizer over a fixed list of parameters: iterations (i32), one variable per parameter and slot, and a learning rate that
 * is a run-time number or a schedule of the iterations. A step is a list of assignments, so that it joins the one program of a training step.
 */
export class OptimizerState {
  readonly rule: UpdateRule;
  readonly options: OptimizerOptions;
  readonly name: string;
  /** Number of steps taken. */
  readonly iterations: Variable;
  private rate: number | ScheduleFunction;
  private readonly slots = new Map<Variable, readonly Variable[]>();
  private readonly accumulators = new Map<Variable, Variable>();
  private readonly excluded = new Set<Variable>();

  constructor(name: string, rule: UpdateRule, rate: number | ScheduleFunction, options: OptimizerOptions = {}) {
    checkClipOptions(name, options);
    const { gradientAccumulationSteps: steps, weightDecay } = options;
    if (steps !== undefined && !(Number.isInteger(steps) && steps >= 2)) {
      throw new ArgumentError(
        `${name}: gradientAccumulationSteps must be an integer of at least 2, received ${steps}.`,
      );
    }
    if (weightDecay !== undefined && !(weightDecay >= 0)) {
      throw new ArgumentError(`${name}: weightDecay must be 0 or more, received ${weightDecay}.`);
    }
    this.name = name;
    this.rule = rule;
    this.options = options;
    this.rate = rate;
    this.iterations = new Variable(zeros([], "i32"), { name: "iteration", trainable: false });
  }

  /** Whether `build` has made the slots. */
  get built(): boolean {
    return this.slots.size > 0;
  }

  /** Changing it never recompiles. */
  get learningRate(): number {
    return typeof this.rate === "number" ? this.rate : this.rate(this.iterations.cast("f32")).item();
  }
  set learningRate(value: number) {
    if (typeof this.rate !== "number") {
      throw new ArgumentError(
        `${this.name}: the learning rate follows a schedule and cannot be set; make the optimizer with a number to be able to set it.`,
      );
    }
    if (!Number.isFinite(value))
      throw new ArgumentError(`${this.name}: learningRate must be a finite number, received ${value}.`);
    this.rate = value;
  }
  /** The schedule, if the learning rate follows one. */
  get schedule(): ScheduleFunction | undefined {
    return typeof this.rate === "number" ? undefined : this.rate;
  }

  /** Makes the slots for parameters that have none yet. */
  build(parameters: readonly Variable[]): void {
    for (const parameter of parameters) {
      if (this.slots.has(parameter)) continue;
      const make = (slot: string, initial: number) =>
        new Variable(full(parameter.shape, initial), {
          name: `${parameter.name.replaceAll("/", "_")}_${slot}`,
          trainable: false,
          ...(parameter.order && { order: parameter.order }),
        });
      this.slots.set(
        parameter,
        this.rule.slots.map((slot) => make(slot.name, slot.initial)),
      );
      if (this.options.gradientAccumulationSteps) {
        this.accumulators.set(parameter, make("gradient_accumulator", 0));
      }
    }
  }

  /** Leaves variables out of weight decay (biases, normalisation). */
  excludeFromWeightDecay(variables: readonly Variable[]): void {
    for (const variable of variables) this.excluded.add(variable);
  }

  /** Iterations, then gradient accumulators, then the slots of each parameter in turn. */
  get variables(): Variable[] {
    return [this.iterations, ...this.accumulators.values(), ...[...this.slots.values()].flat()];
  }

  /** What a step writes: new weights, slots and iterations. A parameter without a gradient stays as it is. */
  step(gradients: readonly (Tensor | undefined)[], parameters: readonly Variable[]): Assignment[] {
    if (gradients.length !== parameters.length) {
      throw new ArgumentError(
        `${this.name}: received ${gradients.length} gradients for ${parameters.length} variables; they must match one to one.`,
      );
    }
    this.build(parameters);
    const targets: Variable[] = [];
    const present: Tensor[] = [];
    gradients.forEach((gradient, index) => {
      if (!gradient) return;
      const parameter = parameters[index];
      if (!sameShape(gradient.shape, parameter.shape)) {
        throw new ArgumentError(
          `${this.name}: the gradient of ${parameter.name} has shape ${formatShape(gradient.shape)}, the variable ${formatShape(parameter.shape)}.`,
        );
      }
      targets.push(parameter);
      present.push(gradient);
    });
    if (targets.length === 0 && parameters.length > 0) {
      throw new ArgumentError(
        `${this.name}: no gradients for any variable: the loss does not depend on the trainable weights.`,
      );
    }
    const count = this.iterations.add(1);
    const assignments = this.options.gradientAccumulationSteps
      ? this.accumulate(present, targets, this.options.gradientAccumulationSteps)
      : this.update(present, targets, this.iterations);
    return [...assignments, [this.iterations, count]];
  }

  /** Takes a step at once, as a program of its own. */
  apply(gradients: readonly (Tensor | undefined)[], parameters: readonly Variable[]): void {
    assignAll(this.step(gradients, parameters));
  }

  private update(gradients: readonly Tensor[], targets: readonly Variable[], finished: Tensor): Assignment[] {
    const rate = this.rate;
    const learningRate =
      typeof rate === "number" ? liveNumber(() => this.rate as number) : rate(this.iterations.cast("f32"));
    const { update } = this.rule.prepare({ learningRate, step: finished.add(1).cast("f32"), counters: [] });
    const decay = this.options.weightDecay;
    const clipped = clipGradients(gradients, this.options);
    return targets.flatMap((parameter, index): Assignment[] => {
      const slots = this.slots.get(parameter) as readonly Variable[];
      const decays = decay !== undefined && decay > 0 && !this.excluded.has(parameter);
      const before = decays ? parameter.sub(parameter.mul(decay).mul(learningRate)) : parameter;
      const next = update(before, clipped[index], slots);
      return [[parameter, next.parameter], ...next.slots.map((value, slot): Assignment => [slots[slot], value])];
    });
  }

  /** Adds up gradients; every `steps`-th step averages and applies them. One program for both kinds of step. */
  private accumulate(gradients: readonly Tensor[], targets: readonly Variable[], steps: number): Assignment[] {
    const applies = this.iterations.add(1).remainder(steps).eq(0);
    const sums = gradients.map((gradient, index) => gradient.add(this.accumulators.get(targets[index]) as Variable));
    const averages = sums.map((sum) => sum.div(steps));
    const updates = this.update(averages, targets, this.iterations.floorDivide(steps));
    return [
      ...updates.map(([variable, value]): Assignment => [variable, where(applies, value, variable)]),
      ...sums.map(
        (sum, index): Assignment => [
          this.accumulators.get(targets[index]) as Variable,
          where(applies, zeros(sum.shape), sum),
        ],
      ),
    ];
  }
}
