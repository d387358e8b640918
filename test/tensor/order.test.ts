import { expect, it } from "vitest";
import { OptimizerState, sgd } from "../../src/optim/index.ts";
import { engine, gradients, tensor, Variable } from "../../src/tensor/index.ts";

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
  expect(ordered.transpose().toArray()).toEqual(straight.toArray());
  // at most the programs that bring the initial values into their order are new
  expect(engine.stats().compilations - before).toBeLessThanOrEqual(1);
});
