/** Trivium's side of the bench: the protocol of bench/peers/worker.py, answered by this framework. */
import { readFileSync, writeFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { TriviumError } from "../src/errors.ts";
import { engine } from "../src/tensor/index.ts";
import type { TimedStep } from "./step-profile.ts";
import type { Assignment, PartResult } from "./worker-process.ts";
import type { StepResult } from "./workloads/step.ts";
import { findPart, findWorkload, type Loop, type Step } from "./workloads.ts";

type Request =
  | ({ readonly do: "setup" } & Assignment)
  | { readonly do: "round"; readonly steps: number }
  | { readonly do: "profile"; readonly steps: number }
  | ({ readonly do: "part" } & Pick<Assignment, "suite" | "workload" | "batch">)
  | { readonly do: "forget" }
  | { readonly do: "statistics" }
  | { readonly do: "close" };

interface Prepared {
  readonly step: Step;
  readonly loop?: Loop;
  readonly check: readonly number[];
}

const known = new Map<string, Prepared>();
let current: Prepared | undefined;
let growth = 0;

/** Most bytes that were resident since the last reset, and resets it, where /proc tells. */
function peakResident(): number {
  try {
    const peak = Number(/VmHWM:\s+(\d+)/.exec(readFileSync("/proc/self/status", "utf8"))?.[1]) * 1024;
    writeFileSync("/proc/self/clear_refs", "5");
    return peak;
  } catch {
    return process.memoryUsage().rss;
  }
}

/** Numbers of a result that are compared: evenly spread where there are more. */
const compared = 16_384;

function numbersOf(result: ArrayLike<number>): readonly number[] {
  const stride = Math.ceil(result.length / compared);
  return Array.from({ length: Math.ceil(result.length / stride) }, (_, index) => result[index * stride]!);
}

/** Losses of the first steps, or the numbers of a result. */
async function checkOf(step: Step): Promise<readonly number[]> {
  const first = await step();
  if (typeof first !== "number") return numbersOf(first);
  return [first, (await step()) as number, (await step()) as number];
}

/** What is compared with the oracle: of what was set up where the part can be picked from it, otherwise computed on its own. */
async function computePart({ suite = "train", workload, batch }: Request & { do: "part" }): Promise<PartResult> {
  const { about, make, pick } = findPart(suite, workload, batch);
  if (pick === undefined || current === undefined) return { about, check: await checkOf(make()) };
  return { about, check: numbersOf(pick((await current.step()) as ArrayLike<number>)) };
}

async function setUp({ suite = "train", workload, batch, setting, warmup = 3 }: Request & { do: "setup" }) {
  const key = `${suite}/${workload}/${batch}/${setting}`;
  let entry = known.get(key);
  if (entry === undefined) {
    const { make, drops, loop } = findWorkload(suite, workload);
    const plain = make(batch, false);
    peakResident();
    const before = process.memoryUsage().rss;
    const check = await checkOf(plain);
    growth = peakResident() - before;
    const step = drops ? make(batch, true) : plain;
    for (let turn = 0; turn < warmup; turn++) await step();
    entry = { step, check, ...(loop && { loop: loop(batch) }) };
    known.set(key, entry);
  }
  current = entry;
  return { check: entry.check };
}

/** Time of so many steps. A step that is synchronous is not waited for: the event loop has no part in it. */
async function time({ step, loop }: Prepared, steps: number) {
  const cpu = process.cpuUsage();
  const start = performance.now();
  if (loop) await loop(steps);
  else
    for (let turn = 0; turn < steps; turn++) {
      const result: StepResult | Promise<StepResult> = step();
      if (result instanceof Promise) await result;
    }
  const seconds = (performance.now() - start) / 1000;
  const used = process.cpuUsage(cpu);
  return { seconds, cpu: (used.user + used.system) / 1e6 };
}

/** Steps right after one another, each with the time of its kernels. */
function profile({ step }: Prepared, steps: number): readonly TimedStep[] {
  return Array.from({ length: steps }, (): TimedStep => {
    const stop = engine.startProfiling();
    const start = performance.now();
    step();
    const milliseconds = performance.now() - start;
    return { kernels: stop().flatMap(({ kernels }) => kernels), milliseconds };
  });
}

async function answer(request: Request): Promise<object> {
  if (request.do === "close") process.exit(0);
  if (request.do === "forget") {
    known.clear();
    current = undefined;
    return {};
  }
  if (request.do === "statistics") return { ...engine.stats(), rss: process.memoryUsage().rss, growth };
  if (request.do === "setup") return setUp(request);
  if (request.do === "part") return computePart(request);
  if (current === undefined) throw new TriviumError(`bench: a ${request.do} before any setup`);
  if (request.do === "round") return time(current, request.steps);
  return { steps: profile(current, request.steps) };
}

const say = (reply: object) => process.stdout.write(`${JSON.stringify(reply)}\n`);

say({ versions: {} });
for await (const line of createInterface({ input: process.stdin })) {
  let reply: object;
  try {
    reply = await answer(JSON.parse(line) as Request);
  } catch (error) {
    reply = { error: error instanceof Error ? (error.stack ?? error.message) : String(error) };
  }
  say(reply);
}
