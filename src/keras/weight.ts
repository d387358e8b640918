import { type TensorLike, Variable } from "../tensor/index.ts";
import type { Constraint } from "./constraints.ts";
import type { Regularizer } from "./regularizers.ts";

export interface WeightOptions {
  readonly name: string;
  readonly trainable: boolean;
  readonly regularizer?: Regularizer | undefined;
  readonly constraint?: Constraint | undefined;
}

/** A weight of a layer: a variable with what the loss adds for it and what its updates must satisfy. */
export class Weight extends Variable {
  readonly regularizer: Regularizer | undefined;
  readonly constraint: Constraint | undefined;

  constructor(initial: TensorLike, options: WeightOptions) {
    super(initial, { name: options.name, trainable: options.trainable });
    this.regularizer = options.regularizer;
    this.constraint = options.constraint;
  }
}
