/** A step of many parameters is one program, however many nodes its update has. */
import { expect, test } from "vitest";
import { engine } from "../../../src/tensor/index.ts";
import * as torch from "../../../src/torch/index.ts";

const { nn, optim } = torch;

test("the update of four hundred parameters runs with their gradients", () => {
  const parameters = Array.from({ length: 400 }, (_, index) => new nn.Parameter(torch.full([4], index / 400)));
  const optimizer = new optim.Adam(parameters, { lr: 0.01 });
  const runs = [1, 2, 3].map(() => {
    optimizer.zeroGrad();
    const loss = torch.stack(parameters).square().mean();
    loss.backward();
    const before = engine.stats().runs;
    optimizer.step();
    loss.item();
    return engine.stats().runs - before;
  });
  expect(runs.slice(1)).toEqual([1, 1]);
});
