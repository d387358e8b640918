/** Buffers that touch an inaccessible page, so that reading or writing one byte too far ends the process. Use them in a child process. */
import type { ForeignFunctions } from "../runtime/ffi.ts";
import { pageBytes, roundUp } from "../runtime/ffi.ts";

/** Memory between two inaccessible pages. */
export interface GuardedBuffer {
  /** Where the bytes begin. */
  readonly address: number;
  /** The accessible pages; the bytes begin at `byteOffset`. Usable as a `NodeValue`. */
  readonly buffer: ArrayBuffer;
  readonly byteOffset: number;
  release(): void;
}

/**
 * Maps `bytes` of zeroed memory that end exactly at an inaccessible page (`end`), or start right behind one (`start`). With `end` the
 * address is as aligned as `bytes` is.
 */
export function guardedBuffer(functions: ForeignFunctions, bytes: number, side: "start" | "end"): GuardedBuffer {
  const inner = roundUp(Math.max(bytes, 1), pageBytes);
  const total = inner + 2 * pageBytes;
  const base = functions.mapMemory(total);
  functions.protect(base, pageBytes, "none");
  functions.protect(base + pageBytes + inner, pageBytes, "none");
  const byteOffset = side === "start" ? 0 : inner - bytes;
  return {
    address: base + pageBytes + byteOffset,
    buffer: functions.view(base + pageBytes, inner),
    byteOffset,
    release: () => functions.unmapMemory(base, total),
  };
}
