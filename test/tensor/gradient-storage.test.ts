import { expect, it } from "vitest";
import { assignAll, engine, noGrad, type Tensor, tensor, Variable, zeros } from "../../src/tensor/index.ts";

const size = 64 * 1024;
const step = (w: Variable, scale: number): void => {
  w.mul(scale).sum().backward();
  assignAll(noGrad(() => [[w, w.sub((w.peekGradient() as Tensor).mul(0.5))]]));
};

/** The type checker does not see that `backward()` sets it again. */
const gradientOf = (w: Variable): Tensor | undefined => w.grad;

it("gives the storage of a dropped gradient to the next one, and never that of one that was looked at", () => {
  const w = new Variable(zeros([size]));
  step(w, 1);
  const held = w.grad;
  w.grad = undefined;
  step(w, 2);
  w.grad = undefined;
  const before = engine.stats().trackedBytes;
  for (let i = 3; i < 10; i++) {
    step(w, i);
    w.grad = undefined;
  }
  expect(engine.stats().trackedBytes).toBe(before);
  step(w, 10);
  expect(held?.dataSync()[7]).toBe(1);
  expect(gradientOf(w)?.dataSync()[size - 1]).toBe(10);
});

it("keeps gradients apart that two parameters share", () => {
  const [a, b] = [new Variable(zeros([size])), new Variable(zeros([size]))];
  a.add(b)
    .mul(tensor([3]))
    .sum()
    .backward();
  assignAll(noGrad(() => [[a, a.add(1)]]));
  const kept = b.grad;
  a.grad = undefined;
  a.mul(5).sum().backward();
  assignAll(noGrad(() => [[a, a.add(1)]]));
  expect(kept?.dataSync()[0]).toBe(3);
  expect(gradientOf(a)?.dataSync()[0]).toBe(5);
});

it("accumulates into what was there", () => {
  const w = new Variable(zeros([size]));
  w.mul(2).sum().backward();
  w.mul(3).sum().backward();
  const seen = w.grad;
  w.mul(4).sum().backward();
  expect(seen?.dataSync()[0]).toBe(5);
  expect(w.grad?.dataSync()[0]).toBe(9);
});
