import { describe, expect, test } from "vitest";
import type { Op } from "../../src/ops/define.ts";
import { ops } from "../../src/ops/index.ts";
import { assertClose } from "../../src/testing/allclose.ts";
import { everyCase } from "../../src/testing/cases.ts";
import { valuesOf } from "../../src/testing/nodes.ts";

describe("every op", () => {
  test.each(Object.entries(ops as Record<string, Op>))("%s is in the table under its own name", (name, op) => {
    expect(op.opName).toBe(name);
    expect(op.summary).toMatch(/\.$/);
    expect(op.cases.length).toBeGreaterThan(0);
  });

  test.each(everyCase())("$name", ({ build }) => {
    const { result, case: each } = build();
    expect(result.shape).toEqual(each.shape);
    const [exact] = valuesOf([result]);
    const actual = result.dtype === "f32" ? exact.map(Math.fround) : exact;
    assertClose(actual, each.expected, { relative: each.tolerance ?? 1e-6, absolute: 1e-12 });
  });
});
