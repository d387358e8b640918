/** Steps after the first find the program of the first, whatever order the parts of a module are used in. */
import { expect, test } from "vitest";
import { engine, type Tensor } from "../../../src/tensor/index.ts";
import * as torch from "../../../src/torch/index.ts";

const { nn, optim } = torch;

class Crossed extends nn.Module {
  last = new nn.Linear(8, 8);
  shortcut = new nn.Linear(8, 8);
  first = new nn.Linear(8, 8);
  override forward(x: Tensor): Tensor {
    return this.last(this.first(x).relu().add(this.shortcut(x)));
  }
}

test("a module that uses its layers in another order than it lists them compiles its step once", () => {
  const net = new Crossed();
  // leaves of the first step come into being in the order of the list, those of later steps in the order of use
  for (const parameter of net.parameters()) parameter.dataSync();
  const optimizer = new optim.SGD(net.parameters(), { lr: 0.1 });
  const x = torch.ones([4, 8]);
  const compilations = [1, 2, 3].map(() => {
    const before = engine.stats().compilations;
    optimizer.zeroGrad();
    const loss = net(x).square().mean();
    loss.backward();
    optimizer.step();
    loss.item();
    return engine.stats().compilations - before;
  });
  expect(compilations.slice(1)).toEqual([0, 0]);
});
