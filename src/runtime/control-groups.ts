/** Limits that a container sets: CPU quota and memory, from control groups version 1 and 2. */
import { readFileSync } from "node:fs";

/** Reads a file's text, or undefined where it cannot be read. Tests pass their own. */
export type FileReader = (path: string) => string | undefined;

export const readSystemFile: FileReader = (path) => {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
};

/** Folders of the groups that this process is in, innermost first, for a controller of version 1 or for version 2 (""). */
function groupFolders(controller: string, read: FileReader): string[] {
  for (const line of (read("/proc/self/cgroup") ?? "").split("\n")) {
    const [, controllers, path] = line.split(":");
    if (path === undefined) continue;
    const matches = controller === "" ? controllers === "" : controllers.split(",").includes(controller);
    if (!matches) continue;
    const root = controller === "" ? "/sys/fs/cgroup" : `/sys/fs/cgroup/${controller}`;
    const folders: string[] = [];
    // inside a container the path may name a group that is not visible there: the root then holds the limits
    for (let part = path; part !== "" && part !== "/"; part = part.slice(0, part.lastIndexOf("/")))
      folders.push(root + part);
    return [...folders, root];
  }
  return [];
}

const numberIn = (text: string | undefined): number => (text === undefined ? Number.NaN : Number(text.trim()));

/** CPUs that the quota allows, for example 1.5; Infinity without a quota. */
export function cpuQuota(read: FileReader = readSystemFile): number {
  let quota = Number.POSITIVE_INFINITY;
  for (const folder of groupFolders("", read)) {
    const [limit, period] = (read(`${folder}/cpu.max`) ?? "max").trim().split(" ").map(Number);
    if (limit > 0 && period > 0) quota = Math.min(quota, limit / period);
  }
  for (const folder of groupFolders("cpu", read)) {
    const limit = numberIn(read(`${folder}/cpu.cfs_quota_us`));
    const period = numberIn(read(`${folder}/cpu.cfs_period_us`));
    if (limit > 0 && period > 0) quota = Math.min(quota, limit / period);
  }
  return quota;
}

/** Bytes that the memory limit still leaves; page cache that can be dropped counts as free. Infinity without a limit. */
function groupMemory(read: FileReader): number {
  let available = Number.POSITIVE_INFINITY;
  const consider = (limit: number, used: number, statistics: string | undefined, cacheName: string) => {
    if (!(limit > 0) || Number.isNaN(used)) return;
    const cache = numberIn(new RegExp(`^${cacheName} (\\d+)`, "m").exec(statistics ?? "")?.[1]);
    available = Math.min(available, limit - used + (cache || 0));
  };
  for (const folder of groupFolders("", read)) {
    const [limit, used] = [read(`${folder}/memory.max`), read(`${folder}/memory.current`)].map(numberIn);
    consider(limit, used, read(`${folder}/memory.stat`), "inactive_file");
  }
  for (const folder of groupFolders("memory", read)) {
    const names = ["memory.limit_in_bytes", "memory.usage_in_bytes"] as const;
    const [limit, used] = names.map((name) => numberIn(read(`${folder}/${name}`)));
    consider(limit, used, read(`${folder}/memory.stat`), "total_inactive_file");
  }
  return available;
}

/** Bytes that can be allocated without swapping or being killed: the system's estimate and the container's limit. */
export function availableMemory(read: FileReader = readSystemFile): number {
  const kilobytes = numberIn(/^MemAvailable:\s+(\d+) kB/m.exec(read("/proc/meminfo") ?? "")?.[1]);
  const system = Number.isNaN(kilobytes) ? Number.POSITIVE_INFINITY : kilobytes * 1024;
  return Math.max(0, Math.min(system, groupMemory(read)));
}
