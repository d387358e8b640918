/** In-place methods: tensors are values, so they rebind the handle or assign the variable; views and leaves that require gradients refuse. */
import { expect, test } from "vitest";
import { engine, Variable } from "../../../src/index.ts";
import * as torch from "../../../src/torch/index.ts";

const { tensor } = torch;

test("a method with an underscore changes its tensor, returns it, and nothing computed before", () => {
  const x = tensor([1, 2, 3]);
  const doubled = x.mul(2);
  const same = x;
  expect(x.add_(10)).toBe(x);
  expect(same.tolist()).toEqual([11, 12, 13]);
  expect(doubled.tolist()).toEqual([2, 4, 6]);
  expect(
    x
      .mul_(tensor([1, 0, -1]))
      .sub_(1, { alpha: 2 })
      .tolist(),
  ).toEqual([9, -2, -15]);
  expect(x.clamp_(-5, 5).tolist()).toEqual([5, -2, -5]);
  expect(x.fill_(7).tolist()).toEqual([7, 7, 7]);
  expect(x.zero_().tolist()).toEqual([0, 0, 0]);
  expect(
    x
      .copy_(tensor([4]))
      .sqrt_()
      .tolist(),
  ).toEqual([2, 2, 2]);
  expect(x.neg_().abs_().pow_(3).div_(4).tolist()).toEqual([2, 2, 2]);
  expect(x.maskedFill_(tensor([true, false, true]), 0).tolist()).toEqual([0, 2, 0]);
  expect(x.indexFill_(0, torch.arange(1), 9).tolist()).toEqual([9, 2, 0]);
  expect(x.unsqueeze_(0).shape).toEqual([1, 3]);
  expect(x.t_().shape).toEqual([3, 1]);
});

test("dtype and shape stay", () => {
  const counts = torch.zeros(3, { dtype: torch.long });
  expect(counts.add_(tensor([true, false, true])).dtype).toBe("i32");
  expect(() => counts.add_(0.5)).toThrow(/add_: the result has dtype f32, which a tensor of dtype i32 cannot hold/);
  expect(() => counts.div_(2)).toThrow(/cannot hold/);
  expect(() => torch.zeros(3).add_(torch.ones(2, 3))).toThrow(
    /add_: the result has shape \(2, 3\), the tensor \(3,\); in place the shape must stay/,
  );
  expect(() => tensor([true]).add_(1)).toThrow(/bool cannot hold/);
  expect(counts.copy_(tensor([1.9, -1.9, 3])).tolist()).toEqual([1, -1, 3]);
});

test("views refuse and name the form out of place", () => {
  const x = torch.arange(12).float().reshape(3, 4).clone();
  const views = [
    x.view(4, 3),
    x.t(),
    x.at(0),
    x.at(":", [1, 3]),
    x.select(0, 1),
    x.narrow(0, 0, 2),
    x.split(2)[0],
    x.unbind()[0],
    x.unsqueeze(0),
    x.expand(2, 3, 4),
    x.permute(1, 0),
    x.detach(),
    x.T,
  ];
  for (const view of views) {
    expect(() => view.add_(1)).toThrow(/add_: this tensor is a view, made by .*Use add\(\)/);
  }
  expect(x.sum().item()).toBe(66);
  // what is a copy in PyTorch is one here
  expect(x.t().clone().add_(1).sum().item()).toBe(78);
  expect(x.at(torch.arange(2)).add_(1).sum().item()).toBe(36);
  expect(x.t().contiguous().zero_().sum().item()).toBe(0);
});

test("a leaf that requires a gradient refuses outside noGrad and is assigned inside", () => {
  for (const leaf of [torch.ones(2, { requiresGrad: true }), new Variable([1, 1], { name: "w" })]) {
    expect(() => leaf.add_(1)).toThrow(
      /add_: a leaf Variable that requires grad is being used in an in-place operation/,
    );
    leaf.pow(2).sum().backward();
    torch.noGrad(() => leaf.sub_((leaf.grad as torch.Tensor).mul(0.25)));
    expect(leaf.tolist()).toEqual([0.5, 0.5]);
    expect([leaf.requiresGrad, leaf.isLeaf]).toEqual([true, true]);
    leaf.grad?.zero_();
    leaf.pow(3).sum().backward();
    expect(leaf.grad?.tolist()).toEqual([0.75, 0.75]);
  }
});

test("a variable that is not trained is assigned", () => {
  const average = new Variable([0, 0], { trainable: false });
  for (let step = 0; step < 3; step++) average.mul_(0.5).add_(tensor([1, 2]), { alpha: 0.5 });
  expect(average.tolist()).toEqual([0.875, 1.75]);
});

test("gradients through in-place arithmetic are those of the values", () => {
  const x = tensor([1, 2], { requiresGrad: true });
  const y = x.mul(3);
  const squared = y.square();
  y.add_(x).mul_(y);
  squared.add(y).sum().backward();
  // (3x)² + (4x)² : 50x
  expect(x.grad?.tolist()).toEqual([50, 100]);
  const z = tensor([1, 2, 3], { requiresGrad: true });
  const written = z.mul(2);
  written.setAt_([0], 5);
  written.setAt_(["1:"], written.at("1:").mul(10));
  written.sum().backward();
  expect(z.grad?.tolist()).toEqual([0, 20, 20]);
});

test("the clone of a variable keeps its value past the step", () => {
  const w = new Variable([1, 2], { name: "w" });
  const [before, transposed] = [w.clone(), w.view(1, 2).t().clone()];
  torch.noGrad(() => w.add_(1));
  expect(w.tolist()).toEqual([2, 3]);
  expect(before.tolist()).toEqual([1, 2]);
  expect(transposed.tolist()).toEqual([[1], [2]]);
});

test("the usual loop from scratch compiles a fixed number of programs", () => {
  torch.manualSeed(0);
  const x = torch.randn(16, 3);
  const wanted = x.matmul(tensor([[1], [-2], [0.5]]));
  const w = torch.zeros(3, 1, { requiresGrad: true });
  const rate = 0.3;
  let compiled = 0;
  for (let step = 0; step < 100; step++) {
    const loss = x.matmul(w).sub(wanted).square().mean();
    loss.backward();
    torch.noGrad(() => {
      w.sub_((w.grad as torch.Tensor).mul(rate));
      w.grad?.zero_();
    });
    if (step === 4) compiled = engine.stats().compilations;
  }
  expect(engine.stats().compilations).toBe(compiled);
  w.tolist();
  expect(
    w
      .sub(tensor([[1], [-2], [0.5]]))
      .abs()
      .max()
      .item(),
  ).toBeLessThan(1e-3);
});

test("while (x.norm() > 1) x = x.div(2), in and out of place, compiles a bounded number of programs", () => {
  const run = (): number[] => {
    let [x, steps] = [tensor([30, 40]), 0];
    const y = tensor([30, 40]);
    while (x.norm().item() > 1) {
      x = x.div(2);
      y.div_(2);
      steps++;
    }
    return [steps, ...(x.tolist() as number[]), ...(y.tolist() as number[])];
  };
  expect(run()).toEqual([6, 30 / 64, 40 / 64, 30 / 64, 40 / 64]);
  const { compilations } = engine.stats();
  run();
  expect(engine.stats().compilations).toBe(compilations);
});

test("a moving average in place, looked at now and then, compiles once", () => {
  const average = torch.zeros(8);
  const value = torch.ones(8);
  let compiled = 0;
  for (let step = 0; step < 200; step++) {
    average.mul_(0.9).add_(value, { alpha: 0.1 });
    if (step % 10 === 9) average.at(0).item();
    if (step === 40) compiled = engine.stats().compilations;
  }
  expect(engine.stats().compilations).toBe(compiled);
  expect(average.at(0).item()).toBeCloseTo(1, 5);
});

test("a compiled function assigns variables and changes its own tensors, not those from outside", () => {
  const [total, outside] = [new Variable([0], { trainable: false }), tensor([0])];
  const add = torch.compile((x: torch.Tensor) => {
    const own = torch.zeros(1);
    own.add_(x).mul_(2);
    total.add_(own);
    return own;
  });
  expect([add(tensor([1])), add(tensor([2])), add(tensor([3]))].map((own) => own.item())).toEqual([2, 4, 6]);
  expect(total.item()).toBe(12);
  const wrong = torch.compile((x: torch.Tensor) => outside.add_(x));
  expect(() => wrong(tensor([1]))).toThrow(
    /add_: a compiled function can assign variables, but not change a tensor from outside/,
  );
  expect(outside.item()).toBe(0);
});
