/** Every loss with every option against PyTorch. */
import { beforeAll, describe, expect, it } from "vitest";
import { IndexRangeError, ShapeError, type TriviumError } from "../../../src/errors.ts";
import { evaluate, type Tensor, tensor, zeros } from "../../../src/tensor/index.ts";
import { hashUniform } from "../../../src/testing/hash-uniform.ts";
import { nn } from "../../../src/torch/index.ts";
import {
  type Arguments,
  call,
  construct,
  expectResult,
  generated,
  type InputSpec,
  readGolden,
  type StoredResult,
  useFastTarget,
} from "./golden.ts";

interface LossCase {
  readonly loss: string;
  readonly options: Arguments;
  readonly inputs: readonly InputSpec[];
  readonly output: StoredResult;
  readonly gradient: StoredResult;
}

const golden = readGolden<{ losses: readonly LossCase[] }>("losses");
beforeAll(useFastTarget);

describe("losses equal PyTorch's", () => {
  for (const [number, stored] of golden.losses.entries()) {
    it(`${number}: ${stored.loss} ${JSON.stringify(stored.options)} of [${stored.inputs[0].shape}]`, () => {
      const [input, target] = stored.inputs.map(generated);
      input.requiresGrad = true;
      const [output] = call(construct(stored.loss, [], stored.options), [input, target]);
      expectResult(output, stored.output, "loss");
      output
        .mul(tensor(hashUniform(500, output.size), { shape: output.shape }))
        .sum()
        .backward();
      evaluate(output, input.grad as Tensor);
      expectResult(output, stored.output, "loss");
      expectResult(input.grad as Tensor, stored.gradient, "gradient", { relative: 2e-5, absolute: 2e-6 });
    });
  }
});

describe("losses and what is wrong", () => {
  const caught = (run: () => unknown): TriviumError => {
    try {
      run();
    } catch (error) {
      return error as TriviumError;
    }
    throw new Error("nothing was thrown");
  };

  it("a target of another shape is an error, not a broadcast", () => {
    expect(caught(() => new nn.MSELoss()(zeros([4, 1]), zeros([4])))).toBeInstanceOf(ShapeError);
    expect(caught(() => new nn.BCELoss()(zeros([4]), zeros([3]))).message).toContain("(3,)");
    expect(caught(() => new nn.CrossEntropyLoss()(zeros([4, 3]), zeros([3], "i32")))).toBeInstanceOf(ShapeError);
  });
  it("a label outside the classes is an error", () => {
    const loss = new nn.CrossEntropyLoss()(zeros([2, 3]), tensor(new Int32Array([0, 3])));
    expect(caught(() => loss.item())).toBeInstanceOf(IndexRangeError);
  });
  it("an unknown reduction is an error that lists those there are", () => {
    const options = { reduction: "avg" } as unknown as { reduction: "mean" };
    expect(caught(() => new nn.L1Loss(options)).message).toContain('"none", "mean", "sum"');
  });
  it("class weights are part of the state", () => {
    const loss = new nn.CrossEntropyLoss({ weight: tensor([1, 2, 3]) });
    expect(Object.keys(loss.stateDict())).toEqual(["weight"]);
    expect(Object.keys(new nn.BCEWithLogitsLoss({ posWeight: tensor([2]) }).stateDict())).toEqual(["pos_weight"]);
    loss.loadStateDict({ weight: tensor([3, 2, 1]) });
    const labels = tensor(new Int32Array([0]));
    const sum = new nn.CrossEntropyLoss({ weight: tensor([3, 2, 1]), reduction: "sum" })(zeros([1, 3]), labels);
    expect(loss(zeros([1, 3]), labels).item()).toBeCloseTo(Math.log(3), 6);
    expect(sum.item()).toBeCloseTo(3 * Math.log(3), 5);
  });
  it("binary cross-entropy of certain probabilities is finite", () => {
    const certain = tensor([0, 1, 0, 1]);
    certain.requiresGrad = true;
    const loss = new nn.BCELoss({ reduction: "none" })(certain, tensor([0, 1, 1, 0]));
    expect(Array.from(loss.dataSync(), Math.abs)).toEqual([0, 0, 100, 100]);
    loss.sum().backward();
    expect(certain.grad?.toArray()).not.toContain(Number.NaN);
  });
});
