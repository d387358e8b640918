/** The encoder of a transformer. */
import { ArgumentError } from "../../errors.ts";
import { residual } from "../../nn/attention.ts";
import type { Tensor } from "../../tensor/index.ts";
import { MultiheadAttention } from "./attention.ts";
import { ModuleList } from "./containers.ts";
import { Dropout } from "./dropout.ts";
import * as F from "./functional/index.ts";
import { Linear } from "./linear.ts";
import { Module } from "./module.ts";
import { LayerNorm } from "./normalization.ts";

export interface TransformerEncoderLayerOptions {
  /** Width of the network between the two products (default 2048). */
  readonly dimFeedforward?: number;
  /** Share of elements that are dropped in training (default 0.1). */
  readonly dropout?: number;
  /** 'relu' (default), 'gelu' or a function. */
  readonly activation?: "relu" | "gelu" | ((x: Tensor) => Tensor);
  readonly layerNormEps?: number;
  /** Inputs are (batch, positions, width) rather than (positions, batch, width). */
  readonly batchFirst?: boolean;
  /** Normalise before each part rather than after it. */
  readonly normFirst?: boolean;
  readonly bias?: boolean;
}

export interface TransformerLayerCallOptions {
  /** (positions, positions) or (batch · heads, positions, positions): true where a position may not attend, or numbers that are added. */
  readonly srcMask?: Tensor | null;
  /** (batch, positions): true where a position is padding. */
  readonly srcKeyPaddingMask?: Tensor | null;
  /** A hint that the mask is the causal one. */
  readonly isCausal?: boolean;
}
export interface TransformerCallOptions extends Omit<TransformerLayerCallOptions, "srcMask"> {
  /** The mask of every layer. */
  readonly mask?: Tensor | null;
}

/**
 * Attention of a sequence to itself and a network of two products, each with a residual and a normalisation. After
 * torch.nn.TransformerEncoderLayer (Vaswani et al., 2017).
 */
export class TransformerEncoderLayer extends Module<[src: Tensor, options?: TransformerLayerCallOptions]> {
  self_attn: MultiheadAttention;
  linear1: Linear;
  dropout: Dropout;
  linear2: Linear;
  readonly normFirst: boolean;
  norm1: LayerNorm;
  norm2: LayerNorm;
  dropout1: Dropout;
  dropout2: Dropout;
  readonly activation: (x: Tensor) => Tensor;

  constructor(dModel: number, nhead: number, options: TransformerEncoderLayerOptions = {}) {
    super();
    const { dimFeedforward = 2048, dropout = 0.1, activation = "relu", layerNormEps = 1e-5 } = options;
    const { batchFirst = false, normFirst = false, bias = true } = options;
    this.self_attn = new MultiheadAttention(dModel, nhead, { dropout, bias, batchFirst });
    this.linear1 = new Linear(dModel, dimFeedforward, { bias });
    this.dropout = new Dropout(dropout);
    this.linear2 = new Linear(dimFeedforward, dModel, { bias });
    this.normFirst = normFirst;
    this.norm1 = new LayerNorm(dModel, { eps: layerNormEps, bias });
    this.norm2 = new LayerNorm(dModel, { eps: layerNormEps, bias });
    this.dropout1 = new Dropout(dropout);
    this.dropout2 = new Dropout(dropout);
    if (typeof activation === "function") this.activation = activation;
    else if (activation === "relu") this.activation = F.relu;
    else if (activation === "gelu") this.activation = (x) => F.gelu(x);
    else {
      throw new ArgumentError(
        `TransformerEncoderLayer: activation must be "relu", "gelu" or a function, received "${String(activation)}".`,
      );
    }
  }

  override forward(src: Tensor, options: TransformerLayerCallOptions = {}): Tensor {
    if (this.normFirst) {
      const attended = residual(src, this.attend(this.norm1(src), options));
      return residual(attended, this.feed(this.norm2(attended)));
    }
    const attended = this.norm1(residual(src, this.attend(src, options)));
    return this.norm2(residual(attended, this.feed(attended)));
  }

  private attend(x: Tensor, options: TransformerLayerCallOptions): Tensor {
    const [output] = this.self_attn(x, x, x, {
      attnMask: options.srcMask,
      keyPaddingMask: options.srcKeyPaddingMask,
      isCausal: options.isCausal,
      needWeights: false,
    });
    return this.dropout1(output);
  }
  private feed(x: Tensor): Tensor {
    return this.dropout2(this.linear2(this.dropout(this.activation(this.linear1(x)))));
  }
}

/** A module that takes a sequence and the masks of an encoder. */
type EncoderLayer = Module<[src: Tensor, options?: TransformerLayerCallOptions]>;

/** Copies of a layer, one after another, and a normalisation at the end if one is given. After torch.nn.TransformerEncoder. */
export class TransformerEncoder extends Module<[src: Tensor, options?: TransformerCallOptions]> {
  layers: ModuleList<EncoderLayer>;
  readonly numLayers: number;
  norm: Module | null;

  constructor(encoderLayer: EncoderLayer, numLayers: number, options: { readonly norm?: Module | null } = {}) {
    super();
    if (!Number.isInteger(numLayers) || numLayers < 1) {
      throw new ArgumentError(`TransformerEncoder: numLayers must be an integer of 1 or more, received ${numLayers}.`);
    }
    this.layers = new ModuleList(Array.from({ length: numLayers }, () => encoderLayer.clone()));
    this.numLayers = numLayers;
    this.norm = options.norm ?? null;
  }

  override forward(src: Tensor, options: TransformerCallOptions = {}): Tensor {
    const { mask, ...others } = options;
    let x = src;
    for (const layer of this.layers) x = layer(x, { srcMask: mask, ...others });
    return this.norm ? this.norm(x) : x;
  }
}
