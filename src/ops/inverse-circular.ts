/** The inverse of the tangent; the other inverse circular functions are composites of it. */
import { type ScalarExpression, scalarCall, scalarConstant } from "../kernel/scalar.ts";
import { add, div, mul } from "./arithmetic.ts";
import { defineUnary } from "./elementwise.ts";
import { constantLike } from "./prepare.ts";

const { NaN: nan, POSITIVE_INFINITY: inf } = Number;
const f32 = (value: number): ScalarExpression => scalarConstant(Math.fround(value), "f32");

/** Odd polynomial on [0, tan(π/8)], in x², highest power first: Moshier, Cephes Mathematical Library, single precision. */
const coefficients = [8.05374449538e-2, -1.38776856032e-1, 1.99777106478e-1, -3.33329491539e-1];

/** |x| is brought to [0, tan(π/8)] by π/2 − 1/|x| or π/4 + (|x| − 1)/(|x| + 1). */
function arcTangent(x: ScalarExpression): ScalarExpression {
  const size = scalarCall("abs", x);
  const large = scalarCall("gt", size, f32(Math.tan((3 * Math.PI) / 8)));
  const middle = scalarCall("gt", size, f32(Math.tan(Math.PI / 8)));
  const select = (atLarge: ScalarExpression, atMiddle: ScalarExpression, atSmall: ScalarExpression) =>
    scalarCall("select", large, atLarge, scalarCall("select", middle, atMiddle, atSmall));
  const numerator = select(f32(-1), scalarCall("add", size, f32(-1)), size);
  const denominator = select(size, scalarCall("add", size, f32(1)), f32(1));
  const reduced = scalarCall("div", numerator, denominator);
  const squared = scalarCall("mul", reduced, reduced);
  const polynomial = coefficients
    .map(f32)
    .reduce((value, coefficient) => scalarCall("fma", value, squared, coefficient));
  const near = scalarCall("fma", scalarCall("mul", polynomial, squared), reduced, reduced);
  const angle = scalarCall("add", select(f32(Math.PI / 2), f32(Math.PI / 4), f32(0)), near);
  return scalarCall("select", scalarCall("lt", x, f32(0)), scalarCall("neg", angle), angle);
}

/** Inverse tangent. */
export const atan = defineUnary({
  name: "atan",
  summary: "Inverse tangent of x, in (−π/2, π/2).",
  expression: arcTangent,
  gradient: (gradient, x) => div(gradient, add(mul(x, x), constantLike(x, 1))),
  cases: [
    {
      name: "special values",
      args: (constant) => [constant([7], "f32", [0, -inf, inf, nan, 1, -1, 2.5])],
      shape: [7],
      expected: [0, -Math.PI / 2, Math.PI / 2, nan, Math.PI / 4, -Math.PI / 4, Math.atan(2.5)],
    },
    {
      name: "smooth",
      args: (constant) => [constant([4], "f32", [0.25, -0.75, 1.5, -4])],
      shape: [4],
      expected: [Math.atan(0.25), Math.atan(-0.75), Math.atan(1.5), Math.atan(-4)],
      smooth: true,
    },
  ],
});
