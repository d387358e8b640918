/**
 * The thread pool's machine code. Threads other than the caller's run nothing but this and kernels.
 *
 * One step at a time is open. The caller publishes its descriptor, opens it and bumps the generation that idle workers watch; whoever
 * takes part draws task numbers by atomic add (`pool-tasks.ts`). A worker joins by counting itself into `state`; when no task is left the caller closes the
 * step and waits for the workers inside. So a worker that is late, asleep or preempted is never waited for: it finds the step closed and
 * leaves again. Nothing in the control block changes under a worker that has joined.
 */
import type { CallingConvention } from "./abi.ts";
import { Assembler, type Label, memory, r12, r13, r14, r15, r32, rax, rbp, rbx, rdi, rsp } from "./assembler/index.ts";
import {
  closedFlag,
  control,
  frame,
  joinedMask,
  programHeader,
  stepDescriptor,
  waitingFlag,
  workerRecord,
} from "./pool-layout.ts";
import { leaveCallersCpu, lookSoon, noteCallersCpu } from "./pool-placement.ts";
import { readTicks, systemCall } from "./pool-system.ts";
import { drawTasks, shareTasks } from "./pool-tasks.ts";

const [eax, edx, esi, r10d, r12d, r14d, r15d] = [0, 2, 6, 10, 12, 14, 15].map(r32);

/** Denormals kept, round to nearest, all exceptions masked: the same on every thread, so that bits cannot vary with threads. */
const defaultMxcsr = 0x1f80;

const futexWaitPrivate = 128;
const futexWakePrivate = 129;

/** Code of all entry points and where they start. */
export interface PoolCode {
  readonly code: Uint8Array;
  readonly offsets: {
    /** `worker(record)`: the start routine of a thread. */
    readonly worker: number;
    /** `driver(control, program) -> status`: runs all steps. */
    readonly driver: number;
    /** The same, adding each step's ticks to its descriptor. */
    readonly profiledDriver: number;
    /** `retire(control)`: sends the workers home and waits until they have left. */
    readonly retire: number;
    /** `ticks() -> low 50 bits of the time-stamp counter`. */
    readonly ticks: number;
  };
}

export function emitPool(abi: CallingConvention): PoolCode {
  const assembler = new Assembler();
  const emitter = new PoolEmitter(assembler, abi);
  const begin = (emit: () => void): number => {
    assembler.align(64);
    const offset = assembler.offset;
    emit();
    return offset;
  };
  const offsets = {
    worker: begin(() => emitter.worker()),
    driver: begin(() => emitter.driver(false)),
    profiledDriver: begin(() => emitter.driver(true)),
    retire: begin(() => emitter.retire()),
    ticks: begin(() => emitter.ticks()),
  };
  return { code: assembler.finish(), offsets };
}

/** Register use throughout: rbx control block, rbp step descriptor, r12 to r15 as each function says. */
class PoolEmitter {
  private readonly a: Assembler;
  private readonly abi: CallingConvention;

  constructor(assembler: Assembler, abi: CallingConvention) {
    this.a = assembler;
    this.abi = abi;
  }

  /** Runs on a new thread. r12d: generation last seen; r13: deadline, then own scratch memory; r14: the share drawn from; r15: thread index. */
  worker(): void {
    const { a } = this;
    const [idle, spin, sleep, changed, leave, quit] = Array.from({ length: 6 }, () => a.label());
    this.enter();
    a.emit("mov", r15, memory(this.argument(0), workerRecord.index));
    a.emit("mov", rbx, memory(this.argument(0), workerRecord.control));
    a.emit("xor", r12d, r12d);
    lookSoon(a);

    a.bind(idle);
    this.deadline(r13);
    a.align(16);
    a.bind(spin);
    a.emit("mov", eax, memory(rbx, control.generation));
    a.emit("cmp", eax, r12d);
    a.emit("jne", changed);
    a.emit("pause");
    readTicks(a);
    a.emit("cmp", rax, r13);
    a.emit("jb", spin);

    a.bind(sleep);
    a.emit("lock add", memory(rbx, control.sleepers, { bits: 32 }), 1);
    this.futex(futexWaitPrivate, control.generation, () => a.emit("mov", edx, r12d));
    a.emit("lock add", memory(rbx, control.sleepers, { bits: 32 }), -1);
    a.emit("mov", eax, memory(rbx, control.generation));
    a.emit("cmp", eax, r12d);
    a.emit("je", sleep);

    a.bind(changed);
    a.emit("mov", r12d, eax);
    a.emit("cmp", memory(rbx, control.quit, { bits: 32 }), 0);
    a.emit("jne", quit);
    leaveCallersCpu(a);
    a.emit("mov", eax, 1);
    a.emit("lock xadd", memory(rbx, control.state), eax);
    a.emit("test", eax, closedFlag);
    a.emit("jne", leave);
    // inside: nothing changes now until this worker leaves
    a.emit("mov", rbp, memory(rbx, control.step));
    a.emit("mov", r12d, memory(rbx, control.generation));
    a.emit("mov", r13, memory(rbx, control.scratchStride));
    a.emit("imul", r13, r15);
    a.emit("add", r13, memory(rbx, control.scratch));
    a.emit("mov", r14, r15);
    this.drawTasks(() => a.emit("mov", this.argument(2), r13));

    a.bind(leave);
    a.emit("mov", eax, -1);
    a.emit("lock xadd", memory(rbx, control.state), eax);
    // the last one out wakes a caller that went to sleep
    a.emit("cmp", eax, closedFlag + waitingFlag + 1);
    a.emit("jne", idle);
    this.futex(futexWakePrivate, control.state, () => a.emit("mov", edx, 1));
    a.emit("jmp", idle);

    a.bind(quit);
    a.emit("lock dec", memory(rbx, control.alive, { bits: 32 }));
    a.emit("xor", eax, eax);
    this.leave();
  }

  /** r12: program; r13: steps left; r14: tasks, then the share drawn from; r15: task of an inline step, or the deadline while waiting. */
  driver(profiled: boolean): void {
    const { a } = this;
    const [step, inline, inlineTask, wake, work, wait, done, next, finished] = Array.from({ length: 9 }, () =>
      a.label(),
    );
    this.enter();
    a.emit("mov", rbx, this.argument(0));
    a.emit("mov", r12, this.argument(1));
    a.emit("mov", r13, memory(r12, programHeader.stepCount));
    a.emit("mov", memory(r12, programHeader.status, { bits: 32 }), 0);
    a.emit("lea", rbp, memory(r12, programHeader.bytes));
    lookSoon(a);
    a.emit("test", r13, r13);
    a.emit("je", finished);

    a.align(16);
    a.bind(step);
    if (profiled) {
      readTicks(a);
      a.emit("mov", memory(rsp, frame.started), rax);
    }
    a.emit("mov", r14, memory(rbp, stepDescriptor.tasks));
    a.emit("cmp", memory(rbp, stepDescriptor.participants, { bits: 32 }), 1);
    a.emit("jbe", inline);
    noteCallersCpu(a);
    // publish and open
    shareTasks(a);
    a.emit("mov", memory(rbx, control.step), rbp);
    a.emit("mov", eax, -closedFlag);
    a.emit("lock add", memory(rbx, control.state), eax);
    a.emit("lock add", memory(rbx, control.generation, { bits: 32 }), 1);
    a.emit("mov", eax, memory(rbx, control.sleepers));
    a.emit("test", eax, eax);
    a.emit("jne", wake);
    a.bind(work);
    a.emit("xor", r14d, r14d);
    this.drawTasks(() => a.emit("mov", this.argument(2), memory(rbx, control.scratch)));
    // close; whoever is still inside finishes its last task
    a.emit("mov", eax, closedFlag);
    a.emit("lock xadd", memory(rbx, control.state), eax);
    a.emit("test", eax, eax);
    a.emit("jne", wait);

    a.bind(done);
    if (profiled) {
      readTicks(a);
      a.emit("sub", rax, memory(rsp, frame.started));
      a.emit("add", memory(rbp, stepDescriptor.ticks), rax);
    }
    a.emit("cmp", memory(rbp, stepDescriptor.checksStatus, { bits: 32 }), 0);
    a.emit("je", next);
    a.emit("cmp", memory(r12, programHeader.status, { bits: 32 }), 0);
    a.emit("jne", finished);
    a.bind(next);
    a.emit("add", rbp, stepDescriptor.bytes);
    a.emit("dec", r13);
    a.emit("jne", step);
    a.bind(finished);
    a.emit("mov", eax, memory(r12, programHeader.status));
    this.leave();

    a.bind(inline);
    a.emit("xor", r15d, r15d);
    a.emit("test", r14, r14);
    a.emit("je", done);
    a.align(16);
    a.bind(inlineTask);
    a.emit("mov", this.argument(1), r15);
    a.emit("mov", this.argument(2), memory(rbx, control.scratch));
    this.callKernel();
    a.emit("inc", r15);
    a.emit("cmp", r15, r14);
    a.emit("jb", inlineTask);
    a.emit("jmp", done);

    a.bind(wake);
    this.wakeSleepers(work);
    a.bind(wait);
    this.waitForWorkers(done);
  }

  /** Wakes as many sleepers (eax of them) as this step is worth, and goes on at `work`. */
  private wakeSleepers(work: Label): void {
    const { a } = this;
    a.emit("mov", edx, memory(rbp, stepDescriptor.wake));
    a.emit("cmp", edx, eax);
    a.emit("cmova", edx, eax);
    a.emit("test", edx, edx);
    a.emit("je", work);
    this.futex(futexWakePrivate, control.generation, () => {});
    a.emit("jmp", work);
  }

  /** Spins, then sleeps, until no worker is inside; goes on at `done`. A worker that lost its CPU to a neighbour can have this one. */
  private waitForWorkers(done: Label): void {
    const { a } = this;
    const [spin, asleep, clear] = Array.from({ length: 3 }, () => a.label());
    this.deadline(r15);
    a.align(16);
    a.bind(spin);
    a.emit("cmp", memory(rbx, control.state, { bits: 32 }), closedFlag);
    a.emit("je", done);
    a.emit("pause");
    readTicks(a);
    a.emit("cmp", rax, r15);
    a.emit("jb", spin);
    a.emit("mov", eax, waitingFlag);
    a.emit("lock or", memory(rbx, control.state), eax);
    a.bind(asleep);
    a.emit("mov", edx, memory(rbx, control.state));
    a.emit("test", edx, joinedMask);
    a.emit("je", clear);
    this.futex(futexWaitPrivate, control.state, () => {});
    a.emit("jmp", asleep);
    a.bind(clear);
    a.emit("mov", eax, -waitingFlag);
    a.emit("lock add", memory(rbx, control.state), eax);
    a.emit("jmp", done);
  }

  retire(): void {
    const { a } = this;
    const [wait, gone] = [a.label(), a.label()];
    this.enter();
    a.emit("mov", rbx, this.argument(0));
    a.emit("mov", memory(rbx, control.quit, { bits: 32 }), 1);
    a.emit("lock add", memory(rbx, control.generation, { bits: 32 }), 1);
    this.futex(futexWakePrivate, control.generation, () => a.emit("mov", edx, 0x7fffffff));
    a.bind(wait);
    a.emit("cmp", memory(rbx, control.alive, { bits: 32 }), 0);
    a.emit("je", gone);
    systemCall(a, "schedYield");
    a.emit("jmp", wait);
    a.bind(gone);
    a.emit("xor", eax, eax);
    this.leave();
  }

  ticks(): void {
    const { a } = this;
    readTicks(a);
    // 50 bits: what a JavaScript number holds exactly, whatever the uptime
    a.emit("shl", rax, 14);
    a.emit("shr", rax, 14);
    a.emit("ret");
  }

  /** `setScratch` fills the third argument. */
  private drawTasks(setScratch: () => void): void {
    drawTasks(this.a, () => {
      this.a.emit("mov", this.argument(1), rax);
      setScratch();
      this.callKernel();
    });
  }

  private callKernel(): void {
    this.a.emit("mov", this.argument(0), memory(rbp, stepDescriptor.arguments));
    this.a.emit("call", memory(rbp, stepDescriptor.kernel));
  }

  private argument(index: number) {
    return this.abi.argumentRegisters[index];
  }

  /** Saves registers and the caller's MXCSR, aligns the stack, sets our MXCSR. */
  private enter(): void {
    const { a, abi } = this;
    for (const register of abi.calleeSaved) a.emit("push", register);
    a.emit("sub", rsp, this.frameBytes());
    a.emit("stmxcsr", memory(rsp, frame.callerMxcsr));
    a.emit("mov", memory(rsp, frame.ownMxcsr, { bits: 32 }), defaultMxcsr);
    a.emit("ldmxcsr", memory(rsp, frame.ownMxcsr));
  }

  private leave(): void {
    const { a, abi } = this;
    a.emit("vzeroupper");
    a.emit("ldmxcsr", memory(rsp, frame.callerMxcsr));
    a.emit("add", rsp, this.frameBytes());
    for (const register of abi.calleeSaved.toReversed()) a.emit("pop", register);
    a.emit("ret");
  }

  /** Locals above the callee's shadow space; with the return address and the saved registers a multiple of 16. */
  private frameBytes(): number {
    const pushed = 8 + this.abi.calleeSaved.length * 8;
    const needed = frame.bytes + this.abi.shadowBytes;
    return needed + ((16 - ((pushed + needed) % 16)) % 16);
  }

  private deadline(register: typeof r13): void {
    readTicks(this.a);
    this.a.emit("add", rax, memory(rbx, control.spinTicks));
    this.a.emit("mov", register, rax);
  }

  /** A futex call on a word of the control block; `setValue` fills edx. The kernel clobbers rcx and r11. */
  private futex(operation: number, offset: number, setValue: () => void): void {
    const { a } = this;
    setValue();
    a.emit("lea", rdi, memory(rbx, offset));
    a.emit("mov", esi, operation);
    a.emit("xor", r10d, r10d);
    systemCall(a, "futex");
  }
}
