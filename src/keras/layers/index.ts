/** `keras.layers`. */
export { type AnyLayer, type CallOptions, Layer, type LayerOptions } from "../layer.ts";
export { Activation, LeakyReLU, ReLU, Softmax } from "./activation.ts";
export { Conv2D, Conv2D as Convolution2D, DepthwiseConv2D } from "./convolutional.ts";
export { Dense, Dropout, Flatten, Reshape } from "./core.ts";
export { Embedding, type EmbeddingOptions, Masking, type MaskingOptions } from "./embedding.ts";
export { Input, type InputDType, InputLayer } from "./input.ts";
export { Add, Average, Concatenate, Dot, Maximum, Minimum, Multiply, Subtract } from "./merging.ts";
export { BatchNormalization } from "./normalization.ts";
export {
  AveragePooling2D,
  AveragePooling2D as AvgPool2D,
  GlobalAveragePooling2D,
  GlobalAveragePooling2D as GlobalAvgPool2D,
  MaxPooling2D,
  MaxPooling2D as MaxPool2D,
} from "./pooling.ts";
export {
  GRU,
  type GRUOptions,
  LSTM,
  type LSTMOptions,
  type RecurrentCallOptions,
  type RecurrentOptions,
  SimpleRNN,
} from "./recurrent.ts";
export { Bidirectional, type BidirectionalOptions, TimeDistributed } from "./sequence-wrappers.ts";
