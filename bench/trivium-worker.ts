/** Trivium's side of the bench: the protocol of bench/peers/worker.py, answered by this framework. */
import { createInterface } from "node:readline";
import { TriviumError } from "../src/errors.ts";
import { engine } from "../src/tensor/index.ts";
import type { Assignment } from "./worker-process.ts";
import { makeWorkload, type Step } from "./workloads.ts";

type Request =
  | ({ readonly do: "setup"; readonly warmup?: number } & Assignment)
  | { readonly do: "round"; readonly steps: number }
  | { readonly do: "profile" }
  | { readonly do: "close" };

const known = new Map<string, { step: Step; loss: number }>();
let current: Step | undefined;

function answer(request: Request): Record<string, unknown> {
  if (request.do === "setup") {
    const key = `${request.workload}/${request.batch}/${request.setting}`;
    let entry = known.get(key);
    if (entry === undefined) {
      const step = makeWorkload(request.workload, request.batch);
      const loss = step();
      for (let warmup = 0; warmup < (request.warmup ?? 3); warmup++) step();
      entry = { step, loss };
      known.set(key, entry);
    }
    current = entry.step;
    return { loss: entry.loss, versions: {} };
  }
  if (request.do === "round") {
    if (current === undefined) throw new TriviumError("bench: a round before any setup");
    const cpu = process.cpuUsage();
    const start = performance.now();
    for (let step = 0; step < request.steps; step++) current();
    const seconds = (performance.now() - start) / 1000;
    const used = process.cpuUsage(cpu);
    return { seconds, cpu: (used.user + used.system) / 1e6 };
  }
  if (request.do === "profile") {
    if (current === undefined) throw new TriviumError("bench: a profile before any setup");
    const step = current;
    return { kernels: engine.profile(() => void step()).flat() };
  }
  process.exit(0);
}

for await (const line of createInterface({ input: process.stdin })) {
  try {
    process.stdout.write(`${JSON.stringify(answer(JSON.parse(line) as Request))}\n`);
  } catch (error) {
    process.stdout.write(
      `${JSON.stringify({ error: error instanceof Error ? (error.stack ?? error.message) : String(error) })}\n`,
    );
  }
}
