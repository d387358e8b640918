/**
 * How threads share the tasks of a step: each begins with a run of its own, and helps the others when that is done. So a thread mostly finds in its
 * caches what it wrote there in the step before or in the run before (what is packed again in every run above all), and none waits while another
 * still has tasks.
 */
import { type Assembler, memory, r14, r32, rax, rbp, rbx, rcx, rdi, rdx, rsi, rsp } from "./assembler/index.ts";
import { control, frame, stepDescriptor, workerRecord } from "./pool-layout.ts";

const [eax, ecx, edx, esi, r14d] = [0, 1, 2, 6, 14].map(r32);

/** Gives each participant an equal run of the tasks (r14 of them). */
export function shareTasks(a: Assembler): void {
  const [share, even] = [a.label(), a.label()];
  a.emit("mov", rax, r14);
  a.emit("xor", edx, edx);
  a.emit("mov", ecx, memory(rbp, stepDescriptor.participants));
  a.emit("div", rcx);
  a.emit("lea", rdi, memory(rbx, control.bytes));
  a.emit("xor", esi, esi);
  a.bind(share);
  a.emit("mov", memory(rdi, workerRecord.next), rsi);
  a.emit("add", rsi, rax);
  // the first so many have one more: what the division left
  a.emit("test", rdx, rdx);
  a.emit("je", even);
  a.emit("inc", rsi);
  a.emit("dec", rdx);
  a.bind(even);
  a.emit("mov", memory(rdi, workerRecord.end), rsi);
  a.emit("add", rdi, workerRecord.bytes);
  a.emit("dec", ecx);
  a.emit("jne", share);
}

/** Takes task numbers until none is left: of the share of thread r14 first, then of the others. `runTask` emits the call for task rax. */
export function drawTasks(a: Assembler, runTask: () => void): void {
  const [draw, exhausted, end, mine] = Array.from({ length: 4 }, () => a.label());
  a.emit("mov", ecx, memory(rbp, stepDescriptor.participants));
  a.emit("mov", memory(rsp, frame.sharesLeft), rcx);
  a.emit("cmp", r14, rcx);
  a.emit("jb", mine);
  // more threads than shares: a late one begins with the first
  a.emit("xor", r14d, r14d);
  a.bind(mine);
  a.emit("imul", r14, r14, workerRecord.bytes);
  a.emit("lea", r14, memory(rbx, control.bytes, { index: r14, scale: 1 }));
  a.emit("imul", rcx, rcx, workerRecord.bytes);
  a.emit("lea", rcx, memory(rbx, control.bytes, { index: rcx, scale: 1 }));
  a.emit("mov", memory(rsp, frame.sharesEnd), rcx);
  a.align(16);
  a.bind(draw);
  a.emit("mov", rax, memory(r14, workerRecord.next));
  a.emit("cmp", rax, memory(r14, workerRecord.end));
  a.emit("jae", exhausted);
  a.emit("mov", eax, 1);
  a.emit("lock xadd", memory(r14, workerRecord.next), rax);
  a.emit("cmp", rax, memory(r14, workerRecord.end));
  a.emit("jae", exhausted);
  runTask();
  a.emit("jmp", draw);
  a.bind(exhausted);
  a.emit("mov", rax, memory(rsp, frame.sharesLeft));
  a.emit("dec", rax);
  a.emit("je", end);
  a.emit("mov", memory(rsp, frame.sharesLeft), rax);
  a.emit("add", r14, workerRecord.bytes);
  a.emit("cmp", r14, memory(rsp, frame.sharesEnd));
  a.emit("jb", draw);
  a.emit("lea", r14, memory(rbx, control.bytes));
  a.emit("jmp", draw);
  a.bind(end);
}
