import { expect, test } from "vitest";
import { explainNewKey } from "../../src/engine/explain.ts";
import { engine, tensor, Variable } from "../../src/index.ts";

test("explain() says which part of the key was new", () => {
  const x = tensor([1, 2, 3]);
  x.mul(2).sum().item();
  x.mul(2).add(1).sum().item();
  expect(engine.explain()).toMatch(/compiled because: differs from the nearest known program at node \d+/);
  expect(explainNewKey("a\nb", [])).toBe("first program of this engine");
  expect(explainNewKey("a\nc", ["x", "a\nb"])).toContain('was "b", is "c"');
});

test("debug mode names where the first NaN was born", () => {
  engine.setDebug(true);
  try {
    const x = tensor([1, -1]);
    expect(() => x.sqrt().mul(2).sum().item()).toThrow(/sqrt made the first NaN.*element 1.*engine\.test\.ts/s);
    expect(tensor([1, 4]).sqrt().sum().item()).toBe(3);
  } finally {
    engine.setDebug(false);
  }
});

test("a loop that never reads is computed on its own after a fixed number of nodes", () => {
  const weight = new Variable([1]);
  let x = tensor([0]).add(weight.detach());
  const before = engine.stats().runs;
  for (let i = 0; i < 6_000; i++) x = x.add(1);
  expect(engine.stats().runs).toBe(before + 1);
  expect(x.item()).toBe(6_001);
});

test("profile gives one timing per kernel", () => {
  const x = tensor([
    [1, 2],
    [3, 4],
  ]);
  const [timings] = engine.profile(() => x.matmul(x).exp().sum().item());
  expect(timings.length).toBeGreaterThan(0);
  for (const timing of timings) expect(timing.milliseconds).toBeGreaterThanOrEqual(0);
});
