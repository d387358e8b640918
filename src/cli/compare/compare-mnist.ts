/** `trivium compare mnist`: runs the programs and writes the report. */
import { sha256Of } from "../../interop/index.ts";
import { datasets, utils } from "../../keras/index.ts";
import { copyWeights, toChannelsLastWeight } from "../../nn/weight-layouts.ts";
import { engine, type Tensor } from "../../tensor/index.ts";
import { manualSeed } from "../../torch/index.ts";
import { requireFastTarget } from "../estimate.ts";
import { packageVersion } from "../package-files.ts";
import { RunFolder } from "../run-folder.ts";
import { type Experiment, inKeras, inTensorFlow, inTorch, type Style } from "./fair.ts";
import { kerasArticle, kerasArticleSteps } from "./keras-article.ts";
import { Interrupted, Recorder } from "./recorder.ts";
import { type ArticleRun, type Comparison, renderReport, type StyleRun, sameLosses } from "./report.ts";
import { torchArticle, torchArticleSteps } from "./torch-article.ts";

/** What `trivium compare mnist` was asked to do. */
export interface CompareMnistOptions {
  readonly epochs: number;
  readonly limit: number | undefined;
  readonly seed: number;
  readonly outFolder: string;
  readonly jsonFile: string | undefined;
  readonly dataFolder: string | undefined;
  /** Whether the user chose the target, and so accepts its speed. */
  readonly targetGiven: boolean;
}

/** What shells give for a program that Ctrl-C ended (128 + SIGINT). */
const interruptedExitCode = 130;
/** Algorithmic FLOP of one image's training step in the larger of the article's networks, which outweighs all the rest. */
const flopsPerImage = 121e6;
const fairBatch = 50;
const fairRate = 0.3;

const say = (text: string): void => void process.stdout.write(text);

/** Runs a program with a recorder that ends its watch for Ctrl-C in any case. */
async function recorded<Result>(recorder: Recorder, run: () => Promise<Result>): Promise<Result> {
  try {
    return await run();
  } finally {
    recorder.close();
  }
}

async function runKerasArticle(images: Tensor, labels: Tensor, epochs: number): Promise<ArticleRun> {
  say("\nThe article's TensorFlow half, in Keras style\n");
  const trainingImages = Math.floor(images.shape[0] * 0.7);
  const recorder = new Recorder(epochs, kerasArticleSteps(images.shape[0]));
  const data = { xTrain: images, yTrain: labels, epochs };
  const parameters = await recorded(recorder, () => kerasArticle(data, recorder));
  return {
    parameters,
    batchSize: 32,
    side: 28,
    trainingImages,
    validationImages: images.shape[0] - trainingImages,
    epochs: recorder.epochs,
  };
}

async function runTorchArticle(root: string | undefined, limit: number, testLimit: number, epochs: number) {
  say("\nThe article's PyTorch half\n");
  const recorder = new Recorder(epochs, torchArticleSteps(limit));
  const parameters = await recorded(recorder, () => torchArticle({ root, limit, testLimit, epochs }, recorder));
  const run: ArticleRun = {
    parameters,
    batchSize: 512,
    side: 8,
    trainingImages: limit,
    validationImages: testLimit,
    epochs: recorder.epochs,
  };
  return run;
}

async function runStyle(name: string, style: Style, experiment: Experiment, epochs: number): Promise<StyleRun> {
  say(`\nOne network in ${name} style\n`);
  const recorder = new Recorder(epochs, Math.ceil(experiment.x.shape[0] / experiment.batchSize));
  let compilations = 0;
  await recorded(recorder, async () => {
    for (let epoch = 0; epoch < epochs; epoch++) {
      const before = engine.stats().compilations;
      recorder.begin();
      await style.train((loss) => recorder.trainBatch(loss));
      recorder.trainingEnds();
      compilations += engine.stats().compilations - before;
      const { loss, accuracy } = await style.test();
      recorder.check();
      recorder.end({ valLoss: loss, valAccuracy: accuracy });
    }
  });
  const channelsFirst = name === "PyTorch";
  const weights = style.weights.map((weight) => (channelsFirst ? toChannelsLastWeight(weight) : weight).dataSync());
  return { name, epochs: recorder.epochs, losses: recorder.losses, compilations, weightsSha256: sha256Of(weights) };
}

/** The first images and labels as all three styles take them. */
function examples(images: Tensor, labels: Tensor, count: number): [x: Tensor, y: Tensor] {
  const x = images.slice([0], [count]).reshape([count, 28, 28, 1]).cast("f32").div(255);
  return [x, utils.toCategorical(labels.slice([0], [count]), 10)];
}

async function compare(options: CompareMnistOptions): Promise<Comparison> {
  const { epochs, seed, dataFolder } = options;
  const [[images, labels], [testImages, testLabels]] = await datasets.mnist.loadData(
    dataFolder === undefined ? {} : { path: dataFolder },
  );
  const limit = Math.min(options.limit ?? images.shape[0], images.shape[0]);
  const testLimit = Math.min(limit, testImages.shape[0]);
  if (!options.targetGiven) requireFastTarget(flopsPerImage * limit * epochs);
  say(`target ${engine.targetDescription} · seed ${seed} · ${limit.toLocaleString("en-US")} images\n`);

  utils.setRandomSeed(seed);
  const keras = await runKerasArticle(images.slice([0], [limit]), labels.slice([0], [limit]), epochs);
  manualSeed(seed);
  const torch = await runTorchArticle(dataFolder, limit, testLimit, epochs);

  const [x, y] = examples(images, labels, limit);
  const [xTest, yTest] = examples(testImages, testLabels, testLimit);
  const experiment: Experiment = { x, y, xTest, yTest, batchSize: fairBatch, learningRate: fairRate };
  utils.setRandomSeed(seed);
  const styles = {
    Keras: inKeras(experiment),
    PyTorch: inTorch(experiment),
    TensorFlow: inTensorFlow(experiment),
  };
  copyWeights(styles.Keras.weights, styles.PyTorch.weights, { to: "channelsFirst" });
  copyWeights(styles.Keras.weights, styles.TensorFlow.weights);
  const runs: StyleRun[] = [];
  for (const [name, style] of Object.entries(styles)) runs.push(await runStyle(name, style, experiment, epochs));

  return {
    target: engine.targetDescription,
    threads: engine.threads,
    seed,
    version: packageVersion(),
    date: new Date().toISOString().slice(0, 10),
    keras,
    torch,
    fair: {
      parameters: styles.Keras.weights.reduce((sum, { size }) => sum + size, 0),
      batchSize: fairBatch,
      learningRate: fairRate,
      trainingImages: limit,
      testImages: testLimit,
      styles: runs,
    },
  };
}

/** Runs the comparison and writes the report. Returns the exit code. */
export async function compareMnist(options: CompareMnistOptions): Promise<number> {
  const folder = new RunFolder(options.outFolder, options.jsonFile);
  let comparison: Comparison;
  try {
    comparison = await compare(options);
  } catch (error) {
    if (!(error instanceof Interrupted)) throw error;
    say("\nstopped; nothing was written: half a comparison says nothing\n");
    return interruptedExitCode;
  }
  const { styles } = comparison.fair;
  const same = sameLosses(styles);
  say(
    `\n${styles[0]!.losses.length.toLocaleString("en-US")} losses of the one network: ${same ? "the same to the bit" : "not the same"} in all three styles; ` +
      `programs compiled to train it: ${styles.map(({ name, compilations }) => `${name} ${compilations}`).join(", ")}\n`,
  );
  const written = [folder.writeText("report.html", renderReport(comparison))];
  if (options.jsonFile !== undefined) {
    folder.writeReport(options.jsonFile, { ...comparison, sameLosses: same });
    written.push(options.jsonFile);
  }
  say(`\nwritten: ${written.join(", ")}\n`);
  return same ? 0 : 1;
}
