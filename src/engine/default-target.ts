import { ArgumentError } from "../errors.ts";
import { createReferenceTarget } from "../targets/reference/reference-target.ts";
import type { Target } from "../targets/target.ts";

/** Targets by name; `auto` takes the fastest that this machine can run. */
export type TargetName = "auto" | "reference" | "x86";

export function createTarget(name: string): Target {
  switch (name) {
    case "reference":
      return createReferenceTarget();
    default:
      throw new ArgumentError(`unknown target "${name}": expected auto, x86 or reference.`);
  }
}

/** The target of `TRIVIUM_TARGET`, else the fastest that this machine can run. */
export function chooseDefaultTarget(): Target {
  return createTarget(process.env.TRIVIUM_TARGET ?? "reference");
}
