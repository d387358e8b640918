/** A plan as the driver reads it: header, step descriptors and argument tables in one block of memory. */
import { InternalError } from "../../errors.ts";
import type { NodeValue } from "../../graph/node.ts";
import type { ForeignFunctions } from "../../runtime/ffi.ts";
import type { BufferReference, Plan, PlanStep } from "../../schedule/plan.ts";
import type { KeptResults } from "../target.ts";
import type { PlacedKernel } from "./code-cache.ts";
import { writeWord64 } from "./pool.ts";
import { programHeader, stepDescriptor } from "./pool-layout.ts";

/** Where one buffer's address is written: byte offset in the block, and what is added to the buffer's address. */
interface Place {
  readonly at: number;
  readonly byteOffset: number;
}
/** All places of one buffer, and the address they hold now. */
interface Slot {
  readonly places: Place[];
  address: number;
}

/** Where the results of a preparation lie, and whether its kernels are left out. */
interface KeptSlot {
  readonly steps: readonly number[];
  readonly places: { readonly at: number; readonly inArena: number; readonly inStorage: number }[];
  /** Where they lie now, in storage of their own or (with the arena's address) in the arena. */
  address: number;
  inArena: boolean;
  leftOut: boolean;
}

/** Below this much estimated work a step is not shared, below the next no sleeper is woken for it. */
const inlineMicroseconds = 1;
const wakeMicroseconds = 6;
/** One core, pessimistic: work that is slower than this is shared a little late, which costs little. */
const flopsPerMicrosecond = 40_000;
const bytesPerMicrosecond = 12_000;
/**
 * A program below this much work stays on the calling thread as a whole: it is over before a sleeper has come, and what two threads write lies in two
 * caches, of which the next run fetches half from the other. One core with everything in its own cache.
 */
const aloneMicroseconds = 20;
const cachedFlopsPerMicrosecond = 80_000;
const cachedBytesPerMicrosecond = 50_000;

const lineBytes = 64;
const alignUp = (value: number): number => Math.ceil(value / lineBytes) * lineBytes;

export class ProgramBlock {
  /** Address of the header. */
  readonly address: number;
  readonly bytes: number;
  private readonly plan: Plan;
  private readonly functions: ForeignFunctions;
  private readonly words: Uint32Array;
  private readonly inputs: Slot[] = [];
  private readonly outputs: Slot[] = [];
  private readonly arena: Slot = { places: [], address: -1 };
  private readonly kept: readonly KeptSlot[];
  /** Threads that may take part in a step. */
  private readonly threads: number;
  /** Constants lie here, each at a multiple of 64. Referenced, so that the memory stays. */
  readonly constants: ArrayBuffer;

  constructor(functions: ForeignFunctions, plan: Plan, kernels: readonly PlacedKernel[], threads: number) {
    this.functions = functions;
    this.plan = plan;
    this.threads = staysAlone(plan.steps) ? 1 : threads;
    this.kept = plan.preparations.map(({ steps }): KeptSlot => {
      return { steps, places: [], address: -1, inArena: true, leftOut: false };
    });
    const tables = programHeader.bytes + plan.steps.length * stepDescriptor.bytes;
    const size = plan.steps.reduce((sum, step) => sum + alignUp(step.arguments.length * 8), tables);
    // an ArrayBuffer is aligned to 16 bytes: leave room to start at a full line
    const buffer = new ArrayBuffer(size + lineBytes);
    const start = functions.addressOf(buffer);
    this.address = alignUp(start);
    this.words = new Uint32Array(buffer, this.address - start, size >> 2);
    const constantBytes = plan.constants.reduce((sum, data) => sum + alignUp(data.length), 0);
    this.constants = new ArrayBuffer(constantBytes + 2 * lineBytes);
    const constantAddresses = this.placeConstants();
    this.bytes = buffer.byteLength + this.constants.byteLength;
    this.writeSteps(kernels, constantAddresses, tables);
  }

  /** Writes where the inputs, the outputs and the arena lie in this run. */
  bind(inputs: readonly NodeValue[], outputs: readonly NodeValue[], arenaAddress: number): void {
    this.bindAll(this.inputs, inputs, "input");
    this.bindAll(this.outputs, outputs, "output");
    if (this.arena.address !== arenaAddress) this.write(this.arena, arenaAddress);
  }

  /** Writes where the results of preparations lie in this run, and leaves out the kernels of those that are there. */
  bindKept(kept: readonly (KeptResults | undefined)[], arenaAddress: number): void {
    for (let index = 0; index < this.kept.length; index++) {
      const slot = this.kept[index];
      const results = kept[index];
      const address = results ? this.addressOf(results.storage) : arenaAddress;
      const isInArena = results === undefined;
      const leftOut = results?.filled ?? false;
      if (slot.address !== address || slot.inArena !== isInArena) {
        slot.address = address;
        slot.inArena = isInArena;
        for (const { at, inArena, inStorage } of slot.places)
          writeWord64(this.words, at, address + (isInArena ? inArena : inStorage));
      }
      if (slot.leftOut === leftOut) continue;
      slot.leftOut = leftOut;
      for (const step of slot.steps) this.writeTasks(step, leftOut ? 0 : this.plan.steps[step].tasks);
    }
  }

  /** Time-stamp ticks of each step since `clearTicks`. */
  ticks(): number[] {
    return this.plan.steps.map((_, index) => {
      const at = (programHeader.bytes + index * stepDescriptor.bytes + stepDescriptor.ticks) >> 2;
      return this.words[at] + this.words[at + 1] * 0x100000000;
    });
  }
  clearTicks(): void {
    this.plan.steps.forEach((_, index) => {
      writeWord64(this.words, programHeader.bytes + index * stepDescriptor.bytes + stepDescriptor.ticks, 0);
    });
  }

  private placeConstants(): number[] {
    const start = this.functions.addressOf(this.constants);
    let address = alignUp(start);
    return this.plan.constants.map((data) => {
      new Uint8Array(this.constants, address - start, data.length).set(data);
      const here = address;
      address += alignUp(data.length);
      return here;
    });
  }

  private writeSteps(kernels: readonly PlacedKernel[], constantAddresses: readonly number[], firstTable: number): void {
    const { plan, words } = this;
    writeWord64(words, programHeader.stepCount, plan.steps.length);
    let table = firstTable;
    plan.steps.forEach((step, index) => {
      const at = programHeader.bytes + index * stepDescriptor.bytes;
      writeWord64(words, at + stepDescriptor.kernel, kernels[index].address);
      writeWord64(words, at + stepDescriptor.arguments, this.address + table);
      this.writeTasks(index, step.tasks);
      words[(at + stepDescriptor.checksStatus) >> 2] = step.checksStatus ? 1 : 0;
      step.arguments.forEach((reference, position) => {
        this.place(reference, table + position * 8, constantAddresses);
      });
      table += alignUp(step.arguments.length * 8);
    });
  }

  /** How many tasks a step has: with none the driver passes over it. */
  private writeTasks(index: number, tasks: number): void {
    const { words } = this;
    const at = programHeader.bytes + index * stepDescriptor.bytes;
    const { participants, wake } = sharing({ ...this.plan.steps[index], tasks }, this.threads);
    writeWord64(words, at + stepDescriptor.tasks, tasks);
    words[(at + stepDescriptor.participants) >> 2] = participants;
    words[(at + stepDescriptor.wake) >> 2] = wake;
  }

  private place(reference: BufferReference, at: number, constantAddresses: readonly number[]): void {
    switch (reference.kind) {
      case "input":
        slotOf(this.inputs, reference.index).places.push({ at, byteOffset: reference.byteOffset });
        break;
      case "output":
        slotOf(this.outputs, reference.index).places.push({ at, byteOffset: reference.byteOffset });
        break;
      case "arena": {
        const { kept, byteOffset } = reference;
        if (kept) this.kept[kept.preparation].places.push({ at, inArena: byteOffset, inStorage: kept.byteOffset });
        else this.arena.places.push({ at, byteOffset });
        break;
      }
      case "constant":
        writeWord64(this.words, at, constantAddresses[reference.index] + reference.byteOffset);
        break;
      case "status":
        writeWord64(this.words, at, this.address + programHeader.status);
        break;
    }
  }

  private bindAll(slots: readonly (Slot | undefined)[], values: readonly NodeValue[], what: string): void {
    for (let index = 0; index < slots.length; index++) {
      const slot = slots[index];
      if (slot === undefined) continue;
      const value = values[index];
      if (value === undefined)
        throw new InternalError(`the program has ${slots.length} ${what}s, got ${values.length}`);
      const address = this.addressOf(value);
      // parameters stay where they are from run to run
      if (slot.address !== address) this.write(slot, address);
    }
  }

  private addressOf(value: NodeValue): number {
    value.address ??= this.functions.addressOf(value.buffer) + value.byteOffset;
    return value.address;
  }

  private write(slot: Slot, address: number): void {
    slot.address = address;
    for (const { at, byteOffset } of slot.places) writeWord64(this.words, at, address + byteOffset);
  }
}

/** The slot of a buffer; buffers that no step mentions have none. */
function slotOf(slots: Slot[], index: number): Slot {
  slots[index] ??= { places: [], address: -1 };
  return slots[index];
}

/** Whether the work of a step has been estimated. */
const isKnown = (step: PlanStep): boolean => step.flops > 0 || step.bytes > 0;

/** Whether a program is too short for a second thread. */
function staysAlone(steps: readonly PlanStep[]): boolean {
  let microseconds = 0;
  for (const step of steps) {
    if (step.tasks > 1 && !isKnown(step)) return false;
    microseconds += Math.max(step.flops / cachedFlopsPerMicrosecond, step.bytes / cachedBytesPerMicrosecond);
  }
  return microseconds < aloneMicroseconds;
}

/** How many threads a step is open to, and how many sleeping ones it wakes. */
function sharing(step: PlanStep, threads: number): { participants: number; wake: number } {
  const participants = Math.min(step.tasks, threads);
  if (participants <= 1) return { participants: 1, wake: 0 };
  const known = isKnown(step);
  const microseconds = Math.max(step.flops / flopsPerMicrosecond, step.bytes / bytesPerMicrosecond);
  if (known && microseconds < inlineMicroseconds) return { participants: 1, wake: 0 };
  return { participants, wake: known && microseconds < wakeMicroseconds ? 0 : participants - 1 };
}
