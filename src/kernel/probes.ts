/** Kernels that measure the machine: the two limits that a roofline is drawn with. */
import { KernelBuilder } from "./builder.ts";
import type { Kernel, MachineDescription } from "./ir.ts";

/** A kernel with the work that one task of it does. */
export interface Probe {
  readonly kernel: Kernel;
  readonly flops: number;
  readonly bytes: number;
}

/**
 * Independent fused multiply-adds on as many accumulators as the registers hold; nothing else. Argument 0 receives 16 floats per task, so that
 * the work has a result.
 */
export function fmaPeakProbe(machine: MachineDescription, steps = 100_000): Probe {
  const chains = machine.vectorRegisters >= 32 ? 24 : 6;
  const k = new KernelBuilder("probe_fma_peak", 1);
  // The lanes differ: a target may compute equal ones once.
  const [a, b] = [k.unary("itof", k.laneIndex()), k.constant(1.5)];
  const accumulators = Array.from({ length: chains }, (_, chain) => k.constant(chain));
  k.loop(0, steps, 1, () => {
    for (const accumulator of accumulators) k.fma(accumulator, a, b);
  });
  let sum = accumulators[0];
  for (const accumulator of accumulators.slice(1)) sum = k.binary("fadd", sum, accumulator);
  const offset = k.mul(k.task(), 64);
  k.store(sum, k.at(k.add(k.argument(0), offset)));
  return { kernel: k.build(), flops: 2 * 16 * chains * steps, bytes: 64 };
}

/** Copies `floats` (a multiple of 64) per task from argument 0 to argument 1 with streaming stores. */
export function copyProbe(floats: number): Probe {
  const k = new KernelBuilder("probe_copy", 2);
  const offset = k.mul(k.task(), 4 * floats);
  const from = k.add(k.argument(0), offset);
  const to = k.add(k.argument(1), offset);
  k.loop(0, floats, 64, (i) => {
    const values = [0, 64, 128, 192].map((displacement) => k.load(k.at(from, i, 4, displacement)));
    values.forEach((value, index) => {
      k.store(value, k.at(to, i, 4, 64 * index), "f32", { streaming: true });
    });
  });
  return { kernel: k.build(), flops: 0, bytes: 8 * floats };
}
