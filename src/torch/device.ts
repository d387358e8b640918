/** Devices, for programs that choose one: there is the processor. */
import { UnsupportedError } from "../errors.ts";
import { atEntry } from "../tensor/lift.ts";
import type { Device } from "../tensor/methods/conversion.ts";

/** A device by name. Only "cpu" exists. */
export function device(name: string): Device {
  return atEntry(device, () => {
    if (name !== "cpu") throw new UnsupportedError(`device: there is no device "${name}" here; use "cpu".`);
    return { type: name };
  });
}

/** `torch.cuda`, for the usual question. */
export const cuda = {
  /** Always false: programs run on the processor. */
  isAvailable: (): boolean => false,
  /** 0. */
  deviceCount: (): number => 0,
};
