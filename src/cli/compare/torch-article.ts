import type { Tensor } from "../../tensor/index.ts";
import * as torch from "../../torch/index.ts";
import { datasets, nn, optim, transforms } from "../../torch/index.ts";
import type { Recorder } from "./recorder.ts";

const F = nn.functional;

/** What the PyTorch half of the article gets. */
export interface TorchArticleData {
  /** Folder with the data set; without one it is the npm package. */
  readonly root: string | undefined;
  readonly limit: number;
  readonly testLimit: number;
  readonly epochs: number;
}

/** Steps of one epoch. */
export const torchArticleSteps = (images: number): number => Math.ceil(images / 512);

/** The first examples of a data set. */
function first<Sample>(count: number, dataset: torch.utils.data.Dataset<Sample>): torch.utils.data.Dataset<Sample> {
  if (count >= dataset.length) return dataset;
  const indices = Array.from({ length: count }, (_, index) => index);
  return new torch.utils.data.Subset(dataset, indices);
}

/** The PyTorch half of the article, as written, with the loop that it left to its notebook. Gives its number of parameters. */
export async function torchArticle(data: TorchArticleData, recorder: Recorder): Promise<number> {
  const { root, limit, testLimit, epochs } = data;
  // #region torchArticle
  // pre-processor
  const transform = new transforms.Compose([
    new transforms.Resize([8, 8]),
    new transforms.ToTensor(),
    new transforms.Normalize([0.1307], [0.3081]),
  ]);
  // load the data
  const trainDataset = first(limit, new datasets.MNIST(root, { train: true, download: true, transform }));
  const testDataset = first(testLimit, new datasets.MNIST(root, { train: false, download: true, transform }));
  const trainLoader = new torch.utils.data.DataLoader(trainDataset, { batchSize: 512 });
  const testLoader = new torch.utils.data.DataLoader(testDataset, { batchSize: 512 });

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

  // training
  const hits = (output: Tensor, target: Tensor) => output.argmax(1).eq(target).sum().item();
  for (let epoch = 0; epoch < epochs; epoch++) {
    recorder.begin();
    net.train();
    for (const [data, target] of trainLoader) {
      optimizer.zeroGrad();
      const output = net(data);
      const loss = criterion(output, target);
      loss.backward();
      optimizer.step();
      await recorder.trainBatch(loss.item(), data.shape[0], hits(output, target));
    }
    net.eval();
    for (const [data, target] of testLoader) {
      const output = torch.noGrad(() => net(data));
      await recorder.testBatch(criterion(output, target).item(), data.shape[0], hits(output, target));
    }
    recorder.end();
  }
  // #endregion
  return net.parameters().reduce((sum, parameter) => sum + parameter.numel(), 0);
}
