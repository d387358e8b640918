import { randomBytes } from "node:crypto";
import { closeSync, fsyncSync, openSync, renameSync, unlinkSync, writeSync } from "node:fs";
import { dirname } from "node:path";
import { DataError } from "../errors.ts";

/**
 * Writes a file so that readers see the old content or all of the new, never a part: a temporary file beside it, flushed, then renamed over it.
 * @throws DataError naming the path and the system's reason; the temporary file is gone then.
 */
export function writeFileAtomic(path: string, chunks: readonly Uint8Array[]): void {
  const temporary = `${path}.${process.pid}.${randomBytes(4).toString("hex")}.tmp`;
  let created = false;
  try {
    const file = openSync(temporary, "wx");
    created = true;
    try {
      for (const chunk of chunks) {
        for (let written = 0; written < chunk.length; ) written += writeSync(file, chunk, written);
      }
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
    renameSync(temporary, path);
  } catch (cause) {
    if (created) {
      try {
        unlinkSync(temporary);
      } catch {
        // Already renamed or removed.
      }
    }
    const code = (cause as NodeJS.ErrnoException).code;
    const reason = code === "ENOENT" ? `folder ${dirname(path)} does not exist` : (code ?? String(cause));
    throw new DataError(`${path}: cannot be written (${reason}).`, { cause });
  }
}

/** `writeFileAtomic` for text. */
export function writeTextAtomic(path: string, text: string): void {
  writeFileAtomic(path, [new TextEncoder().encode(text)]);
}
