/**
 * The Keras door: names, defaults and behaviour of Keras 3 in camelCase. Everything is here by its own name and in Keras' namespaces
 * (`layers`, `models`, `losses`, `metrics`, `optimizers`, `callbacks`, `datasets`, `utils`, …).
 */
export * as activations from "./activations.ts";
export * as callbacks from "./callbacks/index.ts";
export * from "./callbacks/index.ts";
export type { CompileOptions, MetricLike, MetricName } from "./compile.ts";
export type { BatchShape, Config, ConfigValue } from "./config.ts";
export * as constraints from "./constraints.ts";
export { type CustomObjects, registerKerasSerializable } from "./custom-objects.ts";
export * as datasets from "./datasets.ts";
export { fashionMnist, type LoadedData, mnist } from "./datasets.ts";
export type { DataInput, FitOptions, ValidationData } from "./fit-options.ts";
export * as initializers from "./initializers.ts";
export { KerasTensor } from "./keras-tensor.ts";
export * as layers from "./layers/index.ts";
export * from "./layers/index.ts";
export * as losses from "./losses.ts";
export { Loss } from "./losses.ts";
export * as metrics from "./metrics.ts";
export { Metric } from "./metrics.ts";
export { type AnyModel, Model, type ModelOptions } from "./model.ts";
export * as models from "./models.ts";
export { loadModel, modelFromJson, Sequential } from "./models.ts";
export * as optimizers from "./optimizers.ts";
export { Adadelta, Adagrad, Adam, AdamW, Optimizer, RMSprop, SGD } from "./optimizers.ts";
export * as regularizers from "./regularizers.ts";
export type { StepData, StepLogs } from "./trainer.ts";
export type { BatchOptions, EvaluateOptions, PredictOptions } from "./training.ts";
export * as utils from "./utils.ts";
export { setRandomSeed, toCategorical } from "./utils.ts";
