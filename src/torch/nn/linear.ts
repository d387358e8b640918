/** Layers of matrix products and tables. */
import { ArgumentError } from "../../errors.ts";
import { normalTable } from "../../nn/embedding.ts";
import type { Tensor } from "../../tensor/index.ts";
import * as F from "./functional/index.ts";
import { denseOrder, initialBias, initialWeight } from "./initial.ts";
import { layerName, Module } from "./module.ts";
import { pythonText } from "./module-text.ts";
import { Parameter } from "./parameter.ts";

export interface LinearOptions {
  readonly bias?: boolean;
}

function checkSize(owner: string, name: string, value: number, least: number): void {
  if (!Number.isInteger(value) || value < least)
    throw new ArgumentError(`${owner}: ${name} must be an integer of ${least} or more, received ${value}.`);
}

/**
 * y = x·weightᵀ + bias over the last axis, with weight (outFeatures, inFeatures). After torch.nn.Linear.
 *
 * @example
 * ```ts
 * new nn.Linear(784, 10)(torch.zeros([32, 784])).shape; // [32, 10]
 * ```
 */
export class Linear extends Module {
  readonly inFeatures: number;
  readonly outFeatures: number;
  weight: Parameter;
  bias: Parameter | null;
  constructor(inFeatures: number, outFeatures: number, options: boolean | LinearOptions = {}) {
    super();
    const owner = this.constructor.name;
    checkSize(owner, "inFeatures", inFeatures, 0);
    checkSize(owner, "outFeatures", outFeatures, 0);
    this.inFeatures = inFeatures;
    this.outFeatures = outFeatures;
    this.weight = initialWeight(owner, [outFeatures, inFeatures], inFeatures, denseOrder);
    const withBias = typeof options === "boolean" ? options : (options.bias ?? true);
    this.bias = withBias ? initialBias(owner, [outFeatures], inFeatures) : null;
  }
  override forward(x: Tensor): Tensor {
    return F.linear(x, this.weight, this.bias, layerName(this));
  }
  override extraRepr(): string {
    return `in_features=${this.inFeatures}, out_features=${this.outFeatures}, bias=${pythonText(this.bias !== null)}`;
  }
}

/** y_k = x₁·weight_k·x₂ + bias_k over the last axes, with weight (outFeatures, in1Features, in2Features). After torch.nn.Bilinear. */
export class Bilinear extends Module<[x1: Tensor, x2: Tensor]> {
  readonly in1Features: number;
  readonly in2Features: number;
  readonly outFeatures: number;
  weight: Parameter;
  bias: Parameter | null;
  constructor(in1Features: number, in2Features: number, outFeatures: number, options: LinearOptions = {}) {
    super();
    for (const [name, value] of Object.entries({ in1Features, in2Features, outFeatures })) {
      checkSize("Bilinear", name, value, 1);
    }
    this.in1Features = in1Features;
    this.in2Features = in2Features;
    this.outFeatures = outFeatures;
    this.weight = initialWeight("Bilinear", [outFeatures, in1Features, in2Features], in1Features);
    this.bias = (options.bias ?? true) ? initialBias("Bilinear", [outFeatures], in1Features) : null;
  }
  override forward(x1: Tensor, x2: Tensor): Tensor {
    return F.bilinear(x1, x2, this.weight, this.bias, layerName(this));
  }
  override extraRepr(): string {
    return `in1_features=${this.in1Features}, in2_features=${this.in2Features}, out_features=${this.outFeatures}, bias=${pythonText(this.bias !== null)}`;
  }
}

export interface EmbeddingOptions {
  /** The row that starts as zeros and is not trained; negative counts from the end. */
  readonly paddingIdx?: number | null;
  /** Rows that are looked up and have a larger norm are scaled down to it, in the weight itself, before they are read. */
  readonly maxNorm?: number | null;
  /** p of that norm; 2 by default. */
  readonly normType?: number;
}

/**
 * Rows of a table (numEmbeddings, embeddingDim) by their numbers, which are integers below numEmbeddings. Starts as N(0, 1). After
 * torch.nn.Embedding.
 */
export class Embedding extends Module {
  readonly numEmbeddings: number;
  readonly embeddingDim: number;
  readonly paddingIdx: number | null;
  readonly maxNorm: number | null;
  readonly normType: number;
  weight: Parameter;
  constructor(numEmbeddings: number, embeddingDim: number, options: EmbeddingOptions = {}) {
    super();
    checkSize("Embedding", "numEmbeddings", numEmbeddings, 1);
    checkSize("Embedding", "embeddingDim", embeddingDim, 1);
    const padding = options.paddingIdx ?? null;
    if (padding !== null && !(Number.isInteger(padding) && padding >= -numEmbeddings && padding < numEmbeddings)) {
      throw new ArgumentError(`Embedding: paddingIdx ${padding} is outside a table of ${numEmbeddings} rows.`);
    }
    this.numEmbeddings = numEmbeddings;
    this.embeddingDim = embeddingDim;
    this.paddingIdx = padding !== null && padding < 0 ? padding + numEmbeddings : padding;
    this.maxNorm = options.maxNorm ?? null;
    this.normType = options.normType ?? 2;
    this.weight = new Parameter(normalTable(numEmbeddings, embeddingDim, this.paddingIdx ?? undefined), {
      name: "Embedding.weight",
    });
  }
  /** A layer with the rows of a tensor, not trained unless `freeze` is false. */
  static fromPretrained(embeddings: Tensor, options: EmbeddingOptions & { readonly freeze?: boolean } = {}): Embedding {
    if (embeddings.rank !== 2)
      throw new ArgumentError(`Embedding.fromPretrained: expected a matrix, received rank ${embeddings.rank}.`);
    const layer = new Embedding(embeddings.shape[0], embeddings.shape[1], options);
    layer.weight = new Parameter(embeddings, { name: "Embedding.weight", requiresGrad: !(options.freeze ?? true) });
    return layer;
  }
  override forward(x: Tensor): Tensor {
    const { paddingIdx, maxNorm, normType } = this;
    return F.embedding(x, this.weight, { paddingIdx, maxNorm, normType }, layerName(this));
  }
  override extraRepr(): string {
    const padding = this.paddingIdx === null ? "" : `, padding_idx=${this.paddingIdx}`;
    const most = this.maxNorm === null ? "" : `, max_norm=${pythonText(this.maxNorm)}`;
    const type = this.normType === 2 ? "" : `, norm_type=${pythonText(this.normType)}`;
    return `${this.numEmbeddings}, ${this.embeddingDim}${padding}${most}${type}`;
  }
}
