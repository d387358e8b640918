import { availableParallelism } from "node:os";
import { ArgumentError } from "../errors.ts";
import { cpuQuota, type FileReader, readSystemFile } from "./control-groups.ts";

/** The most threads a pool has. */
export const maximumThreads = 256;

/**
 * How many threads compute: `TRIVIUM_THREADS` if set, else the CPUs that this process may run on (affinity mask), but no more than the
 * container's CPU quota, rounded up.
 */
export function threadCount(read: FileReader = readSystemFile, environment = process.env): number {
  const wanted = environment.TRIVIUM_THREADS;
  if (wanted !== undefined && wanted !== "") {
    const count = Number(wanted);
    if (!Number.isInteger(count) || count < 1 || count > maximumThreads) {
      throw new ArgumentError(`TRIVIUM_THREADS=${wanted}: expected a whole number from 1 to ${maximumThreads}.`);
    }
    return count;
  }
  // asks the kernel for the affinity mask
  return Math.max(1, Math.min(availableParallelism(), Math.ceil(cpuQuota(read)), maximumThreads));
}
