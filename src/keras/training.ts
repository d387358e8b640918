import { evaluate as computeNow, type Tensor } from "../tensor/index.ts";
import { atEntry } from "../tensor/lift.ts";
import { countExamples, type DataStructure, type LabelRules } from "../train/arrays.ts";
import type { Batch, ExampleCounts } from "../train/batches.ts";
import { Breather } from "../train/breather.ts";
import { EpochFeeder, type Logs, type ResumePoint, runEvaluation, runFit, type StopSignal } from "../train/loop.ts";
import type { Callback } from "./callbacks/callback.ts";
import { CallbackList } from "./callbacks/callback-list.ts";
import type { History } from "./callbacks/history.ts";
import type { CompileOptions } from "./compile.ts";
import type { BatchShape } from "./config.ts";
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
import { batchShape, type CallOptions } from "./layer.ts";
import type { AnyModel } from "./model.ts";
import { checkOptions } from "./options.ts";
import { joinBatches } from "./predictions.ts";
import { SteppingLayer } from "./steps.ts";
import { isRecord, leavesOf, mapStructure, shapesIn, type TensorStructure } from "./structure.ts";
import { buildLayer } from "./symbolic.ts";
import type { Trainer } from "./trainer.ts";

export interface EvaluateOptions {
  readonly batchSize?: number | null;
  readonly verbose?: Verbose;
  readonly sampleWeight?: DataStructure | null;
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
  readonly sampleWeight?: DataStructure | null;
  readonly classWeight?: ClassWeight | null;
  readonly returnDict?: boolean;
}

const asList = (callbacks: Callback | readonly Callback[] | undefined): readonly Callback[] =>
  callbacks === undefined
    ? []
    : Array.isArray(callbacks)
      ? (callbacks as readonly Callback[])
      : [callbacks as Callback];

/** The part of a model that runs over data: fit, evaluate, predict. */
export abstract class TrainableLayer<
    In extends TensorStructure = Tensor,
    Out extends TensorStructure = Tensor,
    Options extends CallOptions<In> = CallOptions<In>,
  >
  extends SteppingLayer<In, Out, Options>
  implements StopSignal
{
  /** Set by a callback, or by Ctrl-C: training ends after the current step. */
  stopTraining = false;
  /** Whether Ctrl-C ended the last `fit`, or is ending this one. */
  interrupted = false;
  /** What the last `fit` recorded. */
  history: History | undefined;
  /** Where a callback wants the training that begins to go on. @internal */
  resumePoint: ResumePoint | undefined;

  override compile(options: CompileOptions = {}): void {
    super.compile(options);
    this.stopTraining = false;
  }

  // ---- training ----

  /**
   * Trains on data in memory (tensors, typed arrays, nested arrays; for several inputs or outputs lists or records of them) or on an iterable
   * of batches [x, y] or [x, y, sampleWeight].
   * Ctrl-C ends it cleanly after the current step.
   */
  async fit(x: DataInput, y?: DataStructure | FitOptions, options?: FitOptions): Promise<History> {
    const settings = ((isOptions(y) ? y : options) ?? {}) as FitOptions;
    const targets = isOptions(y) ? undefined : (y as DataStructure | undefined);
    const run = atEntry(this.fit, () => this.prepareFit(x, targets, settings));
    return run();
  }

  /** Checks everything and converts the data; what it gives back trains. */
  private prepareFit(x: DataInput, y: DataStructure | undefined, options: FitOptions): () => Promise<History> {
    const trainer = this.trainer("fit");
    checkFitOptions(options);
    const { epochs = 1, initialEpoch = 0, verbose = "auto", validationFreq = 1 } = options;
    const { training, validation } = fitData(x, y, options, this.dataRules);
    this.rehearse("fit", training);
    if (validation) this.rehearse("validationData", validation);
    const feeder = this.feeder("fit", training, options.stepsPerEpoch);
    const callbacks = new CallbackList(asList(options.callbacks), {
      addHistory: true,
      addProgbar: verbose !== 0,
      model: this as unknown as AnyModel,
      params: { verbose, epochs, steps: feeder.steps ?? null },
    });
    const due = (epoch: number): boolean =>
      typeof validationFreq === "number" ? epoch % validationFreq === 0 : validationFreq.includes(epoch);
    return async () => {
      this.stopTraining = false;
      this.interrupted = false;
      this.resumePoint = undefined;
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
          resume: () => this.resumePoint,
        });
        history.interrupted = interrupted;
      } finally {
        callbacks.abandon();
      }
      return history;
    };
  }

  /** Loss and metrics over data, in the order of `metricsNames`, or by name with `returnDict`. */
  async evaluate(
    x: DataInput,
    y?: DataStructure,
    options?: EvaluateOptions & { returnDict?: false },
  ): Promise<number[]>;
  async evaluate(
    x: DataInput,
    y: DataStructure | undefined,
    options: EvaluateOptions & { returnDict: true },
  ): Promise<Logs>;
  async evaluate(x: DataInput, y?: DataStructure, options: EvaluateOptions = {}): Promise<number[] | Logs> {
    const settings = (isOptions(y) ? y : options) as EvaluateOptions;
    const run = atEntry(this.evaluate as () => unknown, () =>
      this.prepareEvaluation(x, isOptions(y) ? undefined : y, settings),
    );
    await run();
    return this.results(settings.returnDict ?? false);
  }

  private prepareEvaluation(x: DataInput, y: DataStructure | undefined, options: EvaluateOptions): () => Promise<void> {
    const trainer = this.trainer("evaluate");
    checkOptions("evaluate", options, ["batchSize", "verbose", "sampleWeight", "steps", "callbacks", "returnDict"]);
    const verbose = checkVerbose("evaluate", options.verbose);
    const data = dataFor("evaluate", x, y, { ...options, ...this.dataRules });
    this.rehearse("evaluate", data);
    const feeder = this.feeder("evaluate", data, options.steps);
    const callbacks = new CallbackList(asList(options.callbacks), {
      addProgbar: verbose !== 0,
      model: this as unknown as AnyModel,
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
  async predict(x: DataInput, options: PredictOptions = {}): Promise<Out> {
    checkOptions("predict", options, ["batchSize", "verbose", "steps", "callbacks"]);
    const verbose = checkVerbose("predict", options.verbose);
    const data = dataFor("predict", x, undefined, { ...options, counts: this.counts }, false);
    const trainer = this.predictor;
    const feeder = this.feeder("predict", data, options.steps);
    const callbacks = new CallbackList(asList(options.callbacks), {
      addProgbar: verbose !== 0,
      model: this as unknown as AnyModel,
      params: { verbose, epochs: 1, steps: feeder.steps ?? null },
    });
    if (data.examples && !this.built && this.callable) {
      buildLayer(this.asSteps, mapStructure<Tensor, BatchShape>(data.examples.x, batchShape) as never);
    }
    const parts: TensorStructure[] = [];
    const breather = new Breather();
    await callbacks.predictBegin();
    let step = 0;
    for await (const batch of feeder.epoch()) {
      await callbacks.predictBatchBegin(step);
      const output = trainer.predictBatch(batch);
      computeNow(...leavesOf<Tensor>(output));
      parts.push(output);
      await callbacks.predictBatchEnd(step++);
      await breather.pause();
    }
    await callbacks.predictEnd();
    return joinBatches(parts) as Out;
  }

  // ---- single batches ----

  /** One step on one batch; loss and metrics of this batch alone. */
  async trainOnBatch(x: DataStructure, y?: DataStructure, options: BatchOptions = {}): Promise<number[]> {
    return this.onBatch("trainOnBatch", x, y, options, (trainer, batch) => trainer.trainBatch(batch));
  }
  /** Loss and metrics of one batch. */
  async testOnBatch(x: DataStructure, y?: DataStructure, options: BatchOptions = {}): Promise<number[]> {
    return this.onBatch("testOnBatch", x, y, options, (trainer, batch) => trainer.testBatch(batch));
  }
  private onBatch(
    operation: string,
    x: DataStructure,
    y: DataStructure | undefined,
    options: BatchOptions,
    run: (trainer: Trainer, batch: Batch) => void,
  ): number[] {
    checkOptions(operation, options, ["sampleWeight", "classWeight"]);
    const trainer = this.trainer(operation);
    const examples = convertExamples(operation, x, y, { ...options, counts: this.counts });
    const batch = { examples, size: countExamples(operation, examples) };
    if (this.rehearses) trainer.rehearse(operation, batch);
    trainer.resetMetrics();
    run(trainer, batch);
    return this.results(false) as number[];
  }
  /** The output for one batch. */
  async predictOnBatch(x: DataStructure): Promise<Out> {
    const examples = convertExamples("predictOnBatch", x, undefined, { counts: this.counts });
    const trainer = this.predictor;
    const output = trainer.predictBatch({ examples, size: countExamples("predictOnBatch", examples) });
    computeNow(...leavesOf<Tensor>(output));
    return output as Out;
  }
  private results(byName: boolean): number[] | Logs {
    const results = this.trainer("evaluate").results();
    return byName ? Object.fromEntries(results) : results.map(([, value]) => value);
  }

  /** How data is checked: class numbers against the outputs that have a loss over them. */
  private get dataRules(): { readonly labels: LabelRules; readonly counts: ExampleCounts } {
    const { counts, state } = this;
    const labels: LabelRules = (key, position) => {
      if (!state?.losses.sparse(key, position) || !this.built || !this.knowsOutputShape) return {};
      const shapes: unknown = this.outputShape;
      const named = typeof key === "string" && isRecord(shapes) && Object.hasOwn(shapes, key);
      const index = typeof key === "string" ? (this.outputNames?.indexOf(key) ?? -1) : position;
      const shape = named ? (shapes[key] as BatchShape) : shapesIn(shapes as BatchShape).at(index);
      const classes = shape?.at(-1);
      return typeof classes === "number" ? { classes } : {};
    };
    return { labels, counts };
  }
  private get rehearses(): boolean {
    return this.callable || !this.ownSteps;
  }
  private rehearse(operation: string, { examples }: Data): void {
    if (!examples || !this.rehearses) return;
    this.trainer(operation).rehearse(operation, { examples, size: countExamples(operation, examples) });
  }
  private feeder(operation: string, data: Data, steps: number | null | undefined): EpochFeeder {
    return new EpochFeeder(data.source, steps ?? undefined, (message) => console.warn(`${operation}: ${message}`));
  }
}
