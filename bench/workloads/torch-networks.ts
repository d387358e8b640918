/** Training steps of the networks that are PyTorch programs, through the PyTorch door. */
import { getModel } from "../../src/models/index.ts";
import type { Tensor } from "../../src/tensor/index.ts";
import * as torch from "../../src/torch/index.ts";
import { classes, data, fillModule, type Network } from "./fill.ts";
import type { Step, Workload } from "./step.ts";

const { nn, optim } = torch;
const F = nn.functional;

/** The network for 8x8 images of an article on PyTorch and TensorFlow (pooling by 1 and all). */
class SmallImageNetwork extends nn.Module {
  conv1 = new nn.Conv2d(1, 32, 3, { stride: 1 });
  conv2 = new nn.Conv2d(32, 64, 3, { stride: 1 });
  fc = new nn.Linear(1024, 10);
  override forward(x: Tensor): Tensor {
    x = F.relu(this.conv1(x));
    x = F.relu(this.conv2(x));
    x = F.maxPool2d(x, 1);
    return F.logSoftmax(this.fc(torch.flatten(x, 1)), { dim: 1 });
  }
}

const perceptron = () => new nn.Sequential(new nn.Linear(784, 32), new nn.ReLU(), new nn.Linear(32, 10));

interface Training {
  readonly module: Network;
  readonly optimizer: (parameters: torch.nn.Parameter[]) => torch.optim.Optimizer;
  readonly loss?: (output: Tensor, target: Tensor) => Tensor;
  readonly x: Tensor;
  readonly y: Tensor;
  /** The plain loop that PyTorch users write; otherwise the step is compiled as a whole. */
  readonly eager?: boolean;
}

const descent = (parameters: torch.nn.Parameter[]) => new optim.SGD(parameters, { lr: 0.01 });

/** zero_grad, forward, backward, step, and the loss read after it. */
function trainingStep({ module, optimizer: make, loss: criterion, x, y, eager }: Training): Step {
  fillModule(module);
  const optimizer = make(module.parameters());
  const measure = criterion ?? new nn.CrossEntropyLoss();
  const plain = (input: Tensor, target: Tensor): Tensor => {
    optimizer.zeroGrad();
    const loss = measure(module(input), target);
    loss.backward();
    optimizer.step();
    return loss;
  };
  const step = eager ? plain : torch.compile(plain);
  return () => step(x, y).item();
}

const tinyStep = (batch: number, eager: boolean) =>
  trainingStep({
    module: perceptron(),
    optimizer: descent,
    x: data("mlp-images", [batch, 784]),
    y: classes("mlp-labels", [batch], 10),
    eager,
  });

export const torchNetworks: Readonly<Record<string, Workload>> = {
  "seeds-8x8": {
    make: (batch) =>
      trainingStep({
        module: new SmallImageNetwork(),
        optimizer: descent,
        x: data("small-images", [batch, 1, 8, 8], -1, 1),
        y: classes("small-labels", [batch], 10),
      }),
  },
  "resnet18-32px": {
    make: (batch) =>
      trainingStep({
        module: getModel("resnet18", { numClasses: 10 }),
        optimizer: descent,
        x: data("resnet-images", [batch, 3, 32, 32], -1, 1),
        y: classes("resnet-labels", [batch], 10),
      }),
  },
  resnet152: {
    make: (batch) =>
      trainingStep({
        module: getModel("resnet152"),
        optimizer: descent,
        x: data("images", [batch, 3, 224, 224], -1, 1),
        y: classes("labels", [batch], 1000),
      }),
  },
  "transformer-layer": {
    make: (batch) =>
      trainingStep({
        module: new nn.TransformerEncoderLayer(256, 4, { dimFeedforward: 1024, dropout: 0, batchFirst: true }),
        optimizer: (parameters) => new optim.AdamW(parameters),
        loss: new nn.MSELoss(),
        x: data("transformer-input", [batch, 128, 256], -1, 1),
        y: data("transformer-target", [batch, 128, 256], -1, 1),
      }),
  },
  "tiny-mlp-eager": { make: (batch) => tinyStep(batch, true) },
  "tiny-mlp-compiled": { make: (batch) => tinyStep(batch, false) },
};
