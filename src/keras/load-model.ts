/** Models read from files and from JSON: docs/model-format.md. */
import { ArgumentError, DataError } from "../errors.ts";
import { type ModelArchive, readModelArchive } from "../interop/index.ts";
import { CompiledState } from "./compile.ts";
import type { Config } from "./config.ts";
import { type CustomObjects, customObjectScope } from "./custom-objects.ts";
import { graphFromConfig } from "./functional-config.ts";
import { type AnyModel, Model } from "./model.ts";
import { assignSaved, checkSaved } from "./saving.ts";
import { Sequential } from "./sequential.ts";
import { deserializeLayer, fromKerasConfig, registerModel } from "./serialization.ts";

registerModel("Sequential", (config) => Sequential.fromConfig(config) as never);
registerModel("Functional", (config) => functionalFromConfig(config) as never);

/** A functional model from what `getConfig` gave, with new weights. */
function functionalFromConfig(config: Config): Model {
  const { inputs, outputs } = graphFromConfig(config, deserializeLayer);
  const model = new Model({ inputs, outputs, name: config.name as string });
  if (config.trainable === false) model.trainable = false;
  return model as unknown as Model;
}

export interface LoadModelOptions {
  /** Classes of one's own that the model holds, by name, besides those that are registered. */
  readonly customObjects?: CustomObjects;
  /** Whether loss, metrics and optimizer are restored; true by default. */
  readonly compile?: boolean;
}

/**
 * Reads a model that `model.save` wrote: architecture, weights, and (unless `compile` is false) loss, metrics, optimizer and its state, so that
 * training goes on as if it had not stopped. The type of the model is the caller's to say: `loadModel<Sequential>(path)`.
 */
export function loadModel<Loaded = Model>(path: string, options: LoadModelOptions = {}): Loaded {
  return customObjectScope(options.customObjects, () => {
    const archive = readModelArchive(path);
    const model = modelFromArchive(path, archive);
    checkSaved(path, "weights", model.weights, archive.weights);
    if (archive.training !== undefined && options.compile !== false) {
      model.compile(CompiledState.fromConfig(fromKerasConfig(archive.training as Config) as Config));
      if (archive.optimizer) {
        model.optimizer.build(model.trainableWeights);
        assignSaved(path, "optimizer variables", model.optimizer.variables, archive.optimizer);
      }
    }
    assignSaved(path, "weights", model.weights, archive.weights);
    return model as Loaded;
  });
}

function modelFromArchive(path: string, archive: ModelArchive): AnyModel {
  if (archive.architecture === undefined) {
    throw new DataError(`${path}: holds weights only; build the model and use model.loadWeights.`);
  }
  return modelFromJson<AnyModel>(archive.architecture as Config);
}

/** A model from what `toJSON` gave (or its text), with new weights. */
export function modelFromJson<Loaded = Model>(
  json: Config | string,
  options: { readonly customObjects?: CustomObjects } = {},
): Loaded {
  let parsed: Config;
  try {
    parsed = (typeof json === "string" ? JSON.parse(json) : json) as Config;
  } catch (cause) {
    throw new DataError("modelFromJson: the text is not JSON.", { cause });
  }
  return customObjectScope(options.customObjects, () => {
    const model = deserializeLayer(fromKerasConfig(parsed) as Config) as unknown;
    if (model instanceof Model) return model as Loaded;
    throw new ArgumentError(`modelFromJson: expected a model, received ${String(parsed.class_name)}.`);
  });
}
