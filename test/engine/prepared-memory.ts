/** A process of its own (run with --expose-gc): models that come and go, each long enough to have something prepared; prints what memory did. */
import { engine, noGrad } from "../../src/index.ts";
import { nn } from "../../src/torch/index.ts";
import { hashed } from "../hashed.ts";

const collect = (globalThis as { gc?: () => void }).gc as () => void;
const x = hashed(1, [1, 256, 8, 8]);

/** 9 MB of weights, and as much again made of them. */
function use(): void {
  const model = new nn.Conv2d(256, 1024, 3, { stride: 2 });
  noGrad(() => {
    for (let i = 0; i < 3; i++) model(x).dataSync();
  });
}
/** Lets finalizers run: what was freed is counted then. */
async function settle(): Promise<void> {
  for (let i = 0; i < 5; i++) {
    collect();
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

use();
await settle();
const before = { tracked: engine.stats().trackedBytes, resident: process.memoryUsage().rss };
use();
const held = engine.stats().trackedBytes - before.tracked;
for (let i = 0; i < 30; i++) {
  use();
  collect();
}
const residentGrowth = process.memoryUsage().rss - before.resident;
await settle();
console.log(JSON.stringify({ held, afterwards: engine.stats().trackedBytes - before.tracked, residentGrowth }));
