/** Models read from files and from JSON: docs/model-format.md. */
import { ArgumentError, DataError } from "../errors.ts";
import { type ModelArchive, readModelArchive } from "../interop/index.ts";
import { CompiledState } from "./compile.ts";
import type { Config } from "./config.ts";
import { assignSaved } from "./saving.ts";
import { Sequential } from "./sequential.ts";
import { fromKerasConfig, registerModel } from "./serialization.ts";

registerModel("Sequential", (config) => Sequential.fromConfig(config));

/**
 * Reads a model that `model.save` wrote: architecture, weights, and (unless `compile` is false) loss, metrics, optimizer and its state, so that
 * training goes on as if it had not stopped.
 */
export function loadModel(path: string, options: { readonly compile?: boolean } = {}): Sequential {
  const archive = readModelArchive(path);
  const model = modelFromArchive(path, archive);
  assignSaved(path, "weights", model.weights, archive.weights);
  if (archive.training === undefined || options.compile === false) return model;
  model.compile(CompiledState.fromConfig(fromKerasConfig(archive.training as Config) as Config));
  if (archive.optimizer) {
    model.optimizer.build(model.trainableWeights);
    assignSaved(path, "optimizer variables", model.optimizer.variables, archive.optimizer);
  }
  return model;
}

function modelFromArchive(path: string, archive: ModelArchive): Sequential {
  if (archive.architecture === undefined) {
    throw new DataError(`${path}: holds weights only; build the model and use model.loadWeights.`);
  }
  return modelFromJson(archive.architecture as Config);
}

/** A model from what `toJSON` gave (or its text), with new weights. */
export function modelFromJson(json: Config | string): Sequential {
  const parsed = (typeof json === "string" ? JSON.parse(json) : json) as Config;
  if (parsed.class_name !== "Sequential") {
    throw new ArgumentError(`modelFromJson: expected a Sequential model, received ${String(parsed.class_name)}.`);
  }
  return Sequential.fromConfig(fromKerasConfig(parsed.config) as Config);
}
