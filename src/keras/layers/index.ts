/** `keras.layers`. */

export { type AnyLayer, type CallOptions, Layer, type LayerOptions } from "../layer.ts";
export { AbstractRNNCell, type CellCallOptions } from "./abstract-cell.ts";
export { Activation, ELU, Identity, LeakyReLU, PReLU, ReLU, Softmax } from "./activation.ts";
export {
  Attention,
  type AttentionCallOptions,
  type AttentionOptions,
  MultiHeadAttention,
  type MultiHeadAttentionOptions,
} from "./attention.ts";
export {
  RandomBrightness,
  RandomContrast,
  RandomCrop,
  RandomFlip,
  RandomRotation,
  RandomTranslation,
  RandomZoom,
} from "./augmentation.ts";
export {
  Conv1D,
  Conv1D as Convolution1D,
  Conv2D,
  Conv2D as Convolution2D,
  DepthwiseConv2D,
} from "./convolutional.ts";
export { Dense, Dropout, Flatten, Reshape } from "./core.ts";
export { Embedding, type EmbeddingOptions, Masking, type MaskingOptions } from "./embedding.ts";
export {
  GroupNormalization,
  LayerNormalization,
  RMSNormalization,
  UnitNormalization,
} from "./example-normalization.ts";
export { Input, type InputDType, InputLayer } from "./input.ts";
export { Add, Average, Concatenate, Dot, Maximum, Minimum, Multiply, Subtract } from "./merging.ts";
export { BatchNormalization } from "./normalization.ts";
export {
  AveragePooling1D,
  AveragePooling1D as AvgPool1D,
  AveragePooling2D,
  AveragePooling2D as AvgPool2D,
  GlobalAveragePooling1D,
  GlobalAveragePooling1D as GlobalAvgPool1D,
  GlobalAveragePooling2D,
  GlobalAveragePooling2D as GlobalAvgPool2D,
  GlobalMaxPooling1D,
  GlobalMaxPooling1D as GlobalMaxPool1D,
  GlobalMaxPooling2D,
  GlobalMaxPooling2D as GlobalMaxPool2D,
  MaxPooling1D,
  MaxPooling1D as MaxPool1D,
  MaxPooling2D,
  MaxPooling2D as MaxPool2D,
} from "./pooling.ts";
export { type AdaptData, CenterCrop, Normalization, Rescaling, Resizing } from "./preprocessing.ts";
export {
  GRU,
  type GRUOptions,
  LSTM,
  type LSTMOptions,
  type RecurrentCallOptions,
  type RecurrentOptions,
  RNN,
  type RNNOptions,
  SimpleRNN,
} from "./recurrent.ts";
export {
  type CellOptions,
  GRUCell,
  type GRUCellOptions,
  LSTMCell,
  type LSTMCellOptions,
  SimpleRNNCell,
} from "./recurrent-cells.ts";
export {
  ActivityRegularization,
  AlphaDropout,
  GaussianDropout,
  GaussianNoise,
  SpatialDropout1D,
  SpatialDropout2D,
} from "./regularization.ts";
export {
  Cropping1D,
  Cropping2D,
  Lambda,
  Permute,
  RepeatVector,
  UpSampling1D,
  UpSampling2D,
  ZeroPadding1D,
  ZeroPadding2D,
} from "./reshaping.ts";
export {
  SeparableConv1D,
  SeparableConv1D as SeparableConvolution1D,
  SeparableConv2D,
  SeparableConv2D as SeparableConvolution2D,
} from "./separable.ts";
export { Bidirectional, type BidirectionalOptions, TimeDistributed } from "./sequence-wrappers.ts";
export { StackedRNNCells } from "./stacked-cells.ts";
export { TorchModuleWrapper, type TorchModuleWrapperOptions } from "./torch-module-wrapper.ts";
export {
  Conv1DTranspose,
  Conv1DTranspose as Convolution1DTranspose,
  Conv2DTranspose,
  Conv2DTranspose as Convolution2DTranspose,
} from "./transposed.ts";
