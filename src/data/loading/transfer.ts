/** Batches across threads: tensors and images travel as bytes that are handed over; everything else as structured clones. */
import { type DType, viewOf } from "../../graph/dtype.ts";
import type { Shape } from "../../graph/shape.ts";
import { hostView, Tensor, tensorView } from "../../tensor/index.ts";
import { Image } from "../image.ts";

/** Marks what stands for a tensor or an image in a message. */
const mark = "trivium:kind";

interface SentTensor {
  readonly [mark]: "tensor";
  readonly dtype: DType;
  readonly shape: Shape;
  readonly buffer: ArrayBuffer;
}
interface SentImage {
  readonly [mark]: "image";
  readonly size: readonly [width: number, height: number, channels: number];
  readonly buffer: ArrayBuffer;
}

function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

/** A copy of the bytes in a buffer of its own: the data set may hold the original. */
function ownBytes(view: Uint8Array | Float32Array | Int32Array, transfer: ArrayBuffer[]): ArrayBuffer {
  const buffer = new ArrayBuffer(view.byteLength);
  new Uint8Array(buffer).set(new Uint8Array(view.buffer, view.byteOffset, view.byteLength));
  transfer.push(buffer);
  return buffer;
}

/** What to post for a value; the buffers that go with it are added to `transfer`. */
export function encodeMessage(value: unknown, transfer: ArrayBuffer[]): unknown {
  if (value instanceof Tensor) {
    return { [mark]: "tensor", dtype: value.dtype, shape: value.shape, buffer: ownBytes(hostView(value), transfer) };
  }
  if (value instanceof Image) {
    const { width, height, channels, data } = value;
    return { [mark]: "image", size: [width, height, channels], buffer: ownBytes(data, transfer) };
  }
  if (Array.isArray(value)) return value.map((entry) => encodeMessage(entry, transfer));
  if (typeof value === "object" && value !== null && isPlain(value)) {
    return Object.fromEntries(Object.entries(value).map(([name, entry]) => [name, encodeMessage(entry, transfer)]));
  }
  return value;
}

/** The value of a posted message. */
export function decodeMessage(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(decodeMessage);
  if (typeof value !== "object" || value === null || !isPlain(value)) return value;
  const kind = (value as { [mark]?: unknown })[mark];
  if (kind === "tensor") {
    const { dtype, shape, buffer } = value as SentTensor;
    return tensorView(viewOf(dtype, buffer), shape, dtype);
  }
  if (kind === "image") {
    const { size, buffer } = value as SentImage;
    return new Image(...size, new Uint8Array(buffer));
  }
  return Object.fromEntries(Object.entries(value).map(([name, entry]) => [name, decodeMessage(entry)]));
}
