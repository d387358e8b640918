import { ArgumentError } from "../errors.ts";
import { sumOfLosses } from "../nn/regularizers.ts";
import { collectUpdates, recordUpdate } from "../nn/updates.ts";
import { assignAll, gradients, isGradEnabled, noGrad, type Tensor } from "../tensor/index.ts";
import type { ExampleCounts } from "../train/batches.ts";
import { CompiledState, type CompileOptions } from "./compile.ts";
import { type AnyLayer, type CallOptions, heldBy, Layer } from "./layer.ts";
import { Metric } from "./metrics.ts";
import type { Optimizer } from "./optimizers.ts";
import { leavesOf, type TensorStructure } from "./structure.ts";
import { type StepData, type StepLogs, type Steps, Trainer } from "./trainer.ts";

/** The part of a model that says what a step is: compile, loss, metrics, and the steps that a subclass may replace. */
export abstract class SteppingLayer<
  In extends TensorStructure = Tensor,
  Out extends TensorStructure = Tensor,
  Options extends CallOptions<In> = CallOptions<In>,
> extends Layer<In, Out, Options> {
  protected state: CompiledState | undefined;
  private steps: Trainer | undefined;

  /** The layers inside, in order. */
  get layers(): readonly AnyLayer[] {
    return this.nestedLayers;
  }
  /** Names of the outputs where the model knows them. */
  get outputNames(): readonly string[] | undefined {
    return undefined;
  }
  /** Numbers of inputs and outputs. */
  protected get counts(): ExampleCounts {
    return { inputs: 1, outputs: 1 };
  }
  /** Whether the output's shape is known without a dry run. */
  protected get knowsOutputShape(): boolean {
    return this.computeOutputShape !== Layer.prototype.computeOutputShape;
  }
  /** Whether the model itself can be called; one whose step calls its parts need not. */
  protected get callable(): boolean {
    return true;
  }
  protected get asSteps(): Steps {
    return this as unknown as Steps;
  }

  // ---- compile ----

  /**
   * Says how to train. With several outputs, `loss`, `lossWeights`, `metrics` and `weightedMetrics` take an entry for each, in a list or by name.
   *
   * @example
   * ```ts
   * model.compile({ optimizer: "sgd", loss: "categorical_crossentropy", metrics: ["accuracy"] });
   * ```
   */
  compile(options: CompileOptions = {}): void {
    this.state = new CompiledState(options, () => this.outputNames);
    this.steps = new Trainer(this.asSteps, this.state);
  }
  get compiled(): boolean {
    return this.state !== undefined;
  }
  /** @internal */
  compiledState(operation: string): CompiledState {
    if (!this.state) throw new ArgumentError(`${operation}: the model is not compiled; call model.compile(…) first.`);
    return this.state;
  }
  protected trainer(operation: string): Trainer {
    this.compiledState(operation);
    return this.steps as Trainer;
  }
  /** What predicts: without `compile` too. */
  protected get predictor(): Trainer {
    return this.steps ?? new Trainer(this.asSteps, new CompiledState({}));
  }
  get optimizer(): Optimizer {
    return this.compiledState("optimizer").optimizer;
  }
  /** The metrics of `compile`, the loss first, then those that the model holds as properties. They start anew every epoch. */
  get metrics(): Metric[] {
    return [...(this.state?.metrics ?? []), ...this.ownMetrics];
  }
  private get ownMetrics(): readonly Metric[] {
    return heldBy(this, Metric);
  }
  get metricsNames(): string[] {
    return this.metrics.map((metric) => metric.name);
  }

  // ---- steps ----

  /**
   * One training step on [x, y, sampleWeight]: forward, loss, gradients, update, metrics. A subclass may replace it; it returns what the logs
   * show: metrics, scalars or numbers by name. The step is traced and replayed like the built-in one, unless it reads values.
   *
   * @example
   * ```ts
   * class Net extends Sequential {
   *   override trainStep([x, y]: StepData<Tensor>) {
   *     const predictions = this.call(x, { training: true });
   *     const loss = this.computeLoss(x, y, predictions);
   *     this.optimizer.apply(gradients(loss, this.trainableVariables), this.trainableVariables);
   *     return { ...this.computeMetrics(x, y, predictions), loss };
   *   }
   * }
   * ```
   */
  trainStep([x, y, sampleWeight]: StepData<In>): StepLogs {
    const state = this.compiledState("fit");
    const { result, updates } = collectUpdates(() => {
      const predictions = this.invoke(x, { training: true } as Options) as Out;
      return { predictions, loss: this.computeLoss(x, y, predictions, sampleWeight, true) };
    });
    const { predictions, loss } = result;
    const counts = noGrad(() => [
      ...state.lossAssignments(loss.detach(), batchSize(x)),
      ...state.metricAssignments(y, predictions, sampleWeight),
    ]);
    const weights = this.trainableWeights;
    const slopes = weights.length > 0 ? gradients(loss, weights) : [];
    const changes = weights.length > 0 ? noGrad(() => state.optimizer.assignments(slopes, weights)) : [];
    assignAll([...changes, ...updates, ...counts]);
    return this.metricLogs();
  }
  /** One step of evaluation on [x, y, sampleWeight]: forward, loss, metrics. A subclass may replace it. */
  testStep([x, y, sampleWeight]: StepData<In>): StepLogs {
    const state = this.compiledState("evaluate");
    const predictions = this.invoke(x, { training: false } as Options) as Out;
    const loss = this.computeLoss(x, y, predictions, sampleWeight, false);
    for (const [variable, value] of [
      ...state.lossAssignments(loss, batchSize(x)),
      ...state.metricAssignments(y, predictions, sampleWeight),
    ]) {
      recordUpdate(variable, value);
    }
    return this.metricLogs();
  }
  /** The outputs for one batch. A subclass may replace it. */
  predictStep([x]: StepData<In>): Out {
    return this.invoke(x, { training: false } as Options) as Out;
  }

  /** The losses of `compile` and everything in `losses`, added. A subclass may replace it. */
  computeLoss(
    _x: In,
    y: TensorStructure | undefined,
    predictions: Out,
    sampleWeight?: TensorStructure | undefined,
    _training = true,
  ): Tensor {
    const main = this.compiledState("computeLoss").computeLoss(y, predictions, sampleWeight);
    const others = this.losses;
    const total = main && others.length === 0 ? main : sumOfLosses(main ? [main, ...others] : others);
    if (!total) throw new ArgumentError("no loss to compute: pass a `loss` to compile().");
    return isGradEnabled() ? total.keep() : total;
  }
  /** Counts a batch in the metrics of `compile` and gives all metrics by name, for a step to return. */
  computeMetrics(
    _x: In,
    y: TensorStructure | undefined,
    predictions: Out,
    sampleWeight?: TensorStructure | undefined,
  ): StepLogs {
    const state = this.compiledState("computeMetrics");
    const counts = noGrad(() => state.metricAssignments(y, predictions, sampleWeight));
    for (const [variable, value] of counts) recordUpdate(variable, value);
    return this.metricLogs();
  }
  private metricLogs(): Readonly<Record<string, Metric>> {
    const own = this.ownMetrics.map((metric): [string, Metric] => [metric.name, metric]);
    return Object.fromEntries([...(this.state?.named() ?? []), ...own]);
  }
  /** Starts the averages of all metrics anew. */
  resetMetrics(): void {
    this.state?.reset();
    for (const metric of this.ownMetrics) metric.resetState();
  }
  /** @internal */
  get ownSteps(): boolean {
    return this.trainStep !== SteppingLayer.prototype.trainStep;
  }
}

const batchSize = (x: TensorStructure): number => leavesOf<Tensor>(x)[0].shape[0];
