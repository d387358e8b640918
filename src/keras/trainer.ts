import { ArgumentError } from "../errors.ts";
import { collectUpdates, discardUpdates } from "../nn/updates.ts";
import { assignAll, compile as compileProgram, engine, gradients, noGrad, type Tensor } from "../tensor/index.ts";
import type { Examples } from "../train/arrays.ts";
import { type Batch, batchExamples } from "../train/batches.ts";
import type { Logs, Trainable } from "../train/loop.ts";
import type { CompiledState } from "./compile.ts";
import { checkInputs } from "./fit-options.ts";
import type { Model } from "./model.ts";

type Kind = "train" | "test" | "predict";
type StepFunction = (...tensors: Tensor[]) => Tensor | undefined;

/**
 * Steps of a compiled model: each is one program and one call into it. A step is traced once for each shape of batch and state of freezing, and
 * then replayed without building a graph; with `runEagerly`, and in debug mode, it is built anew every time.
 */
export class Trainer implements Trainable {
  private readonly model: Model;
  private readonly state: CompiledState;
  private readonly programs = new Map<string, StepFunction>();

  constructor(model: Model, state: CompiledState) {
    this.model = model;
    this.state = state;
  }

  /** Forward, loss, gradients, the optimizer's update, running statistics and metrics. */
  trainBatch(batch: Batch): void {
    this.run("train", batch);
  }
  /** Forward, loss and metrics. */
  testBatch(batch: Batch): void {
    this.run("test", batch);
  }
  /** The model's output for a batch. */
  predictBatch(batch: Batch): Tensor {
    return this.run("predict", batch) as Tensor;
  }

  private run(kind: Kind, batch: Batch): Tensor | undefined {
    if (this.state.runEagerly || engine.debugging) return this.step(kind, batchExamples(batch));
    const { x, y, sampleWeight } = batch.examples;
    const present = kind === "predict" ? [] : [y, sampleWeight];
    const tensors = [x, ...present, batch.rows].filter((tensor) => tensor !== undefined);
    const key = [kind, ...[...present, batch.rows].map((tensor) => (tensor ? 1 : 0)), this.structure()].join();
    let program = this.programs.get(key);
    if (!program) {
      program = compileProgram((...given: Tensor[]) => {
        const next = (wanted: unknown) => (wanted ? given.shift() : undefined);
        const examples = { x: given.shift() as Tensor, y: next(present[0]), sampleWeight: next(present[1]) };
        return this.step(kind, batchExamples({ examples, rows: next(batch.rows), size: 0 }));
      });
      this.programs.set(key, program);
    }
    return program(...tensors);
  }

  /** What a trace depends on besides shapes: which weights and layers learn. */
  private structure(): string {
    const flags = (list: readonly { trainable: boolean }[]) =>
      list.map(({ trainable }) => (trainable ? 1 : 0)).join("");
    return `${flags(this.model.weights)}/${flags(this.model.layers)}`;
  }

  private step(kind: Kind, { x, y, sampleWeight }: Examples): Tensor | undefined {
    const { model, state } = this;
    if (kind === "predict") return noGrad(() => model(x, { training: false }));
    const size = x.shape[0];
    if (kind === "test") {
      noGrad(() => {
        const prediction = model(x, { training: false });
        const loss = state.computeLoss(y, prediction, sampleWeight);
        assignAll(state.metricAssignments(loss, size, y, prediction, sampleWeight));
      });
      return undefined;
    }
    const { result, updates } = collectUpdates(() => {
      const prediction = model(x, { training: true });
      return { prediction, loss: state.computeLoss(y, prediction, sampleWeight) };
    });
    const { prediction, loss } = result;
    const metrics = noGrad(() => state.metricAssignments(loss.detach(), size, y, prediction, sampleWeight));
    const weights = model.trainableWeights;
    const slopes = weights.length > 0 ? gradients(loss, weights) : [];
    const changes = weights.length > 0 ? noGrad(() => state.optimizer.assignments(slopes, weights)) : [];
    assignAll([...changes, ...updates, ...metrics]);
    return undefined;
  }

  /**
   * Builds the model and goes through the shapes of a batch without computing anything, so that mistakes show before training starts.
   */
  rehearse(operation: string, batch: Batch): void {
    const { model, state } = this;
    checkInputs(operation, `model "${model.name}"`, batch.examples.x, model.built ? model.inputShape : undefined);
    noGrad(() =>
      discardUpdates(() => {
        const { x, y, sampleWeight } = batchExamples(batch);
        const prediction = model(x, { training: false });
        const loss = state.computeLoss(y, prediction, sampleWeight);
        if (loss.rank !== 0) {
          throw new ArgumentError(
            `${operation}: the loss must be a scalar; its reduction cannot be "none" in compile().`,
          );
        }
        state.metricAssignments(loss, batch.size, y, prediction, sampleWeight);
      }),
    );
  }

  resetMetrics(): void {
    this.state.reset();
  }
  /** The metrics by name, in alphabetical order as Keras shows them. */
  readLogs(): Logs {
    return Object.fromEntries(this.state.results().sort(([left], [right]) => (left < right ? -1 : 1)));
  }
}
