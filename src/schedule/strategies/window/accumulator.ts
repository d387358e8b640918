/** How pooling combines the elements of a window, 16 channels at a time. */
import type { KernelBuilder } from "../../../kernel/builder.ts";
import type { VectorRegister } from "../../../kernel/ir.ts";
import type { Meaning } from "../../../ops/define.ts";

type Window = Meaning & { readonly kind: "window" };

/** The running result of one vector of channels. */
export interface Accumulator {
  /** Takes one element; `tap` holds its number where the form needs it. */
  readonly take: (value: VectorRegister, tap: () => VectorRegister) => void;
  readonly result: VectorRegister;
  /** Of max with taps: the first maximal tap. */
  readonly chosen?: VectorRegister;
}

/**
 * One of the combinations. `firstTap` is the number of the first tap inside the data; `taps` are the picked taps.
 */
export function accumulator(
  k: KernelBuilder,
  combine: Window["combine"],
  firstTap: () => VectorRegister,
  taps: VectorRegister | undefined,
  withTaps: boolean,
): Accumulator {
  if (combine === "sum") {
    const total = k.constant(0);
    return { take: (value) => k.binary("fadd", total, value, total), result: total };
  }
  if (combine === "pick") {
    const picked = k.constant(0);
    return {
      take: (value, tap) => k.select(k.binary("ieq", taps!, tap()), value, picked, picked),
      result: picked,
    };
  }
  const best = k.constant(Number.NEGATIVE_INFINITY);
  if (combine === "max" && !withTaps) {
    return {
      take: (value) => {
        // Of equals the first stays (-0 and 0); fmax gives its second input where one is NaN, so NaN is put back.
        const larger = k.binary("fmax", value, best);
        k.select(k.binary("fne", value, value), value, larger, best);
      },
      result: best,
    };
  }
  const chosen = k.unary("move", firstTap());
  return {
    take: (value, tap) => {
      // Larger or NaN, unless a NaN was first.
      const better = k.binary("andnot", k.binary("fle", value, best), k.binary("feq", best, best));
      k.select(better, value, best, best);
      k.select(better, tap(), chosen, chosen);
    },
    ...(withTaps ? { result: best, chosen } : { result: chosen }),
  };
}
