/**
 * The PyTorch network of "Comparison of tensorflow, Keras and pytorch", trained on images of CIFAR's size.
 * Run it with `npm run example torch-cifar -- [--epochs N] [--examples N] [--data FOLDER]`, where FOLDER holds CIFAR-10 itself.
 */
import { parseArgs } from "node:util";
import type { Tensor } from "trivium";
import * as torch from "trivium/torch";
import { datasets, nn, optim, transforms } from "trivium/torch";
import { colourPatterns } from "./support/colour-patterns.ts";

const F = nn.functional;
const { DataLoader, TensorDataset } = torch.utils.data;

const { values } = parseArgs({
  options: {
    epochs: { type: "string", default: "3" },
    examples: { type: "string", default: "4000" },
    data: { type: "string" },
  },
});

torch.manualSeed(0);
// #region listing
class Net extends nn.Module {
  conv1 = new nn.Conv2d(3, 32, 3);
  conv2 = new nn.Conv2d(32, 16, 3);
  fc1 = new nn.Linear(16 * 6 * 6, 10);
  pool = new nn.MaxPool2d(2, 2);
  override forward(x: Tensor): Tensor {
    x = this.pool(F.relu(this.conv1(x)));
    x = this.pool(F.relu(this.conv2(x)));
    x = x.view(-1, 16 * 6 * 6);
    x = F.logSoftmax(this.fc1(x), { dim: -1 });
    return x;
  }
}
const model = new Net();
// #endregion
console.log(String(model));

function patterns(count: number, seed: number) {
  const { images, labels } = colourPatterns(count, seed);
  return new TensorDataset(
    torch.tensor(images, { shape: [count, 32, 32, 3] }).permute(0, 3, 1, 2),
    torch.tensor(labels),
  );
}
const training = { batchSize: 64, shuffle: true, seed: 0 };
const testing = { batchSize: 256 };
const transform = new transforms.ToTensor();
const [loader, testLoader] = values.data
  ? [
      new DataLoader(new datasets.CIFAR10(values.data, { transform }), training),
      new DataLoader(new datasets.CIFAR10(values.data, { train: false, transform }), testing),
    ]
  : [
      new DataLoader(patterns(Number(values.examples), 0), training),
      new DataLoader(patterns(Math.ceil(Number(values.examples) / 5), 1), testing),
    ];

const optimizer = new optim.SGD(model.parameters(), { lr: 0.01, momentum: 0.9 });
for (let epoch = 1; epoch <= Number(values.epochs); epoch++) {
  model.train();
  let total = 0;
  let seen = 0;
  for (const [images, labels] of loader) {
    optimizer.zeroGrad();
    const loss = F.nllLoss(model(images), labels);
    loss.backward();
    optimizer.step();
    total += loss.item() * labels.shape[0];
    seen += labels.shape[0];
  }
  model.eval();
  let correct = 0;
  let tested = 0;
  torch.noGrad(() => {
    for (const [images, labels] of testLoader) {
      correct += model(images).argmax(1).eq(labels).sum().item();
      tested += labels.shape[0];
    }
  });
  console.log(`epoch ${epoch}: loss ${(total / seen).toFixed(4)}, test accuracy ${(correct / tested).toFixed(4)}`);
}
