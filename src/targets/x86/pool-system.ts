/** What the pool's code asks of the system and of the clock. Clobbered: rax, rdx (`readTicks`); rax, rcx, r11 (`systemCall`). */
import { type Assembler, r32, rax, rdx } from "./assembler/index.ts";

/** Numbers of Linux on x86-64. */
const systemCalls = {
  schedYield: 24,
  futex: 202,
  schedSetAffinity: 203,
  schedGetAffinity: 204,
  getCpu: 309,
} as const;

const eax = r32(0);

/** rax = the result; arguments are in rdi, rsi, rdx, r10. */
export function systemCall(a: Assembler, name: keyof typeof systemCalls): void {
  a.emit("mov", eax, systemCalls[name]);
  a.emit("syscall");
}

/** rax = the time-stamp counter. */
export function readTicks(a: Assembler): void {
  a.emit("rdtsc");
  a.emit("shl", rdx, 32);
  a.emit("or", rax, rdx);
}
