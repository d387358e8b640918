/**
 * The foreign-function interface, as small as it can be: memory from the system, addresses, calls by address. `koffi` provides it now;
 * another runtime's own FFI can take its place by implementing `ForeignFunctions`.
 *
 * Addresses are plain numbers: user space ends below 2^47.
 */
import { loadKoffi } from "./koffi.ts";

/** What memory may be used for. Never both writable and executable. */
export type Protection = "none" | "read" | "write" | "execute";

/** A function at an address: integers and addresses in, an integer out. */
export interface NativeFunction {
  (...values: number[]): number;
  /** Runs the call on another thread, so that the event loop goes on. */
  asynchronous(...values: number[]): Promise<number>;
}

export interface MapOptions {
  /** Ask for huge pages, for memory that is read and written as a whole. */
  readonly huge?: boolean;
}

export interface ForeignFunctions {
  /** For `doctor`, for example `koffi 3.3.4`. */
  readonly name: string;
  /** Fresh zeroed pages, readable and writable. Throws `OutOfMemoryError`. */
  mapMemory(bytes: number, options?: MapOptions): number;
  /** Changes what whole pages may be used for. */
  protect(address: number, bytes: number, protection: Protection): void;
  unmapMemory(address: number, bytes: number): void;
  /** Asks for huge pages in a range that is already there. */
  adviseHuge(address: number, bytes: number): void;
  /** Memory at an address as an ArrayBuffer; it must not be used after the memory is unmapped. */
  view(address: number, bytes: number): ArrayBuffer;
  /**
   * Where an ArrayBuffer's bytes lie; the address holds as long as the buffer is referenced. Not for the buffer of a typed array of
   * 64 bytes or less that V8 keeps on its own heap: make an ArrayBuffer first.
   */
  addressOf(buffer: ArrayBuffer): number;
  /** The address of a function of the C library. */
  symbol(name: string): number;
  /** A function at an address that takes this many integers. */
  callable(address: number, argumentCount: number): NativeFunction;
}

/** Either the functions, or why there are none and what to do. */
export type ForeignAvailability =
  | { readonly available: true; readonly functions: ForeignFunctions }
  | { readonly available: false; readonly reason: string };

export const pageBytes = 4096;
/** Size of a huge page. */
export const hugePageBytes = 2 * 1024 * 1024;
/** Rounds up to a multiple of a power of two. Exact for sizes beyond 32 bits. */
export const roundUp = (value: number, multiple: number): number => Math.ceil(value / multiple) * multiple;

let cached: ForeignAvailability | undefined;

/** Loads the FFI on first use; the answer is kept. */
export function foreignFunctions(): ForeignAvailability {
  cached ??= loadKoffi();
  return cached;
}
