/** A plan in executable form: its kernels placed, its tables written; a run patches addresses and makes one call. */
import { IndexRangeError, InternalError } from "../../errors.ts";
import type { NodeValue } from "../../graph/node.ts";
import type { Kernel } from "../../kernel/ir.ts";
import { Arena } from "../../runtime/arena.ts";
import type { ForeignFunctions } from "../../runtime/ffi.ts";
import type { Plan, Preparation } from "../../schedule/plan.ts";
import type { Executable, KeptResults, StepTiming } from "../target.ts";
import { CodeCache, type KernelCompiler, type PlacedKernel } from "./code-cache.ts";
import { ThreadPool } from "./pool.ts";
import { ProgramBlock } from "./program-block.ts";

/** What all programs of one target share. Execution is serial: one program at a time uses the arena and the pool. */
export class X86Machine {
  readonly functions: ForeignFunctions;
  readonly pool: ThreadPool;
  readonly arena: Arena;
  readonly code: CodeCache;
  /** A program runs on another thread. */
  busy = false;

  constructor(functions: ForeignFunctions, threads: number, compile: KernelCompiler) {
    this.functions = functions;
    this.pool = new ThreadPool(functions, threads);
    this.arena = new Arena(functions, "the intermediate values of a program");
    this.code = new CodeCache(functions, compile);
  }

  /** Ends the threads and gives all memory back. */
  dispose(): void {
    this.pool.dispose();
    this.arena.release();
    this.code.dispose();
  }
}

type Kept = readonly (KeptResults | undefined)[];
const none: Kept = [];

export class X86Executable implements Executable {
  readonly bytes: number;
  readonly arenaBytes: number;
  readonly kernelCount: number;
  readonly preparations: readonly Preparation[];
  private readonly machine: X86Machine;
  private readonly plan: Plan;
  private readonly kernels: readonly PlacedKernel[];
  private readonly block: ProgramBlock;
  private readonly scratchBytes: number;
  private readonly parallel: boolean;
  private disposed = false;

  constructor(machine: X86Machine, plan: Plan) {
    this.machine = machine;
    this.plan = plan;
    this.kernels = machine.code.acquire(plan.steps.map((step): Kernel => step.kernel));
    this.block = new ProgramBlock(machine.functions, plan, this.kernels, machine.pool.threads);
    this.scratchBytes = plan.steps.reduce((most, step) => Math.max(most, step.kernel.scratchBytes), 0);
    this.parallel = plan.steps.some((step) => step.tasks > 1);
    this.arenaBytes = plan.arenaBytes;
    this.kernelCount = plan.steps.length;
    this.preparations = plan.preparations;
    this.bytes = this.block.bytes + [...new Set(this.kernels)].reduce((sum, kernel) => sum + kernel.bytes, 0);
  }

  run(inputs: readonly NodeValue[], outputs: readonly NodeValue[], kept: Kept = none): void {
    this.prepare(inputs, outputs, kept);
    this.check(this.machine.pool.run(this.block.address));
  }

  /** Like `run`, off the event loop. Inputs and outputs must stay untouched until it resolves. */
  async runAsynchronously(inputs: readonly NodeValue[], outputs: readonly NodeValue[]): Promise<void> {
    this.prepare(inputs, outputs, []);
    this.machine.busy = true;
    try {
      this.check(await this.machine.pool.runAsynchronously(this.block.address));
    } finally {
      this.machine.busy = false;
      // the buffers were only numbers to the running code: hold them until here
      void [inputs, outputs];
    }
  }

  profile(inputs: readonly NodeValue[], outputs: readonly NodeValue[], kept: Kept = none): StepTiming[] {
    this.prepare(inputs, outputs, kept);
    this.block.clearTicks();
    this.check(this.machine.pool.runProfiled(this.block.address));
    const frequency = this.machine.pool.ticksPerMillisecond();
    const ticks = this.block.ticks();
    const leftOut = new Set(this.preparations.flatMap(({ steps }, index) => (kept[index]?.filled ? steps : [])));
    return this.plan.steps.flatMap(({ kernel, flops, bytes }, index) =>
      leftOut.has(index) ? [] : [{ label: kernel.name, milliseconds: ticks[index] / frequency, flops, bytes }],
    );
  }

  explain(): string {
    const steps = this.plan.steps.map(({ kernel, tasks }, index) => {
      const { address, bytes } = this.kernels[index];
      return `  ${index}: ${kernel.name}, ${tasks} tasks, ${bytes} bytes of code at 0x${address.toString(16)}`;
    });
    return [this.plan.explanation, `machine code (${this.bytes} bytes with tables and constants):`, ...steps].join(
      "\n",
    );
  }

  dispose(): void {
    if (this.disposed) return;
    this.disposed = true;
    this.machine.code.release(this.kernels);
  }

  private prepare(inputs: readonly NodeValue[], outputs: readonly NodeValue[], kept: Kept): void {
    const { arena, pool, busy } = this.machine;
    if (this.disposed) throw new InternalError("this program has been disposed of");
    if (busy) throw new InternalError("another program is running off the event loop: await it first");
    arena.reserve(this.arenaBytes);
    pool.reserveScratch(this.scratchBytes);
    if (this.parallel) pool.start();
    this.block.bind(inputs, outputs, arena.address);
    this.block.bindKept(kept, arena.address);
  }

  private check(status: number): void {
    if (status === 0) return;
    const guard = this.plan.guards[status - 1];
    if (guard === undefined)
      throw new InternalError(`a kernel reported guard ${status - 1}, which the plan does not have`);
    throw new IndexRangeError(
      `${guard.opName}: an index or label is out of range: expected 0 to ${guard.limit - 1}. Nothing was changed.`,
    );
  }
}
