/** Models in files: docs/model-format.md. */
import { ArgumentError, DataError } from "../errors.ts";
import { formatShape, sameShape } from "../graph/shape.ts";
import { type JsonValue, type NamedTensor, readModelArchive, writeModelArchive } from "../interop/index.ts";
import { tensorView, type Variable } from "../tensor/index.ts";
import type { AnyModel } from "./model.ts";
import { toKerasConfig } from "./serialization.ts";

function named(variables: readonly Variable[]): NamedTensor[] {
  return variables.map((variable) => ({
    name: variable.name,
    dtype: variable.dtype,
    shape: variable.shape,
    data: variable.dataSync(),
  }));
}

function requireBuilt(model: AnyModel, operation: string): void {
  if (model.built) return;
  throw new ArgumentError(
    `${operation}: model "${model.name}" is not built yet; call it, fit it, or give its first layer an inputShape.`,
  );
}

/** Architecture, weights, what `compile` was given and the optimizer's state. */
export function saveModel(model: AnyModel, path: string): void {
  requireBuilt(model, "save");
  const training = model.compiled ? model.compiledState("save") : undefined;
  writeModelArchive(path, {
    architecture: model.toJSON() as JsonValue,
    ...(training && {
      training: toKerasConfig(training.getConfig()) as JsonValue,
      ...(training.optimizer.built && { optimizer: named(training.optimizer.variables) }),
    }),
    weights: named(model.weights),
  });
}

export function saveWeightsOf(model: AnyModel, path: string): void {
  requireBuilt(model, "saveWeights");
  writeModelArchive(path, { weights: named(model.weights) });
}

/** Whether saved values fit variables: number, shapes, dtypes. */
export function checkSaved(
  path: string,
  what: string,
  variables: readonly Variable[],
  saved: readonly NamedTensor[],
): void {
  if (variables.length !== saved.length) {
    throw new DataError(`${path}: holds ${saved.length} ${what}, the model has ${variables.length}.`);
  }
  variables.forEach((variable, index) => {
    const { name, shape, dtype } = saved[index];
    if (sameShape(shape, variable.shape) && dtype === variable.dtype) return;
    throw new DataError(
      `${path}: ${name} has shape ${formatShape(shape)} and dtype ${dtype}, the model's ${variable.name} ` +
        `${formatShape(variable.shape)} and ${variable.dtype}.`,
    );
  });
}

/** Gives variables the saved values; everything is checked before the first is changed. */
export function assignSaved(
  path: string,
  what: string,
  variables: readonly Variable[],
  saved: readonly NamedTensor[],
): void {
  checkSaved(path, what, variables, saved);
  variables.forEach((variable, index) => {
    const { data, shape, dtype } = saved[index];
    variable.assign(tensorView(data, shape, dtype));
  });
}

export function loadWeightsInto(model: AnyModel, path: string): void {
  requireBuilt(model, "loadWeights");
  assignSaved(path, "weights", model.weights, readModelArchive(path).weights);
}
