import { performance } from "node:perf_hooks";
import { OutOfMemoryError } from "../../errors.ts";
import { viewOf } from "../../graph/dtype.ts";
import type { NodeValue } from "../../graph/node.ts";
import type { GraphProgram } from "../../graph/program.ts";
import { formatShape, sizeOf } from "../../graph/shape.ts";
import type { Executable, StepTiming, Target } from "../target.ts";
import { evaluateProgram } from "./evaluate-program.ts";

/** The target that every other one is compared with: plain JavaScript in f64, one node at a time, rounded only where results are stored. */
export function createReferenceTarget(): Target {
  return {
    name: "reference",
    description: "reference (f64 interpreter, 1 thread)",
    threads: 1,
    compile: (program) => new ReferenceExecutable(program),
    allocate,
  };
}

function allocate(bytes: number): NodeValue {
  try {
    // Never a small buffer: those may be moved by the engine while their address is in use elsewhere.
    return { buffer: new ArrayBuffer(Math.max(bytes, 128)), byteOffset: 0 };
  } catch (cause) {
    throw new OutOfMemoryError(`${bytes} bytes cannot be allocated.`, { cause });
  }
}

class ReferenceExecutable implements Executable {
  readonly bytes: number;
  readonly arenaBytes = 0;
  readonly kernelCount: number;
  readonly preparations = [];
  private readonly program: GraphProgram;

  constructor(program: GraphProgram) {
    this.program = program;
    this.bytes = 2 * program.key.length;
    this.kernelCount = program.nodes.length - program.inputs.length;
  }

  run(inputs: readonly NodeValue[], outputs: readonly NodeValue[]): void {
    this.store(evaluateProgram(this.program, this.read(inputs)), outputs);
  }

  profile(inputs: readonly NodeValue[], outputs: readonly NodeValue[]): StepTiming[] {
    const timings: StepTiming[] = [];
    const operands = this.read(inputs);
    let before = performance.now();
    const results = evaluateProgram(this.program, operands, (index) => {
      const now = performance.now();
      timings.push({ label: this.label(index), milliseconds: now - before, flops: 0, bytes: 0 });
      before = now;
    });
    this.store(results, outputs);
    return timings;
  }

  explain(): string {
    const lines = this.program.nodes.map((_, index) => `%${index} = ${this.label(index)}`);
    const outputs = this.program.outputs.map(({ node, overwrites }) =>
      overwrites === undefined ? `%${node}` : `%${node} over input ${overwrites}`,
    );
    return `reference: one node at a time in f64\n${lines.join("\n")}\noutputs ${outputs.join(", ")}`;
  }

  dispose(): void {}

  private label(index: number): string {
    const { op, inputs, type } = this.program.nodes[index];
    const result = `${type.dtype}${formatShape(type.shape)}`;
    return op ? `${op.opName}(${inputs.map((input) => `%${input}`).join(", ")}) ${result}` : `input ${result}`;
  }

  private read(inputs: readonly NodeValue[]): Float64Array[] {
    return this.program.inputs.map((index, position) => {
      const { dtype, shape } = this.program.nodes[index].type;
      const { buffer, byteOffset } = inputs[position];
      return Float64Array.from(viewOf(dtype, buffer, byteOffset, sizeOf(shape)));
    });
  }

  /** All results exist before the first is stored: a guard that fires leaves every output as it was, and results may overwrite inputs. */
  private store(results: readonly Float64Array[], outputs: readonly NodeValue[]): void {
    this.program.outputs.forEach(({ node }, position) => {
      const { dtype, shape } = this.program.nodes[node].type;
      const { buffer, byteOffset } = outputs[position];
      viewOf(dtype, buffer, byteOffset, sizeOf(shape)).set(results[position]);
    });
  }
}
