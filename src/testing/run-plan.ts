/** Runs plans in the kernel interpreter: the schedule's oracle test on any machine, with every access checked. */
import { performance } from "node:perf_hooks";
import { IndexRangeError, InternalError } from "../errors.ts";
import { bytesPerElement } from "../graph/dtype.ts";
import type { NodeValue } from "../graph/node.ts";
import type { GraphProgram } from "../graph/program.ts";
import { sizeOf } from "../graph/shape.ts";
import { interpretKernel } from "../kernel/interpreter.ts";
import type { MachineDescription } from "../kernel/ir.ts";
import type { BufferReference, Plan } from "../schedule/plan.ts";
import { schedule } from "../schedule/schedule.ts";
import type { Executable, StepTiming, Target } from "../targets/target.ts";

/** Machines that tests plan for: few and many registers. */
export const narrowMachine: MachineDescription = {
  name: "narrow",
  vectorRegisters: 8,
  broadcastOperand: false,
  l1Bytes: 32 * 1024,
  l2Bytes: 512 * 1024,
};
export const wideMachine: MachineDescription = {
  name: "wide",
  vectorRegisters: 32,
  broadcastOperand: true,
  l1Bytes: 48 * 1024,
  l2Bytes: 1024 * 1024,
};

/** Runs a plan on the storage of a program's inputs and outputs. The arena starts full of NaN patterns, so that nothing relies on zeros. */
export function runPlan(
  plan: Plan,
  program: GraphProgram,
  inputs: readonly NodeValue[],
  outputs: readonly NodeValue[],
): void {
  const arena = new Uint8Array(plan.arenaBytes).fill(0xff);
  const status = new Int32Array(1);
  const view = (value: NodeValue, node: number, byteOffset: number): Uint8Array => {
    const { shape, dtype } = program.nodes[node].type;
    const bytes = sizeOf(shape) * bytesPerElement[dtype];
    return new Uint8Array(value.buffer, value.byteOffset + byteOffset, bytes - byteOffset);
  };
  const memory = (reference: BufferReference): ArrayBufferView => {
    switch (reference.kind) {
      case "input":
        return view(inputs[reference.index], program.inputs[reference.index], reference.byteOffset);
      case "output":
        return view(outputs[reference.index], program.outputs[reference.index].node, reference.byteOffset);
      case "arena":
        return arena.subarray(reference.byteOffset);
      case "constant":
        return plan.constants[reference.index].subarray(reference.byteOffset);
      case "status":
        return status;
    }
  };
  for (const step of plan.steps) {
    const list = step.arguments.map(memory);
    // Tasks may run in any order.
    for (let task = step.tasks - 1; task >= 0; task--) {
      const scratch = new Uint8Array(step.kernel.scratchBytes).fill(0xff);
      interpretKernel(step.kernel, { arguments: list, task, scratch });
    }
    if (step.checksStatus && status[0] !== 0) {
      const guard = plan.guards[status[0] - 1];
      throw new IndexRangeError(`${guard.opName}: an index lies outside [0, ${guard.limit})`);
    }
  }
}

/** A target that schedules for a machine and interprets the kernels. */
export function createInterpretedTarget(machine: MachineDescription): Target {
  return {
    name: "reference",
    description: `interpreted kernels (${machine.name})`,
    threads: 1,
    compile: (program) => new InterpretedExecutable(program, schedule(program, machine)),
    allocate: (bytes) => ({ buffer: new ArrayBuffer(Math.max(bytes, 128)), byteOffset: 0 }),
  };
}

class InterpretedExecutable implements Executable {
  readonly bytes = 0;
  readonly arenaBytes: number;
  readonly kernelCount: number;
  readonly preparations = [];
  private readonly program: GraphProgram;
  private readonly plan: Plan;

  constructor(program: GraphProgram, plan: Plan) {
    this.program = program;
    this.plan = plan;
    this.arenaBytes = plan.arenaBytes;
    this.kernelCount = plan.steps.length;
  }
  run(inputs: readonly NodeValue[], outputs: readonly NodeValue[]): void {
    if (outputs.length !== this.program.outputs.length) throw new InternalError("one storage per output");
    runPlan(this.plan, this.program, inputs, outputs);
  }
  profile(inputs: readonly NodeValue[], outputs: readonly NodeValue[]): StepTiming[] {
    const before = performance.now();
    this.run(inputs, outputs);
    return [{ label: "all kernels", milliseconds: performance.now() - before, flops: 0, bytes: 0 }];
  }
  explain(): string {
    return this.plan.explanation;
  }
  dispose(): void {}
}
