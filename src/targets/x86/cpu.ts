/** What this CPU is and can do, asked by emitted CPUID and XGETBV instructions. */
import { ExecutableMemory } from "../../runtime/executable-memory.ts";
import type { ForeignFunctions } from "../../runtime/ffi.ts";
import { systemV } from "./abi.ts";
import { Assembler, memory, r8q, r32, rax, rbx, rdx } from "./assembler/index.ts";

export interface CpuDescription {
  /** For example `AMD EPYC 9B45`. */
  readonly brand: string;
  /** AVX2, FMA, BMI1 and BMI2, and an operating system that saves the 256-bit registers. */
  readonly avx2: boolean;
  /** AVX-512 F, BW, VL and DQ, and an operating system that saves the 512-bit and mask registers. */
  readonly avx512: boolean;
  /** Bytes; data caches of one core, and the last level that cores share. 0 where unknown. */
  readonly l1Bytes: number;
  readonly l2Bytes: number;
  readonly l3Bytes: number;
}

/** The answer of one CPUID leaf. */
export interface CpuidResult {
  readonly eax: number;
  readonly ebx: number;
  readonly ecx: number;
  readonly edx: number;
}
/** Asks a leaf; `xgetbv` reads extended control register 0. Tests pass recorded answers. */
export interface CpuidSource {
  cpuid(leaf: number, subleaf: number): CpuidResult;
  xgetbv(): number;
}

let cached: CpuDescription | undefined;

/** Describes this machine's CPU; asked once. */
export function describeCpu(functions: ForeignFunctions): CpuDescription {
  cached ??= readCpu(emittedCpuid(functions));
  return cached;
}

function emittedCpuid(functions: ForeignFunctions): CpuidSource {
  const [leafRegister, subleafRegister, resultRegister] = systemV.argumentRegisters;
  const [eax, ebx, ecx, edx] = [0, 3, 1, 2].map(r32);
  const ask = new Assembler();
  ask.emit("push", rbx);
  ask.emit("mov", r8q, resultRegister);
  ask.emit("mov", rax, leafRegister);
  ask.emit("mov", ecx, r32(subleafRegister.code));
  ask.emit("cpuid");
  [eax, ebx, ecx, edx].forEach((register, index) => ask.emit("mov", memory(r8q, index * 4), register));
  ask.emit("xor", eax, eax);
  ask.emit("pop", rbx);
  ask.emit("ret");
  const read = new Assembler();
  read.emit("xor", ecx, ecx);
  read.emit("xgetbv");
  read.emit("shl", rdx, 32);
  read.emit("or", rax, rdx);
  read.emit("ret");
  const addresses = new ExecutableMemory(functions, 4096).place([ask.finish(), read.finish()]).addresses;
  const cpuid = functions.callable(addresses[0], 3);
  const xgetbv = functions.callable(addresses[1], 0);
  const buffer = new ArrayBuffer(128);
  const words = new Uint32Array(buffer);
  return {
    cpuid: (leaf, subleaf) => {
      cpuid(leaf, subleaf, functions.addressOf(buffer));
      return { eax: words[0], ebx: words[1], ecx: words[2], edx: words[3] };
    },
    xgetbv: () => Number(xgetbv()),
  };
}

const bit = (value: number, position: number): boolean => ((value >>> position) & 1) === 1;

/** Interprets the leaves (Intel SDM volume 2, CPUID; AMD APM volume 3, appendix E). */
export function readCpu(source: CpuidSource): CpuDescription {
  const highest = source.cpuid(0, 0).eax;
  const highestExtended = source.cpuid(0x80000000, 0).eax;
  const basic = source.cpuid(1, 0);
  const none: CpuidResult = { eax: 0, ebx: 0, ecx: 0, edx: 0 };
  const extended = highest >= 7 ? source.cpuid(7, 0) : none;
  const controlRegister = bit(basic.ecx, 27) ? source.xgetbv() : 0;
  const savesYmm = (controlRegister & 0x06) === 0x06;
  const savesZmm = (controlRegister & 0xe6) === 0xe6;
  const avx2 =
    savesYmm &&
    bit(basic.ecx, 28) &&
    bit(basic.ecx, 12) &&
    bit(extended.ebx, 5) &&
    bit(extended.ebx, 3) &&
    bit(extended.ebx, 8);
  const avx512 = avx2 && savesZmm && [16, 17, 30, 31].every((position) => bit(extended.ebx, position));
  const isAmd = source.cpuid(0, 0).ecx === 0x444d4163; // "cAMD"
  const cacheLeaf = isAmd ? (highestExtended >= 0x8000001d ? 0x8000001d : 0) : highest >= 4 ? 4 : 0;
  return { brand: readBrand(source, highestExtended), avx2, avx512, ...readCaches(source, cacheLeaf) };
}

function readCaches(source: CpuidSource, leaf: number): Pick<CpuDescription, "l1Bytes" | "l2Bytes" | "l3Bytes"> {
  const sizes = [0, 0, 0, 0, 0, 0, 0, 0];
  for (let index = 0; leaf !== 0 && index < 16; index++) {
    const { eax, ebx, ecx } = source.cpuid(leaf, index);
    const kind = eax & 31;
    if (kind === 0) break;
    if (kind === 2) continue; // instructions
    const line = (ebx & 0xfff) + 1;
    const partitions = ((ebx >>> 12) & 0x3ff) + 1;
    const ways = (ebx >>> 22) + 1;
    sizes[(eax >>> 5) & 7] = line * partitions * ways * (ecx + 1);
  }
  return { l1Bytes: sizes[1], l2Bytes: sizes[2], l3Bytes: sizes[3] };
}

function readBrand(source: CpuidSource, highestExtended: number): string {
  if (highestExtended < 0x80000004) return "unknown x86-64 CPU";
  const leaves = [0x80000002, 0x80000003, 0x80000004].map((leaf) => source.cpuid(leaf, 0));
  const words = leaves.flatMap(({ eax, ebx, ecx, edx }) => [eax, ebx, ecx, edx]);
  const text = new TextDecoder("latin1").decode(new Uint8Array(Uint32Array.from(words).buffer));
  return text.split("\0")[0].replace(/\s+/g, " ").trim();
}
