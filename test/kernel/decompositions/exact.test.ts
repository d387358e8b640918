/** Functions whose f32 result is one right number: compared bit for bit (zeros of either sign count as equal). */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { DType } from "../../../src/graph/dtype.ts";
import {
  type ScalarExpression,
  type ScalarFunction,
  scalarCall,
  scalarCast,
  scalarConstant,
  scalarInput,
} from "../../../src/kernel/scalar.ts";
import { evaluateScalar } from "../../../src/kernel/scalar-evaluate.ts";
import { evaluateOnLanes } from "../../../src/testing/lanes.ts";

const { NaN: nan, POSITIVE_INFINITY: inf } = Number;
const values: Readonly<Record<DType, readonly number[]>> = {
  f32: [
    0,
    -0,
    1,
    -1,
    0.5,
    -0.5,
    1.5,
    2.5,
    -2.5,
    3,
    -7,
    255.75,
    256,
    1e9,
    2147483520,
    2147483648,
    -2147483648,
    -3e9,
    inf,
    -inf,
    nan,
  ],
  i32: [0, 1, -1, 2, -2, 3, 7, -7, 255, 256, 65536, 2147483647, -2147483648, 1073741824, -2147483647, 16777217],
  u8: [0, 1, 2, 7, 100, 127, 128, 200, 255],
  bool: [0, 1],
};

function check(
  build: (...inputs: ScalarExpression[]) => ScalarExpression,
  inputs: readonly { readonly dtype: DType; readonly data: readonly number[] }[],
): void {
  const actual = evaluateOnLanes(build, inputs);
  const expression = build(...inputs.map(({ dtype }, i) => scalarInput(i, dtype)));
  inputs[0].data.forEach((_, i) => {
    const arguments_ = inputs.map(({ data }) => data[i]);
    const exact = evaluateScalar(expression, arguments_);
    const expected = expression.dtype === "f32" ? Math.fround(exact) : exact;
    const equal = actual[i] === expected || (Number.isNaN(actual[i]) && Number.isNaN(expected));
    expect(equal, `(${arguments_.join(", ")}) gives ${actual[i]}, expected ${expected}`).toBe(true);
  });
}

/** Every pair of values of a dtype. */
function pairs(dtype: DType) {
  const all = values[dtype].flatMap((a) => values[dtype].map((b) => [a, b] as const));
  return [
    { dtype, data: all.map(([a]) => a) },
    { dtype, data: all.map(([, b]) => b) },
  ];
}
type Named = Exclude<ScalarFunction, "cast" | "bitcast">;

describe("exact functions on lanes", () => {
  const binary: Partial<Record<DType, readonly Named[]>> = {
    f32: ["add", "sub", "mul", "div", "min", "max", "lt", "le", "gt", "ge", "eq", "ne"],
    i32: [
      "add",
      "sub",
      "mul",
      "min",
      "max",
      "floorDiv",
      "remainder",
      "lt",
      "le",
      "gt",
      "ge",
      "eq",
      "ne",
      "bitAnd",
      "bitOr",
      "bitXor",
    ],
    u8: ["add", "sub", "mul", "min", "max", "floorDiv", "remainder", "lt", "le", "gt", "ge", "eq", "ne"],
    bool: ["and", "or", "xor", "lt", "le", "gt", "ge", "eq", "ne"],
  };
  for (const [dtype, names] of Object.entries(binary)) {
    test.each(names)(`${dtype} %s`, (name) => {
      check((a, b) => scalarCall(name, a, b), pairs(dtype as DType));
    });
  }
  const unary: Partial<Record<DType, readonly Named[]>> = {
    f32: ["neg", "abs", "sign", "floor", "ceil", "round", "trunc", "sqrt"],
    i32: ["neg", "abs", "sign"],
    u8: ["neg", "abs", "sign"],
    bool: ["not"],
  };
  for (const [dtype, names] of Object.entries(unary)) {
    test.each(names)(`${dtype} %s`, (name) => {
      check((a) => scalarCall(name, a), [{ dtype: dtype as DType, data: values[dtype as DType] }]);
    });
  }

  const dtypes: readonly DType[] = ["f32", "i32", "u8", "bool"];
  test.each(dtypes.flatMap((from) => dtypes.map((to) => [from, to] as const)))("cast %s to %s", (from, to) => {
    check((a) => scalarCast(a, to), [{ dtype: from, data: values[from] }]);
  });

  test.each(["shiftLeft", "shiftRightLogical", "shiftRightArithmetic"] as const)("%s by any count", (name) => {
    const counts = [0, 1, 5, 31, 32, 100, -1];
    const all = values.i32.flatMap((a) => counts.map((b) => [a, b] as const));
    check(
      (a, b) => scalarCall(name, a, b),
      [
        { dtype: "i32", data: all.map(([a]) => a) },
        { dtype: "i32", data: all.map(([, b]) => b) },
      ],
    );
  });

  test.each([0, -0, 3, nan, inf])("min and max with the constant %d on either side", (value) => {
    for (const name of ["min", "max"] as const) {
      const constant = scalarConstant(value);
      check((a) => scalarCall(name, a, constant), [{ dtype: "f32", data: values.f32 }]);
      check((a) => scalarCall(name, constant, a), [{ dtype: "f32", data: values.f32 }]);
    }
  });

  test("i32 quotients of any two integers", () => {
    const any = fc.oneof(fc.integer(), fc.integer({ min: -300, max: 300 }), fc.constantFrom(...values.i32));
    fc.assert(
      fc.property(fc.array(fc.tuple(any, any), { minLength: 64, maxLength: 64 }), (list) => {
        const inputs = [0, 1].map((side) => ({ dtype: "i32" as const, data: list.map((pair) => pair[side]) }));
        check((a, b) => scalarCall("floorDiv", a, b), inputs);
        check((a, b) => scalarCall("remainder", a, b), inputs);
      }),
      { numRuns: 60 },
    );
  });

  test("f32 quotients below 2²⁴, remainders with the sign of the divisor", () => {
    const any = fc.double({ min: -1000, max: 1000, noNaN: true }).map(Math.fround);
    const divisor = fc.double({ min: 0.01, max: 50, noNaN: true }).map(Math.fround);
    fc.assert(
      fc.property(fc.array(fc.tuple(any, divisor, fc.boolean()), { minLength: 32, maxLength: 32 }), (list) => {
        const inputs = [
          { dtype: "f32" as const, data: list.map(([a]) => a) },
          { dtype: "f32" as const, data: list.map(([, b, negative]) => (negative ? -b : b)) },
        ];
        check((a, b) => scalarCall("floorDiv", a, b), inputs);
        check((a, b) => scalarCall("remainder", a, b), inputs);
      }),
      { numRuns: 60 },
    );
  });

  test("f32 quotients and remainders of special values", () => {
    const finite = values.f32.filter((x) => Math.abs(x) < 1000 || !Number.isFinite(x));
    const all = finite.flatMap((a) => finite.map((b) => [a, b] as const));
    const inputs = [0, 1].map((side) => ({ dtype: "f32" as const, data: all.map((pair) => pair[side]) }));
    check((a, b) => scalarCall("floorDiv", a, b), inputs);
    check((a, b) => scalarCall("remainder", a, b), inputs);
  });
});
