/**
 * Speed of the contraction strategies on their own, as shares of the FMA peak measured in the same run:
 * `npx tsx bench/contractions.ts [filter] [--threads N] [--avx2]`.
 */
import { sizeOf, stridesOf } from "../src/graph/shape.ts";
import { fmaPeakProbe } from "../src/kernel/probes.ts";
import { scalarCall, scalarInput } from "../src/kernel/scalar.ts";
import type { Meaning } from "../src/ops/define.ts";
import { allocateAligned } from "../src/runtime/allocate.ts";
import type { BufferReference, PlanStep } from "../src/schedule/plan.ts";
import { conv2d, matmul } from "../src/schedule/strategies/contraction/index.ts";
import type { Lowering, OperandView, StrategyRequest } from "../src/schedule/strategy.ts";
import { createX86Platform } from "../src/targets/x86/platform.ts";

interface Case {
  readonly name: string;
  readonly meaning: Meaning;
  /** Shapes as the op sees them; `transposed` inputs lie in memory with their two axes exchanged. */
  readonly inputs: readonly (readonly number[])[];
  readonly transposed?: readonly boolean[];
  readonly output: readonly number[];
  /** Fused work: bias and relu, the step of a weight, or none. */
  readonly epilogue: "relu" | "update" | "none";
  readonly flops: number;
}

const window = {
  window: [3, 3],
  strides: [1, 1],
  dilation: [1, 1],
  padding: [
    [0, 0],
    [0, 0],
  ],
} as const;

function convolutions(n: number, size: number, c: number, k: number): Case[] {
  const out = size - 2;
  const [x, w, y] = [
    [n, size, size, c],
    [3, 3, c, k],
    [n, out, out, k],
  ];
  const flops = 2 * n * out * out * 9 * c * k;
  const meaning = (direction: "forward" | "inputGradient" | "weightGradient"): Meaning => ({
    kind: "conv2d",
    direction,
    geometry: window,
    groups: 1,
  });
  const name = `conv ${size}x${size}x${c}->${k} batch ${n}`;
  return [
    { name: `${name} forward`, meaning: meaning("forward"), inputs: [x, w], output: y, epilogue: "relu", flops },
    {
      name: `${name} input gradient`,
      meaning: meaning("inputGradient"),
      inputs: [y, w],
      output: x,
      epilogue: "none",
      flops,
    },
    {
      name: `${name} weight gradient`,
      meaning: meaning("weightGradient"),
      inputs: [x, y],
      output: w,
      epilogue: "update",
      flops,
    },
  ];
}

function dense(m: number, i: number, o: number): Case[] {
  const meaning: Meaning = { kind: "matmul" };
  const flops = 2 * m * i * o;
  const name = `dense ${i}x${o} batch ${m}`;
  return [
    {
      name: `${name} forward`,
      meaning,
      inputs: [
        [m, i],
        [i, o],
      ],
      output: [m, o],
      epilogue: "relu",
      flops,
    },
    {
      name: `${name} input gradient`,
      meaning,
      inputs: [
        [m, o],
        [o, i],
      ],
      transposed: [false, true],
      output: [m, i],
      epilogue: "none",
      flops,
    },
    {
      name: `${name} weight gradient`,
      meaning,
      inputs: [
        [i, m],
        [m, o],
      ],
      transposed: [true, false],
      output: [i, o],
      epilogue: "update",
      flops,
    },
  ];
}

const cases = [32, 128, 512].flatMap((n) => [
  ...convolutions(n, 28, 1, 32),
  ...convolutions(n, 26, 32, 64),
  ...dense(n, 9216, 1024),
  ...dense(n, 1024, 10),
]);

/** Operands: the two inputs, a bias, the result, a scalar. */
function requestOf(test: Case): StrategyRequest {
  const view = (operand: number, strides: readonly number[]): OperandView => ({
    operand,
    dtype: "f32",
    offset: 0,
    strides,
  });
  const views = test.inputs.map((shape, operand) =>
    view(operand, test.transposed?.[operand] ? [1, shape[0]] : stridesOf(shape)),
  );
  const rank = test.output.length;
  const result = view(3, stridesOf(test.output));
  const bias = view(
    2,
    test.output.map((_, axis) => (axis === rank - 1 ? 1 : 0)),
  );
  const scalar = view(
    4,
    test.output.map(() => 0),
  );
  const [it, first, second] = [0, 1, 2].map((index) => scalarInput(index, "f32"));
  const epilogues = {
    none: { loads: [], stores: [{ expression: it, view: result }] },
    relu: {
      loads: [bias, scalar],
      stores: [{ expression: scalarCall("max", scalarCall("add", it, first), second), view: result }],
    },
    update: {
      loads: [result, scalar],
      stores: [{ expression: scalarCall("sub", first, scalarCall("mul", it, second)), view: result }],
    },
  };
  return {
    opName: test.meaning.kind,
    meaning: test.meaning,
    inputs: test.inputs.map((shape) => ({ shape, dtype: "f32" })),
    output: { shape: test.output, dtype: "f32" },
    views,
    epilogue: epilogues[test.epilogue],
    machine: platform.description,
  };
}

/** Temporaries lie in the arena, operands in the caller's buffers. */
function planSteps(lowering: Lowering): { readonly steps: PlanStep[]; readonly arenaBytes: number } {
  const offsets: number[] = [];
  let arenaBytes = 0;
  for (const bytes of lowering.temporaries) {
    offsets.push(arenaBytes);
    arenaBytes += Math.ceil(bytes / 4096) * 4096;
  }
  const steps = lowering.steps.map(
    (step): PlanStep => ({
      ...step,
      arguments: step.arguments.map((argument): BufferReference => {
        if (argument.kind === "status") return { kind: "status" };
        return argument.kind === "operand"
          ? { kind: "input", index: argument.index, byteOffset: 0 }
          : { kind: "arena", byteOffset: offsets[argument.index] };
      }),
    }),
  );
  return { steps, arenaBytes };
}

const option = (name: string): string | undefined => {
  const at = process.argv.indexOf(name);
  return at < 0 ? undefined : process.argv[at + 1];
};
const filter = process.argv[2]?.startsWith("--") ? "" : (process.argv[2] ?? "");
const threads = Number(option("--threads") ?? 2);
const platform = createX86Platform({ threads, avx512: !process.argv.includes("--avx2") });

function buffer(floats: number, fill: (i: number) => number): { buffer: ArrayBuffer; byteOffset: number } {
  const storage = allocateAligned(4 * Math.max(floats, 16), platform.machine.functions);
  const data = new Float32Array(storage.buffer, storage.byteOffset, floats);
  for (let i = 0; i < floats; i++) data[i] = fill(i);
  return storage;
}

/** Median and best time of a plan in milliseconds, and the steps of the best run. */
function time(plan: { steps: PlanStep[]; arenaBytes: number }, inputs: { buffer: ArrayBuffer; byteOffset: number }[]) {
  const executable = platform.compilePlan({ ...plan, constants: [], guards: [], preparations: [], explanation: "" });
  const totals: number[] = [];
  let best = Number.POSITIVE_INFINITY;
  let steps = "";
  const end = performance.now() + 600;
  for (let round = 0; round < 5 || performance.now() < end; round++) {
    const timings = executable.profile(inputs, []);
    const total = timings.reduce((sum, timing) => sum + timing.milliseconds, 0);
    totals.push(total);
    if (total < best) steps = timings.map((timing) => `${timing.label} ${timing.milliseconds.toFixed(3)}`).join(", ");
    best = Math.min(best, total);
  }
  executable.dispose();
  totals.sort((a, b) => a - b);
  return { best, median: totals[totals.length >> 1], steps };
}

const probe = fmaPeakProbe(platform.description);
const peakOf = (): number => {
  const step: PlanStep = { ...probe, arguments: [{ kind: "input", index: 0, byteOffset: 0 }], tasks: 8 * threads };
  const { best } = time({ steps: [step], arenaBytes: 0 }, [buffer(1024, () => 0)]);
  return (probe.flops * step.tasks) / best / 1e6;
};
let peak = peakOf();
console.log(`${platform.description.name}, ${threads} threads: FMA peak ${peak.toFixed(0)} GFLOP/s`);
for (const test of cases) {
  if (!test.name.includes(filter)) continue;
  const request = requestOf(test);
  const lowering = (test.meaning.kind === "matmul" ? matmul : conv2d)(request);
  const sizes = [...test.inputs.map(sizeOf), test.output[test.output.length - 1], sizeOf(test.output), 1];
  const inputs = sizes.map((size, index) => buffer(size, (i) => (index === 4 ? 1e-6 : Math.sin(i + index))));
  const { best, median, steps } = time(planSteps(lowering), inputs);
  peak = Math.max(peak, peakOf());
  const [speed, usual] = [best, median].map((milliseconds) => test.flops / milliseconds / 1e6);
  const share = (value: number): string => ((100 * value) / peak).toFixed(0);
  console.log(
    `${test.name.padEnd(46)} best ${best.toFixed(3)} ms ${speed.toFixed(0)} GFLOP/s ${share(speed)} %, median ${share(usual)} %   ${steps}`,
  );
}
platform.dispose();
