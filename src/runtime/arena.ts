import { requireMemory } from "./allocate.ts";
import { type ForeignFunctions, hugePageBytes, roundUp } from "./ffi.ts";

/**
 * Scratch memory from the system that grows and never shrinks until it is released: pages stay mapped, so that intermediate values do
 * not fault again at each run. Contents do not survive growing, and the address may change: look at `address` before each use.
 */
export class Arena {
  private readonly functions: ForeignFunctions;
  private readonly what: string;
  /** Where it lies now; 0 while it is empty. */
  address = 0;
  bytes = 0;

  constructor(functions: ForeignFunctions, what: string) {
    this.functions = functions;
    this.what = what;
  }

  /** Makes it at least this large. Throws `OutOfMemoryError` before it gives up what it has. */
  reserve(bytes: number): void {
    if (bytes <= this.bytes) return;
    const wanted = roundUp(bytes, bytes >= hugePageBytes ? hugePageBytes : 65536);
    requireMemory(wanted - this.bytes, this.what);
    const huge = wanted >= hugePageBytes;
    this.release();
    this.address = this.functions.mapMemory(wanted, { huge });
    this.bytes = wanted;
  }

  release(): void {
    if (this.bytes > 0) this.functions.unmapMemory(this.address, this.bytes);
    this.address = 0;
    this.bytes = 0;
  }
}
