/** Graphs computed twice: scheduled and interpreted, and through the oracle. */
import { buildProgram } from "../../src/graph/build-program.ts";
import { bytesPerElement, viewOf } from "../../src/graph/dtype.ts";
import type { Node, NodeValue } from "../../src/graph/node.ts";
import { sizeOf } from "../../src/graph/shape.ts";
import type { MachineDescription } from "../../src/kernel/ir.ts";
import { verifyKernel } from "../../src/kernel/verifier.ts";
import type { Plan } from "../../src/schedule/plan.ts";
import { schedule } from "../../src/schedule/schedule.ts";
import type { Target } from "../../src/targets/target.ts";
import { assertClose, type Tolerance } from "../../src/testing/allclose.ts";
import { leafData, valuesOf } from "../../src/testing/nodes.ts";
import { runPlan } from "../../src/testing/run-plan.ts";

/** Storage with its elements. */
export function storageOf(node: Node): NodeValue {
  return { buffer: new ArrayBuffer(sizeOf(node.shape) * bytesPerElement[node.dtype]), byteOffset: 0 };
}

/** Schedules, runs in the interpreter, gives the outputs' elements and the plan. */
export function runScheduled(outputs: readonly Node[], machine: MachineDescription): { data: number[][]; plan: Plan } {
  const { program, leaves } = buildProgram(outputs.map((node) => ({ node })));
  const plan = schedule(program, machine);
  for (const step of plan.steps) verifyKernel(step.kernel);
  const inputs = leaves.map((leaf) => {
    const storage = storageOf(leaf);
    viewOf(leaf.dtype, storage.buffer, 0, sizeOf(leaf.shape)).set(leafData(leaf));
    return storage;
  });
  const results = outputs.map(storageOf);
  runPlan(plan, program, inputs, results);
  const data = outputs.map((node, index) =>
    Array.from(viewOf(node.dtype, results[index].buffer, 0, sizeOf(node.shape))),
  );
  return { data, plan };
}

/** Compares every output with the oracle. */
export function assertScheduled(outputs: readonly Node[], machine: MachineDescription, tolerance?: Tolerance): Plan {
  const { data, plan } = runScheduled(outputs, machine);
  assertOutputs(outputs, data, plan.explanation, tolerance);
  return plan;
}

/** The same on a target. */
export function assertComputed(outputs: readonly Node[], target: Target, tolerance?: Tolerance): void {
  const { program, leaves } = buildProgram(outputs.map((node) => ({ node })));
  const executable = target.compile(program);
  const inputs = leaves.map((leaf) => {
    const storage = target.allocate(sizeOf(leaf.shape) * bytesPerElement[leaf.dtype]);
    viewOf(leaf.dtype, storage.buffer, storage.byteOffset, sizeOf(leaf.shape)).set(leafData(leaf));
    return storage;
  });
  const results = outputs.map((node) => target.allocate(sizeOf(node.shape) * bytesPerElement[node.dtype]));
  executable.run(inputs, results);
  const data = outputs.map((node, index) => {
    const { buffer, byteOffset } = results[index];
    return Array.from(viewOf(node.dtype, buffer, byteOffset, sizeOf(node.shape)));
  });
  assertOutputs(outputs, data, executable.explain(), tolerance);
  executable.dispose();
}

function assertOutputs(
  outputs: readonly Node[],
  data: readonly number[][],
  explanation: string,
  { relative = 2e-6, absolute = 1e-6 }: Tolerance = {},
): void {
  const expected = valuesOf(outputs);
  outputs.forEach((node, index) => {
    const exact = Array.from(expected[index], (value) => (node.dtype === "f32" ? Math.fround(value) : value));
    // Sums cancel: errors are relative to the largest element.
    const scale = exact.reduce((most, value) => (Number.isFinite(value) ? Math.max(most, Math.abs(value)) : most), 1);
    try {
      assertClose(data[index], exact, { relative, absolute: absolute * scale });
    } catch (error) {
      throw new Error(`output ${index} (${node.op?.opName}): ${(error as Error).message}\n${explanation}`);
    }
  });
}
