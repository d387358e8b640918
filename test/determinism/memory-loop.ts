/** A process of its own (run with --expose-gc): 10,000 synchronous steps without any dispose; prints what memory did. */
import { assignAll, engine, gradients, randomUniform, type Tensor, Variable } from "../../src/index.ts";

const w1 = new Variable(randomUniform([32, 64], { min: -0.1, max: 0.1 }));
const w2 = new Variable(randomUniform([64, 10], { min: -0.1, max: 0.1 }));
const data = randomUniform([640, 32]);
const wanted = randomUniform([640, 10]);
data.dataSync();
wanted.dataSync();

function step(i: number): Tensor {
  const start = (i % 20) * 32;
  const output = data
    .slice([start], [start + 32])
    .matmul(w1)
    .relu()
    .matmul(w2);
  const loss = output
    .sub(wanted.slice([start], [start + 32]))
    .square()
    .mean();
  const [g1, g2] = gradients(loss, [w1, w2]);
  assignAll(
    [
      [w1, w1.sub((g1 as Tensor).mul(0.01))],
      [w2, w2.sub((g2 as Tensor).mul(0.01))],
    ],
    { compute: [loss] },
  );
  return loss;
}
const collect = (globalThis as { gc?: () => void }).gc as () => void;
// long enough for V8 to have sized its young generation and compiled everything
for (let i = 0; i < 6000; i++) step(i);
for (let i = 0; i < 3; i++) collect();
const before = {
  tracked: engine.stats().trackedBytes,
  resident: process.memoryUsage().rss,
  compilations: engine.stats().compilations,
};
let last = step(0).item();
for (let i = 0; i < 10_000; i++) last = step(i).item();
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
