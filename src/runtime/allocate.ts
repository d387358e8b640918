/** Storage for values that users hold, and the check that comes before every large allocation. */
import { OutOfMemoryError } from "../errors.ts";
import { availableMemory } from "./control-groups.ts";
import { type ForeignFunctions, hugePageBytes } from "./ffi.ts";

/** Smaller requests are not worth reading /proc for. */
const checkedBytes = 32 * 1024 * 1024;
/** Below 64 bytes V8 may keep data on its own heap, where it moves. */
const minimumBytes = 128;

const megabytes = (bytes: number): string => `${(bytes / 2 ** 20).toFixed(bytes < 100 * 2 ** 20 ? 1 : 0)} MB`;

/** Throws `OutOfMemoryError` if `bytes` cannot be had, before anything is allocated. */
export function requireMemory(bytes: number, what: string): void {
  if (bytes < checkedBytes) return;
  const available = availableMemory();
  if (bytes <= available) return;
  throw new OutOfMemoryError(
    `${what} needs ${megabytes(bytes)}, but only ${megabytes(available)} of memory are available. ` +
      "Use a smaller batch, or free other tensors first.",
  );
}

/** A zeroed ArrayBuffer that V8 frees when nothing refers to it any more. Large ones get huge pages, which fault 512 times less often. */
export function allocateBuffer(bytes: number, functions?: ForeignFunctions): ArrayBuffer {
  requireMemory(bytes, "a tensor");
  let buffer: ArrayBuffer;
  try {
    buffer = new ArrayBuffer(Math.max(bytes, minimumBytes));
  } catch (error) {
    throw new OutOfMemoryError(`a tensor of ${megabytes(bytes)} cannot be allocated.`, { cause: error });
  }
  if (bytes >= 2 * hugePageBytes) functions?.adviseHuge(functions.addressOf(buffer), bytes);
  return buffer;
}

/** A cache line, and the widest vector. */
const lineBytes = 64;

/** Values of up to a line, such as losses, share a buffer: making one costs more than computing such a value. */
const sharedBytes = 32 * lineBytes;
let shared: ArrayBuffer | undefined;
let sharedUsed = 0;

/** A line of a buffer that is freed when nothing refers to any of its lines. */
function allocateLine(): { readonly buffer: ArrayBuffer; readonly byteOffset: number } {
  if (!shared || sharedUsed === sharedBytes) {
    shared = new ArrayBuffer(sharedBytes);
    sharedUsed = 0;
  }
  const byteOffset = sharedUsed;
  sharedUsed += lineBytes;
  return { buffer: shared, byteOffset };
}

/**
 * Zeroed storage that begins on a cache line. What the allocator of the system gives begins 16 bytes into one, and then every access of 64 bytes
 * touches two lines: a dense layer loses a tenth of its speed. Small storage is not worth the space.
 */
export function allocateAligned(
  bytes: number,
  functions: ForeignFunctions,
): { readonly buffer: ArrayBuffer; readonly byteOffset: number } {
  if (bytes <= lineBytes) return allocateLine();
  if (bytes < 1024) return { buffer: allocateBuffer(bytes, functions), byteOffset: 0 };
  const buffer = allocateBuffer(bytes + lineBytes, functions);
  return { buffer, byteOffset: (lineBytes - (functions.addressOf(buffer) % lineBytes)) % lineBytes };
}
