/** What a layer's options say about one of its weights: how it starts, what the loss adds for it, what it must satisfy. */
import type { Config } from "../config.ts";
import * as constraints from "../constraints.ts";
import * as initializers from "../initializers.ts";
import * as regularizers from "../regularizers.ts";

/** Options about a kernel. */
export interface KernelOptions {
  readonly kernelInitializer?: initializers.InitializerLike;
  readonly kernelRegularizer?: regularizers.RegularizerLike | null;
  readonly kernelConstraint?: constraints.ConstraintLike | null;
}
/** Options about a bias. */
export interface BiasOptions {
  readonly biasInitializer?: initializers.InitializerLike;
  readonly biasRegularizer?: regularizers.RegularizerLike | null;
  readonly biasConstraint?: constraints.ConstraintLike | null;
}

/** The names of the options about a weight: `kernelInitializer`, `kernelRegularizer`, `kernelConstraint`. */
export const weightOptionNames = (weight: string): readonly string[] => [
  `${weight}Initializer`,
  `${weight}Regularizer`,
  `${weight}Constraint`,
];

/** What a weight is made with: passed on to `addWeight`. */
export interface WeightSetting {
  readonly initializer: initializers.Initializer;
  readonly regularizer: regularizers.Regularizer | undefined;
  readonly constraint: constraints.Constraint | undefined;
}

/** The options about a weight, made into objects. */
export function weightSetting(
  owner: string,
  options: object,
  weight: string,
  initializer: initializers.InitializerLike,
): WeightSetting {
  const given = options as Readonly<Record<string, unknown>>;
  const [first, second, third] = weightOptionNames(weight).map((name) => given[name]);
  return {
    initializer: initializers.get((first as initializers.InitializerLike | undefined) ?? initializer, owner),
    regularizer: regularizers.get(second as regularizers.RegularizerLike | null | undefined, owner),
    constraint: constraints.get(third as constraints.ConstraintLike | null | undefined, owner),
  };
}

/** The options that make the same setting again. */
export function weightConfig(weight: string, setting: WeightSetting): Config {
  const { initializer, regularizer, constraint } = setting;
  return {
    [`${weight}Initializer`]: initializers.serialize(initializer),
    ...(regularizer && { [`${weight}Regularizer`]: regularizers.serialize(regularizer) }),
    ...(constraint && { [`${weight}Constraint`]: constraints.serialize(constraint) }),
  };
}
