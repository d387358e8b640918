import { type TargetName, whyNoMachineCode } from "../src/engine/default-target.ts";

/** The targets that tests run on: the oracle, and machine code where this machine has it. */
export function availableTargets(): TargetName[] {
  return whyNoMachineCode() === undefined ? ["reference", "x86"] : ["reference"];
}
