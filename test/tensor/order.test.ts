import { expect, it } from "vitest";
import { OptimizerState, sgd } from "../../src/optim/index.ts";
import { engine, evaluate, gradients, tensor, Variable } from "../../src/tensor/index.ts";

const weights = [
  [1, 2, 3],
  [4, 5, 6],
];
const make = (order?: readonly number[]) => new Variable(weights, { name: "w", ...(order && { order }) });

it("shows a variable in its own order, however memory holds it", () => {
  const w = make([1, 0]);
  expect(w.shape).toEqual([2, 3]);
  expect(w.toArray()).toEqual(weights);
  expect(Array.from(w.dataSync())).toEqual([1, 2, 3, 4, 5, 6]);
  w.assign(w.mul(2));
  expect(w.toArray()).toEqual([
    [2, 4, 6],
    [8, 10, 12],
  ]);
  w.assign([
    [1, 0, 0],
    [0, 1, 0],
  ]);
  expect(w.sum([0]).toArray()).toEqual([1, 1, 0]);
  expect(() => make([0, 0])).toThrow("order [0, 0] must name each axis of (2, 3) once");
});

it("accumulates gradients in its own order", () => {
  const x = tensor([[1, -1, 2]]);
  const [plain, ordered] = [make(), make([1, 0])];
  for (const w of [plain, ordered]) {
    for (let i = 0; i < 2; i++) x.matmul(w.transpose()).square().sum().backward();
  }
  expect(ordered.grad?.toArray()).toEqual(plain.grad?.toArray());
  const [slope] = gradients(ordered.square().sum(), [ordered]);
  expect(slope?.toArray()).toEqual([
    [2, 4, 6],
    [8, 10, 12],
  ]);
});

it("a dense layer with a transposed weight runs the program of one without", () => {
  const x = tensor([[1, -1, 2]]);
  const step = (w: Variable, transposed: boolean, optimizer: OptimizerState) => {
    const y = x.matmul(transposed ? w.transpose() : w);
    optimizer.apply(gradients(y.square().sum(), [w]), [w]);
  };
  const straight = new Variable(make().transpose(), { name: "k" });
  const ordered = make([1, 0]);
  const rule = () => new OptimizerState("sgd", sgd({ momentum: 0.9 }), 0.01);
  const [first, second] = [rule(), rule()];
  for (let i = 0; i < 3; i++) step(straight, false, first);
  const before = engine.stats().compilations;
  for (let i = 0; i < 3; i++) step(ordered, true, second);
  const { compilations } = engine.stats();
  expect(ordered.transpose().toArray()).toEqual(straight.toArray());
  // at most the programs that bring the initial values into their order are new
  expect(compilations - before).toBeLessThanOrEqual(1);
});

it.each([
  ["here", [3, 4, 5, 2]],
  ["by a program", [33, 40, 25, 2]],
])("reads permutations of computed values, copied %s, as a graph that goes on computes with them", (_where, shape) => {
  const size = shape.reduce((all, extent) => all * extent, 1);
  for (const dtype of ["f32", "i32", "u8", "bool"] as const) {
    const x = tensor(
      Float32Array.from({ length: size }, (_, i) => i % 241),
      { shape },
    ).cast(dtype);
    x.dataSync();
    for (const axes of [
      [3, 1, 0, 2],
      [0, 2, 3, 1],
      [1, 0, 3, 2],
    ]) {
      const twice = x.permute(axes).permute([2, 3, 1, 0]);
      const [first, last] = [shape[axes[2]], shape[axes[0]]];
      expect(twice.shape).toEqual([first, shape[axes[3]], shape[axes[1]], last]);
      const expected = x.permute(axes).permute([2, 3, 1, 0]).cast("f32").mul(1).dataSync();
      expect([...twice.cast("f32").dataSync()].every((value, i) => value === expected[i])).toBe(true);
      expect([...twice.dataSync()].every((value, i) => value === expected[i])).toBe(true);
    }
    const back = x.permute([3, 1, 0, 2]).permute([2, 1, 3, 0]);
    expect(back.dataSync()).toEqual(x.dataSync());
  }
});

it("evaluating a variable leaves the programs that read it as they are", () => {
  const w = make([1, 0]);
  const read = () => w.square().sum().item();
  expect(read()).toBe(91);
  const { compilations, runs } = engine.stats();
  evaluate(w);
  expect(engine.stats().runs).toBe(runs);
  expect(read()).toBe(91);
  expect(engine.stats().compilations).toBe(compilations);
  w.assign(w.mul(2));
  evaluate(w);
  const before = w.detach();
  evaluate(before);
  w.assign(w.mul(0));
  expect(w.sum().item()).toBe(0);
  expect(before.sum().item()).toBe(42);
});
