/** From images to tensors: bytes [height, width, channels] become f32 [channels, height, width]. */
import { ArgumentError, DTypeError, ShapeError } from "../errors.ts";
import { hostView, type Tensor, tensorView } from "../tensor/index.ts";
import { Image } from "./image.ts";

/** Mean and standard deviation of each channel (or one for all). */
export interface ChannelStatistics {
  readonly mean: readonly number[];
  readonly std: readonly number[];
}

/** @throws ArgumentError for empty lists, numbers that are not finite, or a standard deviation of 0. */
export function checkStatistics(operation: string, { mean, std }: ChannelStatistics): void {
  const wrong =
    mean.length === 0 ||
    std.length === 0 ||
    ![...mean, ...std].every((value) => typeof value === "number" && Number.isFinite(value));
  if (wrong) {
    throw new ArgumentError(
      `${operation}: mean and std must be lists of numbers, one for each channel, received [${mean}] and [${std}].`,
    );
  }
  if (mean.length !== std.length && mean.length !== 1 && std.length !== 1) {
    throw new ArgumentError(`${operation}: ${mean.length} means but ${std.length} standard deviations.`);
  }
  if (std.some((value) => Math.fround(value) === 0)) {
    throw new ArgumentError(`${operation}: a standard deviation of 0 would divide by zero, received std [${std}].`);
  }
}

/** (x − mean) / std of one channel, rounded to f32 after each operation as PyTorch does. */
function normalizer({ mean, std }: ChannelStatistics, channel: number): (value: number) => number {
  const offset = Math.fround(mean[mean.length === 1 ? 0 : channel]!);
  const scale = Math.fround(std[std.length === 1 ? 0 : channel]!);
  return (value) => Math.fround(Math.fround(value - offset) / scale);
}

function checkChannels(operation: string, { mean, std }: ChannelStatistics, channels: number): void {
  const given = Math.max(mean.length, std.length);
  if (given !== 1 && given !== channels) {
    throw new ShapeError(`${operation}: mean and std are given for ${given} channels, the image has ${channels}.`);
  }
}

/** The f32 that each byte becomes, by channel: everything that happens to single pixels after the last change of geometry. */
export type PixelTables = readonly Float32Array[];

/** Tables of `byte / 255`, then each normalization in turn. */
export function pixelTables(channels: number, normalizations: readonly ChannelStatistics[]): PixelTables {
  for (const statistics of normalizations) checkChannels("Normalize", statistics, channels);
  return Array.from({ length: channels }, (_, channel) => {
    const steps = normalizations.map((statistics) => normalizer(statistics, channel));
    return Float32Array.from({ length: 256 }, (_, byte) =>
      steps.reduce((value, step) => step(value), Math.fround(byte / 255)),
    );
  });
}

/** Writes an image's channels one after the other into `target` from `offset`. */
export function writePixels(
  { data, width, height, channels }: Image,
  tables: PixelTables,
  target: Float32Array,
  offset: number,
): void {
  const pixels = width * height;
  for (let channel = 0; channel < channels; channel++) {
    const table = tables[channel]!;
    const start = offset + channel * pixels;
    for (let pixel = 0, from = channel; pixel < pixels; pixel++, from += channels)
      target[start + pixel] = table[data[from]!]!;
  }
}

const plainTables: PixelTables = pixelTables(4, []);

/** f32 [channels, height, width] of values from 0 to 1. */
export function imageToTensor(image: Image): Tensor {
  const { width, height, channels } = image;
  const target = new Float32Array(width * height * channels);
  writePixels(image, plainTables, target, 0);
  return tensorView(target, [channels, height, width], "f32");
}

/** u8 [channels, height, width], the bytes as they are. */
export function imageToByteTensor({ width, height, channels, data }: Image): Tensor {
  const pixels = width * height;
  const target = new Uint8Array(data.length);
  for (let channel = 0; channel < channels; channel++) {
    for (let pixel = 0; pixel < pixels; pixel++) target[channel * pixels + pixel] = data[pixel * channels + channel]!;
  }
  return tensorView(target, [channels, height, width], "u8");
}

/** The image of a tensor [channels, height, width] or [height, width]: u8 as it is, f32 times 255 and cut to a byte. */
export function tensorToImage(tensor: Tensor): Image {
  const shape = tensor.rank === 2 ? [1, ...tensor.shape] : tensor.shape;
  if (shape.length !== 3 || shape[0]! < 1 || shape[0]! > 4) {
    throw new ShapeError(
      `ToPILImage: expected [channels, height, width] with 1 to 4 channels or [height, width], received [${tensor.shape.join(", ")}].`,
    );
  }
  if (tensor.dtype !== "u8" && tensor.dtype !== "f32") {
    throw new DTypeError(
      `ToPILImage: expected u8, or f32 from 0 to 1, received ${tensor.dtype}; convert with .cast("u8").`,
    );
  }
  const [channels, height, width] = shape as [number, number, number];
  const values = hostView(tensor);
  const scale = tensor.dtype === "f32" ? 255 : 1;
  const data = new Uint8Array(values.length);
  const pixels = width * height;
  for (let channel = 0; channel < channels; channel++) {
    for (let pixel = 0; pixel < pixels; pixel++) {
      data[pixel * channels + channel] = Math.trunc(Math.fround(values[channel * pixels + pixel]! * scale));
    }
  }
  return new Image(width, height, channels, data);
}

/** (x − mean) / std for each channel of an f32 tensor [..., channels, height, width]. */
export function normalizeTensor(tensor: Tensor, statistics: ChannelStatistics): Tensor {
  const { shape, dtype } = tensor;
  if (dtype !== "f32") {
    throw new DTypeError(`Normalize: expected a tensor of f32, received ${dtype}; put ToTensor before it.`);
  }
  if (shape.length < 3) {
    throw new ShapeError(`Normalize: expected [..., channels, height, width], received [${shape.join(", ")}].`);
  }
  const [channels, height, width] = shape.slice(-3) as [number, number, number];
  checkChannels("Normalize", statistics, channels);
  const source = hostView(tensor);
  const target = new Float32Array(source.length);
  const plane = height * width;
  for (let start = 0, index = 0; start < source.length; start += plane, index++) {
    const step = normalizer(statistics, index % channels);
    for (let at = start; at < start + plane; at++) target[at] = step(source[at]!);
  }
  return tensorView(target, shape, "f32");
}

/** Between bytes and f32 from 0 to 1, as torchvision converts image dtypes. */
export function convertImageTensor(tensor: Tensor, dtype: "f32" | "u8"): Tensor {
  if (tensor.dtype === dtype) return tensor;
  const source = hostView(tensor);
  if (tensor.dtype === "u8" && dtype === "f32") {
    return tensorView(
      Float32Array.from(source, (value: number) => value / 255),
      tensor.shape,
      "f32",
    );
  }
  if (tensor.dtype === "f32" && dtype === "u8") {
    const limit = Math.fround(255.999);
    return tensorView(
      Uint8Array.from(source, (value: number) => Math.trunc(Math.fround(value * limit))),
      tensor.shape,
      "u8",
    );
  }
  throw new DTypeError(
    `ConvertImageDtype: from ${tensor.dtype} to ${dtype} is not a conversion between bytes (u8) and f32.`,
  );
}
