import { describe, expect, it } from "vitest";
import { type ScalarExpression, scalarCall, scalarConstant, scalarInput } from "../../src/kernel/scalar.ts";
import type { LoopBody } from "../../src/schedule/loops/body.ts";
import { Lowerings, structureKey } from "../../src/schedule/lowerings.ts";
import { wideMachine } from "../../src/testing/run-plan.ts";

const x = scalarInput(0, "f32");

/** A pointwise kernel over 48 elements. */
const body = (expression: ScalarExpression, strides: readonly number[] = [1]): LoopBody => ({
  name: "map_48",
  extents: [48],
  reduceAxes: [],
  fullLoads: [{ argument: 0, dtype: "f32", offset: 0, strides }],
  keptLoads: [],
  members: [{ level: "full", expression, dtype: "f32", stores: [{ argument: 1 }] }],
  argumentCount: 2,
  machine: wideMachine,
});
const plus = (value: number) => scalarCall("add", x, scalarConstant(value, "f32"));

describe("lowerings of a program", () => {
  it("makes the same kernels for the same loop once", () => {
    const lowerings = new Lowerings();
    const first = lowerings.ofLoop(body(plus(1)));
    expect(lowerings.ofLoop(body(plus(1)))).toBe(first);
    expect(new Lowerings().ofLoop(body(plus(1)))).not.toBe(first);
  });
  it("tells loops apart that differ in a constant or in how they read", () => {
    const lowerings = new Lowerings();
    const lowered = [
      lowerings.ofLoop(body(plus(0))),
      lowerings.ofLoop(body(plus(-0))),
      lowerings.ofLoop(body(plus(Number.NaN))),
      lowerings.ofLoop(body(plus(0), [0])),
    ];
    expect(new Set(lowered).size).toBe(4);
  });
  it("tells expressions apart that share a part from those that compute it twice", () => {
    const part = plus(1);
    const shared = scalarCall("mul", part, part);
    const twice = scalarCall("mul", plus(1), plus(1));
    expect(structureKey([shared])).not.toBe(structureKey([twice]));
    expect(structureKey([twice])).toBe(structureKey([scalarCall("mul", plus(1), plus(1))]));
  });
  it("refuses what is no data", () => {
    expect(() => structureKey({ expression: () => 1 })).toThrow("a function among the data of a kernel");
  });
});
