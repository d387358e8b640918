import { describe, expect, test } from "vitest";
import { assertClose } from "../../src/testing/allclose.ts";
import { everyCase } from "../../src/testing/cases.ts";
import { narrowMachine, wideMachine } from "../../src/testing/run-plan.ts";
import { runScheduled } from "./scheduling.ts";

describe.each([narrowMachine, wideMachine])("every op, scheduled for a $name machine", (machine) => {
  test.each(everyCase())("$name", ({ build }) => {
    const { result, case: each } = build();
    const { data } = runScheduled([result], machine);
    expect(result.shape).toEqual(each.shape);
    assertClose(data[0], each.expected.map(result.dtype === "f32" ? Math.fround : Number), {
      relative: Math.max(each.tolerance ?? 0, 2e-6),
      absolute: 1e-6,
    });
  });
});
