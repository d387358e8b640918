/** The FFI through the optional dependency `koffi`, loaded when it is first needed. */
import { createRequire } from "node:module";
import { InternalError, OutOfMemoryError, UnsupportedError } from "../errors.ts";
import {
  type ForeignAvailability,
  type ForeignFunctions,
  hugePageBytes,
  type NativeFunction,
  type Protection,
  roundUp,
} from "./ffi.ts";

/** The part of koffi that is used here. */
interface Koffi {
  readonly version: string;
  load(path: string | null): Library;
  proto(result: string, values: readonly string[]): unknown;
  decode(address: number | bigint, type: unknown): KoffiFunction;
  view(address: number | bigint, bytes: number): ArrayBuffer;
  address(value: unknown): bigint;
  errno(): number;
}
interface Library {
  func(name: string, result: string, values: readonly string[]): KoffiFunction;
  symbol(name: string): unknown;
}
interface KoffiFunction {
  (...values: unknown[]): unknown;
  async(...values: unknown[]): void;
}

const protections: Readonly<Record<Protection, number>> = { none: 0, read: 1, write: 3, execute: 5 };
const mapPrivateAnonymous = 0x22;
const adviceHuge = 14;
const failed = 2 ** 64 - 1;

/** Linux on x86-64 only: elsewhere the constants and the calling convention differ. */
export function loadKoffi(): ForeignAvailability {
  if (process.platform !== "linux" || process.arch !== "x64") {
    const reason = `machine code is emitted for Linux on x86-64 only so far; this is ${process.platform} on ${process.arch}.`;
    return { available: false, reason };
  }
  let koffi: Koffi;
  try {
    koffi = createRequire(import.meta.url)("koffi") as Koffi;
  } catch (error) {
    const reason = `the optional dependency "koffi" cannot be loaded (${firstLine(error)}); install it with: npm install koffi`;
    return { available: false, reason };
  }
  try {
    return { available: true, functions: new KoffiFunctions(koffi) };
  } catch (error) {
    return { available: false, reason: `koffi ${koffi.version} does not work here: ${firstLine(error)}` };
  }
}

const firstLine = (error: unknown): string => (error instanceof Error ? error.message : String(error)).split("\n")[0];

class KoffiFunctions implements ForeignFunctions {
  readonly name: string;
  private readonly koffi: Koffi;
  private readonly library: Library;
  private readonly mmap: KoffiFunction;
  private readonly munmap: KoffiFunction;
  private readonly mprotect: KoffiFunction;
  private readonly madvise: KoffiFunction;
  private readonly identity: KoffiFunction;
  /** Function types by argument count. */
  private readonly prototypes: unknown[] = [];

  constructor(koffi: Koffi) {
    this.koffi = koffi;
    this.name = `koffi ${koffi.version}`;
    // the process itself: whatever C library it runs on
    this.library = koffi.load(null);
    const { library } = this;
    this.mmap = library.func("mmap", "uint64_t", ["uint64_t", "uint64_t", "int", "int", "int", "int64_t"]);
    this.munmap = library.func("munmap", "int", ["uint64_t", "uint64_t"]);
    this.mprotect = library.func("mprotect", "int", ["uint64_t", "uint64_t", "int"]);
    this.madvise = library.func("madvise", "int", ["uint64_t", "uint64_t", "int"]);
    // copying no bytes returns its first argument: the cheapest way to learn a buffer's address
    this.identity = library.func("memmove", "uint64_t", ["void *", "uint64_t", "uint64_t"]);
  }

  mapMemory(bytes: number, options: { readonly huge?: boolean } = {}): number {
    const length = roundUp(bytes, options.huge ? hugePageBytes : 4096);
    const address = Number(this.mmap(0, length, protections.write, mapPrivateAnonymous, -1, 0));
    if (address >= failed) {
      throw new OutOfMemoryError(`the system refused to map ${length} bytes (errno ${this.koffi.errno()}).`);
    }
    if (options.huge) this.adviseHuge(address, length);
    return address;
  }

  protect(address: number, bytes: number, protection: Protection): void {
    if (this.mprotect(address, bytes, protections[protection]) === 0) return;
    const number = this.koffi.errno();
    if (protection !== "execute") throw new InternalError(`mprotect to "${protection}" failed with errno ${number}`);
    throw new UnsupportedError(
      `this system does not let a process execute code that it has written (errno ${number}); set TRIVIUM_TARGET=reference.`,
    );
  }

  unmapMemory(address: number, bytes: number): void {
    this.munmap(address, bytes);
  }

  adviseHuge(address: number, bytes: number): void {
    // whole pages inside the range; the advice may be ignored
    const start = roundUp(address, 4096);
    const length = Math.floor((address + bytes - start) / 4096) * 4096;
    if (length > 0) this.madvise(start, length, adviceHuge);
  }

  view(address: number, bytes: number): ArrayBuffer {
    return this.koffi.view(BigInt(address), bytes);
  }

  addressOf(buffer: ArrayBuffer): number {
    return this.identity(buffer, 0, 0) as number;
  }

  symbol(name: string): number {
    return Number(this.koffi.address(this.library.symbol(name)));
  }

  callable(address: number, argumentCount: number): NativeFunction {
    this.prototypes[argumentCount] ??= this.koffi.proto("int64_t", new Array<string>(argumentCount).fill("int64_t"));
    const call = this.koffi.decode(BigInt(address), this.prototypes[argumentCount]);
    const asynchronous = (...values: number[]) =>
      new Promise<number>((resolve, reject) => {
        call.async(...values, (error: unknown, result: unknown) => (error ? reject(error) : resolve(Number(result))));
      });
    return Object.assign(call as unknown as (...values: number[]) => number, { asynchronous });
  }
}
