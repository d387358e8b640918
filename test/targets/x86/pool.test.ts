import { spawnSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { afterAll, describe, expect, it } from "vitest";
import { memory, rax, rcx, rdi, rdx, rsi } from "../../../src/targets/x86/assembler/index.ts";
import { ThreadPool, writeWord64 } from "../../../src/targets/x86/pool.ts";
import { placeFunction, requireFunctions, TestProgram, type TestStep } from "./test-program.ts";

const functions = requireFunctions();

/** target[task] = source[tasks - 1 - task] + 1; the table holds source, target, tasks. A missing barrier leaves an old value somewhere. */
const pingPong = placeFunction(functions, (a) => {
  a.emit("mov", rcx, memory(rdi, 16));
  a.emit("sub", rcx, rsi);
  a.emit("mov", rdx, memory(rdi, 0));
  a.emit("mov", rax, memory(rdx, -8, { index: rcx, scale: 8 }));
  a.emit("add", rax, 1);
  a.emit("mov", rdx, memory(rdi, 8));
  a.emit("mov", memory(rdx, 0, { index: rsi, scale: 8 }), rax);
  a.emit("ret");
});
/** Writes the thread's MXCSR and scratch address for its task: table holds one array. */
const inspect = placeFunction(functions, (a) => {
  a.emit("mov", rcx, memory(rdi, 0));
  a.emit("shl", rsi, 4);
  a.emit("add", rcx, rsi);
  a.emit("mov", memory(rcx, 0), rdx);
  a.emit("stmxcsr", memory(rcx, 8));
  a.emit("ret");
});
/** Spins for about 20 µs so that every thread gets a task. */
const linger = placeFunction(functions, (a) => {
  a.emit("mov", rcx, memory(rdi, 0));
  a.emit("shl", rsi, 4);
  a.emit("mov", memory(rcx, 0, { index: rsi, scale: 1 }), rdx);
  a.emit("mov", rcx, 20_000);
  const loop = a.here();
  a.emit("dec", rcx);
  a.emit("jne", loop);
  a.emit("ret");
});
/** Adds 1 to the i32 at the table's first address. */
const count = placeFunction(functions, (a) => {
  a.emit("mov", rdx, memory(rdi, 0));
  a.emit("lock add", memory(rdx, 0, { bits: 32 }), 1);
  a.emit("ret");
});

function tableOf(...addresses: number[]): { table: number; keep: ArrayBuffer } {
  const keep = new ArrayBuffer(Math.max(128, addresses.length * 8));
  addresses.forEach((address, index) => writeWord64(new Uint32Array(keep), index * 8, address));
  return { table: functions.addressOf(keep), keep };
}

function pingPongSteps(
  tasks: number,
  steps: number,
  participants: number,
  keep: ArrayBuffer[],
): [TestStep[], BigInt64Array] {
  const buffers = [new ArrayBuffer(Math.max(128, tasks * 8)), new ArrayBuffer(Math.max(128, tasks * 8))];
  const [first, second] = buffers.map((buffer) => functions.addressOf(buffer));
  const forth = tableOf(first, second, tasks);
  const back = tableOf(second, first, tasks);
  keep.push(...buffers, forth.keep, back.keep);
  const list = Array.from({ length: steps }, (_, index) => ({
    kernel: pingPong,
    tasks,
    arguments: index % 2 === 0 ? forth.table : back.table,
    participants,
  }));
  return [list, new BigInt64Array(buffers[steps % 2], 0, tasks)];
}

describe("thread pool", () => {
  const pools: ThreadPool[] = [];
  const makePool = (threads: number, spinMicroseconds?: number) => {
    const pool = new ThreadPool(functions, threads, { spinMicroseconds });
    pool.start();
    pools.push(pool);
    return pool;
  };
  afterAll(() => {
    for (const pool of pools) pool.dispose();
  });

  for (let threads = 1; threads <= 8; threads++) {
    it(`keeps steps apart with ${threads} threads`, () => {
      // more threads than CPUs: a short spin, so that they sleep and wake all the time
      const pool = makePool(threads, threads > 2 ? 2 : undefined);
      const steps = threads <= 2 ? 2000 : 300;
      for (const tasks of [1, 2, 7, 64]) {
        const keep: ArrayBuffer[] = [];
        const [list, result] = pingPongSteps(tasks, steps, Math.min(tasks, threads), keep);
        const program = new TestProgram(functions, list);
        expect(pool.run(program.address)).toBe(0);
        expect(result.every((value) => value === BigInt(steps))).toBe(true);
      }
    });
  }

  it("sleeps and wakes without losing a step", async () => {
    const pool = makePool(3, 1);
    const keep: ArrayBuffer[] = [];
    const [list, result] = pingPongSteps(16, 10, 3, keep);
    const program = new TestProgram(functions, list);
    for (let run = 1; run <= 20; run++) {
      pool.run(program.address);
      expect(result[5]).toBe(BigInt(run * 10));
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
  });

  it("gives every thread its own scratch memory and the same rounding state", () => {
    const pool = makePool(4);
    pool.reserveScratch(10_000);
    const tasks = 256;
    const seen = new ArrayBuffer(tasks * 16);
    const { table, keep } = tableOf(functions.addressOf(seen));
    const step = (kernel: number) => ({ kernel, tasks, arguments: table, participants: 4 });
    const lingering = new TestProgram(functions, [step(linger)]);
    const inspecting = new TestProgram(functions, [step(inspect)]);
    // on a busy machine the others may come too late at first
    const readAddresses = () =>
      [...new Set(new BigInt64Array(seen).filter((_, index) => index % 2 === 0))].map(Number).sort((a, b) => a - b);
    for (let run = 0; run < 50; run++) {
      pool.run(lingering.address);
      if (readAddresses().length > 1) break;
    }
    const addresses = readAddresses();
    expect(addresses.length).toBeGreaterThan(1);
    expect(addresses.length).toBeLessThanOrEqual(4);
    for (let i = 1; i < addresses.length; i++) expect(addresses[i] - addresses[i - 1]).toBeGreaterThanOrEqual(10_000);
    for (const address of addresses) expect(address % 64).toBe(0);
    pool.run(inspecting.address);
    const states = new Uint32Array(seen).filter((_, index) => index % 4 === 2);
    // exception flags (the low 6 bits) aside
    expect(new Set(states.map((value) => value & ~0x3f))).toEqual(new Set([0x1f80]));
    expect(keep.byteLength).toBeGreaterThan(0);
  });

  it("stops after the step whose guard fired", () => {
    const pool = makePool(2);
    const counter = new Int32Array(new ArrayBuffer(128));
    const good = tableOf(functions.addressOf(counter.buffer));
    const steps = (address: number): TestStep[] => [
      { kernel: count, tasks: 5, arguments: good.table, participants: 2 },
      { kernel: count, tasks: 1, arguments: address, participants: 1, checksStatus: true },
      { kernel: count, tasks: 100, arguments: good.table, participants: 2 },
    ];
    const program = new TestProgram(functions, steps(good.table));
    const status = tableOf(program.address + 8);
    expect(pool.run(program.address)).toBe(0);
    expect(counter[0]).toBe(106);
    const failing = new TestProgram(functions, steps(0));
    const failingStatus = tableOf(failing.address + 8);
    writeWord64(failing.words, 64 + 64 + 16, failingStatus.table);
    expect(pool.run(failing.address)).toBe(1);
    expect(counter[0]).toBe(111);
    expect(pool.run(failing.address)).toBe(1); // the status is cleared at the start
    expect(counter[0]).toBe(116);
    expect([status.keep.byteLength, failingStatus.keep.byteLength]).toEqual([128, 128]);
  });

  it("counts ticks per step", () => {
    const pool = makePool(2);
    const seen = new ArrayBuffer(4096);
    const { table } = tableOf(functions.addressOf(seen));
    const program = new TestProgram(functions, [{ kernel: linger, tasks: 16, arguments: table, participants: 2 }]);
    const before = performance.now();
    pool.runProfiled(program.address);
    const elapsed = performance.now() - before;
    const milliseconds = program.words[(64 + 32) / 4] / pool.ticksPerMillisecond();
    expect(milliseconds).toBeGreaterThan(0.005);
    expect(milliseconds).toBeLessThan(elapsed * 1.1);
  });

  it("runs off the event loop", async () => {
    const pool = makePool(2);
    const keep: ArrayBuffer[] = [];
    const [list, result] = pingPongSteps(8, 100, 2, keep);
    const program = new TestProgram(functions, list);
    expect(await pool.runAsynchronously(program.address)).toBe(0);
    expect(result[0]).toBe(100n);
  });

  it("uses no CPU when idle", async () => {
    const pool = makePool(8);
    const keep: ArrayBuffer[] = [];
    const [list] = pingPongSteps(64, 20, 8, keep);
    const program = new TestProgram(functions, list);
    pool.run(program.address);
    await new Promise((resolve) => setTimeout(resolve, 20));
    const before = process.cpuUsage();
    await new Promise((resolve) => setTimeout(resolve, 300));
    const used = process.cpuUsage(before);
    // one spinning thread would use 300 ms; the test runner itself uses some
    expect((used.user + used.system) / 1000).toBeLessThan(100);
  });

  it("has a worker leave the caller's CPU, and its mask as it was", () => {
    const threadsBefore = new Set(readdirSync("/proc/self/task"));
    const pool = makePool(2);
    const worker = readdirSync("/proc/self/task").find((thread) => !threadsBefore.has(thread)) ?? "";
    const affinityOf = (thread: string) =>
      /Cpus_allowed_list:\s+(\S+)/.exec(readFileSync(`/proc/self/task/${thread}/status`, "utf8"))?.[1];
    const allowed = affinityOf(worker);
    const seen = new ArrayBuffer(4096);
    const { table } = tableOf(functions.addressOf(seen));
    const step = { kernel: linger, tasks: 64, arguments: table, participants: 2 };
    const program = new TestProgram(functions, [step, step, step, step]);
    const [setAffinity, getAffinity] = ["sched_setaffinity", "sched_getaffinity"].map((name) =>
      functions.callable(functions.symbol(name), 3),
    );
    const [all, one] = [new Uint32Array(32), new Uint32Array(32)];
    const masks = [functions.addressOf(all.buffer), functions.addressOf(one.buffer)];
    getAffinity(0, 128, masks[0]);
    const thread = Number(worker);
    // both held to the CPU that this thread is on: the worker finds itself there at once, and finds no way out
    const cpu = functions.callable(functions.symbol("sched_getcpu"), 0)();
    one[cpu >> 5] = 1 << (cpu & 31);
    expect([setAffinity(0, 128, masks[1]), setAffinity(thread, 128, masks[1])]).toEqual([0, 0]);
    for (let run = 0; run < 1000 && pool.partings === 0; run++) pool.run(program.address);
    expect(pool.partings).toBeGreaterThan(0);
    expect(affinityOf(worker)).toBe(`${cpu}`);
    // free to go, it goes, and may go anywhere
    const before = pool.partings;
    setAffinity(thread, 128, masks[0]);
    for (let run = 0; run < 100; run++) pool.run(program.address);
    setAffinity(0, 128, masks[0]);
    expect(affinityOf(worker)).toBe(allowed);
    expect(pool.partings - before).toBeLessThan(100);
  });

  it("lets the process end, blocks signals on its threads and survives a signal handler", () => {
    const script = fileURLToPath(new URL("./pool-child.ts", import.meta.url));
    const child = spawnSync(process.execPath, ["--import", "tsx", script], { encoding: "utf8", timeout: 60_000 });
    expect(child.stderr.replace(/^npm warn.*\n/gm, "")).toBe("");
    expect(child.stdout).toBe("4 threads, signals blocked: true, signal seen, result 100\n");
    expect(child.status).toBe(0);
  });
});
