/** What the networks share: the normalisation that stands behind their convolutions, and how weights start. */
import { nn } from "../torch/index.ts";

/** Makes the normalisation of a number of channels: `(channels) => new nn.GroupNorm(8, channels)`. */
export type NormLayer = (channels: number) => nn.Module;

/** Batch normalisation as torchvision has it. */
export const batchNorm: NormLayer = (channels) => new nn.BatchNorm2d(channels);

/** Factors of 1 and shifts of 0, in the normalisations that torchvision sets. */
function startNormalization(module: nn.BatchNorm2d | nn.GroupNorm): void {
  if (module.weight) nn.init.ones_(module.weight);
  if (module.bias) nn.init.zeros_(module.bias);
}

/** How the kernels of a network start: normal numbers whose deviation follows from the fan. */
export interface StartOptions {
  readonly mode: "fan_in" | "fan_out";
  readonly nonlinearity: "relu" | "leaky_relu";
  /** Standard deviation of dense weights; without it they keep PyTorch's uniform start. */
  readonly denseDeviation?: number;
  /** Whether shifts of dense layers start as 0. */
  readonly zeroDenseBias?: boolean;
}

/** Gives the parameters of a network their first values (He et al., 2015, and what each network sets beside it). */
export function startWeights(network: nn.AnyModule, options: StartOptions): void {
  const { mode, nonlinearity, denseDeviation, zeroDenseBias } = options;
  for (const module of network.modules()) {
    if (module instanceof nn.Conv2d) {
      nn.init.kaimingNormal_(module.weight, { mode, nonlinearity });
      if (module.bias) nn.init.zeros_(module.bias);
    } else if (module instanceof nn.BatchNorm2d || module instanceof nn.GroupNorm) {
      startNormalization(module);
    } else if (module instanceof nn.Linear) {
      if (denseDeviation !== undefined) nn.init.normal_(module.weight, 0, denseDeviation);
      if (zeroDenseBias && module.bias) nn.init.zeros_(module.bias);
    }
  }
}
