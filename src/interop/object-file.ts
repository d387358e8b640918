import { closeSync, openSync, readSync } from "node:fs";
import { DataError, UnsupportedError } from "../errors.ts";
import { tensorView } from "../tensor/index.ts";
import type { JsonValue } from "./model-archive.ts";
import { readSafetensors, type SafetensorsContent, writeSafetensors } from "./safetensors.ts";
import { checkTensorNames } from "./tensor-names.ts";
import { fromTensorTree, toTensorTree } from "./tensor-tree.ts";

/** A file format of Trivium's inside a safetensors file: its name and the version that this code writes. */
export interface FileFormat {
  readonly name: string;
  readonly version: number;
  /** What the file is, for messages. */
  readonly title: string;
  /** What opens it. */
  readonly opener: string;
}

const objectFormat: FileFormat = { name: "trivium-object", version: 1, title: "a saved object", opener: "torch.load" };
const otherFormats: readonly Pick<FileFormat, "name" | "title" | "opener">[] = [
  objectFormat,
  { name: "trivium-model", title: "a Keras-style model", opener: "keras.models.loadModel" },
  { name: "trivium-program", title: "a traced module", opener: "torch.jit.load" },
];

/** Says what a file is that is certainly none of Trivium's. */
function refuseForeign(path: string): void {
  const start = new Uint8Array(8);
  try {
    const file = openSync(path, "r");
    try {
      readSync(file, start, 0, start.length, 0);
    } finally {
      closeSync(file);
    }
  } catch {
    // reading it will say what is wrong
    return;
  }
  const zip = start[0] === 0x50 && start[1] === 0x4b;
  const pickle = start[0] === 0x80 && start[1] >= 2 && start[1] <= 5 && start[7] !== 0;
  if (zip || pickle) {
    throw new UnsupportedError(
      `${path}: a ${zip ? "zip archive" : "pickle"}, as PyTorch's torch.save writes it; it may run code and is not read. Convert it with safetensors.torch.save_file(state_dict, path) in Python.`,
    );
  }
}

/** Reads a safetensors file and checks its format; with `plain` one without a format of Trivium's is let through. */
export function readFormat(path: string, format: FileFormat, plain = false): SafetensorsContent {
  refuseForeign(path);
  const content = readSafetensors(path);
  checkTensorNames(path, content.tensors);
  const { format: name, version } = content.metadata;
  if (plain && !name?.startsWith("trivium")) return content;
  if (name !== format.name) {
    const other = otherFormats.find((entry) => entry.name === name);
    throw new DataError(
      `${path}: expected ${format.title}, found ${other ? `${other.title}; open it with ${other.opener}` : "a safetensors file of another kind"}.`,
    );
  }
  if (version !== String(format.version)) {
    throw new DataError(
      `${path}: ${format.name} version ${String(version).slice(0, 20)}, this Trivium reads version ${format.version}.`,
    );
  }
  return content;
}

/** The JSON of a metadata entry. */
export function parseEntry(path: string, content: SafetensorsContent, entry: string): JsonValue {
  const text = content.metadata[entry];
  if (text === undefined) throw new DataError(`${path}: its ${entry} is missing.`);
  try {
    return JSON.parse(text) as JsonValue;
  } catch (cause) {
    throw new DataError(`${path}: its ${entry} is not JSON.`, { cause });
  }
}

/**
 * Writes nested plain data with tensors in it as one safetensors file, atomically: the tree as JSON in the metadata, tensors under their paths.
 * @throws ArgumentError for what cannot be saved; DataError when the file cannot be written.
 */
export function writeObject(operation: string, path: string, value: unknown): void {
  const { tree, tensors } = toTensorTree(operation, value);
  const { name, version } = objectFormat;
  checkTensorNames(path, tensors);
  writeSafetensors(path, tensors, { format: name, version: String(version), tree: JSON.stringify(tree) });
}

/**
 * Reads what `writeObject` wrote; from a safetensors file of other programs an object of its tensors by name.
 * @throws DataError, with nothing half-loaded, for a file that is missing, truncated, damaged, of another kind or of a newer version.
 */
export function readObject(path: string): unknown {
  const content = readFormat(path, objectFormat, true);
  if (content.metadata.format !== objectFormat.name) {
    return Object.fromEntries(
      content.tensors.map(({ name, data, shape, dtype }) => [name, tensorView(data, shape, dtype)]),
    );
  }
  return fromTensorTree({ tree: parseEntry(path, content, "tree"), tensors: content.tensors }, path);
}
