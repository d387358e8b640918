/** `keras.constraints`: what weights must satisfy after every update. */
import { ArgumentError } from "../errors.ts";
import { Callable } from "../nn/callable.ts";
import * as neutral from "../nn/constraints.ts";
import type { Tensor } from "../tensor/index.ts";
import type { Config } from "./config.ts";
import { customClass } from "./custom-objects.ts";
import { checkOptions, lookUp } from "./options.ts";

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
export interface SerializedConstraint {
  readonly className: string;
  readonly config: Config;
}

const classes: Readonly<Record<string, new (config: Config) => Constraint>> = { MaxNorm, NonNeg, UnitNorm, MinMaxNorm };
const byName: Readonly<Record<string, () => Constraint>> = {
  max_norm: () => new MaxNorm(),
  non_neg: () => new NonNeg(),
  unit_norm: () => new UnitNorm(),
  min_max_norm: () => new MinMaxNorm(),
};

/** The constraint that a name, an instance, a function or a serialised form stands for; undefined for none. */
export function get(
  identifier: ConstraintLike | SerializedConstraint | null | undefined,
  owner = "constraints.get",
): Constraint | undefined {
  if (identifier === null || identifier === undefined) return undefined;
  if (identifier instanceof Constraint) return identifier;
  if (typeof identifier === "function") return new FunctionConstraint(identifier);
  if (typeof identifier === "string") return lookUp(owner, "constraint", identifier, byName)();
  const type = customClass(identifier.className) ?? lookUp(owner, "constraint", identifier.className, classes);
  return new (type as new (config: Config) => Constraint)(identifier.config);
}

/** What `get` makes the same constraint of. */
export function serialize(constraint: Constraint | undefined): Config | null {
  if (constraint === undefined) return null;
  if (constraint instanceof FunctionConstraint) {
    throw new ArgumentError(
      "a constraint is a function of your own, which cannot be saved; make it a class that extends Constraint and register it with registerKerasSerializable.",
    );
  }
  return { className: constraint.className, config: constraint.getConfig() };
}
