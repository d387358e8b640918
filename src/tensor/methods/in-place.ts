/** In-place methods: the tensor takes another value, and returns itself. A view refuses; so does a leaf that requires a gradient, outside `noGrad`. */
import type { IndexItem } from "../../functions/indexing.ts";
import * as F from "../functions.ts";
import { checkWritable, inPlace, reshapeInPlace } from "../in-place.ts";
import { withValueAt } from "../indexing.ts";
import { atEntry, type Operand } from "../lift.ts";
import {
  type Generator,
  randomBernoulli,
  randomExponential,
  randomIntegers,
  randomNormal,
  randomUniform,
} from "../random.ts";
import type { Tensor } from "../tensor.ts";
import { type BoundOptions, boundsOf, type DivideOptions, type ScaleOptions } from "./arithmetic.ts";
import { IndexingMethods } from "./indexing.ts";

/** Keyword arguments of random in-place methods. */
export interface GeneratorOptions {
  readonly generator?: Generator;
}

/** Arithmetic in place. */
export abstract class InPlaceMethods extends IndexingMethods {
  add_<T extends Tensor>(this: T, other: Operand, options?: ScaleOptions): T {
    return inPlace(this, this.add_, (x) => x.add(other, options));
  }
  sub_<T extends Tensor>(this: T, other: Operand, options?: ScaleOptions): T {
    return inPlace(this, this.sub_, (x) => x.sub(other, options));
  }
  mul_<T extends Tensor>(this: T, other: Operand): T {
    return inPlace(this, this.mul_, (x) => x.mul(other));
  }
  div_<T extends Tensor>(this: T, other: Operand, options?: DivideOptions): T {
    return inPlace(this, this.div_, (x) => x.div(other, options));
  }
  pow_<T extends Tensor>(this: T, exponent: Operand): T {
    return inPlace(this, this.pow_, (x) => x.pow(exponent));
  }
  remainder_<T extends Tensor>(this: T, other: Operand): T {
    return inPlace(this, this.remainder_, (x) => x.remainder(other));
  }
  fmod_<T extends Tensor>(this: T, other: Operand): T {
    return inPlace(this, this.fmod_, (x) => x.fmod(other));
  }
  floorDivide_<T extends Tensor>(this: T, other: Operand): T {
    return inPlace(this, this.floorDivide_, (x) => x.floorDivide(other));
  }
  addcmul_<T extends Tensor>(this: T, first: Tensor, second: Tensor, options?: { readonly value?: number }): T {
    return inPlace(this, this.addcmul_, (x) => x.addcmul(first, second, options));
  }
  addcdiv_<T extends Tensor>(this: T, first: Tensor, second: Tensor, options?: { readonly value?: number }): T {
    return inPlace(this, this.addcdiv_, (x) => x.addcdiv(first, second, options));
  }
  lerp_<T extends Tensor>(this: T, end: Tensor, weight: Operand): T {
    return inPlace(this, this.lerp_, (x) => x.lerp(end, weight));
  }
  clamp_<T extends Tensor>(this: T, minimum?: Operand | BoundOptions, maximum?: Operand): T {
    return inPlace(this, this.clamp_, (x) => F.clamp(x, ...boundsOf(minimum, maximum)));
  }
  clip_<T extends Tensor>(this: T, minimum?: Operand, maximum?: Operand): T {
    return inPlace(this, this.clip_, (x) => x.clip(minimum, maximum));
  }
  neg_<T extends Tensor>(this: T): T {
    return inPlace(this, this.neg_, (x) => x.neg());
  }
  abs_<T extends Tensor>(this: T): T {
    return inPlace(this, this.abs_, (x) => x.abs());
  }
  sign_<T extends Tensor>(this: T): T {
    return inPlace(this, this.sign_, (x) => x.sign());
  }
  floor_<T extends Tensor>(this: T): T {
    return inPlace(this, this.floor_, (x) => x.floor());
  }
  ceil_<T extends Tensor>(this: T): T {
    return inPlace(this, this.ceil_, (x) => x.ceil());
  }
  round_<T extends Tensor>(this: T): T {
    return inPlace(this, this.round_, (x) => x.round());
  }
  trunc_<T extends Tensor>(this: T): T {
    return inPlace(this, this.trunc_, (x) => x.trunc());
  }
  sqrt_<T extends Tensor>(this: T): T {
    return inPlace(this, this.sqrt_, (x) => x.sqrt());
  }
  rsqrt_<T extends Tensor>(this: T): T {
    return inPlace(this, this.rsqrt_, (x) => x.rsqrt());
  }
  square_<T extends Tensor>(this: T): T {
    return inPlace(this, this.square_, (x) => x.square());
  }
  reciprocal_<T extends Tensor>(this: T): T {
    return inPlace(this, this.reciprocal_, (x) => x.reciprocal());
  }
  exp_<T extends Tensor>(this: T): T {
    return inPlace(this, this.exp_, (x) => x.exp());
  }
  expm1_<T extends Tensor>(this: T): T {
    return inPlace(this, this.expm1_, (x) => x.expm1());
  }
  log_<T extends Tensor>(this: T): T {
    return inPlace(this, this.log_, (x) => x.log());
  }
  log1p_<T extends Tensor>(this: T): T {
    return inPlace(this, this.log1p_, (x) => x.log1p());
  }
  sin_<T extends Tensor>(this: T): T {
    return inPlace(this, this.sin_, (x) => x.sin());
  }
  cos_<T extends Tensor>(this: T): T {
    return inPlace(this, this.cos_, (x) => x.cos());
  }
  tanh_<T extends Tensor>(this: T): T {
    return inPlace(this, this.tanh_, (x) => x.tanh());
  }
  sigmoid_<T extends Tensor>(this: T): T {
    return inPlace(this, this.sigmoid_, (x) => x.sigmoid());
  }
  relu_<T extends Tensor>(this: T): T {
    return inPlace(this, this.relu_, (x) => x.relu());
  }
  logicalNot_<T extends Tensor>(this: T): T {
    return inPlace(this, this.logicalNot_, (x) => x.logicalNot());
  }

  // ---- filling ----
  /** Every element becomes one number. */
  fill_<T extends Tensor>(this: T, value: Operand): T {
    return inPlace(this, this.fill_, (x) => F.filled(x, value));
  }
  /** Every element becomes 0. */
  zero_<T extends Tensor>(this: T): T {
    return inPlace(this, this.zero_, (x) => F.filled(x, 0));
  }
  /** The elements of another tensor, broadcast and converted. */
  copy_<T extends Tensor>(this: T, source: Tensor): T {
    return inPlace(this, this.copy_, (x) => F.cast(F.expand(source, x.shape), x.dtype));
  }
  maskedFill_<T extends Tensor>(this: T, mask: Tensor, value: Operand): T {
    return inPlace(this, this.maskedFill_, (x) => x.maskedFill(mask, value));
  }
  indexFill_<T extends Tensor>(this: T, dim: number, index: Tensor, value: Operand): T {
    return inPlace(this, this.indexFill_, (x) => x.indexFill(dim, index, value));
  }
  indexCopy_<T extends Tensor>(this: T, dim: number, index: Tensor, source: Tensor): T {
    return inPlace(this, this.indexCopy_, (x) => x.indexCopy(dim, index, source));
  }
  indexAdd_<T extends Tensor>(
    this: T,
    dim: number,
    index: Tensor,
    source: Tensor,
    options?: { readonly alpha?: number },
  ): T {
    return inPlace(this, this.indexAdd_, (x) => x.indexAdd(dim, index, source, options));
  }
  scatter_<T extends Tensor>(this: T, dim: number, index: Tensor, source: Operand): T {
    return inPlace(this, this.scatter_, (x) => x.scatter(dim, index, source));
  }
  scatterAdd_<T extends Tensor>(this: T, dim: number, index: Tensor, source: Tensor): T {
    return inPlace(this, this.scatterAdd_, (x) => x.scatterAdd(dim, index, source));
  }
  tril_<T extends Tensor>(this: T, diagonal?: number): T {
    return inPlace(this, this.tril_, (x) => x.tril(diagonal));
  }
  triu_<T extends Tensor>(this: T, diagonal?: number): T {
    return inPlace(this, this.triu_, (x) => x.triu(diagonal));
  }
  /**
   * Python's `x[items] = value`.
   *
   * @example
   * ```ts
   * const x = randomNormal([4, 3]);
   * x.setAt_([0], 1); // x[0] = 1
   * x.setAt_([":", -1], tensor([1, 2, 3, 4])); // x[:, -1] = column
   * x.setAt_([x.lt(0)], 0); // x[x < 0] = 0
   * ```
   */
  setAt_<T extends Tensor>(this: T, items: readonly IndexItem<Tensor>[], value: Operand): T {
    return inPlace(this, this.setAt_, (x) => withValueAt(x, items, value));
  }
  /** `x[indices] = values`, or with `accumulate` every value added to its place. */
  indexPut_<T extends Tensor>(this: T, indices: readonly Tensor[], values: Operand, accumulate = false): T {
    return inPlace(this, this.indexPut_, (x) => withValueAt(x, indices, values, accumulate));
  }

  // ---- random numbers ----
  /** Uniform numbers in [from, to). */
  uniform_<T extends Tensor>(this: T, from = 0, to = 1, options: GeneratorOptions = {}): T {
    return inPlace(this, this.uniform_, (x) => randomUniform(x.shape, { ...options, min: from, max: to }));
  }
  normal_<T extends Tensor>(this: T, mean = 0, std = 1, options: GeneratorOptions = {}): T {
    return inPlace(this, this.normal_, (x) => randomNormal(x.shape, { ...options, mean, std }));
  }
  /** 1 with probability p, else 0. */
  bernoulli_<T extends Tensor>(this: T, p = 0.5, options: GeneratorOptions = {}): T {
    return inPlace(this, this.bernoulli_, (x) => F.cast(randomBernoulli(x.shape, p, options), x.dtype));
  }
  /** Numbers of the exponential distribution: −ln(1 − u) / rate. */
  exponential_<T extends Tensor>(this: T, rate = 1, options: GeneratorOptions = {}): T {
    return inPlace(this, this.exponential_, (x) => randomExponential(x.shape, { ...options, rate }));
  }
  /** Integers in [from, to). */
  random_<T extends Tensor>(this: T, from: number, to: number, options: GeneratorOptions = {}): T {
    return inPlace(this, this.random_, (x) => F.cast(randomIntegers(x.shape, from, to, options), x.dtype));
  }

  // ---- shape ----
  squeeze_<T extends Tensor>(this: T, dim?: number): T {
    return reshapeInPlace(this, this.squeeze_, (x) => x.squeeze(dim));
  }
  unsqueeze_<T extends Tensor>(this: T, dim: number): T {
    return reshapeInPlace(this, this.unsqueeze_, (x) => x.unsqueeze(dim));
  }
  transpose_<T extends Tensor>(this: T, first: number, second: number): T {
    return reshapeInPlace(this, this.transpose_, (x) => x.transpose(first, second));
  }
  t_<T extends Tensor>(this: T): T {
    return reshapeInPlace(this, this.t_, (x) => x.t());
  }
  /** Cuts the gradient path of this tensor. */
  detach_<T extends Tensor>(this: T): T {
    return atEntry(this.detach_, () => {
      if (this.viewOperation) checkWritable(this, "detach_");
      if (this.isLeaf) this.requiresGrad = false;
      else this.rebind(F.detach(this).node);
      return this;
    });
  }
}
