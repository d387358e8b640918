/** `keras.metrics`: names, defaults and state of Keras over the neutral accumulators. */
export { get, type SerializedMetric, serialize } from "./metrics/by-name.ts";
export * from "./metrics/confusion.ts";
export * from "./metrics/means.ts";
export { Mean, Metric, type MetricOptions, Sum } from "./metrics/metric.ts";
