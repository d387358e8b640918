import { readFileSync } from "node:fs";
import { availableParallelism, cpus } from "node:os";
import type { MachineLimits } from "../src/targets/roofline.ts";
import { rounded } from "./statistics.ts";

/** Keeps the best of repeated measurements of the limits: noise only ever takes away. */
export class LimitTracker {
  readonly #measure: () => Promise<MachineLimits | undefined>;
  #best: MachineLimits | undefined;

  constructor(measure: () => Promise<MachineLimits | undefined>) {
    this.#measure = measure;
  }

  get limits(): MachineLimits | undefined {
    return this.#best;
  }

  /** Measures once more; returns what was found this time. */
  async measure(): Promise<MachineLimits | undefined> {
    const found = await this.#measure();
    if (found === undefined) return undefined;
    this.#best = {
      fmaPeak: Math.max(rounded(found.fmaPeak), this.#best?.fmaPeak ?? 0),
      copyBandwidth: Math.max(rounded(found.copyBandwidth), this.#best?.copyBandwidth ?? 0),
    };
    return found;
  }
}

/** Seconds of processor time that the whole machine spent busy since it started. */
function busySeconds(): number {
  const [, user, nice, system, , , irq, softirq, steal] = readFileSync("/proc/stat", "utf8")
    .split("\n")[0]!
    .split(/\s+/);
  const ticks = [user, nice, system, irq, softirq, steal].reduce((sum, value) => sum + Number(value), 0);
  return ticks / 100;
}

/**
 * Watches what other processes take while something is measured. `other(cpu)` gives the share of one core that went to processes other than
 * the contender, which took `cpu` seconds itself.
 */
export function watchLoad(): { other(cpu: number): number } {
  const start = performance.now();
  let before: number | undefined;
  try {
    before = busySeconds();
  } catch {
    // No /proc: loads cannot be told.
  }
  return {
    other(cpu) {
      if (before === undefined) return 0;
      const seconds = (performance.now() - start) / 1000;
      return Math.max(0, (busySeconds() - before - cpu) / seconds);
    },
  };
}

/** Whether other processes take more than a tenth of a core at this moment, watched while the bench itself waits. */
export async function isLoaded(): Promise<boolean> {
  const load = watchLoad();
  await new Promise((resolve) => setTimeout(resolve, 250));
  return load.other(0) > 0.1;
}

/** For the head of a report: processor, cores, memory, Node. */
export function describeMachine(): Record<string, string> {
  const memory = /MemTotal:\s+(\d+)/.exec(readFileSync("/proc/meminfo", "utf8"))?.[1];
  return {
    processor: cpus()[0]?.model.trim() ?? "unknown",
    cores: String(availableParallelism()),
    memory: memory === undefined ? "unknown" : `${Math.round(Number(memory) / 2 ** 20)} GiB`,
    node: process.version,
  };
}
