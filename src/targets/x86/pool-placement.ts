/**
 * Workers leave the caller's CPU to the caller.
 *
 * A scheduler evens out loads, not pairs: beside another busy process it may leave two threads of one step on one CPU and the other
 * process alone on another, for hundreds of milliseconds, and then two threads are no faster than one. So a worker that comes to a step
 * looks where it runs, every now and then, and moves if the caller was last seen there. Its mask of allowed CPUs is as it was afterwards:
 * nothing is pinned, and the scheduler may move it again.
 */
import { type Assembler, type Gpr, type Label, memory, r32, rax, rbx, rcx, rdi, rdx, rsp } from "./assembler/index.ts";
import { control, frame } from "./pool-layout.ts";
import { readTicks, systemCall } from "./pool-system.ts";

const [eax, ecx, edx, esi, edi, r13d, r14d] = [0, 1, 2, 6, 7, 13, 14].map(r32);

/** Has the first look taken at once. */
export function lookSoon(a: Assembler): void {
  a.emit("xor", eax, eax);
  a.emit("mov", memory(rsp, frame.lookAt), rax);
}

/** The caller writes down where it runs. Clobbers what is not preserved in calls. */
export function noteCallersCpu(a: Assembler): void {
  nowAndThen(a, () => writeCpu(a, rbx, control.callerCpu));
}

/** A worker that finds itself on the caller's CPU moves to another one that it may use. Clobbers r13 and r14 as well. */
export function leaveCallersCpu(a: Assembler): void {
  nowAndThen(a, (stay) => {
    writeCpu(a, rsp, frame.cpu);
    a.emit("mov", r13d, memory(rsp, frame.cpu));
    a.emit("cmp", r13d, memory(rbx, control.callerCpu));
    a.emit("jne", stay);
    // r14d: bytes of the mask, if it is no longer than we have room for
    setAffinityArguments(a, () => a.emit("mov", esi, frame.maskBytes));
    systemCall(a, "schedGetAffinity");
    a.emit("mov", r14d, eax);
    a.emit("cmp", eax, 0);
    a.emit("jle", stay);
    // without this CPU, and as it was; where no other is allowed, the first call refuses
    for (let time = 0; time < 2; time++) {
      a.emit("mov", ecx, r13d);
      a.emit("shr", ecx, 5);
      a.emit("mov", eax, 1);
      a.emit("shlx", eax, eax, r13d);
      a.emit("xor", memory(rsp, frame.mask, { index: rcx, scale: 4 }), eax);
      setAffinityArguments(a, () => a.emit("mov", esi, r14d));
      systemCall(a, "schedSetAffinity");
    }
    a.emit("lock add", memory(rbx, control.partings, { bits: 32 }), 1);
  });
}

/** Emits what runs when the last look is `lookTicks` ago or longer. */
function nowAndThen(a: Assembler, emit: (end: Label) => void): void {
  const end = a.label();
  readTicks(a);
  a.emit("cmp", rax, memory(rsp, frame.lookAt));
  a.emit("jb", end);
  a.emit("add", rax, memory(rbx, control.lookTicks));
  a.emit("mov", memory(rsp, frame.lookAt), rax);
  emit(end);
  a.bind(end);
}

function writeCpu(a: Assembler, base: Gpr, offset: number): void {
  a.emit("lea", rdi, memory(base, offset));
  a.emit("xor", esi, esi);
  a.emit("xor", edx, edx);
  systemCall(a, "getCpu");
}

/** This thread, `setBytes` (esi), the mask. */
function setAffinityArguments(a: Assembler, setBytes: () => void): void {
  a.emit("xor", edi, edi);
  setBytes();
  a.emit("lea", rdx, memory(rsp, frame.mask));
}
