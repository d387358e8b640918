import { ArgumentError } from "../errors.ts";
import { formatShape, sameShape } from "../graph/shape.ts";
import type { Assignment } from "../nn/updates.ts";
import { engine, full, liveNumber, type Tensor, Variable } from "../tensor/index.ts";
import { type Setting, type SlotSpec, settingOperand, type UpdateRule } from "./rule.ts";

/** What one group of parameters does in a step. */
export interface GroupStep {
  /** Stands for the group from step to step. */
  readonly group: object;
  readonly rule: UpdateRule;
  /** Read at the step, and at each replay of a compiled one. */
  readonly learningRate: () => number;
  /** λ: added to gradients as λ·w, or taken from weights as w·λ·η before the update where it is decoupled. 0 adds nothing to the program. */
  readonly weightDecay?: Setting;
  readonly decoupledWeightDecay?: boolean;
  /** Climb instead of descend. */
  readonly maximize?: boolean;
  readonly parameters: readonly Variable[];
  /** One for each parameter. */
  readonly gradients: readonly Tensor[];
}

/** The step count and counters that parameters share as long as they take every step together. */
interface Clock {
  readonly group: object;
  readonly members: Set<Variable>;
  readonly values: Map<string, Variable>;
}

const stepCount: SlotSpec = { name: "step", initial: 0 };

/** Steps are counted in integers, which are exact beyond 2²⁴; other counters are numbers. */
const counterValue = (name: string, value: number): Tensor => full([], value, name === stepCount.name ? "i32" : "f32");

/**
 * The state of an optimizer whose parameters come in groups and may be skipped for lack of a gradient: slots of each parameter, made when a rule
 * first asks for them, and clocks. Everything is a variable, so that a step is one program and a compiled step counts.
 */
export class ParameterStates {
  private readonly slots = new Map<Variable, Map<string, Variable>>();
  private readonly clocks = new Map<Variable, Clock>();

  /** Makes what a rule keeps for parameters that do not have it yet. */
  build(group: object, rule: UpdateRule, parameters: readonly Variable[]): void {
    for (const parameter of parameters) for (const spec of rule.slots) this.slotOf(parameter, spec);
    this.clocksOf(group, rule, parameters);
  }

  /** What a step writes: weights, slots and clocks of the parameters given; other parameters and their counts stay as they are. */
  step(groups: readonly GroupStep[]): Assignment[] {
    return groups.flatMap((group) => this.groupStep(group));
  }

  private groupStep(step: GroupStep): Assignment[] {
    const { rule, parameters } = step;
    checkGradients(step);
    const learningRate = liveNumber(step.learningRate);
    const decay =
      step.weightDecay === undefined || step.weightDecay === 0 ? undefined : settingOperand(step.weightDecay);
    const gradientOf = new Map(parameters.map((parameter, index) => [parameter, step.gradients[index]]));
    const decoupled = decay !== undefined && step.decoupledWeightDecay === true;
    const remaining = decoupled ? learningRate.mul(decay).neg().add(1) : undefined;

    return this.clocksOf(step.group, rule, parameters).flatMap((clock): Assignment[] => {
      const count = (clock.values.get(stepCount.name) as Variable).add(1);
      const counters = rule.counters ?? [];
      const variables = counters.map((spec) => this.counterOf(clock, spec));
      const taken = rule.prepare({ learningRate, step: count.cast("f32"), counters: variables });
      const assignments: Assignment[] = [];
      for (const parameter of parameters) {
        if (this.clocks.get(parameter) !== clock) continue;
        const slots = rule.slots.map((spec) => this.slotOf(parameter, spec));
        let gradient = gradientOf.get(parameter) as Tensor;
        if (step.maximize) gradient = gradient.neg();
        if (decay !== undefined && !decoupled) gradient = gradient.add(parameter.mul(decay));
        const next = taken.update(remaining ? parameter.mul(remaining) : parameter, gradient, slots);
        assignments.push([parameter, next.parameter]);
        next.slots.forEach((value, index) => {
          assignments.push([slots[index], value]);
        });
      }
      // the counts come last, as in `OptimizerState`: a step is the same program whichever of the two takes it
      return [
        ...assignments,
        ...(taken.counters ?? []).map((value, index): Assignment => [variables[index], value]),
        [clock.values.get(stepCount.name) as Variable, count],
      ];
    });
  }

  // ---- slots and clocks ----

  private slotOf(parameter: Variable, { name, initial }: SlotSpec): Variable {
    let slots = this.slots.get(parameter);
    if (!slots) {
      slots = new Map();
      this.slots.set(parameter, slots);
    }
    let slot = slots.get(name);
    if (!slot) {
      slot = slotLike(parameter, full(parameter.shape, initial), name);
      slots.set(name, slot);
    }
    return slot;
  }

  private counterOf(clock: Clock, { name, initial }: SlotSpec): Variable {
    let counter = clock.values.get(name);
    if (!counter) {
      counter = new Variable(counterValue(name, initial), { name, trainable: false });
      clock.values.set(name, counter);
    }
    return counter;
  }

  /** The clocks of parameters about to step together. Where some members of a clock are left out, the others go on with a copy of it. */
  private clocksOf(group: object, rule: UpdateRule, parameters: readonly Variable[]): Clock[] {
    if (rule.ignoresStep) return [this.commonClock(group, rule, parameters)];
    const stepping = new Map<Clock | undefined, Variable[]>();
    for (const parameter of parameters) {
      const clock = this.clocks.get(parameter);
      stepping.set(clock, [...(stepping.get(clock) ?? []), parameter]);
    }
    return [...stepping].map(([clock, members]) => {
      if (clock && clock.members.size === members.length) return clock;
      const next: Clock = { group, members: new Set(members), values: new Map() };
      for (const [name, value] of clock?.values ?? []) {
        // a copy of the value as it is now; in a trace a pending one, computed before the first program that overwrites it
        next.values.set(name, new Variable(engine.tracing ? value.add(0) : value, { name, trainable: false }));
      }
      for (const spec of [stepCount, ...(rule.counters ?? [])]) this.counterOf(next, spec);
      for (const member of members) {
        clock?.members.delete(member);
        this.clocks.set(member, next);
      }
      return next;
    });
  }

  /** Where nobody asks for the count one clock is enough, whichever parameters take a step. */
  private commonClock(group: object, rule: UpdateRule, parameters: readonly Variable[]): Clock {
    const first = this.clocks.get(parameters[0]);
    if (first && parameters.every((parameter) => this.clocks.get(parameter) === first)) {
      for (const spec of rule.counters ?? []) this.counterOf(first, spec);
      return first;
    }
    const known = parameters.map((parameter) => this.clocks.get(parameter)).find((clock) => clock !== undefined);
    const common: Clock = known ?? { group, members: new Set(), values: new Map() };
    for (const spec of [stepCount, ...(rule.counters ?? [])]) this.counterOf(common, spec);
    for (const parameter of parameters) {
      this.clocks.get(parameter)?.members.delete(parameter);
      common.members.add(parameter);
      this.clocks.set(parameter, common);
    }
    return common;
  }

  // ---- saving and restoring ----

  /** What is kept for a parameter: slots and clock values by name. Empty before its first step. */
  stateOf(parameter: Variable): ReadonlyMap<string, Variable> {
    return new Map([...(this.clocks.get(parameter)?.values ?? []), ...(this.slots.get(parameter) ?? [])]);
  }

  /**
   * Replaces all state. Existing variables are written, so that compiled steps go on with the restored values; parameters of a group with equal
   * clock values share a clock again.
   */
  restore(entries: readonly RestoredState[]): Assignment[] {
    const assignments: Assignment[] = [];
    const put = (variable: Variable | undefined, value: Tensor, create: () => Variable): Variable => {
      if (!variable) return create();
      assignments.push([variable, value]);
      return variable;
    };
    const before = { slots: new Map(this.slots), clocks: new Map(this.clocks) };
    this.slots.clear();
    this.clocks.clear();
    const shared = new Map<object, Map<string, Clock>>();
    for (const { parameter, group, slots, counters } of entries) {
      const known = before.slots.get(parameter);
      const restored = Object.entries(slots).map(
        ([name, value]) => [name, put(known?.get(name), value, () => slotLike(parameter, value, name))] as const,
      );
      this.slots.set(parameter, new Map(restored));
      const key = JSON.stringify(counters);
      const byValue = shared.get(group) ?? new Map<string, Clock>();
      shared.set(group, byValue);
      let clock = byValue.get(key);
      if (!clock) {
        const old = before.clocks.get(parameter);
        const reused = old !== undefined && ![...shared.values()].some((map) => holds(map, old));
        const values = Object.entries(counters).map(
          ([name, value]) =>
            [
              name,
              put(
                reused ? old.values.get(name) : undefined,
                counterValue(name, value),
                () => new Variable(counterValue(name, value), { name, trainable: false }),
              ),
            ] as const,
        );
        clock = { group, members: new Set(), values: new Map(values) };
        byValue.set(key, clock);
      }
      clock.members.add(parameter);
      this.clocks.set(parameter, clock);
    }
    return assignments;
  }
}

/** A variable that belongs to a parameter and lies in memory as it does. */
function slotLike(parameter: Variable, value: Tensor, name: string): Variable {
  const { order } = parameter;
  return new Variable(value, { name: `${parameter.name}_${name}`, trainable: false, ...(order && { order }) });
}

/** State of one parameter on its way back. */
export interface RestoredState {
  readonly parameter: Variable;
  readonly group: object;
  readonly slots: Readonly<Record<string, Tensor>>;
  readonly counters: Readonly<Record<string, number>>;
}

function holds(clocks: ReadonlyMap<string, Clock>, old: Clock): boolean {
  const variables = new Set(old.values.values());
  return [...clocks.values()].some((clock) => [...clock.values.values()].some((value) => variables.has(value)));
}

function checkGradients({ rule, parameters, gradients }: GroupStep): void {
  if (gradients.length !== parameters.length) {
    throw new ArgumentError(
      `${rule.name}: received ${gradients.length} gradients for ${parameters.length} parameters; they must match one to one.`,
    );
  }
  gradients.forEach((gradient, index) => {
    const parameter = parameters[index];
    if (sameShape(gradient.shape, parameter.shape)) return;
    throw new ArgumentError(
      `${rule.name}: the gradient of ${parameter.name} has shape ${formatShape(gradient.shape)}, the parameter ${formatShape(parameter.shape)}.`,
    );
  });
}
