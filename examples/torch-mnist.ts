/**
 * The PyTorch half of "PyTorch vs TensorFlow for building deep learning models": MNIST at 8x8 pixels, batches of 512.
 * Run it with `npm run example torch-mnist -- [--epochs N] [--limit N] [--data FOLDER]`.
 */
import { parseArgs } from "node:util";
import type { Tensor } from "trivium";
import * as torch from "trivium/torch";
import { datasets, nn, optim, transforms } from "trivium/torch";

const F = nn.functional;

const { values } = parseArgs({
  options: {
    epochs: { type: "string", default: "5" },
    limit: { type: "string", default: "60000" },
    data: { type: "string", default: "data" },
  },
});
const root = values.data;
const limit = Number(values.limit);

torch.manualSeed(0);
// #region data
// pre-processor
const transform = new transforms.Compose([
  new transforms.Resize([8, 8]),
  new transforms.ToTensor(),
  new transforms.Normalize([0.1307], [0.3081]),
]);
// load the data
const trainDataset = new datasets.MNIST(root, { train: true, download: true, transform });
const testDataset = new datasets.MNIST(root, { train: false, download: true, transform });
const trainLoader = new torch.utils.data.DataLoader(trainDataset, { batchSize: 512 });
const testLoader = new torch.utils.data.DataLoader(testDataset, { batchSize: 512 });
// #endregion

// #region model
// Build a model
class CNNModel extends nn.Module {
  conv1 = new nn.Conv2d(1, 32, 3, 1);
  conv2 = new nn.Conv2d(32, 64, 3, 1);
  fc = new nn.Linear(1024, 10);
  override forward(x: Tensor): Tensor {
    x = F.relu(this.conv1(x));
    x = F.relu(this.conv2(x));
    x = F.maxPool2d(x, 1);
    x = torch.flatten(x, 1);
    x = this.fc(x);
    const output = F.logSoftmax(x, { dim: 1 });
    return output;
  }
}
const net = new CNNModel();
// compiling
const optimizer = new optim.SGD(net.parameters(), { lr: 0.01 });
const criterion = new nn.CrossEntropyLoss();
// #endregion

console.log(`${net.parameters().reduce((sum, parameter) => sum + parameter.numel(), 0)} parameters`);
for (let epoch = 1; epoch <= Number(values.epochs); epoch++) {
  net.train();
  let trainLoss = 0;
  let seen = 0;
  for (const [data, target] of trainLoader) {
    if (seen >= limit) break;
    optimizer.zeroGrad();
    const output = net(data);
    const loss = criterion(output, target);
    loss.backward();
    optimizer.step();
    trainLoss += loss.item() * data.shape[0];
    seen += data.shape[0];
  }
  net.eval();
  let testLoss = 0;
  let correct = 0;
  let tested = 0;
  torch.noGrad(() => {
    for (const [data, target] of testLoader) {
      if (tested >= limit) break;
      const output = net(data);
      testLoss += criterion(output, target).item() * data.shape[0];
      correct += output.argmax(1).eq(target).sum().item();
      tested += data.shape[0];
    }
  });
  console.log(
    `epoch ${epoch}: train loss ${(trainLoss / seen).toFixed(4)}, test loss ${(testLoss / tested).toFixed(4)}, ` +
      `test accuracy ${(correct / tested).toFixed(4)}`,
  );
}
