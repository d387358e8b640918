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

it("stores the factors of a large product in its place, and gives the product to who asks", () => {
  const [rows, inputs, outputs] = [4, 512, 1024];
  const ramp = (n: number, seed: number) => Float32Array.from({ length: n }, (_, i) => Math.sin(i * 0.7 + seed));
  const x = tensor(ramp(rows * inputs, 1), { shape: [rows, inputs] });
  const make = (order?: readonly number[]) =>
    new Variable(tensor(ramp(inputs * outputs, 2), { shape: [outputs, inputs] }), order ? { order } : {});
  const gradientOf = (w: Variable, stepped: boolean): ArrayLike<number> => {
    x.matmul(w.transpose()).square().sum().backward();
    if (stepped) assignAll(noGrad(() => [[w, w.sub((w.peekGradient() as Tensor).mul(0.001))]]));
    return (w.grad as Tensor).dataSync();
  };
  for (const order of [undefined, [1, 0]]) {
    const before = gradientOf(make(order), false);
    const w = make(order);
    expect(Array.from(gradientOf(w, true))).toEqual(Array.from(before));
    // the held gradient survives the next step, and the next gradient is added to it
    const held = w.grad as Tensor;
    x.matmul(w.transpose()).sum().backward();
    assignAll(noGrad(() => [[w, w.mul(0.5)]]));
    expect(held.dataSync()[5]).toBe(before[5]);
    const column = Array.from({ length: rows }, (_, row) => x.dataSync()[row * inputs + 5]).reduce((a, b) => a + b, 0);
    expect((w.grad as Tensor).dataSync()[5]).toBeCloseTo((before[5] as number) + column, 3);
  }
});

it("stores the product where a factor is a variable that the step overwrites", () => {
  const x = new Variable(zeros([1024, 512]));
  const w = new Variable(tensor(new Float32Array(512 * 4).fill(2), { shape: [512, 4] }));
  x.matmul(w).sum().backward();
  assignAll(
    noGrad(() => [
      [w, w.mul(0)],
      [x, x.sub(1)],
    ]),
  );
  expect(x.grad?.dataSync()[9]).toBe(8);
});

it("uses the storage of factors again, and never that of factors whose gradient was looked at", () => {
  const [rows, inputs, outputs] = [4, 512, 1024];
  const x = tensor(
    Float32Array.from({ length: rows * inputs }, (_, i) => Math.sin(i)),
    { shape: [rows, inputs] },
  );
  const [w, v] = [0, 1].map(() => new Variable(zeros([inputs, outputs])));
  const step = (scale: number): void => {
    // both products have the factor x·scale
    const scaled = x.mul(scale).mul(w.slice([0, 0], [1, 1]).add(1));
    scaled.matmul(w).add(scaled.matmul(v)).sum().backward();
    const updates = [w, v].map((one) => [one, one.sub((one.peekGradient() as Tensor).mul(0))] as const);
    assignAll(noGrad(() => updates));
  };
  const column = (at: number): number =>
    Array.from({ length: rows }, (_, row) => x.dataSync()[row * inputs + at]).reduce((a, b) => a + b, 0);
  step(1);
  const held = v.grad as Tensor;
  for (const one of [w, v]) one.grad = undefined;
  for (let scale = 2; scale < 6; scale++) {
    step(scale);
    for (const one of [w, v]) one.grad = undefined;
  }
  const before = engine.stats().trackedBytes;
  for (let scale = 6; scale < 10; scale++) {
    step(scale);
    for (const one of [w, v]) one.grad = undefined;
  }
  expect(engine.stats().trackedBytes).toBe(before);
  step(10);
  expect(held.dataSync()[5 * outputs]).toBeCloseTo(column(5), 5);
  expect((v.grad as Tensor).dataSync()[5 * outputs]).toBeCloseTo(10 * column(5), 4);
});
