/** A run that stops nowhere, and one that goes on from a checkpoint taken in the middle of an epoch. Also a process of its own. */
import { createHash } from "node:crypto";
import { fileURLToPath } from "node:url";
import { hashUniform } from "../../src/testing/hash-uniform.ts";
import * as torch from "../../src/torch/index.ts";

const { nn, optim } = torch;

class Net extends nn.Module {
  conv = new nn.Conv2d(1, 4, 3);
  norm = new nn.BatchNorm2d(4);
  drop = new nn.Dropout(0.4);
  output = new nn.Linear(4 * 36, 3);
  override forward(x: torch.Tensor): torch.Tensor {
    return this.output(this.drop(this.norm(this.conv(x)).relu().flatten(1)));
  }
}

interface Checkpoint {
  model: torch.nn.StateDict;
  optimizer: torch.optim.OptimizerStateDict;
  scheduler: torch.optim.lrScheduler.SchedulerStateDict;
  loader: ReturnType<torch.utils.data.DataLoader<unknown, unknown>["stateDict"]>;
  random: ReturnType<typeof torch.getRngState>;
  epoch: number;
}

export interface RunOptions {
  readonly seed: number;
  readonly compiled: boolean;
  /** Where to write a checkpoint in the middle of the first epoch. */
  readonly saveTo?: string;
  /** Where to go on from. */
  readonly resumeFrom?: string;
}

/** Two epochs of four batches; gives the losses and a digest of all state at the end. */
export function run({ seed, compiled, saveTo, resumeFrom }: RunOptions): { losses: number[]; digest: string } {
  torch.manualSeed(seed);
  const net = new Net();
  const optimizer = new optim.Adam(net.parameters(), { lr: 0.01, amsgrad: true });
  const scheduler = new optim.lrScheduler.OneCycleLR(optimizer, { maxLr: 0.05, totalSteps: 8 });
  const images = torch.tensor(hashUniform(1, 20 * 64), { shape: [20, 1, 8, 8] });
  const labels = torch.tensor(Int32Array.from({ length: 20 }, (_, index) => index % 3));
  const dataset = new torch.utils.data.TensorDataset(images, labels);
  const loader = new torch.utils.data.DataLoader(dataset, { batchSize: 5, shuffle: true });
  const train = (x: torch.Tensor, y: torch.Tensor): torch.Tensor => {
    optimizer.zeroGrad();
    const loss = nn.functional.crossEntropy(net(x), y);
    loss.backward();
    optimizer.step();
    return loss;
  };
  const step = compiled ? torch.compile(train) : train;
  let first = 0;
  if (resumeFrom) {
    const saved = torch.load<Checkpoint>(resumeFrom);
    net.loadStateDict(saved.model);
    optimizer.loadStateDict(saved.optimizer);
    scheduler.loadStateDict(saved.scheduler);
    loader.loadStateDict(saved.loader);
    torch.setRngState(saved.random);
    first = saved.epoch;
  }
  const losses: number[] = [];
  let batches = 0;
  for (let epoch = first; epoch < 2; epoch++) {
    for (const [x, y] of loader) {
      losses.push(step(x, y).item());
      scheduler.step();
      if (saveTo && ++batches === 2) {
        const checkpoint: Checkpoint = {
          model: net.stateDict(),
          optimizer: optimizer.stateDict(),
          scheduler: scheduler.stateDict(),
          loader: loader.stateDict(),
          random: torch.getRngState(),
          epoch,
        };
        torch.save(checkpoint, saveTo);
      }
    }
  }
  const hash = createHash("sha256");
  for (const value of Object.values(net.stateDict())) hash.update(value.dataSync());
  for (const entries of Object.values(optimizer.stateDict().state)) {
    for (const value of Object.values(entries)) hash.update(value.dataSync());
  }
  return { losses, digest: hash.digest("hex") };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  console.log(JSON.stringify(run(JSON.parse(process.argv[2]) as RunOptions)));
}
