import { withBatch } from "../../../nn/channels-first.ts";
import { patchColumns } from "../../../nn/patches.ts";
import { pairOf } from "../../../nn/windows.ts";
import type { Tensor } from "../../../tensor/index.ts";
import { checkRank, type Size2 } from "./geometry.ts";

export interface UnfoldOptions {
  readonly dilation?: Size2;
  readonly padding?: Size2;
  readonly stride?: Size2;
}

/** Every window of images (N, C, H, W) as a column: (N, C·h·w, windows). After torch.nn.functional.unfold. */
export function unfold(x: Tensor, kernelSize: Size2, options: UnfoldOptions = {}, owner = "unfold"): Tensor {
  checkRank(owner, x, [3, 4], "(batch, channels, height, width) or (channels, height, width)");
  const window = pairOf(owner, "kernelSize", kernelSize);
  const geometry = {
    strides: pairOf(owner, "stride", options.stride ?? 1),
    dilation: pairOf(owner, "dilation", options.dilation ?? 1),
    padding: pairOf(owner, "padding", options.padding ?? 0, 0),
  };
  return withBatch(x, 3, (images) => patchColumns(owner, images, window, geometry));
}
