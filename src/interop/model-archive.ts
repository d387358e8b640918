import { DataError, UnsupportedError } from "../errors.ts";
import { type NamedTensor, readSafetensors, writeSafetensors } from "./safetensors.ts";
import { checkTensorNames } from "./tensor-names.ts";

/** Plain JSON. */
export type JsonValue = null | boolean | number | string | readonly JsonValue[] | { readonly [key: string]: JsonValue };

/** A saved model: docs/model-format.md describes the file. */
export interface ModelArchive {
  /** What rebuilds the layers; absent in a file of weights only. */
  readonly architecture?: JsonValue;
  /** What `compile` was given, the optimizer's configuration included. */
  readonly training?: JsonValue;
  /** Weights in the model's own order. */
  readonly weights: readonly NamedTensor[];
  /** The optimizer's variables in its own order. */
  readonly optimizer?: readonly NamedTensor[];
}

/** Version of the format; a reader takes this one and older ones, and refuses newer ones. */
const formatVersion = 2;
const readableVersions: readonly string[] = ["1", "2"];
const formatName = "trivium-model";

const foreign: Readonly<Record<string, string>> = {
  ".keras": "Keras's zip format",
  ".h5": "HDF5",
  ".hdf5": "HDF5",
  ".pt": "PyTorch's pickle format",
  ".pth": "PyTorch's pickle format",
};

/** A file that other frameworks would take for their own is worse than none: their extensions are refused. */
function checkExtension(path: string): void {
  const extension = /\.[^./\\]*$/.exec(path)?.[0].toLowerCase() ?? "";
  if (extension in foreign) {
    const suggested = `${path.slice(0, -extension.length).replace(/\.weights$/, "")}.safetensors`;
    throw new UnsupportedError(
      `${path}: ${foreign[extension]} is not written or read yet. Use a name like ${suggested}.`,
    );
  }
}

const prefixed = (prefix: string, tensors: readonly NamedTensor[]) =>
  tensors.map((tensor, index) => ({ ...tensor, name: `${prefix}/${index}/${tensor.name}` }));

/**
 * Writes a model, or its weights, as one safetensors file, atomically.
 * @throws DataError when the file cannot be written; UnsupportedError for another framework's extension.
 */
export function writeModelArchive(path: string, archive: ModelArchive): void {
  checkExtension(path);
  const metadata: Record<string, string> = { format: formatName, version: String(formatVersion) };
  if (archive.architecture !== undefined) metadata.architecture = JSON.stringify(archive.architecture);
  if (archive.training !== undefined) metadata.training = JSON.stringify(archive.training);
  const optimizer = archive.optimizer === undefined ? [] : prefixed("optimizer", archive.optimizer);
  if (archive.optimizer !== undefined) metadata.optimizer = String(optimizer.length);
  writeSafetensors(path, [...prefixed("weights", archive.weights), ...optimizer], metadata);
}

function parseJson(text: string | undefined, what: string, path: string): JsonValue | undefined {
  if (text === undefined) return undefined;
  try {
    return JSON.parse(text) as JsonValue;
  } catch (cause) {
    throw new DataError(`${path}: its ${what} is not JSON.`, { cause });
  }
}

/** The tensors of one group in their saved order, with the prefix taken off. */
function group(tensors: readonly NamedTensor[], prefix: string, path: string): NamedTensor[] {
  const found: NamedTensor[] = [];
  for (const tensor of tensors) {
    const match = /^([^/]+)\/(\d{1,6})\/(.*)$/s.exec(tensor.name);
    if (match === null) throw new DataError(`${path}: tensor "${tensor.name}" is not named group/index/name.`);
    if (match[1] === prefix) found[Number(match[2])] = { ...tensor, name: match[3]! };
  }
  for (let index = 0; index < found.length; index++) {
    if (found[index] === undefined) throw new DataError(`${path}: ${prefix}/${index} of ${found.length} is missing.`);
  }
  return found;
}

/**
 * Reads what `writeModelArchive` wrote.
 * @throws DataError when the file is missing, truncated, of another format or of a newer version.
 */
export function readModelArchive(path: string): ModelArchive {
  checkExtension(path);
  const { tensors, metadata } = readSafetensors(path);
  checkTensorNames(path, tensors);
  if (metadata.format !== formatName) {
    throw new DataError(
      `${path}: a safetensors file, but not a Trivium model (no format "${formatName}" in its metadata).`,
    );
  }
  if (!readableVersions.includes(metadata.version ?? "")) {
    throw new DataError(
      `${path}: model format version ${metadata.version}, this Trivium reads versions ${readableVersions.join(" and ")}.`,
    );
  }
  const architecture = parseJson(metadata.architecture, "architecture", path);
  const training = parseJson(metadata.training, "training configuration", path);
  return {
    ...(architecture !== undefined && { architecture }),
    ...(training !== undefined && { training }),
    weights: group(tensors, "weights", path),
    ...(metadata.optimizer !== undefined && { optimizer: group(tensors, "optimizer", path) }),
  };
}
