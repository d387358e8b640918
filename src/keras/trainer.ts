import { ArgumentError } from "../errors.ts";
import { collectUpdates, discardUpdates } from "../nn/updates.ts";
import { assignAll, gradients, noGrad, type Tensor } from "../tensor/index.ts";
import { type Batch, batchExamples } from "../train/batches.ts";
import type { Logs, Trainable } from "../train/loop.ts";
import type { CompiledState } from "./compile.ts";
import { checkInputs } from "./fit-options.ts";
import type { Model } from "./model.ts";

/** Steps of a compiled model: each is one program and one call into it. */
export class Trainer implements Trainable {
  private readonly model: Model;
  private readonly state: CompiledState;

  constructor(model: Model, state: CompiledState) {
    this.model = model;
    this.state = state;
  }

  /** Forward, loss, gradients, the optimizer's update, running statistics and metrics. */
  trainBatch(batch: Batch): void {
    const { model, state } = this;
    const { x, y, sampleWeight } = batchExamples(batch);
    const { result, updates } = collectUpdates(() => {
      const prediction = model(x, { training: true });
      return { prediction, loss: state.computeLoss(y, prediction, sampleWeight) };
    });
    const { prediction, loss } = result;
    const metrics = noGrad(() => state.metricAssignments(loss.detach(), batch.size, y, prediction, sampleWeight));
    const weights = model.trainableWeights;
    if (weights.length === 0) {
      assignAll([...updates, ...metrics]);
      return;
    }
    const slopes = gradients(loss, weights);
    const changes = noGrad(() => state.optimizer.assignments(slopes, weights));
    assignAll([...changes, ...updates, ...metrics]);
  }

  /** Forward, loss and metrics. */
  testBatch(batch: Batch): void {
    const { model, state } = this;
    noGrad(() => {
      const { x, y, sampleWeight } = batchExamples(batch);
      const prediction = model(x, { training: false });
      const loss = state.computeLoss(y, prediction, sampleWeight);
      assignAll(state.metricAssignments(loss, batch.size, y, prediction, sampleWeight));
    });
  }

  /** The model's output for a batch. */
  predictBatch(batch: Batch): Tensor {
    return noGrad(() => this.model(batchExamples(batch).x, { training: false }));
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
