import { sha256Of } from "../interop/index.ts";
import {
  Conv2D,
  Dense,
  datasets,
  Flatten,
  LambdaCallback,
  MaxPooling2D,
  Sequential,
  SGD,
  setRandomSeed,
  toCategorical,
} from "../keras/index.ts";
import { engine, type Tensor } from "../tensor/index.ts";
import { formatMetric, wantsColor } from "../train/progress-bar.ts";
import { renderCurves } from "./curves-svg.ts";
import { requireFastTarget } from "./estimate.ts";
import { RunFolder } from "./run-folder.ts";
import { renderPlot } from "./terminal-plot.ts";

/** What `trivium train mnist` was asked to do. */
export interface TrainMnistOptions {
  readonly epochs: number;
  readonly batchSize: number;
  readonly learningRate: number;
  readonly seed: number;
  readonly dataFolder: string | undefined;
  readonly limit: number | undefined;
  readonly outFolder: string;
  readonly jsonFile: string | undefined;
  /** `undefined`: a progress bar on a terminal, one line an epoch elsewhere. */
  readonly verbose: 0 | 1 | 2 | undefined;
  /** Whether the user chose the target, and so accepts its speed. */
  readonly targetGiven: boolean;
}

/** One epoch of the report. `seconds` is the time of its training steps; validation comes on top. */
interface EpochReport {
  readonly loss: number;
  readonly accuracy: number;
  readonly valLoss: number;
  readonly valAccuracy: number;
  readonly seconds: number;
  readonly imagesPerSecond: number;
}

const validationSplit = 0.3;
/** What shells give for a program that Ctrl-C ended (128 + SIGINT). */
const interruptedExitCode = 130;
/** Algorithmic FLOP of one image's training step: forward, both gradients of each contraction, no gradient for the image. */
const flopsPerImage = 121e6;

/** The network of the seeds (shared with examples/keras-mnist.ts, which a test compares). */
export function buildNetwork(): Sequential {
  const model = new Sequential();
  model.add(new Conv2D(32, [3, 3], { inputShape: [28, 28, 1], activation: "relu" }));
  model.add(new Conv2D(64, [3, 3], { activation: "relu" }));
  model.add(new MaxPooling2D([2, 2]));
  model.add(new Flatten());
  model.add(new Dense(1024, { activation: "relu" }));
  model.add(new Dense(10, { activation: "softmax" }));
  return model;
}

/** Pixels from 0 to 1 with a channel axis; one-hot classes. */
function prepare(images: Tensor, labels: Tensor, limit = images.shape[0]!): [Tensor, Tensor] {
  const count = Math.min(limit, images.shape[0]!);
  const pixels = images.slice([0], [count]).reshape([count, 28, 28, 1]);
  return [pixels.cast("f32").div(255), toCategorical(labels.slice([0], [count]), 10)];
}

/** Times of the run, taken by callbacks. */
class Stopwatch {
  /** Milliseconds from the start of the process to the end of the first training step. */
  firstStep: number | undefined;
  /** Milliseconds of that time that compiling the step took. */
  compile: number | undefined;
  /** When each part of the start was over, in milliseconds from the start of the process. */
  readonly start: Record<string, number> = {};
  readonly seconds: number[] = [];
  #epochStart = 0;
  #lastStep = 0;
  #compiledBefore: number | undefined;

  mark(part: string): void {
    this.start[part] = performance.now(); // counts from the start of the process
  }

  callback(): LambdaCallback {
    return new LambdaCallback({
      onTrainBegin: () => this.mark("examples"),
      onEpochBegin: () => {
        this.#epochStart = performance.now();
      },
      onTrainBatchBegin: () => {
        if (this.#compiledBefore !== undefined) return;
        this.#compiledBefore = engine.stats().compileMilliseconds;
        this.mark("order");
      },
      onTrainBatchEnd: () => {
        this.#lastStep = performance.now();
        if (this.firstStep !== undefined) return;
        this.firstStep = this.#lastStep;
        this.mark("step");
        this.compile = engine.stats().compileMilliseconds - this.#compiledBefore!;
      },
      onEpochEnd: () => {
        this.seconds.push((this.#lastStep - this.#epochStart) / 1000);
      },
    });
  }
}

/** Trains the seeds' network on MNIST, evaluates it, writes history, curves, model and report. Returns the exit code. */
export async function trainMnist(options: TrainMnistOptions): Promise<number> {
  const { epochs, batchSize, learningRate, seed, verbose } = options;
  const say = (text: string) => {
    if (verbose !== 0) process.stdout.write(text);
  };
  const stopwatch = new Stopwatch();
  stopwatch.mark("program");
  const folder = new RunFolder(options.outFolder, options.jsonFile);
  const [[trainImages, trainLabels], [testImages, testLabels]] = await datasets.mnist.loadData(
    options.dataFolder === undefined ? {} : { path: options.dataFolder },
  );
  stopwatch.mark("files");
  const total = Math.min(options.limit ?? trainImages.shape[0]!, trainImages.shape[0]!);
  const trained = Math.floor(total * (1 - validationSplit));
  if (!options.targetGiven) requireFastTarget(flopsPerImage * trained * epochs);

  setRandomSeed(seed);
  say(`target ${engine.targetDescription} · seed ${seed} · batch ${batchSize} · SGD ${learningRate}\n`);
  const [xTrain, yTrain] = prepare(trainImages, trainLabels, options.limit);
  const [xTest, yTest] = prepare(testImages, testLabels, options.limit);

  const model = buildNetwork();
  model.compile({ optimizer: new SGD({ learningRate }), loss: "categorical_crossentropy", metrics: ["accuracy"] });
  if (verbose === 1) model.summary();
  const history = await model.fit(xTrain, yTrain, {
    validationSplit,
    epochs,
    batchSize,
    callbacks: [stopwatch.callback()],
    ...(verbose !== undefined && { verbose }),
  });
  const interrupted = history.epoch.length < epochs;
  if (interrupted) say(`\nstopped after ${history.epoch.length} of ${epochs} epochs\n`);
  const test = (await model.evaluate(xTest, yTest, { batchSize: 250, verbose: 0, returnDict: true })) as Record<
    string,
    number
  >;
  say(`test - accuracy: ${formatMetric(test.accuracy!)} - loss: ${formatMetric(test.loss!)}\n\n`);

  const { loss = [], accuracy = [], val_loss: valLoss = [], val_accuracy: valAccuracy = [] } = history.history;
  const losses = [
    { label: "training", values: loss },
    { label: "validation", values: valLoss },
  ];
  say(renderPlot("loss", losses, { color: wantsColor(process.stdout) }));
  const finished = loss.map(
    (value, epoch): EpochReport => ({
      loss: value,
      accuracy: accuracy[epoch]!,
      valLoss: valLoss[epoch]!,
      valAccuracy: valAccuracy[epoch]!,
      seconds: stopwatch.seconds[epoch]!,
      imagesPerSecond: trained / stopwatch.seconds[epoch]!,
    }),
  );
  const svg = renderCurves(
    `MNIST, ${finished.length} ${finished.length === 1 ? "epoch" : "epochs"} of ${trained.toLocaleString("en-US")} images`,
    `${engine.targetDescription}, seed ${seed}`,
    [
      {
        title: "Loss",
        curves: [
          { label: "training", values: loss, style: "train" },
          { label: "validation", values: valLoss, style: "validation" },
        ],
      },
      {
        title: "Accuracy",
        limit: 1,
        curves: [
          { label: "training", values: accuracy, style: "train" },
          { label: "validation", values: valAccuracy, style: "validation" },
        ],
      },
    ],
  );
  const modelPath = folder.file("model.safetensors");
  await model.save(modelPath);
  const written = [
    folder.writeJson("history.json", { history: history.history, epoch: history.epoch, params: history.params }),
    folder.writeText("curves.svg", svg),
    await folder.writePng("curves.png", svg),
    modelPath,
  ].filter((path) => path !== undefined);
  if (options.jsonFile !== undefined) {
    folder.writeReport(options.jsonFile, {
      target: engine.targetDescription,
      threads: engine.threads,
      seed,
      parameters: model.countParams(),
      epochs: finished,
      test: { loss: test.loss, accuracy: test.accuracy },
      weightsSha256: sha256Of(model.getWeights().map((weight) => weight.dataSync())),
      firstStepMs: stopwatch.firstStep,
      compileMs: stopwatch.compile,
      startMs: stopwatch.start,
      peakRssBytes: process.resourceUsage().maxRSS * 1024,
    });
    written.push(options.jsonFile);
  }
  say(`\nwritten: ${written.join(", ")}\n`);
  return interrupted ? interruptedExitCode : 0;
}
