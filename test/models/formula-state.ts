/** Weights and images by formula, as `tools/goldens/torchvision_models.py` makes them. */
import type { Tensor } from "../../src/tensor/index.ts";
import { hashUniform } from "../../src/testing/hash-uniform.ts";
import { type nn, tensor } from "../../src/torch/index.ts";

const inputStream = 77;

/** FNV-1a of a name, 31 bits: the stream of its values. */
function streamOf(name: string): number {
  let hash = 0x811c9dc5;
  for (const byte of Buffer.from(name)) hash = Math.imul(hash ^ byte, 0x01000193);
  return hash >>> 1;
}

function bounds(name: string, shape: readonly number[]): [low: number, high: number] {
  if (name.endsWith("running_var")) return [0.7, 1.3];
  if (shape.length > 1) {
    const limit = Math.sqrt(6 / shape.slice(1).reduce((product, extent) => product * extent, 1));
    return [-limit, limit];
  }
  return name.endsWith("weight") ? [0.5, 1.2] : [-0.2, 0.2];
}

/** The value of one entry of a state dict. */
function stateValue(name: string, { shape, size }: Tensor): Tensor {
  if (name.endsWith("num_batches_tracked")) return tensor(Int32Array.of(3), { shape: [] });
  return tensor(hashUniform(streamOf(name), size, ...bounds(name, shape)), { shape });
}

/** Names and places of a module's state, in order, without computing it. */
export function stateOf(model: nn.AnyModule): [name: string, tensor: Tensor][] {
  return model
    .namedModules()
    .flatMap(([at, module]) => [...module.namedParameters(at, false), ...module.namedBuffers(at, false)]);
}

/** Gives a module the weights that follow from their names. */
export function setState<Module extends nn.AnyModule>(model: Module): Module {
  model.loadStateDict(Object.fromEntries(stateOf(model).map(([name, entry]) => [name, stateValue(name, entry)])));
  return model;
}

/** Images: patches of 8 by 8 to an image, and noise. */
export function image(batch: number, edge: number): Tensor {
  const patches = hashUniform(inputStream, batch * 3 * 64, -2, 2);
  const values = hashUniform(inputStream + 1, batch * 3 * edge * edge, -0.5, 0.5);
  const place = Array.from({ length: edge }, (_, at) => Math.floor((at * 8) / edge));
  let index = 0;
  for (let plane = 0; plane < batch * 3; plane++) {
    for (const row of place) for (const column of place) values[index++] += patches[plane * 64 + row * 8 + column]!;
  }
  return tensor(values, { shape: [batch, 3, edge, edge] });
}
