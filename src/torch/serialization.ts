import { readObject, writeObject } from "../interop/index.ts";
import { atEntry } from "../tensor/lift.ts";

/**
 * Saves nested state (state dicts of modules, optimizers, schedulers and samplers, random states, numbers, strings, arrays, tensors) as one file: a
 * safetensors file that other programs can read the tensors from. The file is replaced whole or not at all. After torch.save.
 *
 * @example
 * ```ts
 * torch.save({ model: model.stateDict(), optimizer: optimizer.stateDict(), epoch: 3 }, "checkpoint.pt");
 * ```
 * @throws ArgumentError for what is no plain data (functions, class instances); DataError when the file cannot be written.
 */
export function save(object: unknown, path: string): void {
  atEntry(save, () => writeObject("save", path, object));
}

/**
 * Loads what `save` wrote. Parameters come back as plain tensors. A safetensors file of another program gives an object of its tensors. No code is
 * run: a file from anywhere is data or an error. After torch.load.
 *
 * @example
 * ```ts
 * torch.save(model.stateDict(), "mnist_cnn.pt");
 * model.loadStateDict(torch.load("mnist_cnn.pt"));
 * ```
 * @throws DataError, with nothing half-loaded, for a file that is missing, truncated, damaged, of another kind or of a newer version; UnsupportedError
 * for a file of PyTorch's own.
 */
export function load<Value = unknown>(path: string): Value {
  return atEntry(load, () => readObject(path) as Value);
}
