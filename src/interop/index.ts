export { writeFileAtomic, writeTextAtomic } from "./atomic-write.ts";
export { sha256Of } from "./digest.ts";
export {
  bucketsOf,
  crc32c,
  EventFile,
  encodeEvent,
  encodeFileVersion,
  frameRecord,
  maskedCrc32c,
} from "./event-file.ts";
export { makeFolder } from "./make-folder.ts";
export { type JsonValue, type ModelArchive, readModelArchive, writeModelArchive } from "./model-archive.ts";
export { type FileFormat, parseEntry, readFormat, readObject, writeObject } from "./object-file.ts";
export {
  decodeSafetensors,
  encodeSafetensors,
  type NamedTensor,
  readSafetensors,
  type SafetensorsContent,
  writeSafetensors,
} from "./safetensors.ts";
export { fromTensorTree, type TensorTree, toTensorTree } from "./tensor-tree.ts";
