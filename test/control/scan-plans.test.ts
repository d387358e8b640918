import { describe, expect, test } from "vitest";
import { gradients } from "../../src/autodiff/gradients.ts";
import { scan } from "../../src/control/scan.ts";
import { whyNoMachineCode } from "../../src/engine/default-target.ts";
import { IndexRangeError } from "../../src/errors.ts";
import { buildProgram } from "../../src/graph/build-program.ts";
import type { Node } from "../../src/graph/node.ts";
import { add, conv2d, gather, mul, permute, sum, tanh } from "../../src/ops/index.ts";
import { schedule } from "../../src/schedule/schedule.ts";
import { createX86Target } from "../../src/targets/x86/target.ts";
import { leafOf } from "../../src/testing/nodes.ts";
import { narrowMachine, wideMachine } from "../../src/testing/run-plan.ts";
import { assertComputed, assertScheduled } from "../schedule/scheduling.ts";
import { leaf, maskedNetwork } from "./networks.ts";

const machineCode = whyNoMachineCode() === undefined;
const tolerance = { relative: 2e-5, absolute: 2e-5 };

describe("kernels of a loop compute what the oracle computes", () => {
  for (const T of [1, 2, 5]) {
    for (const reverse of [false, true]) {
      test(`${T} steps${reverse ? ", reverse" : ""}`, () => {
        const { outputs, carries, loss, gradients } = maskedNetwork(T, 3, 5, reverse);
        for (const machine of [narrowMachine, wideMachine]) {
          assertScheduled([...outputs, ...carries], machine, tolerance);
          assertScheduled([carries[0]], machine, tolerance);
          assertScheduled([loss, ...gradients], machine, tolerance);
          assertScheduled([gradients[3]], machine, tolerance);
        }
      });
    }
  }

  test.runIf(machineCode)("in machine code", () => {
    const target = createX86Target({ threads: 2 });
    const { outputs, carries, loss, gradients } = maskedNetwork(7, 33, 20);
    assertComputed([...outputs, ...carries], target, tolerance);
    assertComputed([loss, ...gradients], target, tolerance);
    target.platform.dispose();
  });

  test("with operands that do not lie in one run", () => {
    const [x, h0] = [leaf([3, 4, 2], 1), leaf([3, 2], 2)];
    const { carries, outputs } = scan(
      ([h], [element]) => {
        const next = add(mul(h, element), mul(element, element));
        return { carries: [next], outputs: [next] };
      },
      [permute(mul(permute(h0, [1, 0]), permute(h0, [1, 0])), [1, 0])],
      [permute(x, [1, 0, 2])],
    );
    assertScheduled([...carries, ...outputs], wideMachine);
  });

  test("with convolutions over channels-first images", () => {
    const [x, h0, w] = [leaf([3, 2, 4, 5, 5], 1), leaf([2, 4, 5, 5], 2), leaf([3, 3, 4, 4], 3)];
    const { outputs, carries } = scan(
      ([h], [element]) => {
        const last = permute(tanh(add(h, element)), [0, 2, 3, 1]);
        const padding = [
          [1, 1],
          [1, 1],
        ] as const;
        const next = permute(conv2d(last, w, { strides: [1, 1], dilation: [1, 1], padding }), [0, 3, 1, 2]);
        return { carries: [next], outputs: [sum(next, [2, 3])] };
      },
      [h0],
      [x],
    );
    const slopes = gradients([sum(outputs[0])], [x, h0, w]).map((slope) => slope as Node);
    assertScheduled([...outputs, ...carries, ...slopes], wideMachine, { relative: 5e-5, absolute: 5e-5 });
  });

  test("asked for twice", () => {
    const twice = [1, 1].map(() => maskedNetwork(2, 3, 4));
    assertScheduled([twice[0].outputs[0], twice[0].outputs[0]], wideMachine, tolerance);
  });
});

describe("plans", () => {
  const planOf = (T: number) => {
    const { outputs, gradients } = maskedNetwork(T, 4, 8);
    const { program } = buildProgram([...outputs, gradients[0], gradients[1]].map((node) => ({ node })));
    return { program, plan: schedule(program, wideMachine) };
  };

  test("hold as many different kernels for 5 steps as for 500", () => {
    const [short, long] = [planOf(5), planOf(500)];
    const kernels = (plan: typeof short.plan) => new Set(plan.steps.map(({ kernel }) => kernel)).size;
    expect(kernels(long.plan)).toBe(kernels(short.plan));
    expect(long.program.nodes.length).toBe(short.program.nodes.length);
    expect(long.program.key.length).toBeLessThan(short.program.key.length + 200);
    expect(long.plan.explanation.length).toBeLessThan(short.plan.explanation.length + 500);
  });

  test("store of a loop what is read", () => {
    const valuesOfBody = (nodes: readonly Node[]): number => {
      const { program } = buildProgram(nodes.map((node) => ({ node })));
      return Number(/steps of\s+(\d+) values/.exec(schedule(program, wideMachine).explanation)?.[1]);
    };
    const { carries, outputs } = maskedNetwork(500, 4, 8);
    expect(valuesOfBody(carries)).toBeLessThan(valuesOfBody(outputs));
  });
});

describe("indices inside a loop", () => {
  test.runIf(machineCode)("are checked at every step", () => {
    const target = createX86Target({ threads: 1 });
    const table = leaf([4, 2], 1);
    const run = (indices: readonly number[]): void => {
      const { outputs } = scan(
        (_, [index]) => ({ carries: [], outputs: [sum(gather(table, index), [0])] }),
        [],
        [leafOf([3, 2], "i32", indices)],
      );
      assertComputed(outputs, target);
    };
    run([0, 1, 2, 3, 3, 3]);
    expect(() => run([0, 1, 2, 3, 3, 4])).toThrow(IndexRangeError);
    target.platform.dispose();
  });
});
