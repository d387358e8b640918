/** Layers as plain data and back; and the same data in the spelling of Keras' own JSON. */
import { ArgumentError, DataError } from "../errors.ts";
import type { Config, ConfigValue } from "./config.ts";
import { customClass, registeredNameOf, type SerializableClass } from "./custom-objects.ts";
import { type AnyLayer, Layer } from "./layer.ts";
import * as layers from "./layers/index.ts";
import { fromKerasKey, toKerasKey } from "./naming.ts";
import { lookUp } from "./options.ts";
import { revivedOptions } from "./revive.ts";
import { isRecord, type ShapeStructure } from "./structure.ts";
import { buildLayer } from "./symbolic.ts";

/** Arguments that come before the options, by class. */
const positional: Readonly<Record<string, readonly string[]>> = {
  Dense: ["units"],
  Conv1D: ["filters", "kernelSize"],
  Conv2D: ["filters", "kernelSize"],
  Conv1DTranspose: ["filters", "kernelSize"],
  Conv2DTranspose: ["filters", "kernelSize"],
  SeparableConv1D: ["filters", "kernelSize"],
  SeparableConv2D: ["filters", "kernelSize"],
  DepthwiseConv2D: ["kernelSize"],
  Dropout: ["rate"],
  GaussianDropout: ["rate"],
  GaussianNoise: ["stddev"],
  AlphaDropout: ["rate"],
  SpatialDropout1D: ["rate"],
  SpatialDropout2D: ["rate"],
  ZeroPadding1D: ["padding"],
  ZeroPadding2D: ["padding"],
  Cropping1D: ["cropping"],
  Cropping2D: ["cropping"],
  UpSampling1D: ["size"],
  UpSampling2D: ["size"],
  Permute: ["dims"],
  RepeatVector: ["n"],
  Rescaling: ["scale"],
  Resizing: ["height", "width"],
  CenterCrop: ["height", "width"],
  RandomCrop: ["height", "width"],
  RandomFlip: ["mode"],
  RandomRotation: ["factor"],
  RandomTranslation: ["heightFactor", "widthFactor"],
  RandomZoom: ["heightFactor", "widthFactor"],
  RandomContrast: ["factor"],
  RandomBrightness: ["factor"],
  Reshape: ["targetShape"],
  Activation: ["activation"],
  Dot: ["axes"],
  Embedding: ["inputDim", "outputDim"],
  SimpleRNN: ["units"],
  LSTM: ["units"],
  GRU: ["units"],
  SimpleRNNCell: ["units"],
  LSTMCell: ["units"],
  GRUCell: ["units"],
  TimeDistributed: ["layer"],
};

type LayerClass = new (...args: never[]) => AnyLayer;
const classes: Readonly<Record<string, LayerClass>> = Object.fromEntries(
  Object.values(layers as Readonly<Record<string, unknown>>)
    .filter((value): value is LayerClass => typeof value === "function" && value.prototype instanceof Layer)
    .map((type) => [type.name, type]),
);
const modelClasses = new Map<string, (config: Config) => AnyLayer>();

/** Makes a kind of model known, so that models inside of models can be read back. */
export function registerModel(className: string, fromConfig: (config: Config) => AnyLayer): void {
  modelClasses.set(className, fromConfig);
}

/** Layers that were written, or read, so far in the outermost call; a layer that comes again is the same one. */
let written: Map<AnyLayer, number> | undefined;
let revived: AnyLayer[] | undefined;

/** A layer as data. A layer that occurs twice in what is written is written once: the second time as `{ shared }`, its number. */
export function serializeLayer(layer: AnyLayer): Config {
  if (!written) {
    written = new Map();
    try {
      return serializeLayer(layer);
    } finally {
      written = undefined;
    }
  }
  const number = written.get(layer);
  if (number !== undefined) return { className: layer.className, shared: number };
  written.set(layer, written.size);
  const { className } = layer;
  const own = registeredNameOf(layer.constructor as unknown as SerializableClass);
  const known = Object.hasOwn(classes, className) || modelClasses.has(className);
  if (own === undefined && known) return { className, config: layer.getConfig() };
  if (own === undefined && !customClass(className)) {
    throw new ArgumentError(
      `${className} "${layer.name}" is a layer of your own: register its class with registerKerasSerializable()(${className}) to save it, or save the model's weights only.`,
    );
  }
  return {
    className,
    registeredName: own ?? className,
    config: layer.getConfig(),
    buildInputShape: layer.built ? (layer.inputShape as unknown as ConfigValue) : null,
  };
}

/** A layer from its class and configuration. */
export function deserializeLayer(serialized: Config): AnyLayer {
  if (!revived) {
    revived = [];
    try {
      return deserializeLayer(serialized);
    } finally {
      revived = undefined;
    }
  }
  if (typeof serialized.shared === "number") {
    const shared = revived[serialized.shared];
    if (shared) return shared;
    throw new DataError(`a saved model mentions its layer number ${serialized.shared}, which it does not have.`);
  }
  const place = revived.length;
  revived.length = place + 1;
  const layer = makeLayer(serialized);
  revived[place] = layer;
  return layer;
}

function makeLayer({ className, registeredName, config, buildInputShape }: Config): AnyLayer {
  if (typeof className !== "string" || !isRecord(config)) {
    throw new DataError("a layer of a saved model has no class or no configuration.");
  }
  if (typeof registeredName === "string") {
    const type = customClass(registeredName);
    if (!type) {
      throw new ArgumentError(
        `the saved model holds a "${registeredName}", a class of somebody's own: register it with registerKerasSerializable, or pass { customObjects: { ${className} } }.`,
      );
    }
    return madeByUser(type, config as Config, buildInputShape as ShapeStructure | null | undefined);
  }
  const fromConfig = modelClasses.get(className);
  if (fromConfig) return fromConfig(config as Config);
  const type = lookUp("deserialize", "layer", className, classes);
  const own = (type as unknown as SerializableClass).fromConfig;
  if (own) return own.call(type, config as Config) as AnyLayer;
  const options = new Map(Object.entries(revivedOptions(config as Config)));
  const inner = options.get("layer");
  if (isRecord(inner)) options.set("layer", makeLayer(inner as unknown as Config));
  const first = (positional[className] ?? []).map((name) => {
    const value = options.get(name);
    options.delete(name);
    return value;
  });
  return new (type as unknown as new (...args: unknown[]) => AnyLayer)(...first, Object.fromEntries(options));
}

/** An instance of a class of the user's own: by its `fromConfig`, or constructed with the configuration as options. */
function madeByUser(type: SerializableClass, config: Config, shape: ShapeStructure | null | undefined): AnyLayer {
  const made = type.fromConfig
    ? type.fromConfig(config)
    : new (type as unknown as new (options: Config) => unknown)(config);
  if (!(made instanceof Layer)) {
    throw new ArgumentError(`${type.name}: fromConfig must give a layer, received ${typeof made}.`);
  }
  const layer = made as unknown as AnyLayer;
  if (shape && !layer.built) buildLayer(layer, shape);
  return layer;
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
  const entries = Object.entries(value as Config);
  // the configuration of a class of the user's own is the user's: its keys stay as they are
  const own = entries.some(([key, entry]) => /^registered_?[nN]ame$/.test(key) && typeof entry === "string");
  return Object.fromEntries(
    entries.map(([key, entry]) => [spell(key), own && key === "config" ? (entry ?? null) : mapKeys(entry, spell)]),
  );
}
