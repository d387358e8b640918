/** `keras.constraints`: what weights must satisfy after every update. */
import { Callable } from "../nn/callable.ts";
import * as neutral from "../nn/constraints.ts";
import type { Tensor } from "../tensor/index.ts";
import type { Config } from "./config.ts";
import { checkOptions } from "./options.ts";
import { constructing, Registry, type Serialized } from "./registry.ts";

/** Base of all constraints: `constraint(weight)` is the weight as it may be. Subclasses implement `call`. */
export abstract class Constraint extends Callable<[weight: Tensor], Tensor> {
  /** The nearest allowed weight. */
  abstract override call(weight: Tensor): Tensor;
  override invoke(weight: Tensor): Tensor {
    return this.call(weight);
  }
  get className(): string {
    return this.constructor.name;
  }
  /** What makes the same constraint again. */
  getConfig(): Config {
    return {};
  }
}

type Axis = number | readonly number[];
const axesOf = (axis: Axis): readonly number[] => (typeof axis === "number" ? [axis] : axis);

/** Norms along `axis` of at most `maxValue` (2 by default). */
export class MaxNorm extends Constraint {
  readonly maxValue: number;
  readonly axis: Axis;

  constructor(
    maxValue: number | { readonly maxValue?: number; readonly axis?: Axis } = 2,
    options: { readonly axis?: Axis } = {},
  ) {
    const given = typeof maxValue === "number" ? { maxValue, ...options } : maxValue;
    checkOptions("MaxNorm", given, ["maxValue", "axis"]);
    super();
    this.maxValue = given.maxValue ?? 2;
    this.axis = given.axis ?? 0;
  }
  override call(weight: Tensor): Tensor {
    return neutral.minMaxNorm(weight, 0, this.maxValue, 1, axesOf(this.axis));
  }
  override getConfig(): Config {
    return { maxValue: this.maxValue, axis: this.axis };
  }
}

/** No negative numbers. */
export class NonNeg extends Constraint {
  override call(weight: Tensor): Tensor {
    return neutral.nonNegative(weight);
  }
}

/** Norms along `axis` of 1. */
export class UnitNorm extends Constraint {
  readonly axis: Axis;

  constructor(options: { readonly axis?: Axis } = {}) {
    checkOptions("UnitNorm", options, ["axis"]);
    super();
    this.axis = options.axis ?? 0;
  }
  override call(weight: Tensor): Tensor {
    return neutral.unitNorm(weight, axesOf(this.axis));
  }
  override getConfig(): Config {
    return { axis: this.axis };
  }
}

export interface MinMaxNormOptions {
  readonly minValue?: number;
  readonly maxValue?: number;
  /** How far weights move towards the bounds at each update; 1 is all the way. */
  readonly rate?: number;
  readonly axis?: Axis;
}

/** Norms along `axis` between `minValue` and `maxValue`. */
export class MinMaxNorm extends Constraint {
  private readonly settings: Required<MinMaxNormOptions>;

  constructor(options: MinMaxNormOptions = {}) {
    checkOptions("MinMaxNorm", options, ["minValue", "maxValue", "rate", "axis"]);
    super();
    const { minValue = 0, maxValue = 1, rate = 1, axis = 0 } = options;
    this.settings = { minValue, maxValue, rate, axis };
  }
  override call(weight: Tensor): Tensor {
    const { minValue, maxValue, rate, axis } = this.settings;
    return neutral.minMaxNorm(weight, minValue, maxValue, rate, axesOf(axis));
  }
  override getConfig(): Config {
    return { ...this.settings };
  }
}

/** A projection as a function of the user's own; it cannot be saved. */
class FunctionConstraint extends Constraint {
  private readonly fn: (weight: Tensor) => Tensor;
  constructor(fn: (weight: Tensor) => Tensor) {
    super();
    this.fn = fn;
  }
  override call(weight: Tensor): Tensor {
    return this.fn(weight);
  }
}

/** Names that strings may have. */
export type ConstraintName = "max_norm" | "non_neg" | "unit_norm" | "min_max_norm";
/** What an argument such as `kernelConstraint` takes. */
export type ConstraintLike = ConstraintName | Constraint | ((weight: Tensor) => Tensor);

/** A serialised constraint: its class and configuration. */
export type SerializedConstraint = Serialized;

const names: Readonly<Record<ConstraintName, () => Constraint>> = {
  max_norm: () => new MaxNorm(),
  non_neg: () => new NonNeg(),
  unit_norm: () => new UnitNorm(),
  min_max_norm: () => new MinMaxNorm(),
};

const registry = new Registry<Constraint, (weight: Tensor) => Tensor>({
  kind: "a constraint",
  base: Constraint,
  classes: constructing<Constraint>({ MaxNorm, NonNeg, UnitNorm, MinMaxNorm }),
  names,
  wrapper: FunctionConstraint,
});

/** The constraint that a name, an instance, a function or a serialised form stands for; undefined for none. */
export function get(
  identifier: ConstraintLike | SerializedConstraint | null | undefined,
  owner = "constraints.get",
): Constraint | undefined {
  return identifier === null || identifier === undefined ? undefined : registry.get(identifier, owner);
}

/** What `get` makes the same constraint of. */
export function serialize(constraint: Constraint | undefined): SerializedConstraint | null {
  return constraint === undefined ? null : registry.serialize(constraint);
}
