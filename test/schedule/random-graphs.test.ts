import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { createX86Target } from "../../src/targets/x86/target.ts";
import { narrowMachine, wideMachine } from "../../src/testing/run-plan.ts";
import { availableTargets } from "../targets.ts";
import { randomGraph } from "./graphs.ts";
import { assertComputed, assertScheduled } from "./scheduling.ts";

describe("random graphs equal the oracle", () => {
  test.each([
    { machine: narrowMachine, seed: 1 },
    { machine: wideMachine, seed: 2 },
  ])("on a $machine.name machine", ({ machine, seed }) => {
    let kernels = 0;
    fc.assert(
      fc.property(fc.array(fc.nat(9999), { minLength: 20, maxLength: 70 }), (list) => {
        const outputs = randomGraph(list);
        kernels += assertScheduled(outputs, machine, { relative: 5e-5, absolute: 2e-4 }).steps.length;
      }),
      { numRuns: 300, seed },
    );
    expect(kernels).toBeGreaterThan(300);
  });

  test.runIf(availableTargets().includes("x86"))("in machine code, on two threads", () => {
    const target = createX86Target({ threads: 2 });
    fc.assert(
      fc.property(fc.array(fc.nat(9999), { minLength: 20, maxLength: 70 }), (list) => {
        assertComputed(randomGraph(list), target, { relative: 5e-5, absolute: 2e-4 });
      }),
      { numRuns: 150, seed: 3 },
    );
  });
});
