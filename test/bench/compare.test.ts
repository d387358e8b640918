import { fileURLToPath } from "node:url";
import { afterEach, describe, expect, it, vi } from "vitest";
import { compare, type Task } from "../../bench/compare.ts";
import { LimitTracker } from "../../bench/machine.ts";
import { Oracle } from "../../bench/oracle.ts";
import { rowsOf } from "../../bench/rows.ts";
import { oneLine, WorkerProcess } from "../../bench/worker-process.ts";
import { ArgumentError } from "../../src/errors.ts";

const fakePeer = fileURLToPath(new URL("fake-peer.mjs", import.meta.url));
const options = {
  ...{ threads: 1, rounds: 2, roundSeconds: 0.02, say: () => {} },
  limits: new LimitTracker(async () => undefined),
};
const task = (settings: readonly string[]): Task => ({
  ...{ suite: "train", workload: "net", batch: 8, unit: "images/s", unitsPerStep: 8, tolerance: 1e-4 },
  settings: { torch: settings },
});

afterEach(() => vi.unstubAllEnvs());

/** Runs a peer in its settings; others are there in their default one. */
async function run(settings: readonly string[], ...others: ("keras" | "jax")[]) {
  vi.stubEnv("TRIVIUM_PYTHON", fakePeer);
  const workers = [...others, "torch" as const].map((name) => new WorkerProcess(name, 1));
  try {
    return await compare({ workers, oracle: new Oracle() }, task(settings), options);
  } finally {
    for (const worker of workers) worker.close();
  }
}

describe("a comparison", () => {
  it("leaves out settings that fail by themselves, and keeps the others", async () => {
    const { contestants, leftOut } = await run(["default", "broken", "absent", "dying", "babbling", "tiring", "fast"]);
    expect(contestants.map(({ setting }) => setting)).toEqual(["default", "fast"]);
    for (const { throughputs } of contestants) expect(throughputs).toEqual([800, 800]);
    expect(leftOut.map(({ setting, reason }) => [setting, reason])).toEqual([
      ["broken", "RuntimeError: index 5 is out of bounds"],
      ["absent", "needs a compiler"],
      ["dying", "ended by SIGKILL"],
      ["babbling", 'answered what is not JSON: {"check": [NaN]}'],
      ["tiring", "RuntimeError: enough"],
    ]);
    expect(leftOut[0]).toMatchObject({ suite: "train", workload: "net", batch: 8, peer: "torch" });
  }, 20_000);
  it("has no rows where nobody is left", async () => {
    const { comparison, contestants, leftOut } = await run(["broken"]);
    expect(rowsOf(comparison, contestants, undefined)).toEqual([]);
    expect(leftOut).toHaveLength(1);
  });
  it("ends where one computes something else", async () => {
    await expect(run(["default", "wrong"])).rejects.toThrow(
      "train net, batch 8: torch wrong computes 1 3 …, torch 1 2 … (relative difference 0.500, at most 0.0001): not the same work.",
    );
    await expect(run(["wrong"], "keras")).rejects.toThrow("torch wrong computes 1 3 …, keras 1 2 …");
  });
  it("leaves out a setting that computes something else than its peer's first and another contender", async () => {
    const { contestants, leftOut } = await run(["default", "wrong"], "keras");
    expect(contestants.map(({ peer, setting }) => [peer, setting])).toEqual([
      ["keras", "default"],
      ["torch", "default"],
    ]);
    expect(leftOut).toMatchObject([{ peer: "torch", setting: "wrong" }]);
    expect(leftOut[0]!.reason).toContain("torch wrong computes 1 3 …, keras 1 2 …");
  });
});

describe("a peer that cannot be started", () => {
  it.each([
    ["FAKE_PEER_MISSING", "No module named 'torch'"],
    ["FAKE_PEER_ENDS", "ended with code 1: ModuleNotFoundError: No module named 'numpy'"],
  ])("is a mistake of one line: %s", async (how, reason) => {
    vi.stubEnv("TRIVIUM_PYTHON", fakePeer);
    vi.stubEnv(how, "1");
    const problem = await new WorkerProcess("torch", 1).versions().catch((error: unknown) => error);
    expect(problem).toBeInstanceOf(ArgumentError);
    expect((problem as Error).message).toBe(`torch cannot be started with ${fakePeer}: ${reason}`);
  });
  it("is one where the interpreter cannot be run", async () => {
    vi.stubEnv("TRIVIUM_PYTHON", fileURLToPath(import.meta.url));
    await expect(new WorkerProcess("torch", 1).versions()).rejects.toThrow(/torch cannot be started with .*EACCES/);
  });
  it("is one where the interpreter is not there", () => {
    vi.stubEnv("TRIVIUM_PYTHON", "/no/such/python");
    expect(() => new WorkerProcess("torch", 1)).toThrow("TRIVIUM_PYTHON names /no/such/python, which does not exist.");
  });
});

describe("validation without peers", () => {
  it("holds a kernel against the f64 oracle, by rows where the whole would take long", async () => {
    const [worker, oracle] = [new WorkerProcess("trivium", 1), new Oracle()];
    try {
      const kernel = {
        ...{ suite: "kernels", workload: "matmul", assignment: "matmul 1024x1024x1024 tn", batch: 1024 },
        ...{ unit: "GFLOP/s", unitsPerStep: 1, settings: {}, tolerance: 1e-4 },
      };
      const { comparison, contestants, leftOut } = await compare({ workers: [worker], oracle }, kernel, {
        ...options,
        rounds: 1,
      });
      expect(leftOut).toEqual([]);
      const [row] = rowsOf(comparison, contestants, undefined);
      expect(row).toMatchObject({ peer: "none", oracle: "476x1024 of 1024x1024" });
      const impossible = { ...kernel, tolerance: 0 };
      await expect(compare({ workers: [worker], oracle }, impossible, options)).rejects.toThrow("the f64 oracle");
    } finally {
      for (const each of [worker, oracle]) each.close();
    }
  }, 60_000);
});

it("a reason is the first line that says something", () => {
  expect(oneLine("\n\n  Error: a\n  at b")).toBe("Error: a");
  expect(oneLine("x".repeat(300))).toBe(`${"x".repeat(200)} …`);
  expect(oneLine("")).toBe("");
});
