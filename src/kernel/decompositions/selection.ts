/** min and max with NaN, sign, casts, and the few others that are a choice or two. */
import type { DType } from "../../graph/dtype.ts";
import { add, cast, div, eq, float, ge, gt, int, lt, max, min, mul, ne, select, sqrt, type Term } from "./terms.ts";

const isNumber = (term: Term): boolean => term.kind === "constant" && !Number.isNaN(term.value);

/** The machine's function gives its second input where either is NaN: right for a NaN there, so only a NaN in the first needs care. */
function ordered(machine: (a: Term, b: Term) => Term, a: Term, b: Term): Term {
  if (a.dtype !== "f32" || isNumber(a)) return machine(a, b);
  // Of equal numbers the second wins, which matters for zeros only: any other constant may go first.
  if (isNumber(b) && b.kind === "constant" && b.value !== 0) return machine(b, a);
  return select(ne(a, a), a, machine(a, b));
}
export const minimum = (a: Term, b: Term): Term => ordered(min, a, b);
export const maximum = (a: Term, b: Term): Term => ordered(max, a, b);

/** −1, 0 or 1; NaN and zeros stay. */
export function sign(x: Term): Term {
  if (x.dtype !== "f32") {
    const [one, zero, minus] = [1, 0, -1].map((value) => cast(int(value), "i32"));
    const wide = cast(x, "i32");
    return cast(select(gt(wide, zero), one, select(lt(wide, zero), minus, zero)), x.dtype);
  }
  return select(gt(x, float(0)), float(1), select(lt(x, float(0)), float(-1), x));
}

/** 1/√x, both steps rounded. */
export const rsqrt = (x: Term): Term => div(float(1), sqrt(x));

/** f32 -> i32 saturates and NaN gives 0; the machine gives −2³¹ for all of these, which is right below the range. */
function saturated(x: Term): Term {
  const inRange = select(eq(x, x), cast(x, "i32"), int(0));
  return select(ge(x, float(2 ** 31)), int(0x7fffffff), inRange);
}

/** A cast from f32 to an integer; every other cast is a primitive. */
export function castTo(x: Term, dtype: DType): Term {
  if (x.dtype !== "f32" || (dtype !== "i32" && dtype !== "u8")) return cast(x, dtype);
  return cast(saturated(x), dtype);
}

/** a·b + c: one instruction for f32, two for integers. */
export function fusedMultiplyAdd(a: Term, b: Term, c: Term): Term {
  return add(mul(a, b), c);
}
