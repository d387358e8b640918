/** `tf.compat`: earlier versions of TensorFlow. */
export * as v1 from "./compat-v1/index.ts";
