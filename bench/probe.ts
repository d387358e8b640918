import type { MachineLimits } from "./machine.ts";

/** FMA peak and copy bandwidth on `threads` threads; undefined where no probe can run (no executable memory). */
export async function measureLimits(_threads: number): Promise<MachineLimits | undefined> {
  return undefined;
}
