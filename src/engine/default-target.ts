import { ArgumentError, UnsupportedError } from "../errors.ts";
import { createReferenceTarget } from "../targets/reference/reference-target.ts";
import type { Target } from "../targets/target.ts";
import { x86Availability } from "../targets/x86/platform.ts";
import { createX86Target } from "../targets/x86/target.ts";

/** Targets by name; `auto` takes the fastest that this machine can run. */
export type TargetName = "auto" | "reference" | "x86";

export const targetNames: readonly TargetName[] = ["auto", "x86", "reference"];

export interface TargetOptions {
  /** Threads that share the work; `TRIVIUM_THREADS` or the cores available to the process by default. */
  readonly threads?: number;
}

/** Why machine code cannot run here; undefined where it can. */
export function whyNoMachineCode(): string | undefined {
  const availability = x86Availability();
  return availability.available ? undefined : availability.reason;
}

/** A target by name. */
export function createTarget(name: string, options: TargetOptions = {}): Target {
  switch (name) {
    case "auto":
      return chooseTarget(options);
    case "x86": {
      const reason = whyNoMachineCode();
      if (reason !== undefined)
        throw new UnsupportedError(`target x86: ${reason} Use the target reference for small work.`);
      return createX86Target(options);
    }
    case "reference":
      return createReferenceTarget();
    default:
      throw new ArgumentError(`unknown target "${name}": expected one of ${targetNames.join(", ")}.`);
  }
}

function chooseTarget(options: TargetOptions): Target {
  const reason = whyNoMachineCode();
  if (reason === undefined) return createX86Target(options);
  console.warn(`trivium: machine code is not available (${reason}); using the reference target, which is slow.`);
  return createReferenceTarget();
}

/** The target of `TRIVIUM_TARGET`, else the fastest that this machine can run. */
export function chooseDefaultTarget(): Target {
  return createTarget(process.env.TRIVIUM_TARGET ?? "auto");
}
