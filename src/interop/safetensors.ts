import { readFileSync, statSync } from "node:fs";
import { DataError, DTypeError } from "../errors.ts";
import { bytesPerElement, type DType, type TensorData, viewOf } from "../graph/dtype.ts";
import { writeFileAtomic } from "./atomic-write.ts";

/** A tensor with its name: plain data, on its way to or from a file. */
export interface NamedTensor {
  readonly name: string;
  readonly dtype: DType;
  readonly shape: readonly number[];
  readonly data: TensorData;
}

/** What a safetensors file holds. */
export interface SafetensorsContent {
  readonly tensors: readonly NamedTensor[];
  readonly metadata: Readonly<Record<string, string>>;
}

/** The format's own limit on its header. */
const largestHeader = 100_000_000;
const largestFile = 2 ** 32;

const fileNames: Readonly<Record<DType, string>> = { f32: "F32", i32: "I32", u8: "U8", bool: "BOOL" };

/** How a file's elements become Trivium's. */
interface ElementType {
  readonly dtype: DType;
  /** Bytes of an element in the file. */
  readonly bytes: number;
}
/** PyTorch's counters are I64: integers that fit are taken as i32. */
const elementTypes = new Map<string, ElementType>([
  ...Object.entries(fileNames).map(([dtype, name]): [string, ElementType] => [
    name,
    { dtype: dtype as DType, bytes: bytesPerElement[dtype as DType] },
  ]),
  ["I64", { dtype: "i32", bytes: 8 }],
]);

const bytesOf = (data: TensorData) => new Uint8Array(data.buffer, data.byteOffset, data.byteLength);

/**
 * A safetensors file in memory, as chunks: an 8-byte little-endian header length, the JSON header, then the tensors' bytes without gaps.
 * Tensors of 4-byte elements come first, so that every tensor lies aligned.
 * @throws DataError when two tensors have one name or a shape does not fit its data.
 */
export function encodeSafetensors(
  tensors: readonly NamedTensor[],
  metadata: Readonly<Record<string, string>> = {},
): Uint8Array[] {
  const ordered = [...tensors].sort((left, right) => bytesPerElement[right.dtype] - bytesPerElement[left.dtype]);
  const header = new Map<string, unknown>();
  if (Object.keys(metadata).length > 0) header.set("__metadata__", metadata);
  let offset = 0;
  for (const { name, dtype, shape, data } of ordered) {
    if (header.has(name) || name === "__metadata__")
      throw new DataError(`safetensors: two tensors are named "${name}".`);
    const count = shape.reduce((product, extent) => product * extent, 1);
    if (count !== data.length) {
      throw new DataError(`safetensors: "${name}" of shape [${shape}] takes ${count} elements, got ${data.length}.`);
    }
    header.set(name, { dtype: fileNames[dtype], shape, data_offsets: [offset, offset + data.byteLength] });
    offset += data.byteLength;
  }
  let text = JSON.stringify(Object.fromEntries(header));
  const length = new TextEncoder().encode(text).length;
  text += " ".repeat((8 - (length % 8)) % 8);
  const encoded = new TextEncoder().encode(text);
  const prefix = new Uint8Array(8);
  new DataView(prefix.buffer).setBigUint64(0, BigInt(encoded.length), true);
  return [prefix, encoded, ...ordered.map((tensor) => bytesOf(tensor.data))];
}

interface HeaderEntry {
  readonly type: ElementType;
  readonly shape: readonly number[];
  readonly begin: number;
  readonly end: number;
}

const isSize = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;

function checkEntry(name: string, entry: unknown, file: string): HeaderEntry {
  const { dtype, shape, data_offsets: offsets } = (entry ?? {}) as Record<string, unknown>;
  if (
    !Array.isArray(shape) ||
    !shape.every(isSize) ||
    !Array.isArray(offsets) ||
    !offsets.every(isSize) ||
    offsets.length !== 2
  ) {
    throw new DataError(`${file}: the header's entry for "${name}" is damaged.`);
  }
  const type = elementTypes.get(String(dtype));
  if (type === undefined) {
    throw new DTypeError(
      `${file}: tensor "${name}" is ${dtype}; Trivium reads F32, I32, I64, U8 and BOOL. Convert it before saving.`,
    );
  }
  const [begin, end] = offsets as [number, number];
  const bytes = shape.reduce((product: number, extent: number) => product * extent, type.bytes);
  if (end - begin !== bytes) {
    throw new DataError(
      `${file}: tensor "${name}" of shape [${shape}] takes ${bytes} bytes, its offsets give ${end - begin}.`,
    );
  }
  return { type, shape, begin, end };
}

/** I64 as i32. */
function narrowed(raw: Uint8Array, name: string, file: string): Int32Array {
  const view = new DataView(raw.buffer, raw.byteOffset, raw.byteLength);
  return Int32Array.from({ length: raw.length / 8 }, (_, index) => {
    const value = view.getBigInt64(index * 8, true);
    if (value === BigInt.asIntN(32, value)) return Number(value);
    throw new DTypeError(
      `${file}: tensor "${name}" is I64 and holds ${value}, which does not fit i32. Convert it before saving.`,
    );
  });
}

/**
 * Reads a safetensors file in memory; `file` names it in errors. Data are views of `bytes` where they lie aligned, copies otherwise.
 *
 * Strict: tensors must cover the file without gaps, overlaps or bytes left over, so a truncated or doctored file is refused whole.
 * @throws DataError, or DTypeError for an element type that Trivium does not hold.
 */
export function decodeSafetensors(bytes: Uint8Array, file: string): SafetensorsContent {
  if (bytes.length < 8) throw new DataError(`${file}: not a safetensors file, only ${bytes.length} bytes long.`);
  const headerLength = Number(new DataView(bytes.buffer, bytes.byteOffset, 8).getBigUint64(0, true));
  if (headerLength > largestHeader || headerLength + 8 > bytes.length) {
    throw new DataError(
      `${file}: its header should be ${headerLength} bytes, the file has ${bytes.length}: truncated or not a safetensors file.`,
    );
  }
  let header: unknown;
  try {
    header = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes.subarray(8, 8 + headerLength)));
  } catch (cause) {
    throw new DataError(`${file}: its header is not JSON.`, { cause });
  }
  if (typeof header !== "object" || header === null || Array.isArray(header)) {
    throw new DataError(`${file}: its header is not a JSON object.`);
  }
  const metadata: Record<string, string> = {};
  const entries: (HeaderEntry & { name: string })[] = [];
  for (const [name, value] of Object.entries(header)) {
    if (name !== "__metadata__") entries.push({ name, ...checkEntry(name, value, file) });
    else if (
      value !== null &&
      typeof value === "object" &&
      Object.values(value).every((text) => typeof text === "string")
    )
      Object.assign(metadata, value);
    else throw new DataError(`${file}: its metadata may hold only strings.`);
  }
  const data = bytes.subarray(8 + headerLength);
  entries.sort((left, right) => left.begin - right.begin || left.end - right.end);
  let covered = 0;
  const tensors = entries.map(({ name, type, shape, begin, end }) => {
    if (begin !== covered)
      throw new DataError(`${file}: tensor "${name}" begins at byte ${begin}, expected ${covered}: gap or overlap.`);
    covered = end;
    if (end > data.length)
      throw new DataError(`${file}: truncated, tensor "${name}" ends at byte ${end} of ${data.length}.`);
    const raw = data.subarray(begin, end);
    const { dtype } = type;
    if (type.bytes !== bytesPerElement[dtype]) return { name, dtype, shape, data: narrowed(raw, name, file) };
    const aligned = raw.byteOffset % bytesPerElement[dtype] === 0 ? raw : raw.slice();
    return {
      name,
      dtype,
      shape,
      data: viewOf(dtype, aligned.buffer, aligned.byteOffset, raw.length / bytesPerElement[dtype]),
    };
  });
  if (covered !== data.length) throw new DataError(`${file}: ${data.length - covered} bytes after its last tensor.`);
  return { tensors, metadata };
}

/** Writes tensors to a safetensors file, atomically. */
export function writeSafetensors(
  path: string,
  tensors: readonly NamedTensor[],
  metadata: Readonly<Record<string, string>> = {},
): void {
  writeFileAtomic(path, encodeSafetensors(tensors, metadata));
}

/** Reads a safetensors file. */
export function readSafetensors(path: string): SafetensorsContent {
  let bytes: Uint8Array;
  try {
    const { size } = statSync(path);
    if (size > largestFile)
      throw new DataError(`${path}: ${size} bytes, more than the ${largestFile} that can be read at once.`);
    bytes = readFileSync(path);
  } catch (cause) {
    if (cause instanceof DataError) throw cause;
    throw new DataError(`${path}: cannot be read (${(cause as NodeJS.ErrnoException).code ?? String(cause)}).`, {
      cause,
    });
  }
  return decodeSafetensors(bytes, path);
}
