/** Programs of hand-written kernels for the tests of the pool. */
import { ExecutableMemory } from "../../../src/runtime/executable-memory.ts";
import { type ForeignFunctions, foreignFunctions } from "../../../src/runtime/ffi.ts";
import { Assembler } from "../../../src/targets/x86/assembler/index.ts";
import { writeWord64 } from "../../../src/targets/x86/pool.ts";
import { programHeader, stepDescriptor } from "../../../src/targets/x86/pool-layout.ts";

export function requireFunctions(): ForeignFunctions {
  const found = foreignFunctions();
  if (!found.available) throw new Error(found.reason);
  return found.functions;
}

export interface TestStep {
  readonly kernel: number;
  readonly tasks: number;
  /** Address of the argument table. */
  readonly arguments: number;
  readonly participants: number;
  readonly checksStatus?: boolean;
}

/** A program in memory; keep it referenced while it runs. */
export class TestProgram {
  readonly block: ArrayBuffer;
  readonly words: Uint32Array;
  readonly address: number;

  constructor(functions: ForeignFunctions, steps: readonly TestStep[]) {
    this.block = new ArrayBuffer(programHeader.bytes + Math.max(1, steps.length) * stepDescriptor.bytes);
    this.words = new Uint32Array(this.block);
    this.address = functions.addressOf(this.block);
    writeWord64(this.words, programHeader.stepCount, steps.length);
    steps.forEach((step, index) => {
      const at = programHeader.bytes + index * stepDescriptor.bytes;
      writeWord64(this.words, at + stepDescriptor.kernel, step.kernel);
      writeWord64(this.words, at + stepDescriptor.tasks, step.tasks);
      writeWord64(this.words, at + stepDescriptor.arguments, step.arguments);
      this.words[(at + stepDescriptor.participants) >> 2] = step.participants;
      this.words[(at + stepDescriptor.wake) >> 2] = step.participants - 1;
      this.words[(at + stepDescriptor.checksStatus) >> 2] = step.checksStatus ? 1 : 0;
    });
  }
}

/** Places one function and returns its address. */
export function placeFunction(functions: ForeignFunctions, emit: (assembler: Assembler) => void): number {
  const assembler = new Assembler();
  emit(assembler);
  return new ExecutableMemory(functions, 4096).place([assembler.finish()]).addresses[0];
}
