import { defaultEngine } from "../engine/default-engine.ts";
import { type TensorData, viewOf } from "../graph/dtype.ts";
import { atEntry } from "./lift.ts";
import type { Tensor } from "./tensor.ts";

/**
 * @internal The values of a tensor in row-major order without a copy, computed if need be: for loaders that read many small tensors. The array must not
 * be written. A variable's values are copied, because an assignment will overwrite them.
 */
export function hostView(tensor: Tensor): TensorData {
  return atEntry(hostView, () => {
    if ("cell" in tensor) return tensor.dataSync();
    const value = defaultEngine.read(tensor.node);
    return viewOf(tensor.dtype, value.buffer, value.byteOffset, tensor.size);
  });
}
