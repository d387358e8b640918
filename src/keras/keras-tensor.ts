import { UnsupportedError } from "../errors.ts";
import type { DType } from "../graph/dtype.ts";
import { Handle } from "../tensor/handle.ts";
import { Tensor } from "../tensor/index.ts";
import type { BatchShape } from "./config.ts";
import type { AnyLayer } from "./layer.ts";
import type { Structure } from "./structure.ts";

/** Where a symbolic tensor comes from: output `tensorIndex` of call `nodeIndex` of a layer. */
export interface KerasHistory {
  readonly layer: AnyLayer;
  readonly nodeIndex: number;
  readonly tensorIndex: number;
}

/**
 * A symbolic tensor: a shape and a dtype without values. `Input` makes one, calling a layer on it makes others, and
 * `new Model({ inputs, outputs })` turns what lies between into a model. The batch axis is null.
 */
export class KerasTensor extends Handle {
  readonly shape: BatchShape;
  readonly dtype: DType;
  readonly name: string;
  /** @internal */
  readonly history: KerasHistory;

  constructor(shape: BatchShape, dtype: DType, history: KerasHistory, name: string) {
    super();
    this.shape = shape;
    this.dtype = dtype;
    this.history = history;
    this.name = name;
  }
  /** Number of axes. */
  get rank(): number {
    return this.shape.length;
  }
  /** @internal Tensor functions ask for it. */
  override get node(): never {
    throw noValue(this, "a tensor function was called on it");
  }
  [Symbol.toPrimitive](): never {
    throw noValue(this, "it was used as a number or a text");
  }
  override toString(): string {
    return `<KerasTensor shape=(${this.shape.map((size) => size ?? "None").join(", ")}), dtype=${this.dtype}, name=${this.name}>`;
  }
  [Symbol.for("nodejs.util.inspect.custom")](): string {
    return this.toString();
  }
}

function noValue(tensor: KerasTensor, what: string): UnsupportedError {
  return new UnsupportedError(
    `${tensor.toString()} is symbolic, but ${what}. Use a layer on it (Add, Multiply, Activation, Reshape, …), or a layer of your own whose ` +
      "`call` does the arithmetic.",
  );
}

// Methods of tensors, called on a symbolic tensor, say what to do instead of being undefined.
for (let prototype = Tensor.prototype; prototype !== Handle.prototype; prototype = Object.getPrototypeOf(prototype)) {
  for (const name of Object.getOwnPropertyNames(prototype)) {
    if (name === "constructor" || name in KerasTensor.prototype || ["shape", "dtype", "name", "history"].includes(name))
      continue;
    Object.defineProperty(KerasTensor.prototype, name, {
      configurable: true,
      get(this: KerasTensor): never {
        throw noValue(this, `its "${name}" was asked for`);
      },
    });
  }
}

/** One call of a layer on symbolic tensors. */
export interface LayerNode {
  readonly layer: AnyLayer;
  /** The inputs as they were passed. */
  readonly inputs: Structure<KerasTensor>;
  /** Further options of the call; some may be, or hold, symbolic tensors. */
  readonly options: Readonly<Record<string, unknown>>;
  /** All symbolic tensors that the call reads: inputs, then those of the options. */
  readonly reads: readonly KerasTensor[];
  /** What the call gave, as the layer structures it. */
  readonly outputs: Structure<KerasTensor>;
}
