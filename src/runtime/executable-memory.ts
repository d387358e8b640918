/** Executable memory, writable or executable but never both. */
import { type ForeignFunctions, pageBytes, roundUp } from "./ffi.ts";

/** Whole pages that hold the code of one program, or of the part of it that was new. */
export interface CodeBlock {
  readonly address: number;
  readonly bytes: number;
}

interface FreeRange {
  address: number;
  bytes: number;
}

/** New regions are this large, so that many programs share one mapping. */
const defaultRegionBytes = 4 * 1024 * 1024;
const codeAlignment = 64;

/** Hands out pages of large regions. One system call makes a batch of functions executable; pages of running code are never touched. */
export class ExecutableMemory {
  private readonly functions: ForeignFunctions;
  private readonly regions: { address: number; bytes: number; memory: Uint8Array }[] = [];
  private free: FreeRange[] = [];

  private readonly regionBytes: number;

  constructor(functions: ForeignFunctions, regionBytes = defaultRegionBytes) {
    this.functions = functions;
    this.regionBytes = regionBytes;
  }

  /** Bytes of address space taken from the system. */
  get mappedBytes(): number {
    return this.regions.reduce((sum, region) => sum + region.bytes, 0);
  }

  /** Places functions behind each other, each at a multiple of 64, and returns their addresses. */
  place(codes: readonly Uint8Array[]): { readonly block: CodeBlock; readonly addresses: readonly number[] } {
    const needed = codes.reduce((sum, code) => sum + roundUp(code.length, codeAlignment), 0);
    const range = this.take(roundUp(Math.max(needed, 1), pageBytes));
    const region = this.regions.find(
      (candidate) => range.address >= candidate.address && range.address < candidate.address + candidate.bytes,
    )!;
    const addresses: number[] = [];
    let address = range.address;
    region.memory.fill(0xcc, address - region.address, address - region.address + range.bytes);
    for (const code of codes) {
      addresses.push(address);
      region.memory.set(code, address - region.address);
      address += roundUp(code.length, codeAlignment);
    }
    this.functions.protect(range.address, range.bytes, "execute");
    return { block: range, addresses };
  }

  /** Gives pages back; nothing may run in them any more. */
  remove(block: CodeBlock): void {
    this.functions.protect(block.address, block.bytes, "write");
    this.free.push({ address: block.address, bytes: block.bytes });
    this.free.sort((a, b) => a.address - b.address);
    const merged: FreeRange[] = [];
    for (const range of this.free) {
      const last = merged.at(-1);
      // neighbours in different regions stay apart: a region's bytes are written through its own view
      const touches = last !== undefined && last.address + last.bytes === range.address;
      if (touches && !this.regions.some((region) => region.address === range.address)) last.bytes += range.bytes;
      else merged.push(range);
    }
    this.free = merged;
  }

  /** Unmaps everything. */
  release(): void {
    for (const region of this.regions) this.functions.unmapMemory(region.address, region.bytes);
    this.regions.length = 0;
    this.free = [];
  }

  private take(bytes: number): CodeBlock {
    let index = this.free.findIndex((range) => range.bytes >= bytes);
    if (index < 0) {
      const size = roundUp(Math.max(this.regionBytes, bytes), pageBytes);
      const address = this.functions.mapMemory(size);
      this.regions.push({ address, bytes: size, memory: new Uint8Array(this.functions.view(address, size)) });
      this.free.push({ address, bytes: size });
      index = this.free.length - 1;
    }
    const range = this.free[index];
    const block = { address: range.address, bytes };
    range.address += bytes;
    range.bytes -= bytes;
    if (range.bytes === 0) this.free.splice(index, 1);
    return block;
  }
}
