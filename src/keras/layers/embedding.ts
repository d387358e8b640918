/** Embedding and Masking: where masks come from. */
import { ArgumentError } from "../../errors.ts";
import { embed } from "../../nn/embedding.ts";
import { countedSteps, maskSteps } from "../../nn/recurrent.ts";
import type { Tensor, Variable } from "../../tensor/index.ts";
import type { BatchShape, Config } from "../config.ts";
import type * as constraints from "../constraints.ts";
import type * as initializers from "../initializers.ts";
import { Layer, type LayerOptions } from "../layer.ts";
import type * as regularizers from "../regularizers.ts";
import { type WeightSetting, weightConfig, weightOptionNames, weightSetting } from "./weight-options.ts";

export interface EmbeddingOptions extends LayerOptions {
  /** U(−0.05, 0.05) by default. */
  readonly embeddingsInitializer?: initializers.InitializerLike;
  readonly embeddingsRegularizer?: regularizers.RegularizerLike | null;
  readonly embeddingsConstraint?: constraints.ConstraintLike | null;
  /** Index 0 stands for padding: later layers pass over it. */
  readonly maskZero?: boolean;
}

/**
 * Rows of a table [inputDim, outputDim] by their numbers. An index outside [0, inputDim) is an `IndexRangeError`. After keras.layers.Embedding.
 *
 * @example
 * ```ts
 * const model = new Sequential([new layers.Embedding(30000, 125, { maskZero: true }), new layers.GRU(100), new layers.Dense(2)]);
 * ```
 */
export class Embedding extends Layer {
  readonly inputDim: number;
  readonly outputDim: number;
  readonly maskZero: boolean;
  embeddings!: Variable;
  private readonly setting: WeightSetting;

  constructor(inputDim: number, outputDim: number, options: EmbeddingOptions = {}) {
    super(options, [...weightOptionNames("embeddings"), "maskZero"]);
    const owner = `${this.className} "${this.name}"`;
    for (const [name, size] of Object.entries({ inputDim, outputDim })) {
      if (!Number.isInteger(size) || size <= 0) {
        throw new ArgumentError(`${owner}: ${name} must be a positive integer, received ${size}.`);
      }
    }
    this.inputDim = inputDim;
    this.outputDim = outputDim;
    this.maskZero = options.maskZero ?? false;
    this.supportsMasking = this.maskZero;
    this.setting = weightSetting(owner, options, "embeddings", "random_uniform");
  }
  override build(): void {
    this.embeddings = this.addWeight({
      name: "embeddings",
      shape: [this.inputDim, this.outputDim],
      ...this.setting,
    });
  }
  override call(inputs: Tensor): Tensor {
    return embed(this.embeddings, inputs.cast("i32"));
  }
  override computeMask(inputs: Tensor): Tensor | undefined {
    return this.maskZero ? countedSteps(inputs) : undefined;
  }
  override computeOutputShape(inputShape: BatchShape): BatchShape {
    return [...inputShape, this.outputDim];
  }
  override getConfig(): Config {
    return {
      ...super.getConfig(),
      inputDim: this.inputDim,
      outputDim: this.outputDim,
      ...weightConfig("embeddings", this.setting),
      maskZero: this.maskZero,
    };
  }
}

export interface MaskingOptions extends LayerOptions {
  /** A step whose features all have this value is passed over (default 0). */
  readonly maskValue?: number;
}

/** Masks the steps whose features all equal `maskValue`, and sets them to zero. After keras.layers.Masking. */
export class Masking extends Layer {
  readonly maskValue: number;

  constructor(options: MaskingOptions = {}) {
    super(options, ["maskValue"]);
    this.maskValue = options.maskValue ?? 0;
  }
  override call(inputs: Tensor): Tensor {
    return maskSteps(inputs, this.maskValue).masked;
  }
  override computeMask(inputs: Tensor): Tensor {
    return maskSteps(inputs, this.maskValue).mask;
  }
  override computeOutputShape(inputShape: BatchShape): BatchShape {
    return inputShape;
  }
  override getConfig(): Config {
    return { ...super.getConfig(), maskValue: this.maskValue };
  }
}
