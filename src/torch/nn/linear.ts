/** Layers of matrix products and tables. */
import { ArgumentError, UnsupportedError } from "../../errors.ts";
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
  readonly in_features: number;
  readonly out_features: number;
  weight: Parameter;
  bias: Parameter | null;
  constructor(inFeatures: number, outFeatures: number, options: boolean | LinearOptions = {}) {
    super();
    const owner = this.constructor.name;
    checkSize(owner, "inFeatures", inFeatures, 0);
    checkSize(owner, "outFeatures", outFeatures, 0);
    this.in_features = inFeatures;
    this.out_features = outFeatures;
    this.weight = initialWeight(owner, [outFeatures, inFeatures], inFeatures, denseOrder);
    const withBias = typeof options === "boolean" ? options : (options.bias ?? true);
    this.bias = withBias ? initialBias(owner, [outFeatures], inFeatures) : null;
  }
  override forward(x: Tensor): Tensor {
    return F.linear(x, this.weight, this.bias, layerName(this));
  }
  override extraRepr(): string {
    return `in_features=${this.in_features}, out_features=${this.out_features}, bias=${pythonText(this.bias !== null)}`;
  }
}

/** y_k = x₁·weight_k·x₂ + bias_k over the last axes, with weight (outFeatures, in1Features, in2Features). After torch.nn.Bilinear. */
export class Bilinear extends Module<[x1: Tensor, x2: Tensor]> {
  readonly in1_features: number;
  readonly in2_features: number;
  readonly out_features: number;
  weight: Parameter;
  bias: Parameter | null;
  constructor(in1Features: number, in2Features: number, outFeatures: number, options: LinearOptions = {}) {
    super();
    for (const [name, value] of Object.entries({ in1Features, in2Features, outFeatures })) {
      checkSize("Bilinear", name, value, 1);
    }
    this.in1_features = in1Features;
    this.in2_features = in2Features;
    this.out_features = outFeatures;
    this.weight = initialWeight("Bilinear", [outFeatures, in1Features, in2Features], in1Features);
    this.bias = (options.bias ?? true) ? initialBias("Bilinear", [outFeatures], in1Features) : null;
  }
  override forward(x1: Tensor, x2: Tensor): Tensor {
    return F.bilinear(x1, x2, this.weight, this.bias, layerName(this));
  }
  override extraRepr(): string {
    return `in1_features=${this.in1_features}, in2_features=${this.in2_features}, out_features=${this.out_features}, bias=${pythonText(this.bias !== null)}`;
  }
}

export interface EmbeddingOptions {
  /** The row that starts as zeros and is not trained; negative counts from the end. */
  readonly paddingIdx?: number | null;
  /** Not available. */
  readonly maxNorm?: null;
}

/**
 * Rows of a table (numEmbeddings, embeddingDim) by their numbers, which are integers below numEmbeddings. Starts as N(0, 1). After
 * torch.nn.Embedding.
 */
export class Embedding extends Module {
  readonly num_embeddings: number;
  readonly embedding_dim: number;
  readonly padding_idx: number | null;
  weight: Parameter;
  constructor(numEmbeddings: number, embeddingDim: number, options: EmbeddingOptions = {}) {
    super();
    checkSize("Embedding", "numEmbeddings", numEmbeddings, 1);
    checkSize("Embedding", "embeddingDim", embeddingDim, 1);
    if (options.maxNorm !== null && options.maxNorm !== undefined) {
      throw new UnsupportedError(
        "Embedding: maxNorm is not available; renormalise the weight between steps with weight.assign(…).",
      );
    }
    const padding = options.paddingIdx ?? null;
    if (padding !== null && !(Number.isInteger(padding) && padding >= -numEmbeddings && padding < numEmbeddings)) {
      throw new ArgumentError(`Embedding: paddingIdx ${padding} is outside a table of ${numEmbeddings} rows.`);
    }
    this.num_embeddings = numEmbeddings;
    this.embedding_dim = embeddingDim;
    this.padding_idx = padding !== null && padding < 0 ? padding + numEmbeddings : padding;
    this.weight = new Parameter(normalTable(numEmbeddings, embeddingDim, this.padding_idx ?? undefined), {
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
    return F.embedding(x, this.weight, { paddingIdx: this.padding_idx });
  }
  override extraRepr(): string {
    const padding = this.padding_idx === null ? "" : `, padding_idx=${this.padding_idx}`;
    return `${this.num_embeddings}, ${this.embedding_dim}${padding}`;
  }
}
