/** Compiled kernels, shared by all programs that contain the same loop nest. */
import type { Kernel } from "../../kernel/ir.ts";
import { kernelKey } from "../../kernel/key.ts";
import { type CodeBlock, ExecutableMemory } from "../../runtime/executable-memory.ts";
import type { ForeignFunctions } from "../../runtime/ffi.ts";
import { notePerfMap } from "../../runtime/perf-map.ts";

/** Turns a kernel into position-independent code. */
export type KernelCompiler = (kernel: Kernel) => Uint8Array;

/** A kernel in executable memory. Give it back with `release`. */
export interface PlacedKernel {
  readonly key: string;
  readonly address: number;
  readonly bytes: number;
}

interface Entry extends PlacedKernel {
  readonly batch: Batch;
  references: number;
}
/** Kernels that were placed together share pages and go together. */
interface Batch {
  readonly block: CodeBlock;
  living: number;
}

export class CodeCache {
  private readonly memory: ExecutableMemory;
  private readonly compile: KernelCompiler;
  private readonly entries = new Map<string, Entry>();
  private readonly keys = new WeakMap<Kernel, string>();

  constructor(functions: ForeignFunctions, compile: KernelCompiler) {
    this.memory = new ExecutableMemory(functions);
    this.compile = compile;
  }

  /** Number of different kernels in memory. */
  get size(): number {
    return this.entries.size;
  }

  /** Addresses of kernels, in order; compiles those that are new and places them in one batch. Duplicates are allowed. */
  acquire(kernels: readonly Kernel[]): PlacedKernel[] {
    const fresh = new Map<string, { readonly kernel: Kernel; readonly code: Uint8Array }>();
    for (const kernel of kernels) {
      const key = this.keyOf(kernel);
      if (!this.entries.has(key) && !fresh.has(key)) fresh.set(key, { kernel, code: this.compile(kernel) });
    }
    if (fresh.size > 0) this.place(fresh);
    return kernels.map((kernel) => {
      const entry = this.entries.get(this.keyOf(kernel))!;
      entry.references++;
      return entry;
    });
  }

  /** Gives kernels back; code that nobody uses any more is removed. */
  release(kernels: readonly PlacedKernel[]): void {
    for (const { key } of kernels) {
      const entry = this.entries.get(key);
      if (entry === undefined || --entry.references > 0) continue;
      this.entries.delete(key);
      if (--entry.batch.living === 0) this.memory.remove(entry.batch.block);
    }
  }

  /** Unmaps everything. */
  dispose(): void {
    this.entries.clear();
    this.memory.release();
  }

  private place(fresh: ReadonlyMap<string, { readonly kernel: Kernel; readonly code: Uint8Array }>): void {
    const { block, addresses } = this.memory.place([...fresh.values()].map(({ code }) => code));
    const batch: Batch = { block, living: fresh.size };
    const names: { address: number; bytes: number; name: string }[] = [];
    let index = 0;
    for (const [key, { kernel, code }] of fresh) {
      const address = addresses[index++];
      this.entries.set(key, { key, address, bytes: code.length, batch, references: 0 });
      names.push({ address, bytes: code.length, name: kernel.name });
    }
    notePerfMap(names);
  }

  private keyOf(kernel: Kernel): string {
    let key = this.keys.get(kernel);
    if (key === undefined) {
      key = kernelKey(kernel);
      this.keys.set(kernel, key);
    }
    return key;
  }
}
