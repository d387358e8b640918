/** CIFAR-10 from its official files: the binary version or the Python version, extracted or as the .tar.gz. */
import { existsSync, readFileSync, statSync } from "node:fs";
import { basename, join } from "node:path";
import { DataError } from "../errors.ts";
import { Image } from "./image.ts";
import { numpyCallables, PickledBytes } from "./numpy-pickle.ts";
import { readPickle } from "./pickle.ts";
import { readTarFile } from "./tar.ts";

const side = 32;
const pixels = side * side;
/** Bytes of an image: red, green and blue planes. */
const imageBytes = 3 * pixels;
const classCount = 10;
/** The official archives unpack to 186 MB. */
const largestArchive = 2 ** 29;

/** The classes, in the order of their numbers. */
export const cifar10Classes: readonly string[] = [
  "airplane",
  "automobile",
  "bird",
  "cat",
  "deer",
  "dog",
  "frog",
  "horse",
  "ship",
  "truck",
];

/** Images as planes of bytes, [count, 3, 32, 32], and their class numbers. */
export interface PlanarImages {
  readonly planes: readonly Uint8Array[];
  readonly labels: Uint8Array;
}

const trainFiles = [1, 2, 3, 4, 5].map((number) => `data_batch_${number}`);
const advice =
  "Download cifar-10-binary.tar.gz or cifar-10-python.tar.gz from https://www.cs.toronto.edu/~kriz/cifar.html and pass its folder as root.";

function checkLabels(name: string, labels: ArrayLike<number>): void {
  for (let index = 0; index < labels.length; index++) {
    const label = labels[index]!;
    if (!Number.isInteger(label) || label < 0 || label >= classCount) {
      throw new DataError(`${name}: label ${label} at ${index}, expected 0 to ${classCount - 1}.`);
    }
  }
}

/** Records of one label byte and 3072 bytes. */
function parseBinary(bytes: Uint8Array, name: string): PlanarImages {
  const record = imageBytes + 1;
  if (bytes.length === 0 || bytes.length % record !== 0) {
    throw new DataError(
      `${name}: ${bytes.length} bytes are no whole number of records of ${record}: truncated or not CIFAR-10. ${advice}`,
    );
  }
  const count = bytes.length / record;
  const labels = Uint8Array.from({ length: count }, (_, index) => bytes[index * record]!);
  checkLabels(name, labels);
  const planes = Array.from({ length: count }, (_, index) => bytes.subarray(index * record + 1, (index + 1) * record));
  return { planes, labels };
}

/** A dictionary with `data` (bytes [count, 3072]) and `labels`. */
function parsePython(bytes: Uint8Array, name: string): PlanarImages {
  const batch = readPickle(bytes, name, numpyCallables);
  const data = batch instanceof Map ? batch.get("data") : undefined;
  const labels = batch instanceof Map ? batch.get("labels") : undefined;
  if (
    !(data instanceof PickledBytes) ||
    !Array.isArray(labels) ||
    data.shape.length !== 2 ||
    data.shape[1] !== imageBytes
  ) {
    throw new DataError(
      `${name}: expected a dictionary with data (bytes, count x ${imageBytes}) and labels. ${advice}`,
    );
  }
  if (labels.length !== data.shape[0])
    throw new DataError(`${name}: ${data.shape[0]} images but ${labels.length} labels.`);
  checkLabels(name, labels as number[]);
  const planes = labels.map((_, index) => data.data.subarray(index * imageBytes, (index + 1) * imageBytes));
  return { planes, labels: Uint8Array.from(labels as number[]) };
}

/** Reads a file by its name without extension, or undefined where there is none. */
type FileReader = (name: string) => Uint8Array | undefined;

function folderReader(folder: string): FileReader {
  return (name) => (existsSync(join(folder, name)) ? readFileSync(join(folder, name)) : undefined);
}
function archiveReader(path: string): FileReader {
  const files = new Map([...readTarFile(path, largestArchive)].map(([name, bytes]) => [basename(name), bytes]));
  return (name) => files.get(name);
}

/** Where the files are: a folder that holds them, a folder that holds one of the official folders or archives, or an archive. */
function locate(root: string): { readonly read: FileReader; readonly where: string } {
  if (!existsSync(root)) throw new DataError(`CIFAR10: ${root} does not exist. ${advice}`);
  if (statSync(root).isFile()) return { read: archiveReader(root), where: root };
  for (const folder of [root, join(root, "cifar-10-batches-bin"), join(root, "cifar-10-batches-py")]) {
    if (
      ["test_batch.bin", "test_batch", "data_batch_1.bin", "data_batch_1"].some((name) =>
        existsSync(join(folder, name)),
      )
    ) {
      return { read: folderReader(folder), where: folder };
    }
  }
  for (const name of ["cifar-10-binary.tar.gz", "cifar-10-python.tar.gz"]) {
    const path = join(root, name);
    if (existsSync(path)) return { read: archiveReader(path), where: path };
  }
  throw new DataError(`CIFAR10: no CIFAR-10 files in ${root}. ${advice}`);
}

/**
 * The 50,000 training images, or the 10,000 test images.
 * @throws DataError when files are missing, truncated or of another format.
 */
export function loadCifar10(root: string, train: boolean): PlanarImages {
  const { read, where } = locate(root);
  const parts = (train ? trainFiles : ["test_batch"]).map((name) => {
    const binary = read(`${name}.bin`);
    if (binary) return parseBinary(binary, join(where, `${name}.bin`));
    const python = read(name);
    if (python) return parsePython(python, join(where, name));
    throw new DataError(`CIFAR10: ${where} lacks ${name} (.bin for the binary version). ${advice}`);
  });
  return {
    planes: parts.flatMap(({ planes }) => planes),
    labels: Uint8Array.from(parts.flatMap(({ labels }) => Array.from(labels))),
  };
}

/** The image of three planes. */
export function planarImage(planes: Uint8Array): Image {
  const data = new Uint8Array(imageBytes);
  for (let pixel = 0; pixel < pixels; pixel++) {
    data[3 * pixel] = planes[pixel]!;
    data[3 * pixel + 1] = planes[pixels + pixel]!;
    data[3 * pixel + 2] = planes[2 * pixels + pixel]!;
  }
  return new Image(side, side, 3, data);
}
