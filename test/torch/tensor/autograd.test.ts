import { expect, test } from "vitest";
import { engine, Variable } from "../../../src/index.ts";
import * as torch from "../../../src/torch/index.ts";

const { tensor } = torch;

test("autograd.grad: several inputs, seeds, unused inputs, higher orders", () => {
  const x = tensor([1, 2, 3], { requiresGrad: true });
  const y = tensor(2, { requiresGrad: true });
  const [dx, dy] = torch.autograd.grad(x.pow(3).mul(y).sum(), [x, y]);
  expect(dx.tolist()).toEqual([6, 24, 54]);
  expect(dy.item()).toBe(36);
  expect(x.grad).toBeUndefined();
  const [seeded] = torch.autograd.grad(x.square(), x, { gradOutputs: tensor([1, 10, 100]) });
  expect(seeded.tolist()).toEqual([2, 40, 600]);
  expect(() => torch.autograd.grad(x.sum(), [x, y])).toThrow(/input 1 appears not to have been used.*allowUnused/);
  expect(torch.autograd.grad(x.sum(), [x, y], { allowUnused: true })[1]).toBeUndefined();
  expect(() => torch.autograd.grad(x.sum(), tensor([1]))).toThrow(/input 0 does not require grad/);
  expect(() => torch.autograd.grad(x.square(), x)).toThrow(/only a scalar needs no gradient argument/);
  const [first] = torch.autograd.grad(x.pow(4).sum(), x, { createGraph: true });
  const [second] = torch.autograd.grad(first.sum(), x, { createGraph: true });
  const [third] = torch.autograd.grad(second.sum(), x);
  expect(third.tolist()).toEqual([24, 48, 72]);
});

test("gradients of a graph that was used are an error, unless it was kept", () => {
  const x = tensor([1, 2], { requiresGrad: true });
  const loss = x.square().sum();
  torch.autograd.grad(loss, x, { retainGraph: true });
  torch.autograd.grad(loss, x);
  expect(() => torch.autograd.grad(loss, x)).toThrow(/second time/);
});

test("hooks see the whole gradient and may replace it", () => {
  const x = tensor([1, 2], { requiresGrad: true });
  const seen: unknown[] = [];
  const y = x.mul(2);
  const handle = y.registerHook((gradient) => {
    seen.push(gradient.tolist());
  });
  y.sum().add(y.square().sum()).backward();
  expect(seen).toEqual([[5, 9]]);
  handle.remove();
  const leaf = new Variable([1, 2], { name: "w" });
  leaf.registerHook((gradient) => gradient.mul(10));
  leaf.sum().backward();
  expect(leaf.grad?.tolist()).toEqual([10, 10]);
  torch.noGrad(() => leaf.add_(1));
  leaf.sum().backward();
  expect(leaf.grad?.tolist()).toEqual([20, 20]);
  expect(() => tensor([1]).registerHook(() => undefined)).toThrow(/no gradient path/);
});

test("reading a loss before backward calls a hook once", () => {
  const x = tensor([3], { requiresGrad: true });
  let calls = 0;
  const y = x.square();
  y.registerHook(() => {
    calls++;
  });
  const loss = y.sum();
  loss.item();
  loss.backward();
  expect([calls, x.grad?.item()]).toEqual([1, 6]);
});

test("retainGrad keeps the gradient of a tensor in the middle", () => {
  const x = tensor([1, 2], { requiresGrad: true });
  const y = x.mul(3);
  y.retainGrad();
  y.square().sum().backward();
  expect(y.grad?.tolist()).toEqual([6, 12]);
  expect([y.isLeaf, x.isLeaf, x.detach().isLeaf]).toEqual([false, true, true]);
});

test("requiresGrad of one handle does not reach another", () => {
  const x = tensor([1, 2]);
  const y = x.detach().requiresGrad_();
  expect([x.requiresGrad, y.requiresGrad]).toEqual([false, true]);
  const z = torch.randn(2, { requiresGrad: true });
  expect(z.isLeaf).toBe(true);
  z.mul(2).sum().backward();
  expect(z.grad?.tolist()).toEqual([2, 2]);
  expect(() => {
    z.mul(2).requiresGrad = false;
  }).toThrow(/can only be switched off on a leaf/);
  expect(() => torch.arange(3).requiresGrad_()).toThrow(/only f32 tensors have gradients/);
});

test("noGrad, inferenceMode, enableGrad, setGradEnabled", () => {
  const x = tensor([1], { requiresGrad: true });
  expect(torch.noGrad(() => x.mul(2)).requiresGrad).toBe(false);
  expect(torch.inferenceMode(() => x.mul(2)).requiresGrad).toBe(false);
  expect(torch.noGrad(() => torch.enableGrad(() => x.mul(2))).requiresGrad).toBe(true);
  expect(torch.setGradEnabled(false, () => [x.mul(2).requiresGrad, torch.isGradEnabled()])).toEqual([false, false]);
});

test("a gradient penalty equals its difference quotient", () => {
  const w = torch.tensor(
    [
      [0.3, -0.7],
      [0.5, 0.2],
    ],
    { requiresGrad: true },
  );
  const x = torch.tensor([[1, 2]], { requiresGrad: true });
  const penalty = (): torch.Tensor => {
    const [slope] = torch.autograd.grad(x.matmul(w).tanh().sum(), x, { createGraph: true });
    return slope.norm().sub(1).square();
  };
  const [gradient] = torch.autograd.grad(penalty(), w);
  const at = (delta: number): number => {
    torch.noGrad(() => w.setAt_([0, 1], -0.7 + delta));
    return penalty().item();
  };
  expect(gradient.at(0, 1).item()).toBeCloseTo((at(0.01) - at(-0.01)) / 0.02, 3);
});

test("autograd.grad: results are readable after the step that they went into, and come from one program", () => {
  const net = new torch.nn.Linear(3, 2);
  const x = tensor([[1, -1, 2]]);
  for (let round = 0; round < 3; round++) {
    const runs = engine.stats().runs;
    const output = net(x);
    const loss = output.square().sum();
    const slopes = torch.autograd.grad(loss, net.parameters());
    net.parameters().forEach((parameter, i) => parameter.assign(parameter.sub(slopes[i].mul(0.1))));
    const before = output.toArray() as number[][];
    // the chain rule by hand: 2·output ⊗ x
    expect(slopes[0].shape).toEqual([2, 3]);
    (slopes[0].toArray() as number[][]).forEach((row, i) =>
      row.forEach((value, j) => expect(value).toBeCloseTo(2 * before[0][i] * [1, -1, 2][j], 5)),
    );
    expect(slopes[1].toArray()).toEqual(before[0].map((value) => 2 * value));
    expect(loss.item()).toBeGreaterThan(0);
    if (round > 0) expect(engine.stats().runs - runs).toBe(1);
  }
});
