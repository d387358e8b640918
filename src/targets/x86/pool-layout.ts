/** Memory layouts that emitted code and TypeScript share. All offsets in bytes. */

/** The pool's control block. What different threads write lies in different pairs of cache lines. */
export const control = {
  /** u32, futex: counts published steps; waiting workers look at nothing else. */
  generation: 0,
  /** u32: workers leave for good. */
  quit: 4,
  /** u32, futex: number of workers inside the current step, and the flags below. */
  state: 128,
  /** u64: address of the current step's descriptor. */
  step: 384,
  /** u64: scratch memory of thread 0 (the caller), and the distance to the next thread's. */
  scratch: 392,
  scratchStride: 400,
  /** u32: workers that sleep, or are about to. */
  sleepers: 512,
  /** u32: workers that have not left. */
  alive: 516,
  /** u64: how long to spin before sleeping, in time-stamp ticks. */
  spinTicks: 640,
  /** u64: how long a thread believes that it runs where it ran, in time-stamp ticks. */
  lookTicks: 648,
  /** u32: the CPU that the caller was last seen on. */
  callerCpu: 656,
  /** u32: how often a worker found itself there. */
  partings: 660,
  bytes: 768,
} as const;

/** Locals of a thread, from the stack pointer up. */
export const frame = {
  /** u32: what a thread came with, and what it computes with. */
  callerMxcsr: 0,
  ownMxcsr: 4,
  /** u64: ticks at the start of a step. */
  started: 8,
  /** u64: when to look at the CPU again. */
  lookAt: 16,
  /** u32: the CPU seen last. */
  cpu: 24,
  /** Room for a mask of CPUs. */
  mask: 32,
  maskBytes: 128,
  /** u64: how many shares are left to look at. */
  sharesLeft: 160,
  /** u64: where the records of those end that have a share. */
  sharesEnd: 168,
  bytes: 176,
} as const;

/** In `control.state`: no worker may join; the caller sleeps until the last worker has left. */
export const closedFlag = 0x40000000;
export const waitingFlag = 0x20000000;
export const joinedMask = 0xffff;

/** One for each thread, after the control block: what a worker is started with, and its share of a step. */
export const workerRecord = {
  /** u64 */
  control: 0,
  /** u64: 1 … threads-1; the caller is thread 0. */
  index: 8,
  /** u64: of the tasks of the current step that this thread begins with, the next one, and the one after the last. */
  next: 16,
  end: 24,
  bytes: 128,
} as const;

/** A program: this header, then one descriptor per step. */
export const programHeader = {
  /** u64 */
  stepCount: 0,
  /** i32: set to 0 at the start of a run; a guard writes here. */
  status: 8,
  bytes: 64,
} as const;

export const stepDescriptor = {
  /** u64: `kernel(arguments, task, scratch)`. */
  kernel: 0,
  /** u64 */
  tasks: 8,
  /** u64: address of the argument table. */
  arguments: 16,
  /** u32: 1 runs the step on the calling thread alone, more opens it to the pool. */
  participants: 24,
  /** u32: stop after this step if the status is not 0. */
  checksStatus: 28,
  /** u64: time-stamp ticks spent in this step (profiled runs add to it). */
  ticks: 32,
  /** u32: how many sleeping workers are worth waking. */
  wake: 40,
  bytes: 64,
} as const;
