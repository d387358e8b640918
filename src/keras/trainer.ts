import { ArgumentError, GradientError } from "../errors.ts";
import { collectUpdates, discardUpdates } from "../nn/updates.ts";
import {
  assignAll,
  type CompiledResult,
  compile as compileProgram,
  engine,
  noGrad,
  Tensor,
  type Variable,
} from "../tensor/index.ts";
import type { Examples } from "../train/arrays.ts";
import { type Batch, batchExamples } from "../train/batches.ts";
import type { Logs, Trainable } from "../train/loop.ts";
import type { CompiledState } from "./compile.ts";
import { checkInputs } from "./fit-options.ts";
import type { AnyLayer } from "./layer.ts";
import type { Metric } from "./metrics.ts";
import { leavesOf, packLike, type ShapeStructure, shapesIn, structureKey, type TensorStructure } from "./structure.ts";
import { callLayer } from "./symbolic.ts";

/** What a step of the user's own returns: metrics (read when somebody looks), scalars, numbers. */
export type StepLogs = Readonly<Record<string, Metric | Tensor | number>>;
/** What a step gets: inputs, targets and weights of examples, as `fit` was given them. */
export type StepData<In = TensorStructure> = readonly [
  x: In,
  y: TensorStructure | undefined,
  sampleWeight: TensorStructure | undefined,
];

type Kind = "train" | "test" | "predict";

/** What the steps of a model do; `Model` implements it. */
export interface Steps extends AnyLayer {
  readonly layers: readonly AnyLayer[];
  /** Whether the training step is the user's own. */
  readonly ownSteps: boolean;
  trainStep(data: StepData<never>): StepLogs;
  testStep(data: StepData<never>): StepLogs;
  predictStep(data: StepData<never>): TensorStructure;
  computeLoss(
    x: never,
    y: TensorStructure | undefined,
    predictions: TensorStructure,
    sampleWeight: TensorStructure | undefined,
    training: boolean,
  ): Tensor;
  resetMetrics(): void;
}

type Outcome = TensorStructure | StepLogs;
type Program = (...tensors: Tensor[]) => CompiledResult;
interface Traced {
  readonly program: Program;
  /** What a step returned besides tensors: the same at every replay. */
  fixed: Readonly<Record<string, Metric | number>>;
}

/**
 * Steps of a compiled model: each is one program and one call into it. A step is traced once for each shape of batch and state of freezing, and
 * then replayed without building a graph; with `runEagerly`, in debug mode, and where a step of the user's own reads values, it is built anew
 * every time.
 */
export class Trainer implements Trainable {
  private readonly model: Steps;
  private readonly state: CompiledState;
  private readonly programs = new Map<string, Traced>();
  /** Kinds of steps that read values while they run. */
  private readonly lazy = new Set<Kind>();
  private logs: StepLogs = {};
  private parts: { readonly weights: readonly Variable[]; readonly layers: readonly AnyLayer[] } | undefined;

  constructor(model: Steps, state: CompiledState) {
    this.model = model;
    this.state = state;
  }

  /** Forward, loss, gradients, the optimizer's update, running statistics and metrics. */
  trainBatch(batch: Batch): void {
    this.logs = this.run("train", batch) as StepLogs;
  }
  /** Forward, loss and metrics. */
  testBatch(batch: Batch): void {
    this.logs = this.run("test", batch) as StepLogs;
  }
  /** The model's output for a batch. */
  predictBatch(batch: Batch): TensorStructure {
    return this.run("predict", batch) as TensorStructure;
  }

  private run(kind: Kind, batch: Batch): Outcome {
    if (this.state.runEagerly || engine.debugging || this.lazy.has(kind)) {
      return this.step(kind, batchExamples(batch));
    }
    const { x, y, sampleWeight } = batch.examples;
    const parts = kind === "predict" ? [x] : [x, y, sampleWeight];
    const key = [kind, ...parts.map(structureKey), batch.rows ? "rows" : "", this.structure()].join("|");
    const tensors = parts.flatMap((part) => (part === undefined ? [] : leavesOf<Tensor>(part)));
    if (batch.rows) tensors.push(batch.rows);
    const traced = this.programs.get(key) ?? this.prepare(kind, batch);
    let result: CompiledResult;
    try {
      result = traced.program(...tensors);
    } catch (error) {
      // A step that reads values cannot be replayed: it runs as it is written, from now on.
      if (!(error instanceof GradientError && /read inside a compiled function/.test(error.message))) throw error;
      this.lazy.add(kind);
      return this.step(kind, batchExamples(batch));
    }
    this.programs.set(key, traced);
    if (kind === "predict") return result as TensorStructure;
    return { ...traced.fixed, ...(result as Readonly<Record<string, Tensor>>) };
  }

  /** A step over placeholders, which `compile` traces and replays. */
  private prepare(kind: Kind, { examples, rows }: Batch): Traced {
    const traced: Traced = {
      fixed: {},
      program: compileProgram((...given: Tensor[]) => {
        const take = (part: TensorStructure | undefined): TensorStructure | undefined =>
          part === undefined ? undefined : packLike<Tensor>(part, given.splice(0, leavesOf<Tensor>(part).length));
        const x = take(examples.x) as TensorStructure;
        const others = kind === "predict" ? {} : { y: take(examples.y), sampleWeight: take(examples.sampleWeight) };
        const whole = { examples: { x, ...others }, rows: rows && given[0], size: 0 };
        const outcome = this.step(kind, batchExamples(whole));
        if (kind === "predict") return outcome as CompiledResult;
        const entries = Object.entries(outcome as StepLogs);
        traced.fixed = Object.fromEntries(
          entries.filter((entry): entry is [string, Metric | number] => !(entry[1] instanceof Tensor)),
        );
        return Object.fromEntries(entries.filter(([, value]) => value instanceof Tensor)) as CompiledResult;
      }) as Program,
    };
    return traced;
  }

  /** What a trace depends on besides shapes: which weights and layers learn. Which there are is looked up once an epoch. */
  private structure(): string {
    if (!this.parts || !this.model.built) this.parts = { weights: this.model.weights, layers: this.model.layers };
    let flags = "";
    for (const { trainable } of this.parts.weights) flags += trainable ? "1" : "0";
    flags += "/";
    for (const { trainable } of this.parts.layers) flags += trainable ? "1" : "0";
    return flags;
  }

  private step(kind: Kind, { x, y, sampleWeight }: Examples): Outcome {
    const { model } = this;
    const data = [x, y, sampleWeight] as unknown as StepData<never>;
    if (kind === "predict") return noGrad(() => model.predictStep(data));
    const { result, updates } = collectUpdates(() =>
      kind === "train" ? model.trainStep(data) : noGrad(() => model.testStep(data)),
    );
    if (updates.length > 0) assignAll(updates);
    return result;
  }

  /**
   * Builds the model and goes through the shapes of a batch without computing anything, so that mistakes show before training starts.
   */
  rehearse(operation: string, batch: Batch): void {
    const { model, state } = this;
    const { x } = batch.examples;
    if (x instanceof Tensor) {
      checkInputs(
        operation,
        `model "${model.name}"`,
        x,
        model.built ? shapesIn(model.inputShape as ShapeStructure)[0] : undefined,
      );
    }
    noGrad(() =>
      discardUpdates(() => {
        const examples = batchExamples(batch);
        const predictions = callLayer(model, examples.x, { training: false });
        const { y, sampleWeight } = examples;
        if (state.losses.present || !model.ownSteps) {
          const loss = model.computeLoss(examples.x as never, y, predictions, sampleWeight, false);
          if (loss.rank !== 0) {
            throw new ArgumentError(
              `${operation}: the loss must be a scalar; its reduction cannot be "none" in compile().`,
            );
          }
        }
        state.metricAssignments(y, predictions, sampleWeight);
      }),
    );
    model.clearLosses();
  }

  resetMetrics(): void {
    this.parts = undefined;
    this.model.resetMetrics();
  }
  /** The metrics by name, in alphabetical order as Keras shows them. */
  readLogs(): Logs {
    return Object.fromEntries(this.results().sort(([left], [right]) => (left < right ? -1 : 1)));
  }
  /** What the last step returned, read; metrics in the order in which `evaluate` lists them. */
  results(): [name: string, value: number][] {
    return Object.entries(this.logs).flatMap(([name, value]): [string, number][] => {
      if (typeof value === "number") return [[name, value]];
      if (value instanceof Tensor) return [[name, value.item()]];
      const result = value.result();
      if (typeof result === "number") return [[name, result]];
      return result.map((part, index): [string, number] => [`${name}_${index}`, part]);
    });
  }
}
