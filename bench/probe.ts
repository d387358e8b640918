/** The limits of the machine, as every report shows them: rounded. */
import { measureLimits as measure } from "../src/targets/x86/machine-limits.ts";
import type { MachineLimits } from "./machine.ts";
import { rounded } from "./statistics.ts";

/** FMA peak and copy bandwidth on `threads` threads; undefined where no machine code can run. */
export async function measureLimits(threads: number, wide = true): Promise<MachineLimits | undefined> {
  const found = await measure(threads, wide);
  return found && { fmaPeak: rounded(found.fmaPeak), copyBandwidth: rounded(found.copyBandwidth) };
}
