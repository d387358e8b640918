/** Multi-head attention. */
import { ArgumentError, ShapeError, UnsupportedError } from "../../errors.ts";
import { formatShape, type Shape } from "../../graph/shape.ts";
import { combineMasks, multiHeadAttention, type Projection, projectJointly } from "../../nn/attention.ts";
import { type Tensor, zeros } from "../../tensor/index.ts";
import { xavierUniform_ } from "./init.ts";
import { Linear } from "./linear.ts";
import { layerName, Module } from "./module.ts";
import { Parameter } from "./parameter.ts";

export interface MultiheadAttentionOptions {
  /** Share of the attention weights that are dropped in training. */
  readonly dropout?: number;
  readonly bias?: boolean;
  /** Inputs are (batch, positions, width) rather than (positions, batch, width). */
  readonly batchFirst?: boolean;
  /** Widths of keys and values where they differ from the queries'. */
  readonly kdim?: number | null;
  readonly vdim?: number | null;
  /** Not available. */
  readonly addBiasKv?: false;
  readonly addZeroAttn?: false;
}

export interface AttentionCallOptions {
  /** (batch, keys): true, or −∞, where a key is padding and gets no attention. */
  readonly keyPaddingMask?: Tensor | null;
  /** (queries, keys) or (batch · heads, queries, keys): true where a query may not attend, or numbers that are added to the scores. */
  readonly attnMask?: Tensor | null;
  /** Whether the weights are returned (default true). */
  readonly needWeights?: boolean;
  /** Weights as the mean over heads (default true), or one for each. */
  readonly averageAttnWeights?: boolean;
  /** A hint that attnMask is the causal mask; the mask must be given too. */
  readonly isCausal?: boolean;
}

/** The layer after attention has a name of its own in PyTorch. */
class NonDynamicallyQuantizableLinear extends Linear {}

/**
 * Attention in several heads: softmax(q·kᵀ/√(width/heads) + masks)·v over projected queries, keys and values, joined and projected once more.
 * Returns the output and the weights (undefined where needWeights is false). After torch.nn.MultiheadAttention (Vaswani et al., 2017).
 *
 * @example
 * ```ts
 * const attention = new nn.MultiheadAttention(16, 4, { batchFirst: true });
 * const x = torch.randn(2, 5, 16);
 * const [output, weights] = attention(x, x, x);
 * ```
 */
export class MultiheadAttention extends Module<
  [query: Tensor, key: Tensor, value: Tensor, options?: AttentionCallOptions],
  readonly [output: Tensor, weights: Tensor | undefined]
> {
  readonly embedDim: number;
  readonly numHeads: number;
  readonly dropout: number;
  readonly batchFirst: boolean;
  readonly kdim: number;
  readonly vdim: number;
  q_proj_weight: Parameter | null = null;
  k_proj_weight: Parameter | null = null;
  v_proj_weight: Parameter | null = null;
  in_proj_weight: Parameter | null = null;
  in_proj_bias: Parameter | null = null;
  out_proj: Linear;

  constructor(embedDim: number, numHeads: number, options: MultiheadAttentionOptions = {}) {
    super();
    if (!(Number.isInteger(embedDim) && Number.isInteger(numHeads) && numHeads > 0 && embedDim % numHeads === 0)) {
      throw new ArgumentError(`MultiheadAttention: a width of ${embedDim} cannot be split into ${numHeads} heads.`);
    }
    if (options.addBiasKv || options.addZeroAttn) {
      throw new UnsupportedError(
        "MultiheadAttention: addBiasKv and addZeroAttn are not available; append a learned position to keys and values instead.",
      );
    }
    const { dropout = 0, bias = true, batchFirst = false } = options;
    this.embedDim = embedDim;
    this.numHeads = numHeads;
    this.dropout = dropout;
    this.batchFirst = batchFirst;
    this.kdim = options.kdim ?? embedDim;
    this.vdim = options.vdim ?? embedDim;
    if (this.kdim === embedDim && this.vdim === embedDim) {
      this.in_proj_weight = projection("in_proj_weight", [3 * embedDim, embedDim]);
    } else {
      this.q_proj_weight = projection("q_proj_weight", [embedDim, embedDim]);
      this.k_proj_weight = projection("k_proj_weight", [embedDim, this.kdim]);
      this.v_proj_weight = projection("v_proj_weight", [embedDim, this.vdim]);
    }
    if (bias) {
      this.in_proj_bias = new Parameter(zeros([3 * embedDim]), { name: "MultiheadAttention.in_proj_bias" });
    }
    this.out_proj = new NonDynamicallyQuantizableLinear(embedDim, embedDim, { bias });
    this.out_proj.bias?.assign(zeros([embedDim]));
  }

  override forward(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    options: AttentionCallOptions = {},
  ): readonly [output: Tensor, weights: Tensor | undefined] {
    const { keyPaddingMask, attnMask, needWeights = true, averageAttnWeights = true } = options;
    this.checkInputs(query, key, value);
    if (options.isCausal && !attnMask) {
      throw new ArgumentError(`${layerName(this)}: isCausal is a hint about attnMask; give the mask too.`);
    }
    const batched = query.rank === 3;
    // inside, data is (batch, positions, width)
    const inner = (x: Tensor): Tensor => (!batched ? x.unsqueeze(0) : this.batchFirst ? x : x.transpose(0, 1));
    const [q, k, v] = query === key && key === value ? same(inner(query)) : [inner(query), inner(key), inner(value)];
    const padding = keyPaddingMask && (keyPaddingMask.rank === 1 ? keyPaddingMask.unsqueeze(0) : keyPaddingMask);
    const mask = combineMasks(layerName(this), {
      attention: attnMask ?? undefined,
      padding: padding ?? undefined,
      batch: q.shape[0],
      heads: this.numHeads,
      queries: q.shape[1],
      keys: k.shape[1],
    });
    const { output, weights } = multiHeadAttention(layerName(this), this.projected(q, k, v), {
      heads: this.numHeads,
      mask,
      dropout: this.training ? this.dropout : 0,
      averageWeights: averageAttnWeights,
    });
    const projected = this.out_proj(output);
    const outer = (x: Tensor): Tensor => (!batched ? x.squeeze(0) : this.batchFirst ? x : x.transpose(0, 1));
    return [outer(projected), needWeights ? (batched ? weights : weights.squeeze(0)) : undefined];
  }

  private projected(q: Tensor, k: Tensor, v: Tensor): Projection {
    const joint = this.in_proj_weight;
    const own = [this.q_proj_weight, this.k_proj_weight, this.v_proj_weight] as [Parameter, Parameter, Parameter];
    return projectJointly([q, k, v], joint ?? own, this.in_proj_bias ?? undefined);
  }

  private checkInputs(query: Tensor, key: Tensor, value: Tensor): void {
    const widths = [this.embedDim, this.kdim, this.vdim];
    const inputs = [query, key, value];
    const fits = inputs.every((x, i) => x.rank === query.rank && x.shape[x.rank - 1] === widths[i]);
    if ((query.rank === 2 || query.rank === 3) && fits) return;
    const form = this.batchFirst ? "(batch, positions, width)" : "(positions, batch, width)";
    throw new ShapeError(
      `${layerName(this)}: expected queries, keys and values of shape ${form} or (positions, width) with widths ${widths.join(", ")}, ` +
        `received ${inputs.map(({ shape }) => formatShape(shape)).join(", ")}.`,
    );
  }
}

const same = (x: Tensor): [Tensor, Tensor, Tensor] => [x, x, x];

function projection(name: string, shape: Shape): Parameter {
  return xavierUniform_(new Parameter(zeros(shape), { name: `MultiheadAttention.${name}` }));
}
