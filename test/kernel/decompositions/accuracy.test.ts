import { describe, expect, test } from "vitest";
import { type ScalarFunction, scalarCall, scalarInput } from "../../../src/kernel/scalar.ts";
import { scalarMeanings } from "../../../src/kernel/scalar-evaluate.ts";
import { normalCdf, power } from "../../../src/kernel/special-functions.ts";
import { evaluateOnLanes, vectorInstructions } from "../../../src/testing/lanes.ts";
import { spreadEvenly, spreadOverBits, ulpError } from "../../../src/testing/ulp.ts";

type Unary = Extract<
  ScalarFunction,
  "exp" | "expm1" | "sigmoid" | "tanh" | "erf" | "log" | "log1p" | "sin" | "cos" | "rsqrt"
>;

const least = 2 ** -149;
const specials = [0, -0, 1, -1, least, -least, 2 ** -126, -(2 ** -126), 2 ** -127, 3.4e38, -3.4e38]
  .concat([
    Number.POSITIVE_INFINITY,
    Number.NEGATIVE_INFINITY,
    Number.NaN,
    88.7,
    88.8,
    -87.4,
    -103.9,
    -104.1,
    17.5,
    -17.5,
  ])
  .map(Math.fround);

/** The largest error in ulp of a function over some arguments, against f64. */
function worst(name: Unary, arguments_: ArrayLike<number>): { readonly error: number; readonly at: number } {
  const exact = scalarMeanings[name]("f32", ["f32"]);
  const results = evaluateOnLanes((x) => scalarCall(name, x), [{ dtype: "f32", data: arguments_ }]);
  let error = 0;
  let at = Number.NaN;
  for (let i = 0; i < arguments_.length; i++) {
    const current = ulpError(results[i], exact(arguments_[i], 0, 0));
    if (current > error) [error, at] = [current, arguments_[i]];
  }
  return { error, at };
}

/** Function, range, ulp allowed, vector instructions allowed. Measured: exp 0.83, expm1 1.24, log 0.80, log1p 1.4, tanh 2.1, sigmoid 2.0, erf 2.7, sin and cos 1.5. */
const table: readonly (readonly [name: Unary, from: number, to: number, ulp: number, instructions: number])[] = [
  ["exp", -104, 89, 1, 18],
  ["expm1", -20, 89, 1.5, 17],
  ["sigmoid", -104, 30, 2.2, 19],
  ["tanh", -12, 12, 2.2, 26],
  ["erf", -5, 5, 3, 26],
  ["log", 1e-4, 1e4, 1, 32],
  ["log1p", -0.9999, 1e4, 1.5, 34],
  ["sin", -1e4, 1e4, 2, 24],
  ["cos", -1e4, 1e4, 2, 25],
  ["sin", -1e5, 1e5, 2, 24],
  ["rsqrt", 1e-4, 1e4, 1.5, 2],
];

describe("decompositions against f64", () => {
  test.each(table)("%s from %d to %d: at most %d ulp", (name, from, to, ulp) => {
    const count = 12000;
    const ranges = [spreadEvenly(from, to, count), spreadEvenly(Math.max(from, -1), Math.min(to, 2), count)];
    if (from < 0) ranges.push(spreadOverBits(-least, from, count));
    ranges.push(spreadOverBits(least, to, count));
    for (const range of ranges) {
      const { error, at } = worst(name, range);
      expect(error, `at ${at}`).toBeLessThanOrEqual(ulp);
    }
  });

  test.each([...new Set(table.map(([name]) => name))])("%s of special values", (name) => {
    // Angles beyond 2²² are documented to give NaN.
    const data =
      name === "sin" || name === "cos"
        ? specials.filter((x) => !(Math.abs(x) > 1e6 && Math.abs(x) < Infinity))
        : specials;
    const { error, at } = worst(name, data);
    expect(error, `at ${at}`).toBeLessThanOrEqual(2.5);
  });

  test.each(table)("%s costs few instructions", (name, _from, _to, _ulp, instructions) => {
    expect(vectorInstructions(scalarCall(name, scalarInput(0, "f32")), ["f32"])).toBeLessThanOrEqual(instructions);
  });

  test("angles too large for f32 give NaN, not a wrong number", () => {
    const results = evaluateOnLanes((x) => scalarCall("sin", x), [{ dtype: "f32", data: [2 ** 22, -1e10, 3e38] }]);
    expect([...results]).toEqual([Number.NaN, Number.NaN, Number.NaN]);
  });

  test("signs of zero survive", () => {
    for (const name of ["tanh", "erf"] as const) {
      const results = evaluateOnLanes((x) => scalarCall(name, x), [{ dtype: "f32", data: [0, -0] }]);
      expect([...results]).toEqual([0, -0]);
    }
  });
});

describe("expOfNonPositive", () => {
  const bitsOf = (name: "exp" | "expOfNonPositive", data: ArrayLike<number>) => {
    const results = evaluateOnLanes((x) => scalarCall(name, x), [{ dtype: "f32", data }]) as Float32Array;
    return [...new Int32Array(results.slice().buffer)];
  };

  test.each([
    ["evenly", spreadEvenly(-110, 0, 20000)],
    ["over all sizes", spreadOverBits(-least, -3.4e38, 20000)],
    ["specials", Float32Array.from(specials.filter((x) => !(x > 0)))],
  ])("has the bits of exp where nothing is positive: %s", (_name, data) => {
    expect(bitsOf("expOfNonPositive", data)).toEqual(bitsOf("exp", data));
  });

  test("costs few instructions", () => {
    const expression = scalarCall("expOfNonPositive", scalarInput(0, "f32"));
    expect(vectorInstructions(expression, ["f32"])).toBeLessThanOrEqual(14);
  });
});

describe("normalCdf", () => {
  const evaluate = (data: ArrayLike<number>) =>
    evaluateOnLanes((x) => scalarCall("normalCdf", x), [{ dtype: "f32", data }]);

  test.each([
    [-20, 20],
    [-6, 6],
    [-1, 1],
    [-0.01, 0.01],
  ])("from %d to %d: at most 1.2 · 2^-24, never outside 0 to 1", (from, to) => {
    const data = spreadEvenly(from, to, 40000);
    const results = evaluate(data);
    expect(results.every((result) => result >= 0 && result <= 1)).toBe(true);
    let error = 0;
    results.forEach((result, i) => {
      error = Math.max(error, Math.abs(result - normalCdf(data[i])));
    });
    expect(error).toBeLessThanOrEqual(1.2 * 2 ** -24);
  });

  test("special values", () => {
    const { NaN: nan, POSITIVE_INFINITY: infinity } = Number;
    const results = evaluate([0, -0, least, -least, infinity, -infinity, nan, 10, -10, 3.4e38, -3.4e38]);
    expect([...results]).toEqual([0.5, 0.5, 0.5, 0.5, 1, 0, nan, 1, 0, 1, 0]);
  });

  test("costs few instructions", () => {
    const expression = scalarCall("normalCdf", scalarInput(0, "f32"));
    expect(vectorInstructions(expression, ["f32"])).toBeLessThanOrEqual(25);
  });
});

describe("pow", () => {
  const evaluate = (x: ArrayLike<number>, y: ArrayLike<number>) =>
    evaluateOnLanes(
      (a, b) => scalarCall("pow", a, b),
      [
        { dtype: "f32", data: x },
        { dtype: "f32", data: y },
      ],
    );

  test("every pair of special values", () => {
    const values = [0, -0, 1, -1, 2, -2, 0.5, -0.5, 3, -3, -7.5, 1e30, -1e30, 1e-40, 2 ** 24 + 2]
      .concat([Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, Number.NaN])
      .map(Math.fround);
    const pairs = values.flatMap((x) => values.map((y) => [x, y] as const));
    const results = evaluate(
      pairs.map(([x]) => x),
      pairs.map(([, y]) => y),
    );
    pairs.forEach(([x, y], i) => {
      const exact = power(x, y);
      expect(ulpError(results[i], exact), `pow(${x}, ${y}) = ${results[i]}, expected ${exact}`).toBeLessThanOrEqual(1);
      if (exact === 0) expect(Object.is(results[i], exact), `sign of pow(${x}, ${y})`).toBe(true);
    });
  });

  test.each([
    ["bases of every size", (u: number) => 2 ** (250 * u - 125), (v: number) => 10 * v - 5, 1.5],
    ["bases near 1, large exponents", (u: number) => 0.5 + u, (v: number) => 400 * v - 200, 5],
    ["bases very near 1, huge exponents", (u: number) => 1 + 2e-6 * (u - 0.5), (v: number) => 1e8 * (v - 0.5), 1.5],
    ["integer exponents, negative bases", (u: number) => -10 * u, (v: number) => Math.floor(40 * v) - 20, 1.5],
  ])("%s", (_name, base, exponent, ulp) => {
    const count = 12000;
    // A low-discrepancy sequence over the unit square.
    const x = Float32Array.from({ length: count }, (_, i) => base(((i + 1) * 0.7548776662466927) % 1));
    const y = Float32Array.from({ length: count }, (_, i) => exponent(((i + 1) * 0.5698402909980532) % 1));
    const results = evaluate(x, y);
    let error = 0;
    results.forEach((result, i) => {
      error = Math.max(error, ulpError(result, power(x[i], y[i])));
    });
    expect(error).toBeLessThanOrEqual(ulp);
  });
});
