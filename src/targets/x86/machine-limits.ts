/** Measures what the machine can do at most: the two rooflines that shares are figured against. */
import { ExecutableMemory } from "../../runtime/executable-memory.ts";
import { type ForeignFunctions, foreignFunctions, type NativeFunction } from "../../runtime/ffi.ts";
import type { MachineLimits } from "../roofline.ts";
import { Assembler, rdi, vector } from "./assembler/index.ts";
import { describeCpu } from "./cpu.ts";
import { chooseFeatures } from "./features.ts";

/** Turns that each limit gets; the best counts, because noise only ever takes away. */
const turns = 5;
const turnMilliseconds = 60;

/** A loop of independent fused multiply-adds: `probe(iterations)`. */
function emitMultiplyAdds(avx512: boolean): { code: Uint8Array; flops: number } {
  const bits = avx512 ? 512 : 256;
  // More chains than latency times throughput (4 x 2), and two registers left for the factors.
  const chains = avx512 ? 24 : 12;
  const [left, right] = [vector(chains, bits), vector(chains + 1, bits)];
  const a = new Assembler();
  for (let register = 0; register < chains + 2; register++) {
    const it = vector(register, 256);
    a.emit("vxorps", it, it, it);
  }
  const loop = a.label();
  a.align(64);
  a.bind(loop);
  for (let chain = 0; chain < chains; chain++) a.emit("vfmadd231ps", vector(chain, bits), left, right);
  a.emit("sub", rdi, 1);
  a.emit("jne", loop);
  a.emit("vzeroupper");
  a.emit("ret");
  return { code: a.finish(), flops: (2 * chains * bits) / 32 };
}

/** Runs one call on each of `threads` threads at once; gives the seconds until all are done. */
async function together(calls: readonly (() => Promise<number>)[]): Promise<number> {
  const start = performance.now();
  await Promise.all(calls.map((call) => call()));
  return (performance.now() - start) / 1000;
}

/** Work per second at its best, over turns that are long enough for the timer. */
async function bestRate(
  work: number,
  threads: number,
  call: (thread: number, count: number) => Promise<number>,
): Promise<number> {
  let count = 1;
  let best = 0;
  for (let turn = 0; turn < turns; ) {
    const seconds = await together(Array.from({ length: threads }, (_, thread) => () => call(thread, count)));
    if (seconds * 1000 < turnMilliseconds) {
      count = Math.ceil(count * Math.min(100, Math.max(2, (1.2 * turnMilliseconds) / (seconds * 1000))));
      continue;
    }
    best = Math.max(best, (work * count * threads) / seconds);
    turn++;
  }
  return best;
}

function copyOf(functions: ForeignFunctions, threads: number) {
  const bytes = 64 * 2 ** 20;
  const buffers = Array.from(
    { length: threads },
    () => [functions.mapMemory(bytes, { huge: true }), functions.mapMemory(bytes, { huge: true })] as const,
  );
  for (const pair of buffers) for (const address of pair) new Uint8Array(functions.view(address, bytes)).fill(1);
  const copy = functions.callable(functions.symbol("memcpy"), 3);
  return {
    bytes,
    run: async (thread: number, count: number) => {
      const [to, from] = buffers[thread]!;
      for (let index = 0; index < count; index++) await copy.asynchronous(to, from, bytes);
      return 0;
    },
    release: () => {
      for (const address of buffers.flat()) functions.unmapMemory(address, bytes);
    },
  };
}

/**
 * FMA peak of the vectors that kernels use, and copy bandwidth (bytes read and written), on `threads` threads; undefined where no machine code
 * can run.
 */
export async function measureLimits(threads: number): Promise<MachineLimits | undefined> {
  const foreign = foreignFunctions();
  if (!foreign.available || process.arch !== "x64") return undefined;
  const { functions } = foreign;
  const cpu = describeCpu(functions);
  if (!cpu.avx2) return undefined;
  const { code, flops } = emitMultiplyAdds(chooseFeatures(cpu).avx512);
  const [address] = new ExecutableMemory(functions).place([code]).addresses;
  const probe: NativeFunction = functions.callable(address!, 1);
  const fmaPeak = await bestRate(flops, threads, (_, count) => probe.asynchronous(count));
  const copy = copyOf(functions, threads);
  const copied = await bestRate(2 * copy.bytes, threads, copy.run);
  copy.release();
  return { fmaPeak: fmaPeak / 1e9, copyBandwidth: copied / 1e9 };
}
