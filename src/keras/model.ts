import { ArgumentError, UnsupportedError } from "../errors.ts";
import { evaluate as computeNow, type Tensor, tensorView } from "../tensor/index.ts";
import { atEntry } from "../tensor/lift.ts";
import type { ArrayInput } from "../train/arrays.ts";
import type { Batch } from "../train/batches.ts";
import { Breather } from "../train/breather.ts";
import { EpochFeeder, type Logs, runEvaluation, runFit, type StopSignal } from "../train/loop.ts";
import { renderSummary, type SummaryOptions as TableOptions } from "../train/summary-table.ts";
import type { Callback } from "./callbacks/callback.ts";
import { CallbackList } from "./callbacks/callback-list.ts";
import type { History } from "./callbacks/history.ts";
import { CompiledState, type CompileOptions } from "./compile.ts";
import type { Config } from "./config.ts";
import {
  type ClassWeight,
  checkFitOptions,
  checkVerbose,
  convertExamples,
  type Data,
  type DataInput,
  dataFor,
  type FitOptions,
  fitData,
  isOptions,
  type Verbose,
} from "./fit-options.ts";
import { Layer, type LayerOptions } from "./layer.ts";
import type { Metric } from "./metrics.ts";
import type { Optimizer } from "./optimizers.ts";
import { checkOptions } from "./options.ts";
import { loadWeightsInto, saveModel, saveWeightsOf } from "./saving.ts";
import { summaryRows, summaryTotals } from "./summary.ts";
import { Trainer } from "./trainer.ts";

export interface EvaluateOptions {
  readonly batchSize?: number | null;
  readonly verbose?: Verbose;
  readonly sampleWeight?: ArrayInput | null;
  readonly steps?: number | null;
  readonly callbacks?: Callback | readonly Callback[];
  /** Results by name instead of a list. */
  readonly returnDict?: boolean;
}
export interface PredictOptions {
  readonly batchSize?: number | null;
  readonly verbose?: Verbose;
  readonly steps?: number | null;
  readonly callbacks?: Callback | readonly Callback[];
}
export interface BatchOptions {
  readonly sampleWeight?: ArrayInput | null;
  readonly classWeight?: ClassWeight | null;
  readonly returnDict?: boolean;
}
export interface SummaryOptions extends TableOptions {
  readonly printFn?: (text: string) => void;
  readonly expandNested?: boolean;
}

const asList = (callbacks: Callback | readonly Callback[] | undefined): readonly Callback[] =>
  callbacks === undefined
    ? []
    : Array.isArray(callbacks)
      ? (callbacks as readonly Callback[])
      : [callbacks as Callback];

/**
 * A layer that can be compiled, trained, evaluated, saved. Subclasses hold layers as properties and say in `call` how they are used; only
 * Sequential models can be written with their architecture, others with their weights.
 */
export abstract class Model extends Layer implements StopSignal {
  /** Set by a callback, or by Ctrl-C: training ends after the current step. */
  stopTraining = false;
  /** What the last `fit` recorded. */
  history: History | undefined;
  private state: CompiledState | undefined;
  private steps: Trainer | undefined;

  constructor(options: LayerOptions = {}, ownOptions: readonly string[] = []) {
    super(options, ownOptions);
  }

  /** The layers inside, in order. */
  get layers(): readonly Layer[] {
    return this.nestedLayers;
  }

  // ---- compile ----

  /**
   * Says how to train.
   *
   * @example
   * ```ts
   * model.compile({ optimizer: "sgd", loss: "categorical_crossentropy", metrics: ["accuracy"] });
   * ```
   */
  compile(options: CompileOptions = {}): void {
    this.state = new CompiledState(options);
    this.steps = new Trainer(this, this.state);
    this.stopTraining = false;
  }
  get compiled(): boolean {
    return this.state !== undefined;
  }
  /** @internal */
  compiledState(operation: string): CompiledState {
    if (!this.state) throw new ArgumentError(`${operation}: the model is not compiled; call model.compile(…) first.`);
    return this.state;
  }
  private trainer(operation: string): Trainer {
    this.compiledState(operation);
    return this.steps as Trainer;
  }
  get optimizer(): Optimizer {
    return this.compiledState("optimizer").optimizer;
  }
  get metrics(): Metric[] {
    return this.state?.metrics ?? [];
  }
  get metricsNames(): string[] {
    return this.metrics.map((metric) => metric.name);
  }

  // ---- training ----

  /**
   * Trains on data in memory (tensors, typed arrays, nested arrays) or on an iterable of batches [x, y] or [x, y, sampleWeight].
   * Ctrl-C ends it cleanly after the current step.
   */
  async fit(x: DataInput, y?: ArrayInput | FitOptions, options?: FitOptions): Promise<History> {
    const settings = ((isOptions(y) ? y : options) ?? {}) as FitOptions;
    const targets = isOptions(y) ? undefined : (y as ArrayInput | undefined);
    const run = atEntry(this.fit, () => this.prepareFit(x, targets, settings));
    return run();
  }

  /** Checks everything and converts the data; what it gives back trains. */
  private prepareFit(x: DataInput, y: ArrayInput | undefined, options: FitOptions): () => Promise<History> {
    const trainer = this.trainer("fit");
    checkFitOptions(options);
    const { epochs = 1, initialEpoch = 0, verbose = "auto", validationFreq = 1 } = options;
    const { training, validation } = fitData(x, y, options, this.labelRule());
    this.rehearse("fit", training);
    if (validation) this.rehearse("validationData", validation);
    const feeder = this.feeder("fit", training, options.stepsPerEpoch);
    const callbacks = new CallbackList(asList(options.callbacks), {
      addHistory: true,
      addProgbar: verbose !== 0,
      model: this,
      params: { verbose, epochs, steps: feeder.steps ?? null },
    });
    const due = (epoch: number): boolean =>
      typeof validationFreq === "number" ? epoch % validationFreq === 0 : validationFreq.includes(epoch);
    return async () => {
      this.stopTraining = false;
      const history = callbacks.history as History;
      this.history = history;
      history.interrupted = false;
      try {
        const { interrupted } = await runFit(trainer, {
          initialEpoch,
          epochs,
          feeder,
          validation: validation && { feeder: this.feeder("validation", validation, options.validationSteps), due },
          events: callbacks,
          stop: this,
        });
        history.interrupted = interrupted;
      } finally {
        callbacks.abandon();
      }
      return history;
    };
  }

  /** Loss and metrics over data, in the order of `metricsNames`, or by name with `returnDict`. */
  async evaluate(x: DataInput, y?: ArrayInput, options?: EvaluateOptions & { returnDict?: false }): Promise<number[]>;
  async evaluate(
    x: DataInput,
    y: ArrayInput | undefined,
    options: EvaluateOptions & { returnDict: true },
  ): Promise<Logs>;
  async evaluate(x: DataInput, y?: ArrayInput, options: EvaluateOptions = {}): Promise<number[] | Logs> {
    const settings = (isOptions(y) ? y : options) as EvaluateOptions;
    const run = atEntry(this.evaluate as () => unknown, () =>
      this.prepareEvaluation(x, isOptions(y) ? undefined : y, settings),
    );
    await run();
    return this.results(settings.returnDict ?? false);
  }

  private prepareEvaluation(x: DataInput, y: ArrayInput | undefined, options: EvaluateOptions): () => Promise<void> {
    const trainer = this.trainer("evaluate");
    checkOptions("evaluate", options, ["batchSize", "verbose", "sampleWeight", "steps", "callbacks", "returnDict"]);
    const verbose = checkVerbose("evaluate", options.verbose);
    const data = dataFor("evaluate", x, y, { ...options, labels: this.labelRule() });
    this.rehearse("evaluate", data);
    const feeder = this.feeder("evaluate", data, options.steps);
    const callbacks = new CallbackList(asList(options.callbacks), {
      addProgbar: verbose !== 0,
      model: this,
      params: { verbose, epochs: 1, steps: feeder.steps ?? null },
    });
    return async () => {
      try {
        await runEvaluation(trainer, feeder, callbacks);
      } finally {
        callbacks.abandon();
      }
    };
  }

  /** The outputs for all inputs, batch by batch. */
  async predict(x: DataInput, options: PredictOptions = {}): Promise<Tensor> {
    checkOptions("predict", options, ["batchSize", "verbose", "steps", "callbacks"]);
    const verbose = checkVerbose("predict", options.verbose);
    const data = dataFor("predict", x, undefined, options, false);
    const trainer = this.steps ?? new Trainer(this, new CompiledState({}));
    const feeder = this.feeder("predict", data, options.steps);
    const callbacks = new CallbackList(asList(options.callbacks), {
      addProgbar: verbose !== 0,
      model: this,
      params: { verbose, epochs: 1, steps: feeder.steps ?? null },
    });
    if (data.examples && !this.built) this.buildFor([null, ...data.examples.x.shape.slice(1)]);
    const parts: Tensor[] = [];
    const breather = new Breather();
    await callbacks.predictBegin();
    let step = 0;
    for await (const batch of feeder.epoch()) {
      await callbacks.predictBatchBegin(step);
      const output = trainer.predictBatch(batch);
      computeNow(output);
      parts.push(output);
      await callbacks.predictBatchEnd(step++);
      await breather.pause();
    }
    await callbacks.predictEnd();
    return joinRows(parts);
  }

  // ---- single batches ----

  /** One step on one batch; loss and metrics of this batch alone. */
  async trainOnBatch(x: ArrayInput, y?: ArrayInput, options: BatchOptions = {}): Promise<number[]> {
    return this.onBatch("trainOnBatch", x, y, options, (trainer, batch) => trainer.trainBatch(batch));
  }
  /** Loss and metrics of one batch. */
  async testOnBatch(x: ArrayInput, y?: ArrayInput, options: BatchOptions = {}): Promise<number[]> {
    return this.onBatch("testOnBatch", x, y, options, (trainer, batch) => trainer.testBatch(batch));
  }
  private onBatch(
    operation: string,
    x: ArrayInput,
    y: ArrayInput | undefined,
    options: BatchOptions,
    run: (trainer: Trainer, batch: Batch) => void,
  ): number[] {
    checkOptions(operation, options, ["sampleWeight", "classWeight"]);
    const trainer = this.trainer(operation);
    const examples = convertExamples(operation, x, y, options);
    const batch = { examples, size: examples.x.shape[0] };
    trainer.rehearse(operation, batch);
    trainer.resetMetrics();
    run(trainer, batch);
    return this.results(false) as number[];
  }
  /** The output for one batch. */
  async predictOnBatch(x: ArrayInput): Promise<Tensor> {
    const examples = convertExamples("predictOnBatch", x, undefined, {});
    const output = (this.steps ?? new Trainer(this, new CompiledState({}))).predictBatch({
      examples,
      size: examples.x.shape[0],
    });
    computeNow(output);
    return output;
  }
  /** Starts the averages of all metrics anew. */
  resetMetrics(): void {
    this.state?.reset();
  }

  private results(byName: boolean): number[] | Logs {
    const results = this.compiledState("evaluate").results();
    return byName ? Object.fromEntries(results) : results.map(([, value]) => value);
  }
  private labelRule(): { classes?: number } {
    const shapeKnown = this.computeOutputShape !== Layer.prototype.computeOutputShape;
    if (!this.state?.loss?.sparse || !this.built || !shapeKnown) return {};
    const classes = this.outputShape.at(-1);
    return typeof classes === "number" ? { classes } : {};
  }
  private rehearse(operation: string, { examples }: Data): void {
    if (!examples) return;
    this.trainer(operation).rehearse(operation, { examples, size: examples.x.shape[0] });
  }
  private feeder(operation: string, data: Data, steps: number | null | undefined): EpochFeeder {
    return new EpochFeeder(data.source, steps ?? undefined, (message) => console.warn(`${operation}: ${message}`));
  }

  // ---- looking ----

  /** The layer of a name, or at a position. */
  getLayer(selector: string | number | { readonly name?: string; readonly index?: number }): Layer {
    const { name, index } =
      typeof selector === "string"
        ? { name: selector, index: undefined }
        : typeof selector === "number"
          ? { name: undefined, index: selector }
          : selector;
    const found = index === undefined ? this.layers.find((layer) => layer.name === name) : this.layers[index];
    if (found) return found;
    throw new ArgumentError(
      index === undefined
        ? `getLayer: no layer named "${name}"; the layers are ${this.layers.map((layer) => layer.name).join(", ")}.`
        : `getLayer: no layer at ${index}; the model has ${this.layers.length} layers.`,
    );
  }

  /** Prints the layers, their output shapes and their numbers of parameters. */
  summary(options: SummaryOptions = {}): void {
    const { printFn, expandNested = false, ...table } = options;
    checkOptions("summary", table, ["lineLength", "positions", "showTrainable"]);
    const text = renderSummary(this.name, summaryRows(this, expandNested), summaryTotals(this), table);
    if (printFn) printFn(text);
    else process.stdout.write(text);
  }

  // ---- saving ----

  /** Writes architecture, weights, what `compile` was given and the optimizer's state to one file, atomically. */
  save(path: string): void {
    saveModel(this, path);
  }
  /** Writes the weights alone. */
  saveWeights(path: string): void {
    saveWeightsOf(this, path);
  }
  /** Reads weights written by `saveWeights` or `save`. */
  loadWeights(path: string): void {
    loadWeightsInto(this, path);
  }
  /** The architecture as JSON in Keras' form. */
  toJSON(): Config {
    throw new UnsupportedError(
      `${this.className} "${this.name}": only Sequential models can be written as JSON; save the weights (saveWeights).`,
    );
  }
}

/** Outputs of batches one after another. */
function joinRows(parts: readonly Tensor[]): Tensor {
  if (parts.length === 1) return parts[0];
  const [first] = parts;
  const rows = parts.reduce((sum, part) => sum + part.shape[0], 0);
  const width = first.size / first.shape[0];
  const whole = new Float32Array(rows * width);
  let offset = 0;
  for (const part of parts) {
    whole.set(part.dataSync(), offset);
    offset += part.size;
  }
  return tensorView(whole, [rows, ...first.shape.slice(1)], "f32");
}
