/** Weights of networks: from safetensors files into modules, whole or not at all. */
import { existsSync } from "node:fs";
import { DataError, UnsupportedError } from "../errors.ts";
import { load, nn, Tensor, zeros } from "../torch/index.ts";

/** Where a network gets its weights from. */
export interface WeightsOption {
  /** Path of a safetensors file with torchvision's names; without it weights start at random. Nothing is downloaded. */
  readonly weights?: string | null;
}

/** A network, with the weights of a file where one is named. */
export function withWeights<Network extends nn.AnyModule>(
  name: string,
  { weights }: WeightsOption,
  make: () => Network,
): Network {
  if (weights === undefined || weights === null) return make();
  if (/^[\w.]+$/.test(weights) && !/\.safetensors$|\.pt$|\.pth$|\.bin$/.test(weights) && !existsSync(weights)) {
    throw new UnsupportedError(
      `${name}: there is no file "${weights}", and weights are not downloaded by name. Give the path of a safetensors file; in Python, ` +
        `safetensors.torch.save_file(torchvision.models.get_model("${name}", weights="DEFAULT").state_dict(), "${name}.safetensors") writes it.`,
    );
  }
  const network = make();
  loadWeights(network, weights);
  return network;
}

/**
 * Replaces all parameters and buffers of a module by those of a safetensors file that PyTorch or Trivium wrote. Names must be exactly those of the
 * module's state dict, with two exceptions that files of old networks need: `num_batches_tracked` may be missing, and the names of DenseNet's
 * layers may be those of 2017 (`denselayer1.norm.1`).
 *
 * @example
 * ```ts no-run: needs a file of weights
 * const model = resnet50();
 * loadWeights(model, "resnet50.safetensors");
 * ```
 * @throws StateDictError that lists every missing, unexpected and misshapen tensor; DataError for a file that cannot be read. Nothing is changed then.
 */
export function loadWeights(model: nn.AnyModule, path: string): void {
  const dict = withBatchCounts(model, withPresentNames(readTensors(path)));
  try {
    model.loadStateDict(dict);
  } catch (error) {
    if (!(error instanceof nn.StateDictError)) throw error;
    throw new nn.StateDictError(`${path}: ${error.message}`, error);
  }
}

/** The tensors of a file by name. */
function readTensors(path: string): nn.StateDict {
  const content = load(path);
  const entries = content !== null && typeof content === "object" ? Object.entries(content) : [];
  const strange = entries.find(([, value]) => !(value instanceof Tensor));
  if (strange) {
    throw new DataError(
      `${path}: expected tensors by name, but "${strange[0]}" is none; load the file with torch.load and pass its state dict to loadStateDict.`,
    );
  }
  return Object.fromEntries(entries as [string, Tensor][]);
}

const namesOf2017 = /^(.*denselayer\d+\.(?:norm|relu|conv))\.([12]\.(?:weight|bias|running_mean|running_var))$/;

function withPresentNames(dict: nn.StateDict): nn.StateDict {
  return Object.fromEntries(Object.entries(dict).map(([name, tensor]) => [name.replace(namesOf2017, "$1$2"), tensor]));
}

/** Files from before batch normalisation counted its batches do not have the counters. */
function withBatchCounts(model: nn.AnyModule, dict: nn.StateDict): nn.StateDict {
  const missing = model
    .namedBuffers()
    .map(([name]) => name)
    .filter((name) => name.endsWith("num_batches_tracked") && !Object.hasOwn(dict, name));
  if (missing.length === 0) return dict;
  return { ...dict, ...Object.fromEntries(missing.map((name) => [name, zeros([], { dtype: "i32" })])) };
}
