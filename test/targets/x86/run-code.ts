/** Runs machine code in tests: code in pages of its own, buffers that end at a guard page. */
import { readFileSync } from "node:fs";
import koffi from "koffi";
import type { Kernel } from "../../../src/kernel/ir.ts";
import { compileKernel } from "../../../src/targets/x86/codegen/compile-kernel.ts";
import type { X86Features } from "../../../src/targets/x86/features.ts";

const libc = koffi.load("libc.so.6");
const mmap = libc.func("void *mmap(void *addr, size_t length, int prot, int flags, int fd, long offset)");
const munmap = libc.func("int munmap(void *addr, size_t length)");
const mprotect = libc.func("int mprotect(void *addr, size_t length, int prot)");
const prototype = koffi.proto("void TriviumTestKernel(uintptr_t arguments, int64_t task, uintptr_t scratch)");
const pageBytes = 4096;

export const hasAvx512 = ((): boolean => {
  const flags = readFileSync("/proc/cpuinfo", "utf8").match(/^flags.*$/m)?.[0] ?? "";
  return ["avx512f", "avx512bw", "avx512vl", "avx512dq"].every((flag) => flags.includes(` ${flag}`));
})();
/** The modes that this machine can run. */
export const testFeatures: readonly X86Features[] = [{ avx512: false }, ...(hasAvx512 ? [{ avx512: true }] : [])];
export const featureName = (features: X86Features): string => (features.avx512 ? "AVX-512" : "AVX2");

export interface NativeBuffer {
  readonly address: bigint;
  readonly bytes: Uint8Array;
  free(): void;
}

/** Memory that ends right before an inaccessible page (its start is aligned to 64 if `size` is). */
export function guardedBuffer(size: number): NativeBuffer {
  const length = Math.ceil(Math.max(size, 1) / pageBytes) * pageBytes;
  const base = mmap(null, length + pageBytes, 3, 0x22, -1, 0);
  const address = koffi.address(base) as bigint;
  mprotect(address + BigInt(length), pageBytes, 0);
  const all = new Uint8Array(koffi.view(base, length) as ArrayBuffer);
  const offset = length - size;
  return {
    address: address + BigInt(offset),
    bytes: all.subarray(offset, length),
    free: () => munmap(base, length + pageBytes),
  };
}

export interface LoadedCode {
  call(argumentTable: bigint, task: number, scratch: bigint): void;
  free(): void;
}

export function loadCode(code: Uint8Array): LoadedCode {
  const length = Math.ceil(code.length / pageBytes) * pageBytes;
  const base = mmap(null, length, 3, 0x22, -1, 0);
  new Uint8Array(koffi.view(base, length) as ArrayBuffer).set(code);
  mprotect(base, length, 5);
  const call = koffi.decode(base, prototype) as (table: bigint, task: number, scratch: bigint) => void;
  return { call, free: () => munmap(base, length) };
}

/** Compiles a kernel and runs some tasks on copies of the buffers; returns their contents afterwards. */
export function runNative(
  kernel: Kernel,
  features: X86Features,
  buffers: readonly Uint8Array[],
  tasks: readonly number[] = [0],
): Uint8Array[] {
  const loaded = loadCode(compileKernel(kernel, features).code);
  const natives = buffers.map((buffer) => {
    const native = guardedBuffer(buffer.length);
    native.bytes.set(buffer);
    return native;
  });
  const table = guardedBuffer(Math.max(8, natives.length * 8));
  new DataView(table.bytes.buffer, table.bytes.byteOffset).setBigUint64(0, 0n, true);
  natives.forEach((native, index) => {
    new DataView(table.bytes.buffer, table.bytes.byteOffset).setBigUint64(index * 8, native.address, true);
  });
  const scratch = guardedBuffer(Math.ceil(kernel.scratchBytes / 64) * 64);
  for (const task of tasks) loaded.call(table.address, task, scratch.address);
  const results = natives.map((native) => native.bytes.slice());
  for (const memory of [...natives, table, scratch]) memory.free();
  loaded.free();
  return results;
}
