/** The report of `trivium compare mnist`: figures, tables and code in one HTML page. */
import { type Curve, domainOf, escapeXml, type Panel, renderFigure } from "../curves-svg.ts";
import { readListings } from "./listings.ts";
import { figure, listing, page, table } from "./page.ts";
import type { EpochRow } from "./recorder.ts";

/** One of the article's two programs, run. */
export interface ArticleRun {
  readonly parameters: number;
  readonly batchSize: number;
  /** Side of the square images that the network sees. */
  readonly side: number;
  readonly trainingImages: number;
  readonly validationImages: number;
  readonly epochs: readonly EpochRow[];
}

/** The fair network in one style, run. */
export interface StyleRun {
  readonly name: string;
  readonly epochs: readonly EpochRow[];
  /** Losses of all batches. */
  readonly losses: readonly number[];
  /** Programs compiled while it trained. */
  readonly compilations: number;
  /** SHA-256 of the trained weights in the channels-last layout. */
  readonly weightsSha256: string;
}

/** Everything that the report shows. */
export interface Comparison {
  readonly target: string;
  readonly threads: number;
  readonly seed: number;
  readonly version: string;
  readonly date: string;
  readonly keras: ArticleRun;
  readonly torch: ArticleRun;
  readonly fair: {
    readonly parameters: number;
    readonly batchSize: number;
    readonly learningRate: number;
    readonly trainingImages: number;
    readonly testImages: number;
    readonly styles: readonly StyleRun[];
  };
}

const count = (value: number): string => value.toLocaleString("en-US");
const percent = (value: number): string => `${(100 * value).toFixed(2)} %`;
const last = <T>(values: readonly T[]): T => values[values.length - 1] as T;
const updates = (run: ArticleRun): number => Math.ceil(run.trainingImages / run.batchSize);

/** The middle of the times of the epochs: the first one compiles. */
function secondsPerEpoch(epochs: readonly EpochRow[]): string {
  const sorted = epochs.map(({ seconds }) => seconds).sort((a, b) => a - b);
  return `${sorted[Math.floor((sorted.length - 1) / 2)]!.toFixed(2)} s`;
}

/** Whether all styles had the same loss in every step, to the last bit. */
export function sameLosses(styles: readonly StyleRun[]): boolean {
  const [first, ...others] = styles;
  return others.every(
    ({ losses }) => losses.length === first!.losses.length && losses.every((loss, i) => loss === first!.losses[i]),
  );
}

function articleTable({ keras, torch }: Comparison): string {
  const row = (name: string, of: (run: ArticleRun) => string) => [name, of(keras), of(torch)];
  const end = (of: (epoch: EpochRow) => string) => (run: ArticleRun) => of(last(run.epochs));
  return table(
    ["", "TensorFlow half (Keras)", "PyTorch half"],
    [
      row("input", ({ side }) => `${side} x ${side}`),
      row("parameters", ({ parameters }) => count(parameters)),
      row("batch", ({ batchSize }) => count(batchSize)),
      row("training images", ({ trainingImages }) => count(trainingImages)),
      row("updates an epoch", (run) => count(updates(run))),
      row("updates in all", (run) => count(updates(run) * run.epochs.length)),
      [
        "validated on",
        `${count(keras.validationImages)} images split off the training set`,
        `${count(torch.validationImages)} test images`,
      ],
      row(
        "training loss",
        end(({ loss }) => loss.toFixed(4)),
      ),
      row(
        "validation loss",
        end(({ valLoss }) => valLoss.toFixed(4)),
      ),
      row(
        "training accuracy",
        end(({ accuracy }) => percent(accuracy ?? Number.NaN)),
      ),
      row(
        "validation accuracy",
        end(({ valAccuracy }) => percent(valAccuracy)),
      ),
      row("time of an epoch", ({ epochs }) => secondsPerEpoch(epochs)),
    ],
  );
}

/** The article's curves: both programs side by side on one scale. */
function articleFigure(
  runs: Comparison,
  quantity: string,
  train: (row: EpochRow) => number,
  validation: (row: EpochRow) => number,
  limit?: number,
): string {
  const curves = ({ epochs }: ArticleRun): Curve[] => [
    { label: "training", values: epochs.map(train), style: "train" },
    { label: "validation", values: epochs.map(validation), style: "validation" },
  ];
  const both = [...curves(runs.keras), ...curves(runs.torch)];
  const domain = domainOf({ title: "", curves: both, ...(limit !== undefined && { limit }) });
  const panels: Panel[] = [
    { title: `TensorFlow half: ${quantity}`, curves: curves(runs.keras), domain },
    { title: `PyTorch half: ${quantity}`, curves: curves(runs.torch), domain },
  ];
  return renderFigure(`${quantity} of the article's two programs over epochs`, panels);
}

function fairTable({ fair }: Comparison): string {
  return table(
    ["", ...fair.styles.map(({ name }) => name)],
    [
      ["loss of the first batch", ...fair.styles.map(({ losses }) => String(losses[0]))],
      ["loss of the last batch", ...fair.styles.map(({ losses }) => String(last(losses)))],
      ["training loss, last epoch", ...fair.styles.map(({ epochs }) => last(epochs).loss.toFixed(6))],
      ["test accuracy", ...fair.styles.map(({ epochs }) => percent(last(epochs).valAccuracy))],
      ["trained weights, SHA-256", ...fair.styles.map(({ weightsSha256 }) => `${weightsSha256.slice(0, 16)}…`)],
      ["programs compiled to train", ...fair.styles.map(({ compilations }) => count(compilations))],
      ["time of an epoch", ...fair.styles.map(({ epochs }) => secondsPerEpoch(epochs))],
    ],
  );
}

function fairFigure({ fair }: Comparison): string {
  const widths = ["wide", "middle", "narrow"] as const;
  const curves = (of: (row: EpochRow) => number): Curve[] =>
    fair.styles.map(({ name, epochs }, index) => ({ label: name, values: epochs.map(of), style: widths[index]! }));
  return renderFigure("the fair comparison over epochs", [
    { title: "Training loss", curves: curves(({ loss }) => loss) },
    { title: "Test accuracy", curves: curves(({ valAccuracy }) => valAccuracy), limit: 1 },
  ]);
}

/** The page. */
export function renderReport(runs: Comparison): string {
  const { keras, torch, fair } = runs;
  const listings = readListings();
  const same = sameLosses(fair.styles);
  const steps = fair.styles[0]!.losses.length;
  const others = fair.styles.slice(1).reduce((sum, { compilations }) => sum + compilations, 0);
  const title = "MNIST in three styles";
  return page(
    title,
    `<h1>${title}</h1>
<p class="quiet">${escapeXml(`Trivium ${runs.version}, ${runs.date}. ${runs.target}, seed ${runs.seed}.`)}</p>
<p class="lead">“PyTorch vs TensorFlow for building deep learning models” trains a network on MNIST in each framework and concludes from the two loss curves that
training is steep in TensorFlow and smooth in PyTorch. Here are its two programs as written, and then the comparison that it did not make: one
network, the same first weights, the same batches, in three styles.</p>

<h2>The article’s two programs</h2>
<div class="callout">
<p><strong>What the article left unsaid.</strong> It kept “layers and hyperparameter configurations the same as each other”, but the two networks have
<strong>${count(keras.parameters)}</strong> and <strong>${count(torch.parameters)}</strong> parameters, they learn in batches of <strong>${keras.batchSize}</strong> and
<strong>${torch.batchSize}</strong>, and they see <strong>${keras.side} x ${keras.side}</strong> and <strong>${torch.side} x ${torch.side}</strong> pixels.</p>
<p>So an epoch is ${count(updates(keras))} updates in one half and ${count(updates(torch))} in the other, at the same learning rate of 0.01. Steep or smooth, the two curves show how far two
different networks have come, and nothing about a framework. The halves are also validated on different images.</p>
</div>
${articleTable(runs)}
${figure(
  articleFigure(
    runs,
    "loss",
    ({ loss }) => loss,
    ({ valLoss }) => valLoss,
  ),
  "Loss by epoch, both halves on one scale. Training values are means over the epoch, validation comes after it.",
)}
${figure(
  articleFigure(
    runs,
    "accuracy",
    ({ accuracy }) => accuracy ?? Number.NaN,
    ({ valAccuracy }) => valAccuracy,
    1,
  ),
  "Accuracy by epoch, both halves on one scale.",
)}
<p class="quiet">Times are those of the training steps with their data, without validation; the PyTorch half resizes its images anew in every epoch, as its transform says. Its
<code>max_pool2d(x, 1)</code> changes nothing, nor does <code>log_softmax</code> before a loss that takes it again.</p>

<h2>One network in all three styles</h2>
<p>Two convolutions of 3 x 3 with 16 and 32 filters, each with a maximum over 2 x 2, the mean over the image, and ten outputs: ${count(fair.parameters)} parameters.
${count(fair.trainingImages)} images in the same order, batches of ${fair.batchSize}, gradient descent at a rate of ${fair.learningRate}, tested on ${count(fair.testImages)} images.</p>
<div class="callout">
<p><strong>${
      same
        ? `All ${count(steps)} losses are the same in the three styles, to the last bit${others === 0 ? ", and the second and third style compiled nothing: the three training steps are one program" : ""}.`
        : "The losses of the three styles differ."
    }</strong></p>
</div>
${fairTable(runs)}
${figure(fairFigure(runs), "Three curves in each panel: where they agree they lie on each other, the widest below.")}

<h2>The code that ran</h2>
<p>What follows is the text of the functions and classes that made the figures above.</p>
<h3>The article’s programs</h3>
${listing("TensorFlow half (Keras)", listings.kerasArticle)}
${listing("PyTorch half", listings.torchArticle)}
<h3>The fair comparison</h3>
${listing("Keras", listings.fairKeras, true)}
${listing("PyTorch", listings.fairTorch, true)}
${listing("TensorFlow", listings.fairTensorFlow, true)}`,
  );
}
