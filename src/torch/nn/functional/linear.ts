import { ArgumentError, ShapeError, UnsupportedError } from "../../../errors.ts";
import { formatShape } from "../../../graph/shape.ts";
import { bilinearForm, embed, renormalizedRows } from "../../../nn/embedding.ts";
import { dense } from "../../../nn/linear.ts";
import { engine, oneHot as indicator, noGrad, type Tensor } from "../../../tensor/index.ts";
import { checkTensor, given } from "./geometry.ts";

/** x·Wᵀ + b over the last axis, with W of shape (out, in). After torch.nn.functional.linear. */
export function linear(x: Tensor, weight: Tensor, bias?: Tensor | null, owner = "linear"): Tensor {
  checkTensor(owner, x);
  if (x.rank === 0 || weight.rank !== 2 || x.shape[x.rank - 1] !== weight.shape[1]) {
    throw new ShapeError(
      `${owner}: expected an input of shape (…, ${weight.shape[weight.rank - 1]}), received ${formatShape(x.shape)}` +
        ` (the weight has shape ${formatShape(weight.shape)}: out, in).`,
    );
  }
  return dense(x, weight.transpose(0, 1), given(bias));
}

/** xᵢ·Wₖᵢⱼ·yⱼ + bₖ over the last axes. After torch.nn.functional.bilinear. */
export function bilinear(x: Tensor, y: Tensor, weight: Tensor, bias?: Tensor | null, owner = "bilinear"): Tensor {
  return bilinearForm(owner, x, y, weight, given(bias));
}

export interface EmbeddingFunctionOptions {
  /** The row that gets no gradient. */
  readonly paddingIdx?: number | null;
  /**
   * Rows that are looked up and have a larger norm are first scaled down to it, in the weight itself. That is a step of its own before the one that
   * reads the rows, so it is not available inside a compiled function that trains the weight.
   */
  readonly maxNorm?: number | null;
  /** p of that norm; 2 by default. */
  readonly normType?: number;
}

/** Rows of a table by their numbers. After torch.nn.functional.embedding. */
export function embedding(
  x: Tensor,
  weight: Tensor,
  options: EmbeddingFunctionOptions = {},
  owner = "embedding",
): Tensor {
  const padding = given(options.paddingIdx);
  const most = given(options.maxNorm);
  if (most === undefined) return embed(weight, x, padding);
  if (!(most >= 0)) throw new ArgumentError(`${owner}: maxNorm must be 0 or more, received ${most}.`);
  if (engine.tracing && weight.requiresGrad) {
    throw new UnsupportedError(
      `${owner}: maxNorm changes the weight before it is read, and is not available inside a compiled function that trains it. Take the step outside, or ` +
        "scale the rows after it under noGrad.",
    );
  }
  noGrad(() => weight.copy_(renormalizedRows(weight.detach(), x, most, options.normType ?? 2)));
  // another lookup changes the weight again before a backward() that both take part in
  return embed(weight, x, padding).keep();
}

/** 1 at the class, 0 elsewhere: shape (…, classes), i32. Without a number of classes the largest label decides. After torch.nn.functional.one_hot. */
export function oneHot(labels: Tensor, numClasses: number | { readonly numClasses?: number } = -1): Tensor {
  const wanted = (typeof numClasses === "number" ? numClasses : numClasses.numClasses) ?? -1;
  const classes = wanted >= 0 ? wanted : Math.max(-1, ...labels.dataSync()) + 1;
  return indicator(labels, classes, "i32");
}
