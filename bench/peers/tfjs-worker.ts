/** TensorFlow.js as a peer: the protocol of worker.py, from the packages that bench/peers/setup installs. Settings: cpu, wasm. */
import { createRequire } from "node:module";
import { dirname, sep } from "node:path";
import { createInterface } from "node:readline";
import { loadMnist } from "../../src/data/index.ts";
import { hashGlorotUniform } from "../../src/testing/hash-uniform.ts";
import type { Assignment } from "../worker-process.ts";

/** What is used of TensorFlow.js, which is not among this package's dependencies. */
interface TfTensor {
  readonly shape: number[];
}
interface TfModel {
  getWeights(): TfTensor[];
  setWeights(weights: TfTensor[]): void;
  compile(options: { optimizer: unknown; loss: string }): void;
  trainOnBatch(x: TfTensor, y: TfTensor): Promise<number>;
}
interface TensorFlow {
  readonly version: { readonly tfjs: string };
  readonly layers: Readonly<Record<"conv2d" | "maxPooling2d" | "flatten" | "dense", (options: object) => unknown>>;
  readonly train: { sgd(rate: number): unknown };
  sequential(options: { layers: unknown[] }): TfModel;
  tensor(values: ArrayLike<number>, shape: readonly number[], dtype?: string): TfTensor;
  oneHot(labels: TfTensor, classes: number): TfTensor;
  zeros(shape: readonly number[]): TfTensor;
  setBackend(name: string): Promise<boolean>;
  ready(): Promise<void>;
}

const load = createRequire(import.meta.url);
const tf = load("@tensorflow/tfjs") as TensorFlow;

async function chooseBackend(name: string): Promise<void> {
  if (name === "wasm") {
    const backend = load("@tensorflow/tfjs-backend-wasm") as { setWasmPaths(folder: string): void };
    backend.setWasmPaths(dirname(load.resolve("@tensorflow/tfjs-backend-wasm")) + sep);
  }
  await tf.setBackend(name);
  await tf.ready();
}

type Step = () => Promise<number>;

/** The seeds' network as a Keras-style program; kernels as in bench/workloads/seeds-network.ts. */
function seedsStep(batch: number): Step {
  const { layers } = tf;
  const model = tf.sequential({
    layers: [
      layers.conv2d({ filters: 32, kernelSize: 3, activation: "relu", inputShape: [28, 28, 1] }),
      layers.conv2d({ filters: 64, kernelSize: 3, activation: "relu" }),
      layers.maxPooling2d({ poolSize: 2 }),
      layers.flatten({}),
      layers.dense({ units: 1024, activation: "relu" }),
      layers.dense({ units: 10, activation: "softmax" }),
    ],
  });
  const weights = model.getWeights().map(({ shape }, index) => {
    return shape.length === 1 ? tf.zeros(shape) : tf.tensor(hashGlorotUniform(index / 2, shape), shape);
  });
  model.setWeights(weights);
  model.compile({ optimizer: tf.train.sgd(0.01), loss: "categoricalCrossentropy" });
  const { train } = loadMnist();
  const pixels = Float32Array.from(train.images.subarray(0, batch * 784), (pixel) => Math.fround(pixel) / 255);
  const x = tf.tensor(pixels, [batch, 28, 28, 1]);
  const y = tf.oneHot(tf.tensor(Int32Array.from(train.labels.subarray(0, batch)), [batch], "int32"), 10);
  return () => model.trainOnBatch(x, y);
}

const known = new Map<string, { step: Step; backend: string; check: number[] }>();
let current: Step | undefined;

async function setUp({ suite = "train", workload, batch, setting }: Assignment): Promise<object> {
  if (suite !== "train" || workload !== "seeds-cnn") return { unavailable: `tfjs has no ${workload} in ${suite}` };
  const key = `${batch}/${setting}`;
  await chooseBackend(setting);
  let entry = known.get(key);
  if (entry === undefined) {
    try {
      const step = seedsStep(batch);
      const check = [await step(), await step(), await step()];
      // a step takes minutes without native kernels: nothing is left to warm up after three
      entry = { step, backend: setting, check };
    } catch (error) {
      // the WebAssembly backend has no kernels for some gradients
      const [reason] = (error as Error).message.split("\n");
      return { unavailable: `the backend ${setting} cannot train this network: ${reason}` };
    }
    known.set(key, entry);
  }
  current = entry.step;
  return { check: entry.check };
}

async function time(step: Step, steps: number) {
  const cpu = process.cpuUsage();
  const start = performance.now();
  for (let turn = 0; turn < steps; turn++) await step();
  const used = process.cpuUsage(cpu);
  return { seconds: (performance.now() - start) / 1000, cpu: (used.user + used.system) / 1e6 };
}

type Request = ({ readonly do: "setup" } & Assignment) | { readonly do: "round" | "close"; readonly steps: number };

// what TensorFlow.js prints must not end up among the answers
console.log = console.warn = console.info = console.error;

const say = (reply: object) => process.stdout.write(`${JSON.stringify(reply)}\n`);

say({ versions: { tfjs: tf.version.tfjs } });
for await (const line of createInterface({ input: process.stdin })) {
  let reply: object;
  try {
    const request = JSON.parse(line) as Request;
    if (request.do === "close") process.exit(0);
    if (request.do === "setup") reply = await setUp(request);
    else reply = await time(current!, request.steps);
  } catch (error) {
    reply = { error: error instanceof Error ? (error.stack ?? error.message) : String(error) };
  }
  say(reply);
}
