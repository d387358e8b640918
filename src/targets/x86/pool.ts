/** The thread pool: threads that run emitted code only, made through the FFI. */
import { availableParallelism } from "node:os";
import { InternalError } from "../../errors.ts";
import { Arena } from "../../runtime/arena.ts";
import { ExecutableMemory } from "../../runtime/executable-memory.ts";
import type { ForeignFunctions, NativeFunction } from "../../runtime/ffi.ts";
import { notePerfMap } from "../../runtime/perf-map.ts";
import { systemV } from "./abi.ts";
import { emitPool, type PoolCode } from "./pool-code.ts";
import { closedFlag, control, workerRecord } from "./pool-layout.ts";

export interface ThreadPoolOptions {
  /** Microseconds that an idle worker, or a caller that waits for one, spins before it sleeps. */
  readonly spinMicroseconds?: number;
}

/** Longer than the gap between two steps, far shorter than a scheduler's time slice. */
const defaultSpinMicroseconds = 40;
/** A thread learns where it runs in a tenth of a microsecond, and moves in ten or twenty. */
const lookMicroseconds = 50;
/** Ticks: a century, and no sum of it and a time overflows. */
const never = 2 ** 62;
const stackBytes = 256 * 1024;
const setSignalMask = 2;

interface EntryPoints {
  readonly worker: number;
  readonly driver: NativeFunction;
  readonly profiledDriver: NativeFunction;
  readonly retire: NativeFunction;
  readonly ticks: NativeFunction;
}

/** The code is the same for every pool and stays for good: a thread that leaves still returns through it. */
let sharedEntryPoints: EntryPoints | undefined;

function entryPoints(functions: ForeignFunctions): EntryPoints {
  if (sharedEntryPoints) return sharedEntryPoints;
  const { code, offsets }: PoolCode = emitPool(systemV);
  const start = new ExecutableMemory(functions, code.length).place([code]).addresses[0];
  notePerfMap([{ address: start, bytes: code.length, name: "thread_pool" }]);
  sharedEntryPoints = {
    worker: start + offsets.worker,
    driver: functions.callable(start + offsets.driver, 2),
    profiledDriver: functions.callable(start + offsets.profiledDriver, 2),
    retire: functions.callable(start + offsets.retire, 1),
    ticks: functions.callable(start + offsets.ticks, 0),
  };
  return sharedEntryPoints;
}

/** Writes an address or another non-negative integer as two 32-bit words. */
export function writeWord64(words: Uint32Array, byteOffset: number, value: number): void {
  words[byteOffset >> 2] = value;
  words[(byteOffset >> 2) + 1] = Math.floor(value / 0x100000000);
}

/**
 * Runs programs (see `pool-layout.ts`) on the calling thread and `threads - 1` workers. Workers are started by the first run that can
 * use them, sleep when there is nothing to do, and never keep the process alive.
 */
export class ThreadPool {
  /** Threads that compute, the caller included. Falls if the system refuses to start some. */
  threads: number;
  private readonly functions: ForeignFunctions;
  private readonly entry: EntryPoints;
  private readonly controlAddress: number;
  private readonly words: Uint32Array;
  private readonly scratch: Arena;
  private scratchPerThread = 0;
  private started = false;
  /** Time-stamp and clock when the pool was made: together with later ones they give the counter's frequency. */
  private readonly firstTicks: number;
  private readonly firstTime: number;

  constructor(functions: ForeignFunctions, threads: number, options: ThreadPoolOptions = {}) {
    this.functions = functions;
    this.threads = threads;
    this.entry = entryPoints(functions);
    this.scratch = new Arena(functions, "scratch memory");
    this.controlAddress = functions.mapMemory(control.bytes + threads * workerRecord.bytes);
    this.words = new Uint32Array(functions.view(this.controlAddress, control.bytes + threads * workerRecord.bytes));
    this.words[control.state >> 2] = closedFlag;
    this.entry.ticks(); // the first call through the FFI is slow
    this.firstTime = performance.now();
    this.firstTicks = this.entry.ticks();
    while (performance.now() < this.firstTime + 0.1); // long enough to know the frequency to a percent
    const ticks = (microseconds: number) => Math.round(microseconds * 1e-3 * this.ticksPerMillisecond());
    writeWord64(this.words, control.spinTicks, ticks(options.spinMicroseconds ?? defaultSpinMicroseconds));
    // with more threads than CPUs there is nowhere to go
    writeWord64(this.words, control.lookTicks, threads > availableParallelism() ? never : ticks(lookMicroseconds));
    this.reserveScratch(64);
  }

  /** Makes each thread's scratch memory at least this large. */
  reserveScratch(bytes: number): void {
    if (bytes <= this.scratchPerThread) return;
    // whole pages, so that no two threads write the same line
    const stride = Math.ceil(bytes / 4096) * 4096;
    this.scratch.reserve(stride * this.threads);
    this.scratchPerThread = stride;
    writeWord64(this.words, control.scratch, this.scratch.address);
    writeWord64(this.words, control.scratchStride, stride);
  }

  /** Starts the workers, if they have not been. */
  start(): void {
    if (this.started) return;
    this.started = true;
    if (this.threads > 1) this.startWorkers();
  }

  /** How often a worker has found itself on the caller's CPU and left it (`pool-placement.ts`). */
  get partings(): number {
    return this.words[control.partings >> 2];
  }

  /** Runs a program's steps in order and returns its status: 0, or what a guard wrote. */
  run(programAddress: number): number {
    return this.entry.driver(this.controlAddress, programAddress);
  }

  /** The same on another thread, so that the event loop goes on. One run at a time. */
  runAsynchronously(programAddress: number): Promise<number> {
    return this.entry.driver.asynchronous(this.controlAddress, programAddress);
  }

  /** The same as `run`; adds the ticks of each step to its descriptor. */
  runProfiled(programAddress: number): number {
    return this.entry.profiledDriver(this.controlAddress, programAddress);
  }

  /** Frequency of the counter that profiled runs read. */
  ticksPerMillisecond(): number {
    const elapsed = this.entry.ticks() - this.firstTicks;
    return (elapsed < 0 ? elapsed + 2 ** 50 : elapsed) / (performance.now() - this.firstTime);
  }

  /** Ends the workers and gives the memory back. No run may follow. */
  dispose(): void {
    if (this.started) this.entry.retire(this.controlAddress);
    this.scratch.release();
    this.functions.unmapMemory(this.controlAddress, this.words.byteLength);
  }

  private startWorkers(): void {
    const { functions, words } = this;
    const call = (name: string, count: number) => functions.callable(functions.symbol(name), count);
    const block = new ArrayBuffer(512);
    const base = functions.addressOf(block);
    // one block: attributes, the two signal masks, the thread's handle
    const [attributeAddress, allSignals, oldSignals, handle] = [base, base + 128, base + 256, base + 384];
    new Uint8Array(block, 128, 128).fill(0xff);
    const create = call("pthread_create", 4);
    const mask = call("pthread_sigmask", 3);
    if (call("pthread_attr_init", 1)(attributeAddress) !== 0) throw new InternalError("pthread_attr_init failed");
    call("pthread_attr_setdetachstate", 2)(attributeAddress, 1);
    call("pthread_attr_setstacksize", 2)(attributeAddress, stackBytes);
    // a new thread inherits the mask: signals are the main thread's business
    mask(setSignalMask, allSignals, oldSignals);
    let running = 1;
    words[control.alive >> 2] = this.threads - 1;
    for (; running < this.threads; running++) {
      const record = control.bytes + running * workerRecord.bytes;
      writeWord64(words, record + workerRecord.control, this.controlAddress);
      writeWord64(words, record + workerRecord.index, running);
      if (create(handle, attributeAddress, this.entry.worker, this.controlAddress + record) !== 0) break;
    }
    mask(setSignalMask, oldSignals, 0);
    call("pthread_attr_destroy", 1)(attributeAddress);
    if (running < this.threads) this.forgetMissing(running);
  }

  /** Fewer threads than wanted are an inconvenience, not an error: results do not depend on their number. */
  private forgetMissing(running: number): void {
    const missing = this.threads - running;
    this.words[control.alive >> 2] -= missing;
    this.threads = running;
  }
}
