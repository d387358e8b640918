/** Builds strategy requests over plain arrays, runs lowerings in the kernel interpreter, and computes what they must give. */
import { sizeOf, stridesOf } from "../../../src/graph/shape.ts";
import { interpretKernel } from "../../../src/kernel/interpreter.ts";
import type { MachineDescription } from "../../../src/kernel/ir.ts";
import { type ScalarExpression, scalarCall, scalarInput } from "../../../src/kernel/scalar.ts";
import type { Meaning } from "../../../src/ops/define.ts";
import type { BufferReference, Plan } from "../../../src/schedule/plan.ts";
import type { Lowering, OperandView, StrategyRequest } from "../../../src/schedule/strategy.ts";

export const wide: MachineDescription = {
  name: "avx512",
  vectorRegisters: 32,
  broadcastOperand: true,
  l1Bytes: 48 * 1024,
  l2Bytes: 1024 * 1024,
};
export const narrow: MachineDescription = {
  name: "avx2",
  vectorRegisters: 8,
  broadcastOperand: false,
  l1Bytes: 32 * 1024,
  l2Bytes: 512 * 1024,
};

/** A contiguous view of an operand. */
export const contiguous = (operand: number, shape: readonly number[]): OperandView => ({
  operand,
  dtype: "f32",
  offset: 0,
  strides: stridesOf(shape),
});

export interface RequestOptions {
  readonly machine?: MachineDescription;
  readonly views?: readonly OperandView[];
  /** `plain` stores; `bias` adds operand 2 along the last axis and takes the larger of it and 0 in operand 4; `update` is operand 3 -= operand 4 · result. */
  readonly epilogue?: "plain" | "bias" | "update";
}

/** A request for two inputs (operands 0 and 1), a bias vector (2), the result (3) and a scalar or zero (4). */
export function requestOf(
  meaning: Meaning,
  inputs: readonly (readonly number[])[],
  output: readonly number[],
  options: RequestOptions = {},
): StrategyRequest {
  const result = contiguous(3, output);
  const bias: OperandView = {
    operand: 2,
    dtype: "f32",
    offset: 0,
    strides: output.map((_, axis) => (axis === output.length - 1 ? 1 : 0)),
  };
  const scalar: OperandView = { operand: 4, dtype: "f32", offset: 0, strides: output.map(() => 0) };
  const input = (index: number): ScalarExpression => scalarInput(index, "f32");
  const epilogues = {
    plain: { loads: [], stores: [{ expression: input(0), view: result }] },
    bias: {
      loads: [bias, scalar],
      stores: [{ expression: scalarCall("max", scalarCall("add", input(0), input(1)), input(2)), view: result }],
    },
    update: {
      loads: [result, scalar],
      stores: [{ expression: scalarCall("sub", input(1), scalarCall("mul", input(2), input(0))), view: result }],
    },
  };
  return {
    opName: meaning.kind,
    meaning,
    inputs: inputs.map((shape) => ({ shape, dtype: "f32" })),
    output: { shape: output, dtype: "f32" },
    views: options.views ?? inputs.map((shape, index) => contiguous(index, shape)),
    epilogue: epilogues[options.epilogue ?? "plain"],
    machine: options.machine ?? wide,
  };
}

/** Runs every task of every step; temporaries start as NaN so that a read of what nobody wrote shows. */
export function interpret(lowering: Lowering, operands: readonly Float32Array[], reverse = false): void {
  const temporaries = lowering.temporaries.map((bytes) => new Float32Array(bytes / 4).fill(Number.NaN));
  for (const step of lowering.steps) {
    const memory = step.arguments.map((argument) => {
      if (argument.kind === "status") throw new Error("a contraction has no guards");
      return argument.kind === "operand" ? operands[argument.index] : temporaries[argument.index];
    });
    for (let task = 0; task < step.tasks; task++)
      interpretKernel(step.kernel, { arguments: memory, task: reverse ? step.tasks - 1 - task : task });
  }
}

/** Small whole numbers: every sum of products is exact, whatever the order. */
export function integers(length: number, seed: number): Float32Array {
  return Float32Array.from({ length }, (_, i) => (((i * 7919 + seed * 104729) % 1009) % 9) - 4);
}

/** Numbers whose products round. */
export function fractions(length: number, seed: number): Float32Array {
  return Float32Array.from({ length }, (_, i) => Math.sin(i * 12.9898 + seed * 78.233));
}

export const zeros = (shape: readonly number[]): Float32Array => new Float32Array(sizeOf(shape));

/** The steps of a lowering as a plan whose inputs are the operands and whose arena holds the temporaries. */
export function planOf(lowering: Lowering): Plan {
  const offsets: number[] = [];
  let arenaBytes = 0;
  for (const bytes of lowering.temporaries) {
    offsets.push(arenaBytes);
    arenaBytes += Math.ceil(bytes / 64) * 64;
  }
  const steps = lowering.steps.map((step) => ({
    ...step,
    arguments: step.arguments.map((argument): BufferReference => {
      if (argument.kind === "status") return argument;
      if (argument.kind === "operand") return { kind: "input", index: argument.index, byteOffset: 0 };
      return { kind: "arena", byteOffset: offsets[argument.index] };
    }),
  }));
  return { steps, arenaBytes, constants: [], guards: [], preparations: [], explanation: "" };
}
