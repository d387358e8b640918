/** A process of its own (run with --expose-gc): 10,000 steps as a PyTorch user writes them; prints what memory did. */
import { engine, randomUniform, type Tensor } from "../../src/index.ts";
import { nn, optim } from "../../src/torch/index.ts";

const data = randomUniform([640, 32]);
const wanted = randomUniform([640, 10]);
const model = new nn.Sequential(new nn.Linear(32, 64), new nn.BatchNorm1d(64), new nn.ReLU(), new nn.Linear(64, 10));
const criterion = new nn.MSELoss();
const optimizer = new optim.Adam(model.parameters(), { lr: 0.001 });

function step(i: number): number {
  const rows = (all: Tensor): Tensor => all.narrow(0, (i % 20) * 32, 32);
  optimizer.zeroGrad();
  const output = model(rows(data));
  const loss = criterion(output, rows(wanted));
  loss.backward();
  optimizer.step();
  return loss.item();
}
const collect = (globalThis as { gc?: () => void }).gc as () => void;
// long enough for V8 to have sized its young generation and compiled everything
for (let i = 0; i < 4000; i++) step(i);
for (let i = 0; i < 3; i++) collect();
const before = {
  tracked: engine.stats().trackedBytes,
  resident: process.memoryUsage().rss,
  compilations: engine.stats().compilations,
};
let last = 0;
for (let i = 0; i < 10_000; i++) last = step(i);
const tracked = engine.stats().trackedBytes;
const peak = process.memoryUsage().rss;
for (let i = 0; i < 3; i++) collect();
console.log(
  JSON.stringify({
    trackedGrowth: tracked - before.tracked,
    residentGrowth: process.memoryUsage().rss - before.resident,
    peakGrowth: peak - before.resident,
    compilations: engine.stats().compilations - before.compilations,
    last,
  }),
);
