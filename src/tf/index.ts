/**
 * The TensorFlow door: functions over tensors, variables, gradient tapes, compiled functions and the static dataflow graph of version 1, under
 * the names that TensorFlow.js users know. Images are channels-last (NHWC).
 */
export {};
