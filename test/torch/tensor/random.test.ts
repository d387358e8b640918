import { expect, test } from "vitest";
import { Variable } from "../../../src/index.ts";
import * as torch from "../../../src/torch/index.ts";

/** Mean and standard deviation, checked to four standard errors. */
function hasMoments(x: torch.Tensor, mean: number, std: number): void {
  const count = x.numel();
  const values = x.float();
  expect(Math.abs(values.mean().item() - mean)).toBeLessThan((4 * std) / Math.sqrt(count));
  expect(Math.abs(values.std().item() - std)).toBeLessThan((4 * std) / Math.sqrt(count));
}

test("seeds: the same numbers again, others for another seed, states restored", () => {
  torch.manualSeed(7);
  const first = torch.randn(5).tolist();
  const state = torch.getRngState();
  const second = torch.rand(5).tolist();
  torch.manualSeed(7);
  expect(torch.randn(5).tolist()).toEqual(first);
  expect(torch.rand(5).tolist()).toEqual(second);
  torch.setRngState(state);
  expect(torch.rand(5).tolist()).toEqual(second);
  expect(torch.initialSeed()).toBe(7);
  torch.manualSeed(8);
  expect(torch.randn(5).tolist()).not.toEqual(first);
  const drawn = torch.seed();
  expect(torch.initialSeed()).toBe(drawn);
  const [a, b] = [new torch.Generator(3), new torch.Generator().manualSeed(3)];
  expect(torch.randn(4, { generator: a }).tolist()).toEqual(torch.randn([4], { generator: b }).tolist());
  torch.manualSeed(0);
});

test("distributions have their moments", () => {
  torch.manualSeed(1);
  const n = 20_000;
  hasMoments(torch.rand(n), 0.5, Math.sqrt(1 / 12));
  hasMoments(torch.randn(100, 200), 0, 1);
  hasMoments(torch.normal(3, 2, [n]), 3, 2);
  hasMoments(torch.normal(torch.full([n], -1), torch.full([n], 0.5)), -1, 0.5);
  hasMoments(torch.randint(-2, 3, [n]), 0, Math.SQRT2);
  hasMoments(torch.bernoulli(torch.full([n], 0.3)), 0.3, Math.sqrt(0.21));
  hasMoments(torch.empty(n).uniform_(-1, 3), 1, 4 / Math.sqrt(12));
  hasMoments(torch.empty(n).normal_(5, 0.1), 5, 0.1);
  hasMoments(torch.empty(n).bernoulli_(0.25), 0.25, Math.sqrt(0.1875));
  hasMoments(torch.randnLike(torch.zeros(n)), 0, 1);
  const waits = torch.empty(n).exponential_(2);
  expect(Math.abs(waits.mean().item() - 0.5)).toBeLessThan((4 * 0.5) / Math.sqrt(n));
  expect(waits.min().item()).toBeGreaterThanOrEqual(0);
  const dice = torch.zeros(n, { dtype: torch.long }).random_(1, 7);
  expect(dice.unique().tolist()).toEqual([1, 2, 3, 4, 5, 6]);
});

test("multinomial draws in proportion, without replacement each once", () => {
  torch.manualSeed(2);
  const weights = torch.tensor([1, 0, 2, 5]);
  const counts = torch.bincount(torch.multinomial(weights, 8000, true), { minlength: 4 });
  const shares = counts.div(1000).tolist() as number[];
  expect(shares[1]).toBe(0);
  [1, 2, 5].forEach((share, i) => {
    expect(Math.abs(shares[[0, 2, 3][i]] - share)).toBeLessThan(0.2);
  });
  for (let i = 0; i < 20; i++) {
    expect((torch.multinomial(weights, 3).tolist() as number[]).sort()).toEqual([0, 2, 3]);
  }
  expect(torch.multinomial(torch.ones(5, 3), 2, { replacement: true }).shape).toEqual([5, 2]);
  expect(() => torch.multinomial(torch.ones(3), 4)).toThrow(/cannot draw 4 of 3 categories without replacement/);
});

test("randperm is a permutation, other each time; random variables are filled under noGrad", () => {
  const [first, second] = [torch.randperm(50), torch.randperm(50)];
  expect(first.sort().values.tolist()).toEqual(torch.arange(50).tolist());
  expect(first.tolist()).not.toEqual(second.tolist());
  const w = new Variable(torch.zeros(1000));
  torch.noGrad(() => w.uniform_(-0.1, 0.1));
  expect(w.abs().max().item()).toBeLessThanOrEqual(0.1);
  expect(w.std().item()).toBeGreaterThan(0.05);
  expect(w.requiresGrad).toBe(true);
});

test("the shape and dtype of the like-forms; a leaf where a gradient is asked for", () => {
  const x = torch.zeros(2, 3, { dtype: torch.long });
  expect(torch.randintLike(x, 5).dtype).toBe("i32");
  expect(torch.randLike(x.float()).shape).toEqual([2, 3]);
  expect(torch.randn(2, { requiresGrad: true }).isLeaf).toBe(true);
  expect(torch.randint(10, [2, 2], { dtype: torch.float32 }).dtype).toBe("f32");
});
