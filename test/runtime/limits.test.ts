import { availableParallelism } from "node:os";
import { describe, expect, it } from "vitest";
import { ArgumentError, OutOfMemoryError } from "../../src/errors.ts";
import { allocateAligned, allocateBuffer, requireMemory } from "../../src/runtime/allocate.ts";
import { availableMemory, cpuQuota, type FileReader } from "../../src/runtime/control-groups.ts";
import { foreignFunctions } from "../../src/runtime/ffi.ts";
import { threadCount } from "../../src/runtime/thread-count.ts";

const filesOf =
  (files: Record<string, string>): FileReader =>
  (path) =>
    files[path];
const gigabyte = 2 ** 30;
const plenty = { "/proc/meminfo": "MemTotal: 67108864 kB\nMemAvailable:   33554432 kB\n" };

describe("CPU quota", () => {
  it.each([
    ["none", {}, Number.POSITIVE_INFINITY],
    ["version 2", { "/proc/self/cgroup": "0::/a/b\n", "/sys/fs/cgroup/a/b/cpu.max": "150000 100000\n" }, 1.5],
    ["version 2, unlimited", { "/proc/self/cgroup": "0::/a\n", "/sys/fs/cgroup/a/cpu.max": "max 100000\n" }, Infinity],
    [
      "version 2, the parent is tighter",
      {
        "/proc/self/cgroup": "0::/a/b\n",
        "/sys/fs/cgroup/a/b/cpu.max": "800000 100000\n",
        "/sys/fs/cgroup/a/cpu.max": "200000 100000\n",
      },
      2,
    ],
    ["version 2, own namespace", { "/proc/self/cgroup": "0::/\n", "/sys/fs/cgroup/cpu.max": "50000 100000\n" }, 0.5],
    [
      "version 1",
      {
        "/proc/self/cgroup": "4:memory:/x\n3:cpu,cpuacct:/docker/1\n",
        "/sys/fs/cgroup/cpu/docker/1/cpu.cfs_quota_us": "300000\n",
        "/sys/fs/cgroup/cpu/docker/1/cpu.cfs_period_us": "100000\n",
      },
      3,
    ],
    [
      "version 1, path of another namespace, unlimited",
      {
        "/proc/self/cgroup": "3:cpu,cpuacct:/docker/1\n",
        "/sys/fs/cgroup/cpu/cpu.cfs_quota_us": "-1\n",
        "/sys/fs/cgroup/cpu/cpu.cfs_period_us": "100000\n",
      },
      Number.POSITIVE_INFINITY,
    ],
  ] as [string, Record<string, string>, number][])("%s", (_name, files, expected) => {
    expect(cpuQuota(filesOf(files))).toBe(expected);
  });
});

describe("thread count", () => {
  it("takes TRIVIUM_THREADS, and names what is wrong with it", () => {
    expect(threadCount(filesOf({}), { TRIVIUM_THREADS: "3" })).toBe(3);
    for (const wrong of ["0", "-1", "1.5", "many", "100000"]) {
      expect(() => threadCount(filesOf({}), { TRIVIUM_THREADS: wrong })).toThrow(ArgumentError);
    }
    expect(() => threadCount(filesOf({}), { TRIVIUM_THREADS: "many" })).toThrow(
      "TRIVIUM_THREADS=many: expected a whole number from 1 to 256.",
    );
  });
  it("stays within affinity mask and quota", () => {
    expect(threadCount(filesOf({}), {})).toBe(availableParallelism());
    const half = { "/proc/self/cgroup": "0::/\n", "/sys/fs/cgroup/cpu.max": "50000 100000\n" };
    expect(threadCount(filesOf(half), {})).toBe(1);
  });
});

describe("available memory", () => {
  it("is the system's estimate without a limit", () => {
    expect(availableMemory(filesOf(plenty))).toBe(32 * gigabyte);
    expect(availableMemory(filesOf({}))).toBe(Number.POSITIVE_INFINITY);
  });
  it("respects a container's limit; page cache counts as free", () => {
    const files = {
      ...plenty,
      "/proc/self/cgroup": "0::/box\n",
      "/sys/fs/cgroup/box/memory.max": String(4 * gigabyte),
      "/sys/fs/cgroup/box/memory.current": String(3 * gigabyte),
      "/sys/fs/cgroup/box/memory.stat": `anon 5\ninactive_file ${gigabyte}\n`,
    };
    expect(availableMemory(filesOf(files))).toBe(2 * gigabyte);
    expect(availableMemory(filesOf({ ...files, "/sys/fs/cgroup/box/memory.max": "max\n" }))).toBe(32 * gigabyte);
  });
  it("respects version 1", () => {
    const files = {
      ...plenty,
      "/proc/self/cgroup": "9:memory:/\n",
      "/sys/fs/cgroup/memory/memory.limit_in_bytes": String(gigabyte),
      "/sys/fs/cgroup/memory/memory.usage_in_bytes": String(2 * gigabyte),
    };
    expect(availableMemory(filesOf(files))).toBe(0);
  });
});

describe("allocation", () => {
  it("refuses what cannot be had, before allocating", () => {
    expect(() => requireMemory(2 ** 50, "a tensor")).toThrow(OutOfMemoryError);
    expect(() => requireMemory(2 ** 50, "a tensor")).toThrow(/^a tensor needs 1073741824 MB, but only \d+(\.\d)? MB/);
    expect(() => allocateBuffer(2 ** 44)).toThrow(OutOfMemoryError);
  });
  it("gives zeroed buffers that never lie on the engine's heap", () => {
    expect(allocateBuffer(4).byteLength).toBe(128);
    expect(new Uint8Array(allocateBuffer(1000)).every((byte) => byte === 0)).toBe(true);
  });
  it.runIf(foreignFunctions().available)("keeps values apart that share a buffer", () => {
    const available = foreignFunctions();
    if (!available.available) throw new Error(available.reason);
    const values = Array.from({ length: 100 }, () => allocateAligned(64, available.functions));
    const bytes = values.map(({ buffer, byteOffset }) => new Uint8Array(buffer, byteOffset, 64));
    for (const [index, own] of bytes.entries()) {
      expect(own.every((byte) => byte === 0)).toBe(true);
      own.fill(index + 1);
    }
    for (const [index, own] of bytes.entries()) expect(own.every((byte) => byte === index + 1)).toBe(true);
    expect(new Set(values.map(({ buffer }) => buffer)).size).toBeLessThan(10);
  });
});
