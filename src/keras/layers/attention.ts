/** Attention over sequences. */
import { ArgumentError } from "../../errors.ts";
import { allowedPositions, attention, joinHeads, projectHeads, silencePositions } from "../../nn/attention.ts";
import { Generator, type Tensor, type Variable } from "../../tensor/index.ts";
import type { BatchShape, Config } from "../config.ts";
import type { KerasTensor } from "../keras-tensor.ts";
import { type CallOptions, inputError, knownSize, Layer, type LayerOptions } from "../layer.ts";
import { checkCount } from "./convolution-layer.ts";
import {
  type BiasOptions,
  type KernelOptions,
  type WeightSetting,
  weightConfig,
  weightOptionNames,
  weightSetting,
} from "./weight-options.ts";

type Inputs = readonly Tensor[];
type Shapes = readonly BatchShape[];
type Masks = readonly (Tensor | undefined)[];

/** What a call of an attention layer may say. Symbolic tensors may stand for tensors. */
export interface AttentionCallOptions extends CallOptions<Inputs> {
  /** What the values are found by; the values themselves by default. */
  readonly key?: Tensor | KerasTensor | undefined;
  /** (batch, queries, keys): true where a query may attend. */
  readonly attentionMask?: Tensor | KerasTensor | undefined;
  /** Query i attends to positions 0 … i only. */
  readonly useCausalMask?: boolean | undefined;
  /** Returns [output, scores], scores (batch, heads, queries, keys). */
  readonly returnAttentionScores?: boolean | undefined;
}
type Scores = AttentionCallOptions & { readonly returnAttentionScores: true };

/** Base of layers that are called as `layer(query, value, { key })`, or with a list [query, value] or [query, value, key]. */
abstract class AttentionLayer extends Layer<Inputs, Tensor, AttentionCallOptions> {
  override invoke(inputs: unknown, second?: unknown, third?: AttentionCallOptions): Tensor | KerasTensor {
    if (Array.isArray(inputs)) return super.invoke(inputs, second as AttentionCallOptions | undefined);
    const { key, ...options } = third ?? {};
    const list = key === undefined ? [inputs, second] : [inputs, second, key];
    return super.invoke(list as Tensor[], options);
  }
  protected checkInputs(shapes: Shapes): void {
    const given = Array.isArray(shapes) && shapes.every(Array.isArray) ? shapes : [];
    if (given.length !== 2 && given.length !== 3) {
      throw new ArgumentError(
        `${this.className} "${this.name}": expected query, value and perhaps a key, received ${given.length || "one"} tensor(s).`,
      );
    }
    const wrong = given.find((shape) => shape.length !== 3);
    if (wrong) throw inputError(this, wrong, "sequences: (batch, positions, features)");
  }
  /** Masks are read here and go on with the query only. */
  override computeMask(_inputs: Inputs, previousMask?: Masks): Tensor | undefined {
    return previousMask?.[0];
  }
}

/** How attention layers are called. */
export interface AttentionCall {
  (query: Tensor, value: Tensor, options: Scores): [output: Tensor, scores: Tensor];
  (query: Tensor, value: Tensor, options?: AttentionCallOptions): Tensor;
  (query: KerasTensor, value: KerasTensor, options: Scores): [output: KerasTensor, scores: KerasTensor];
  (query: KerasTensor, value: KerasTensor, options?: AttentionCallOptions): KerasTensor;
}

export interface MultiHeadAttentionOptions extends LayerOptions, KernelOptions, BiasOptions {
  readonly numHeads: number;
  /** Width of queries and keys in each head. */
  readonly keyDim: number;
  /** Width of values in each head; that of the keys by default. */
  readonly valueDim?: number | null;
  /** Share of the attention weights that are dropped in training. */
  readonly dropout?: number;
  readonly useBias?: boolean;
  /** Width, or shape, of the output at each position; the query's width by default. */
  readonly outputShape?: number | readonly number[] | null;
  readonly seed?: number | null;
}

const parts = ["query", "key", "value", "attention_output"] as const;
type Part = (typeof parts)[number];

/**
 * Attention in several heads: softmax(q·kᵀ / √keyDim)·v over projections of query, key and value, projected back to the query's width. Called as
 * `layer(query, value)`, `layer(query, value, { key })` or with a list. Weights: kernels [width, heads, keyDim] and biases of query, key and value,
 * attention_output. After keras.layers.MultiHeadAttention (Vaswani et al., 2017).
 *
 * @example
 * ```ts
 * const attend = new layers.MultiHeadAttention({ numHeads: 2, keyDim: 8 });
 * const [x, memory] = [ones([2, 5, 16]), ones([2, 7, 16])];
 * const y = attend(x, x, { useCausalMask: true });
 * const [output, scores] = attend(x, memory, { returnAttentionScores: true });
 * ```
 */
// biome-ignore lint/suspicious/noUnsafeDeclarationMerging: the interface only says how instances are called
export class MultiHeadAttention extends AttentionLayer {
  readonly numHeads: number;
  readonly keyDim: number;
  readonly valueDim: number;
  readonly dropout: number;
  readonly useBias: boolean;
  private readonly outputShapeOption: readonly number[] | undefined;
  private readonly seed: number | undefined;
  private readonly generator: Generator | undefined;
  private readonly kernels: Partial<Record<Part, Variable>> = {};
  private readonly biases: Partial<Record<Part, Variable>> = {};
  private readonly settings: { readonly kernel: WeightSetting; readonly bias: WeightSetting };

  constructor(options: MultiHeadAttentionOptions) {
    super(options, [
      "numHeads",
      "keyDim",
      "valueDim",
      "dropout",
      "useBias",
      "outputShape",
      "seed",
      ...weightOptionNames("kernel"),
      ...weightOptionNames("bias"),
    ]);
    const owner = `MultiHeadAttention "${this.name}"`;
    this.numHeads = checkCount(owner, "numHeads", options.numHeads);
    this.keyDim = checkCount(owner, "keyDim", options.keyDim);
    this.valueDim = checkCount(owner, "valueDim", options.valueDim ?? options.keyDim);
    this.dropout = options.dropout ?? 0;
    if (!(this.dropout >= 0 && this.dropout < 1)) {
      throw new ArgumentError(`${owner}: dropout must be at least 0 and below 1, received ${this.dropout}.`);
    }
    this.useBias = options.useBias ?? true;
    const shape = options.outputShape ?? undefined;
    this.outputShapeOption = typeof shape === "number" ? [shape] : shape;
    for (const size of this.outputShapeOption ?? []) checkCount(owner, "outputShape", size);
    this.seed = options.seed ?? undefined;
    this.generator = this.seed === undefined ? undefined : new Generator(this.seed);
    this.settings = {
      kernel: weightSetting(owner, options, "kernel", "glorot_uniform"),
      bias: weightSetting(owner, options, "bias", "zeros"),
    };
  }

  override build(inputShape: Shapes): void {
    this.checkInputs(inputShape);
    const [query, value, key = value] = inputShape;
    const { numHeads, keyDim, valueDim } = this;
    const width = (shape: BatchShape): number => knownSize(this, shape, -1, "number of features");
    const outputs = this.outputShapeOption ?? [width(query)];
    this.makePart("query", [width(query), numHeads, keyDim], [numHeads, keyDim]);
    this.makePart("key", [width(key), numHeads, keyDim], [numHeads, keyDim]);
    this.makePart("value", [width(value), numHeads, valueDim], [numHeads, valueDim]);
    this.makePart("attention_output", [numHeads, valueDim, ...outputs], outputs);
  }
  private makePart(part: Part, kernel: readonly number[], bias: readonly number[]): void {
    const { settings } = this;
    this.kernels[part] = this.addWeight({ name: `${part}/kernel`, shape: kernel, ...settings.kernel });
    if (this.useBias) this.biases[part] = this.addWeight({ name: `${part}/bias`, shape: bias, ...settings.bias });
  }

  override call(inputs: Inputs, options: AttentionCallOptions = {}): Tensor {
    this.checkInputs(inputs.map(({ shape }) => shape));
    const [query, value, key = value] = inputs;
    const [queries, values, keys] = options.mask ?? [];
    const { returnAttentionScores = false, training } = options;
    const allowed = allowedPositions({
      queries,
      keys: [values, keys],
      attention: options.attentionMask as Tensor | undefined,
      causal: options.useCausalMask ? [query.shape[1], value.shape[1]] : undefined,
    });
    const project = (x: Tensor, part: Part): Tensor =>
      projectHeads(x, this.kernels[part] as Variable, this.biases[part]);
    // as in Keras, a query that may attend nowhere gets the mean of all values where the scores are not asked for, else nothing
    const otherwise = returnAttentionScores || this.dropout > 0 ? "nothing" : "evenly";
    const mask = allowed && (allowed.rank === 3 ? allowed.unsqueeze(1) : allowed);
    const { output, weights } = attention(
      `${this.className} "${this.name}"`,
      project(query, "query"),
      project(key, "key"),
      project(value, "value"),
      {
        ...(mask && { allowed: { mask, otherwise } }),
        dropout: training ? this.dropout : 0,
        generator: this.generator,
      },
    );
    const joined = joinHeads(output, this.kernels.attention_output as Variable, this.biases.attention_output);
    return (returnAttentionScores ? [joined, weights] : joined) as Tensor;
  }

  override getConfig(): Config {
    return {
      ...super.getConfig(),
      numHeads: this.numHeads,
      keyDim: this.keyDim,
      valueDim: this.valueDim,
      dropout: this.dropout,
      useBias: this.useBias,
      outputShape: this.outputShapeOption ?? null,
      seed: this.seed ?? null,
      ...weightConfig("kernel", this.settings.kernel),
      ...weightConfig("bias", this.settings.bias),
    };
  }
}

export interface AttentionOptions extends LayerOptions {
  /** Whether a trained number multiplies the scores. */
  readonly useScale?: boolean;
  /** Share of the attention weights that are dropped in training. */
  readonly dropout?: number;
  readonly seed?: number | null;
}

/** Dot-product attention without weights: softmax(q·kᵀ)·v. Called as `layer([query, value, key])` or `layer(query, value)`. After keras.layers.Attention. */
// biome-ignore lint/suspicious/noUnsafeDeclarationMerging: the interface only says how instances are called
export class Attention extends AttentionLayer {
  readonly useScale: boolean;
  readonly dropout: number;
  scale: Variable | undefined;
  private readonly seed: number | undefined;
  private readonly generator: Generator | undefined;

  constructor(options: AttentionOptions = {}) {
    super(options, ["useScale", "dropout", "seed"]);
    this.useScale = options.useScale ?? false;
    this.dropout = options.dropout ?? 0;
    this.seed = options.seed ?? undefined;
    this.generator = this.seed === undefined ? undefined : new Generator(this.seed);
  }
  override build(inputShape: Shapes): void {
    this.checkInputs(inputShape);
    if (this.useScale) this.scale = this.addWeight({ name: "scale", shape: [], initializer: "ones" });
  }
  override call(inputs: Inputs, options: AttentionCallOptions = {}): Tensor {
    this.checkInputs(inputs.map(({ shape }) => shape));
    const [query, value, key = value] = inputs;
    const [queries, values] = options.mask ?? [];
    const mask = allowedPositions({
      keys: [values],
      causal: options.useCausalMask ? [query.shape[1], key.shape[1]] : undefined,
    });
    const { output, weights } = attention(`Attention "${this.name}"`, query, key, value, {
      scale: this.scale ?? 1,
      ...(mask && { allowed: { mask, otherwise: "evenly" } }),
      dropout: options.training ? this.dropout : 0,
      generator: this.generator,
    });
    const result = queries ? silencePositions(output, queries) : output;
    return (options.returnAttentionScores ? [result, weights] : result) as Tensor;
  }
  override getConfig(): Config {
    const { useScale, dropout, seed } = this;
    return { ...super.getConfig(), useScale, dropout, seed: seed ?? null };
  }
}

export interface MultiHeadAttention extends AttentionCall {}
export interface Attention extends AttentionCall {}
