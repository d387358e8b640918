/** How reductions accumulate in registers: 16 lanes side by side, lanes folded 8, 4, 2, 1 at the end. NaN wins in max, min, argmax, argmin. */
import { UnsupportedError } from "../../errors.ts";
import type { DType } from "../../graph/dtype.ts";
import type { KernelBuilder } from "../../kernel/builder.ts";
import type { VectorRegister } from "../../kernel/ir.ts";
import type { Combine } from "../../ops/define.ts";

/** One accumulator: the value, and for argmax and argmin the position it was found at. */
export interface Accumulator {
  readonly value: VectorRegister;
  readonly position?: VectorRegister;
}

/** Instructions of one combine over elements of one dtype. */
export class Combiner {
  readonly combine: Combine;
  /** Dtype of the elements that are combined. */
  readonly dtype: DType;
  /** Whether positions are tracked (so that order matters: one accumulator only). */
  readonly positional: boolean;
  /** Memory type of a stored partial value. */
  readonly partialDType: DType;

  constructor(combine: Combine, dtype: DType) {
    this.combine = combine;
    this.dtype = combine === "any" || combine === "all" ? "bool" : dtype;
    this.positional = combine === "argmax" || combine === "argmin";
    this.partialDType = this.dtype === "f32" ? "f32" : "i32";
    if (dtype === "bool" && (combine === "sum" || combine === "prod"))
      throw new UnsupportedError(`${combine} over bool: cast to i32 first.`);
  }

  /** The value that changes nothing. */
  neutral(k: KernelBuilder): VectorRegister {
    const largest = this.combine === "max" || this.combine === "argmax";
    switch (this.combine) {
      case "sum":
        return k.constant(0, this.dtype === "f32" ? "f32" : "i32");
      case "prod":
        return k.constant(1, this.dtype === "f32" ? "f32" : "i32");
      case "any":
        return k.constant(0, "i32");
      case "all":
        return k.constant(-1, "i32");
      default:
        if (this.dtype === "f32") return k.constant(largest ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY);
        // Masks as integers: true is -1, so max over bool is a minimum of masks; they are turned into 0 and 1 by the caller.
        return k.constant(largest ? -2147483648 : 2147483647, "i32");
    }
  }

  start(k: KernelBuilder): Accumulator {
    const value = this.neutral(k);
    return this.positional ? { value, position: k.constant(2147483647, "i32") } : { value };
  }

  /** Elements as they are combined: bool becomes 0 and 1 where it is compared. */
  prepare(k: KernelBuilder, element: VectorRegister, from: DType): VectorRegister {
    if (from !== "bool" || this.dtype !== "bool" || this.combine === "any" || this.combine === "all") return element;
    return k.binary("and", element, k.constant(1, "i32"));
  }

  /** accumulator ∘= element. `position` holds the elements' positions as i32 lanes. */
  step(k: KernelBuilder, into: Accumulator, element: VectorRegister, position?: VectorRegister): void {
    const { value } = into;
    const float = this.dtype === "f32";
    switch (this.combine) {
      case "sum":
        k.binary(float ? "fadd" : "iadd", value, element, value);
        return;
      case "prod":
        k.binary(float ? "fmul" : "imul", value, element, value);
        return;
      case "any":
        k.binary("or", value, element, value);
        return;
      case "all":
        k.binary("and", value, element, value);
        return;
      case "max":
      case "min":
        if (!float) {
          k.binary(this.combine === "max" ? "imax" : "imin", value, element, value);
          return;
        }
        // fmax(element, value) keeps a NaN that is there already; the select brings in a new one.
        k.select(
          k.binary("fne", element, element),
          element,
          k.binary(this.combine === "max" ? "fmax" : "fmin", element, value),
          value,
        );
        return;
      default: {
        const better = this.better(k, element, value);
        // The first element always counts, or a row of −∞ would have no position.
        const first = k.binary("ieq", into.position!, k.constant(2147483647, "i32"));
        const taken = k.binary("or", better, first);
        k.select(taken, element, value, value);
        k.select(taken, position!, into.position!, into.position!);
      }
    }
  }

  /** Folds the 16 lanes; every lane of the result holds it. */
  fold(k: KernelBuilder, { value, position }: Accumulator, scratch: () => ReturnType<KernelBuilder["scratch"]>) {
    const float = this.dtype === "f32";
    switch (this.combine) {
      case "sum":
        return k.horizontal(float ? "fadd" : "iadd", value);
      case "prod":
        return float ? k.horizontal("fmul", value) : this.foldProduct(k, value, scratch());
      case "any":
        return k.horizontal("or", value);
      case "all":
        return k.horizontal("and", value);
      case "max":
      case "min": {
        const extreme = this.extreme(k, value, this.combine === "max");
        if (!float) return extreme;
        const unordered = k.horizontal("or", k.binary("fne", value, value));
        return k.select(unordered, k.constant(Number.NaN), extreme);
      }
      default: {
        // Lanes that saw no element have position 2147483647 and lose by it.
        let candidates = k.binary(float ? "feq" : "ieq", value, this.extreme(k, value, this.combine === "argmax"));
        if (float) {
          const nan = k.binary("fne", value, value);
          candidates = k.select(k.horizontal("or", nan), nan, candidates);
        }
        return k.horizontal("imin", k.select(candidates, position!, k.constant(2147483647, "i32")));
      }
    }
  }

  /** The result of one lane, where lanes are not folded. */
  result({ value, position }: Accumulator): VectorRegister {
    return position ?? value;
  }

  /** A result as expressions see it (max and min over bool are back to masks). */
  finish(k: KernelBuilder, result: VectorRegister): VectorRegister {
    if (this.dtype !== "bool" || this.positional || this.combine === "any" || this.combine === "all") return result;
    return k.binary("ilt", k.constant(0, "i32"), result);
  }

  private extreme(k: KernelBuilder, value: VectorRegister, largest: boolean): VectorRegister {
    if (this.dtype === "f32") return k.horizontal(largest ? "fmax" : "fmin", value);
    return k.horizontal(largest ? "imax" : "imin", value);
  }

  private better(k: KernelBuilder, element: VectorRegister, value: VectorRegister): VectorRegister {
    const largest = this.combine === "argmax";
    if (this.dtype !== "f32") return largest ? k.binary("ilt", value, element) : k.binary("ilt", element, value);
    const ordered = largest ? k.binary("flt", value, element) : k.binary("flt", element, value);
    const newNaN = k.binary("andnot", k.binary("fne", value, value), k.binary("fne", element, element));
    return k.binary("or", ordered, newNaN);
  }

  /** There is no horizontal integer product: the lanes go through memory. */
  private foldProduct(k: KernelBuilder, value: VectorRegister, memory: ReturnType<KernelBuilder["scratch"]>) {
    k.store(value, k.at(memory), "i32");
    const product = k.intLoad(k.at(memory));
    for (let lane = 1; lane < 16; lane++) k.mul(product, k.intLoad(k.at(memory, 4 * lane)), product);
    return k.splatInt(product);
  }
}
