import { createHash } from "node:crypto";
import { endianness } from "node:os";
import { UnsupportedError } from "../errors.ts";
import type { TensorData } from "../graph/dtype.ts";

/** SHA-256 over the bytes of arrays in order, little-endian: a model's fingerprint when given its weights in `getWeights()` order. */
export function sha256Of(arrays: Iterable<TensorData>): string {
  if (endianness() !== "LE")
    throw new UnsupportedError("weight fingerprints are defined little-endian; this machine is big-endian.");
  const hash = createHash("sha256");
  for (const array of arrays) hash.update(new Uint8Array(array.buffer, array.byteOffset, array.byteLength));
  return hash.digest("hex");
}
