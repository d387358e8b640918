/** Layers as plain data and back; and the same data in the spelling of Keras' own JSON. */
import { ArgumentError } from "../errors.ts";
import type { Config, ConfigValue } from "./config.ts";
import type { InitializerLike } from "./initializers.ts";
import * as initializers from "./initializers.ts";
import type { Layer } from "./layer.ts";
import * as layers from "./layers/index.ts";
import { fromKerasKey, toKerasKey } from "./naming.ts";
import { lookUp } from "./options.ts";

/** Arguments that come before the options, by class. */
const positional: Readonly<Record<string, readonly string[]>> = {
  Dense: ["units"],
  Conv2D: ["filters", "kernelSize"],
  DepthwiseConv2D: ["kernelSize"],
  Dropout: ["rate"],
  Reshape: ["targetShape"],
  Activation: ["activation"],
};

type LayerClass = new (...args: never[]) => Layer;
const classes: Readonly<Record<string, LayerClass>> = {
  InputLayer: layers.InputLayer,
  Dense: layers.Dense,
  Flatten: layers.Flatten,
  Reshape: layers.Reshape,
  Dropout: layers.Dropout,
  Activation: layers.Activation,
  ReLU: layers.ReLU,
  LeakyReLU: layers.LeakyReLU,
  Softmax: layers.Softmax,
  Conv2D: layers.Conv2D,
  DepthwiseConv2D: layers.DepthwiseConv2D,
  MaxPooling2D: layers.MaxPooling2D,
  AveragePooling2D: layers.AveragePooling2D,
  GlobalAveragePooling2D: layers.GlobalAveragePooling2D,
  BatchNormalization: layers.BatchNormalization,
};
const modelClasses: Record<string, (config: Config) => Layer> = {};

/** Makes a kind of model known, so that models inside of models can be read back. */
export function registerModel(className: string, fromConfig: (config: Config) => Layer): void {
  modelClasses[className] = fromConfig;
}

export function serializeLayer(layer: Layer): Config {
  if (!Object.hasOwn(classes, layer.className) && !Object.hasOwn(modelClasses, layer.className)) {
    throw new ArgumentError(
      `${layer.className} "${layer.name}" is a layer of your own, which cannot be saved; save the model's weights only.`,
    );
  }
  return { className: layer.className, config: layer.getConfig() };
}

/** A layer from its class and configuration. */
export function deserializeLayer(serialized: Config): Layer {
  const className = serialized.className as string;
  const config = serialized.config as Config;
  if (Object.hasOwn(modelClasses, className)) return modelClasses[className](config);
  const type = lookUp("deserialize", "layer", className, classes);
  const options: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(config)) {
    if (value === null || value === undefined) continue;
    options[name] = /[iI]nitializer$/.test(name) ? initializers.get(value as InitializerLike) : value;
  }
  const first = (positional[className] ?? []).map((name) => {
    const value = options[name];
    delete options[name];
    return value;
  });
  return new (type as unknown as new (...args: unknown[]) => Layer)(...first, options);
}

/** Values with keys spelled as Keras spells them: `kernelSize` becomes `kernel_size`. */
export function toKerasConfig(value: ConfigValue | undefined): ConfigValue {
  return mapKeys(value, toKerasKey);
}
/** The reverse of `toKerasConfig`. */
export function fromKerasConfig(value: ConfigValue | undefined): ConfigValue {
  return mapKeys(value, fromKerasKey);
}
function mapKeys(value: ConfigValue | undefined, spell: (key: string) => string): ConfigValue {
  if (Array.isArray(value)) return value.map((entry) => mapKeys(entry, spell));
  if (typeof value !== "object" || value === null) return value ?? null;
  return Object.fromEntries(Object.entries(value as Config).map(([key, entry]) => [spell(key), mapKeys(entry, spell)]));
}

/** A model's architecture as Keras writes it. */
export function modelJson(className: string, config: Config): Config {
  return { module: "keras", class_name: className, config, registered_name: null };
}
