import {
  copyWeights,
  randomUniform,
  ShapeError,
  tensor,
  toChannelsFirstWeight,
  toChannelsLastWeight,
  Variable,
  zeros,
} from "trivium";
import { layers, models } from "trivium/keras";
import * as torch from "trivium/torch";
import { nn } from "trivium/torch";
import { expect, test } from "vitest";

const values = (tensors: readonly { dataSync(): ArrayLike<number> }[]) =>
  tensors.map((each) => Array.from(each.dataSync()));

test("shapes, and where an element goes", () => {
  expect(toChannelsFirstWeight(zeros([3, 5, 16, 32])).shape).toEqual([32, 16, 3, 5]);
  expect(toChannelsFirstWeight(zeros([7, 4, 6])).shape).toEqual([6, 4, 7]);
  expect(toChannelsFirstWeight(zeros([784, 10])).shape).toEqual([10, 784]);
  expect(toChannelsFirstWeight(zeros([8])).shape).toEqual([8]);
  expect(
    toChannelsFirstWeight(
      tensor([
        [1, 2, 3],
        [4, 5, 6],
      ]),
    ).tolist(),
  ).toEqual([
    [1, 4],
    [2, 5],
    [3, 6],
  ]);
});

test.each([[[3, 5, 2, 4]], [[7, 4, 6]], [[6, 3]], [[5]], [[]]])("there and back again: %j", (shape: number[]) => {
  const weight = randomUniform(shape);
  const back = toChannelsLastWeight(toChannelsFirstWeight(weight));
  expect(back.shape).toEqual(shape);
  expect(values([back])).toEqual(values([weight]));
});

test("a Keras model and a PyTorch module with each other's weights give the same outputs", () => {
  const model = new models.Sequential();
  model.add(new layers.Conv2D(6, [3, 2], { inputShape: [8, 7, 3], activation: "relu" }));
  model.add(new layers.GlobalAveragePooling2D());
  model.add(new layers.Dense(4));
  class Net extends nn.Module {
    convolution = new nn.Conv2d(3, 6, [3, 2]);
    output = new nn.Linear(6, 4);
    override forward(x: torch.Tensor): torch.Tensor {
      return this.output(this.convolution(x).relu().mean([2, 3]));
    }
  }
  const net = new Net();
  const images = randomUniform([5, 8, 7, 3]);
  const outputs = () => torch.noGrad(() => values([model.call(images, {}), net(images.permute(0, 3, 1, 2))]));
  copyWeights(model.weights, net.parameters(), { to: "channelsFirst" });
  const [first, second] = outputs();
  expect(second).toEqual(first);
  const other = new Net();
  copyWeights(other.parameters(), model.weights, { to: "channelsLast" });
  expect(outputs()[0]).toEqual(torch.noGrad(() => values([other(images.permute(0, 3, 1, 2))]))[0]);
});

test("what does not fit is named, and nothing changes", () => {
  const target = [new Variable([1, 2]), new Variable(zeros([2, 3]), { name: "kernel" })];
  expect(() => copyWeights([zeros([2])], target)).toThrow(
    new ShapeError("copyWeights: 1 weights for 2 variables; the models must list the same layers."),
  );
  expect(() => copyWeights([zeros([2]), zeros([2, 3])], target, { to: "channelsFirst" })).toThrow(
    "copyWeights: weight 1 has shape (2, 3), converted (3, 2); kernel needs (2, 3).",
  );
  expect(values(target)[0]).toEqual([1, 2]);
});
