import { describe, expect, test } from "vitest";
import type { Op } from "../../src/ops/define.ts";
import { ops } from "../../src/ops/index.ts";
import { everyCase } from "../../src/testing/cases.ts";
import { checkGradients } from "../../src/testing/gradient-check.ts";

describe("gradients of every op against differences, to second order", () => {
  test.each(Object.values(ops as Record<string, Op>).filter((op) => typeof op.gradient === "function"))(
    "$opName has a smooth case",
    (op) => {
      expect(op.cases.some((each) => each.smooth)).toBe(true);
    },
  );

  test.each(everyCase().filter(({ smooth }) => smooth))("$name", ({ build }) => {
    const { result, leaves } = build(true);
    expect(result.requiresGrad).toBe(true);
    const differentiable = leaves.filter((leaf) => leaf.requiresGrad);
    for (const seed of [1, 2]) checkGradients([result], differentiable, { seed });
  });
});
