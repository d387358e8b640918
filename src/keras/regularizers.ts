/** `keras.regularizers`: penalties on weights and activations, by name, instance or function. */
import { ArgumentError } from "../errors.ts";
import { Callable } from "../nn/callable.ts";
import * as neutral from "../nn/regularizers.ts";
import type { Tensor } from "../tensor/index.ts";
import type { Config } from "./config.ts";
import { checkOptions } from "./options.ts";
import { constructing, Registry, type Serialized } from "./registry.ts";

/** Base of all regularizers: `regularizer(weight)` is a scalar that joins the training loss. Subclasses implement `call`. */
export abstract class Regularizer extends Callable<[weight: Tensor], Tensor> {
  /** The penalty. */
  abstract override call(weight: Tensor): Tensor;
  override invoke(weight: Tensor): Tensor {
    return this.call(weight);
  }
  get className(): string {
    return this.constructor.name;
  }
  /** What makes the same regularizer again. */
  getConfig(): Config {
    return {};
  }
}

function factorOf(owner: string, name: string, value: number): number {
  if (Number.isFinite(value) && value >= 0) return value;
  throw new ArgumentError(`${owner}: ${name} must be a number of at least 0, received ${String(value)}.`);
}

/** l1·Σ|w| + l2·Σw². */
export class L1L2 extends Regularizer {
  readonly l1: number;
  readonly l2: number;

  constructor(options: { readonly l1?: number; readonly l2?: number } = {}) {
    checkOptions("L1L2", options, ["l1", "l2"]);
    super();
    this.l1 = factorOf("L1L2", "l1", options.l1 ?? 0);
    this.l2 = factorOf("L1L2", "l2", options.l2 ?? 0);
  }
  override call(weight: Tensor): Tensor {
    return neutral.absoluteAndSquarePenalty(weight, this.l1, this.l2);
  }
  override getConfig(): Config {
    return { l1: this.l1, l2: this.l2 };
  }
}

/** l1·Σ|w|; 0.01 by default. */
export class L1 extends Regularizer {
  readonly l1: number;

  constructor(l1: number | { readonly l1?: number } = 0.01) {
    super();
    this.l1 = factorOf("L1", "l1", typeof l1 === "number" ? l1 : (l1.l1 ?? 0.01));
  }
  override call(weight: Tensor): Tensor {
    return neutral.absoluteAndSquarePenalty(weight, this.l1, 0);
  }
  override getConfig(): Config {
    return { l1: this.l1 };
  }
}

/** l2·Σw²; 0.01 by default. */
export class L2 extends Regularizer {
  readonly l2: number;

  constructor(l2: number | { readonly l2?: number } = 0.01) {
    super();
    this.l2 = factorOf("L2", "l2", typeof l2 === "number" ? l2 : (l2.l2 ?? 0.01));
  }
  override call(weight: Tensor): Tensor {
    return neutral.absoluteAndSquarePenalty(weight, 0, this.l2);
  }
  override getConfig(): Config {
    return { l2: this.l2 };
  }
}

/** factor · mean |cos| of the angles between the rows (or columns) of a matrix; factor 0.01 by default. */
export class OrthogonalRegularizer extends Regularizer {
  readonly factor: number;
  readonly mode: "rows" | "columns";

  constructor(options: { readonly factor?: number; readonly mode?: "rows" | "columns" } = {}) {
    checkOptions("OrthogonalRegularizer", options, ["factor", "mode"]);
    super();
    this.factor = factorOf("OrthogonalRegularizer", "factor", options.factor ?? 0.01);
    this.mode = options.mode ?? "rows";
    if (this.mode !== "rows" && this.mode !== "columns") {
      throw new ArgumentError(
        `OrthogonalRegularizer: mode must be "rows" or "columns", received "${String(this.mode)}".`,
      );
    }
  }
  override call(weight: Tensor): Tensor {
    if (weight.rank !== 2) {
      throw new ArgumentError(`OrthogonalRegularizer: expected a matrix, received ${weight.rank} axes.`);
    }
    return neutral.orthogonalPenalty(weight, this.factor, this.mode);
  }
  override getConfig(): Config {
    return { factor: this.factor, mode: this.mode };
  }
}

/** A penalty as a function of the user's own; it cannot be saved. */
class FunctionRegularizer extends Regularizer {
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
export type RegularizerName = "l1" | "l2" | "l1_l2" | "orthogonal_regularizer";
/** What an argument such as `kernelRegularizer` takes. */
export type RegularizerLike = RegularizerName | Regularizer | ((weight: Tensor) => Tensor);

/** A serialised regularizer: its class and configuration. */
export type SerializedRegularizer = Serialized;

const names: Readonly<Record<RegularizerName, () => Regularizer>> = {
  l1: () => new L1(),
  l2: () => new L2(),
  l1_l2: () => new L1L2({ l1: 0.01, l2: 0.01 }),
  orthogonal_regularizer: () => new OrthogonalRegularizer(),
};

const registry = new Registry<Regularizer, (weight: Tensor) => Tensor>({
  kind: "a regularizer",
  base: Regularizer,
  classes: constructing<Regularizer>({ L1L2, L1, L2, OrthogonalRegularizer }),
  names,
  wrapper: FunctionRegularizer,
});

/** The regularizer that a name, an instance, a function or a serialised form stands for; undefined for none. */
export function get(
  identifier: RegularizerLike | SerializedRegularizer | null | undefined,
  owner = "regularizers.get",
): Regularizer | undefined {
  return identifier === null || identifier === undefined ? undefined : registry.get(identifier, owner);
}

/** What `get` makes the same regularizer of. */
export function serialize(regularizer: Regularizer | undefined): SerializedRegularizer | null {
  return regularizer === undefined ? null : registry.serialize(regularizer);
}
