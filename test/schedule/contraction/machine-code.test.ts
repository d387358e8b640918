import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { afterAll, describe, expect, it } from "vitest";
import { sizeOf } from "../../../src/graph/shape.ts";
import type { MachineDescription } from "../../../src/kernel/ir.ts";
import type { Meaning } from "../../../src/ops/define.ts";
import { conv2d, matmul } from "../../../src/schedule/strategies/contraction/index.ts";
import type { Lowering, OperandView } from "../../../src/schedule/strategy.ts";
import { createX86Platform, x86Availability } from "../../../src/targets/x86/platform.ts";
import { contiguous, fractions, interpret, planOf, requestOf } from "./harness.ts";

interface Case {
  readonly name: string;
  readonly meaning: Meaning;
  readonly inputs: readonly (readonly number[])[];
  readonly output: readonly number[];
  readonly views?: readonly OperandView[];
  readonly epilogue?: "plain" | "bias" | "update";
  /** A smaller second-level cache, for strategies that large matrices get. */
  readonly l2Bytes?: number;
}

const across = (operand: number, rows: number, columns: number): OperandView => ({
  ...contiguous(operand, [rows, columns]),
  strides: [1, rows],
});

function matrix(m: number, k: number, n: number, extra: Partial<Case> = {}): Case {
  const inputs = [
    [m, k],
    [k, n],
  ];
  return { name: `matmul ${m}x${k}x${n}`, meaning: { kind: "matmul" }, inputs, output: [m, n], ...extra };
}

function convolutions(
  name: string,
  x: number[],
  w: number[],
  y: number[],
  geometry: Partial<Extract<Meaning, { kind: "conv2d" }>["geometry"]> = {},
  groups = 1,
): Case[] {
  const meaning = (direction: "forward" | "inputGradient" | "weightGradient"): Meaning => ({
    kind: "conv2d",
    direction,
    groups,
    geometry: {
      window: [w[0], w[1]],
      strides: [1, 1],
      dilation: [1, 1],
      padding: [
        [0, 0],
        [0, 0],
      ],
      ...geometry,
    },
  });
  return [
    { name: `${name}, forward`, meaning: meaning("forward"), inputs: [x, w], output: y, epilogue: "bias" },
    { name: `${name}, input gradient`, meaning: meaning("inputGradient"), inputs: [y, w], output: x },
    {
      name: `${name}, weight gradient`,
      meaning: meaning("weightGradient"),
      inputs: [x, y],
      output: w,
      epilogue: "update",
    },
  ];
}

const cases: Case[] = [
  matrix(1, 50, 40),
  matrix(33, 530, 45, { epilogue: "bias" }),
  matrix(30, 70, 41, { views: [contiguous(0, [30, 70]), across(1, 70, 41)] }),
  matrix(52, 40, 70, { views: [across(0, 52, 40), contiguous(1, [40, 70])], epilogue: "update" }),
  matrix(2, 5, 3),
  matrix(1, 261, 179, { l2Bytes: 176 * 1024, epilogue: "bias" }),
  matrix(3, 261, 180, { l2Bytes: 176 * 1024, epilogue: "update" }),
  ...[16, 32, 64].map((m) =>
    matrix(m, 261, 176, {
      views: [contiguous(0, [m, 261]), across(1, 261, 176)],
      epilogue: "bias",
      l2Bytes: 176 * 1024,
    }),
  ),
  ...convolutions("first layer", [2, 9, 30, 1], [3, 3, 1, 20], [2, 7, 28, 20]),
  ...convolutions("padding and strides", [2, 9, 9, 5], [3, 3, 5, 33], [2, 5, 5, 33], {
    strides: [2, 2],
    padding: [
      [1, 1],
      [1, 1],
    ],
  }),
  ...convolutions("dilation", [1, 9, 12, 18], [2, 3, 18, 16], [1, 7, 8, 16], { dilation: [2, 2] }),
  ...convolutions(
    "depthwise",
    [2, 8, 8, 20],
    [3, 3, 1, 20],
    [2, 8, 8, 20],
    {
      padding: [
        [1, 1],
        [1, 1],
      ],
    },
    20,
  ),
  ...convolutions("tiles with edges and tails", [2, 9, 12, 18], [3, 3, 18, 40], [2, 10, 11, 40], {
    padding: [
      [1, 2],
      [0, 1],
    ],
  }),
  ...convolutions("tiles that fit", [33, 10, 14, 32], [3, 3, 32, 32], [33, 8, 12, 32]),
  ...convolutions("groups", [1, 6, 6, 8], [3, 3, 4, 10], [1, 4, 4, 10], {}, 2),
];

const available = x86Availability();
const avx512 = available.available && available.cpu.avx512;
const platforms = available.available
  ? [false, ...(avx512 ? [true] : [])].map((wide) => createX86Platform({ threads: 2, avx512: wide }))
  : [];
afterAll(() => {
  for (const platform of platforms) platform.dispose();
});

describe.skipIf(!available.available)("contractions as machine code", () => {
  it.each(cases)(
    "$name gives the interpreter's bits with AVX2 and AVX-512",
    ({ meaning, inputs, output, views, epilogue, l2Bytes }) => {
      const lower = (machine: MachineDescription): Lowering =>
        (meaning.kind === "matmul" ? matmul : conv2d)(requestOf(meaning, inputs, output, { machine, views, epilogue }));
      const operands = (): Float32Array[] => [
        fractions(sizeOf(inputs[0]), 1),
        fractions(sizeOf(inputs[1]), 2),
        fractions(output[output.length - 1], 3),
        fractions(sizeOf(output), 4),
        new Float32Array([epilogue === "update" ? 0.25 : 0]),
      ];
      const expected = operands();
      interpret(lower(platforms[0].description), expected);
      for (const platform of platforms) {
        const memory = operands().map((data) => {
          const { buffer } = new Float32Array(Math.max(32, data.length));
          new Float32Array(buffer).set(data);
          return { buffer, byteOffset: 0 };
        });
        const machine = { ...platform.description, l2Bytes: l2Bytes ?? platform.description.l2Bytes };
        const executable = platform.compilePlan(planOf(lower(machine)));
        executable.run(memory, []);
        executable.dispose();
        const result = new Float32Array(memory[3].buffer, 0, sizeOf(output));
        expect({ machine: platform.description.name, result }).toEqual({
          machine: platform.description.name,
          result: expected[3],
        });
      }
    },
  );

  it("keeps to its operands where tiles reach over the edges", () => {
    const script = fileURLToPath(new URL("./guard-page-child.ts", import.meta.url));
    const child = spawnSync(process.execPath, ["--import", "tsx", script], { encoding: "utf8", timeout: 30_000 });
    expect(child.stdout).toBe("ok\n");
    expect(child.status).toBe(0);
  });
});
