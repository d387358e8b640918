/**
 * Event files that TensorBoard reads: TFRecord frames around protocol buffers of `tensorflow.Event`.
 *
 * Sources: tensorboard/compat/proto/{event,summary,tensor}.proto; TFRecord framing in tensorflow/core/lib/io/record_writer.h.
 */
import { closeSync, openSync, writeSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import { DataError } from "../errors.ts";
import { makeFolder } from "./make-folder.ts";
import { concatBytes, ProtoWriter } from "./protobuf.ts";

/** CRC-32C (Castagnoli), reflected: polynomial 0x82f63b78. */
const table = Uint32Array.from({ length: 256 }, (_, index) => {
  let value = index;
  for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >>> 1) ^ 0x82f63b78 : value >>> 1;
  return value >>> 0;
});

export function crc32c(data: Uint8Array): number {
  let value = 0xffffffff;
  for (const byte of data) value = table[(value ^ byte) & 0xff] ^ (value >>> 8);
  return (value ^ 0xffffffff) >>> 0;
}

/** A checksum of data that holds checksums itself: rotated and shifted, as TFRecord stores it. */
export function maskedCrc32c(data: Uint8Array): number {
  const crc = crc32c(data);
  return (((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0;
}

/** One TFRecord: length, its checksum, the data, its checksum. */
export function frameRecord(data: Uint8Array): Uint8Array {
  const head = new DataView(new ArrayBuffer(12));
  head.setBigUint64(0, BigInt(data.length), true);
  head.setUint32(8, maskedCrc32c(new Uint8Array(head.buffer, 0, 8)), true);
  const foot = new DataView(new ArrayBuffer(4));
  foot.setUint32(0, maskedCrc32c(data), true);
  return concatBytes([new Uint8Array(head.buffer), data, new Uint8Array(foot.buffer)]);
}

/** What an event says. */
export type Summary =
  | { readonly kind: "scalar"; readonly tag: string; readonly value: number }
  /** Rows of left edge, right edge and count. */
  | {
      readonly kind: "histogram";
      readonly tag: string;
      readonly buckets: readonly (readonly [number, number, number])[];
    };

const dataType = { float: 1, double: 2 } as const;
const dataClass = { scalar: 1, tensor: 2 } as const;

function metadata(plugin: string, kind: number, content?: Uint8Array): ProtoWriter {
  const data = new ProtoWriter().bytes(1, plugin);
  if (content) data.bytes(2, content);
  return new ProtoWriter().bytes(1, data).integer(4, kind);
}

function summaryValue(summary: Summary): ProtoWriter {
  const value = new ProtoWriter().bytes(1, summary.tag);
  if (summary.kind === "scalar") {
    const number = new Uint8Array(new Float32Array([summary.value]).buffer);
    const tensor = new ProtoWriter().integer(1, dataType.float).bytes(2, new ProtoWriter()).bytes(5, number);
    return value.bytes(8, tensor).bytes(9, metadata("scalars", dataClass.scalar));
  }
  const numbers = Float64Array.from(summary.buckets.flat());
  const size = (extent: number) => new ProtoWriter().integer(1, extent);
  const shape = new ProtoWriter().bytes(2, size(summary.buckets.length)).bytes(2, size(3));
  const tensor = new ProtoWriter().integer(1, dataType.double).bytes(2, shape).bytes(4, new Uint8Array(numbers.buffer));
  return value.bytes(8, tensor).bytes(9, metadata("histograms", dataClass.tensor));
}

/** A serialised `tensorflow.Event` with one summary. */
export function encodeEvent(summary: Summary, step: number, wallTime: number): Uint8Array {
  return new ProtoWriter()
    .double(1, wallTime)
    .integer(2, step)
    .bytes(5, new ProtoWriter().bytes(1, summaryValue(summary)))
    .finish();
}

/** The first event of every file. */
export function encodeFileVersion(wallTime: number): Uint8Array {
  return new ProtoWriter()
    .double(1, wallTime)
    .bytes(3, "brain.Event:2")
    .bytes(10, new ProtoWriter().bytes(1, "trivium"))
    .finish();
}

let files = 0;

/** A file of events in a folder; events are written at once, so that a reader sees them. */
export class EventFile {
  readonly path: string;
  private file: number | undefined;

  constructor(folder: string, now: () => number = () => Date.now() / 1000) {
    makeFolder(folder);
    this.now = now;
    const seconds = Math.floor(now()).toString().padStart(10, "0");
    this.path = join(folder, `events.out.tfevents.${seconds}.${hostname()}.${process.pid}.${files++}.v2`);
    try {
      this.file = openSync(this.path, "wx");
    } catch (cause) {
      throw new DataError(`cannot write the event file ${this.path}.`, { cause });
    }
    this.write(encodeFileVersion(now()));
  }
  private readonly now: () => number;

  private write(event: Uint8Array): void {
    if (this.file === undefined) throw new DataError(`the event file ${this.path} is closed.`);
    const record = frameRecord(event);
    let offset = 0;
    while (offset < record.length) offset += writeSync(this.file, record, offset);
  }
  scalar(tag: string, value: number, step: number): void {
    this.write(encodeEvent({ kind: "scalar", tag, value }, step, this.now()));
  }
  /** Counts of values in buckets of equal width. */
  histogram(tag: string, values: ArrayLike<number>, step: number, buckets = 30): void {
    this.write(encodeEvent({ kind: "histogram", tag, buckets: bucketsOf(values, buckets) }, step, this.now()));
  }
  close(): void {
    if (this.file !== undefined) closeSync(this.file);
    this.file = undefined;
  }
}

/** Values in buckets of equal width; one bucket around a single value. Values that are not finite are not counted. */
export function bucketsOf(values: ArrayLike<number>, count: number): [number, number, number][] {
  let least = Number.POSITIVE_INFINITY;
  let most = Number.NEGATIVE_INFINITY;
  let finite = 0;
  for (let index = 0; index < values.length; index++) {
    const value = values[index];
    if (!Number.isFinite(value)) continue;
    finite++;
    if (value < least) least = value;
    if (value > most) most = value;
  }
  if (finite === 0) return [];
  if (least === most) return [[least - 0.5, most + 0.5, finite]];
  const width = (most - least) / count;
  const counts = new Array<number>(count).fill(0);
  for (let index = 0; index < values.length; index++) {
    const value = values[index];
    if (Number.isFinite(value)) counts[Math.min(count - 1, Math.floor((value - least) / width))]++;
  }
  return counts.map((number, index) => [
    least + index * width,
    index === count - 1 ? most : least + (index + 1) * width,
    number,
  ]);
}
