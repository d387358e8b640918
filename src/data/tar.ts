/** Reading tar archives in memory: views of the files in them. Nothing is written anywhere, and no size in a header is believed beyond the archive's end. */
import { readFileSync, statSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import { DataError } from "../errors.ts";

const block = 512;

function field(header: Uint8Array, from: number, length: number): string {
  const bytes = header.subarray(from, from + length);
  const end = bytes.indexOf(0);
  return Buffer.from(end < 0 ? bytes : bytes.subarray(0, end)).toString("latin1");
}

function octal(name: string, header: Uint8Array, from: number, length: number): number {
  const text = field(header, from, length).trim();
  if (!/^[0-7]+$/.test(text))
    throw new DataError(`${name}: damaged tar header (a size reads ${JSON.stringify(text)}).`);
  return Number.parseInt(text, 8);
}

/** The regular files of an archive by name; their bytes are views of `bytes`. A name that comes twice is the later file, as tar has it. */
export function readTar(bytes: Uint8Array, name: string): Map<string, Uint8Array> {
  const files = new Map<string, Uint8Array>();
  for (let at = 0; at + block <= bytes.length; ) {
    const header = bytes.subarray(at, at + block);
    if (header.every((byte) => byte === 0)) break;
    // the checksum counts its own field as blanks
    const sum = header.reduce((total, byte, index) => total + (index >= 148 && index < 156 ? 32 : byte), 0);
    if (sum !== octal(name, header, 148, 8))
      throw new DataError(`${name}: not a tar archive, or damaged at byte ${at}.`);
    const size = octal(name, header, 124, 12);
    const start = at + block;
    if (start + size > bytes.length)
      throw new DataError(`${name}: truncated inside a file of ${size} bytes at byte ${at}.`);
    const type = header[156];
    if (type === 0 || type === 48) {
      const prefix = field(header, 257, 5) === "ustar" ? field(header, 345, 155) : "";
      files.set(`${prefix}${prefix && "/"}${field(header, 0, 100)}`, bytes.subarray(start, start + size));
    }
    at = start + Math.ceil(size / block) * block;
  }
  if (files.size === 0) throw new DataError(`${name}: no files in this archive.`);
  return files;
}

/** Reads an archive, decompressed when it is gzip, of at most `largest` bytes. */
export function readTarFile(path: string, largest: number): Map<string, Uint8Array> {
  let bytes: Uint8Array;
  try {
    const { size } = statSync(path);
    if (size > largest)
      throw new DataError(`${path}: ${size} bytes, more than the ${largest} that this data set can have.`);
    bytes = readFileSync(path);
    if (bytes[0] === 0x1f && bytes[1] === 0x8b) bytes = gunzipSync(bytes, { maxOutputLength: largest });
  } catch (cause) {
    if (cause instanceof DataError) throw cause;
    throw new DataError(
      `${path}: cannot be read or decompressed (${(cause as NodeJS.ErrnoException).code ?? String(cause)}).`,
      { cause },
    );
  }
  return readTar(bytes, path);
}
