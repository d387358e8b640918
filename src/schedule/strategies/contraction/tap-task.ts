import type { KernelBuilder } from "../../../kernel/builder.ts";
import type { IntOperand, IntRegister } from "../../../kernel/ir.ts";
import type { StepArgument, StrategyRequest } from "../../strategy.ts";
import type { ConvolutionAxis } from "./convolution-axis.ts";
import type { AddressOf } from "./lowering.ts";
import type { ImageSource } from "./materialize.ts";
import { balancedStrips, rowLimit, type Strips } from "./tile.ts";

/**
 * A direct convolution along `rows` and `columns`: each output is one fma chain over (row tap, column tap, channel). Pixels of a row times
 * vectors of output channels form the register tile; inputs are broadcast from where they lie, and taps outside the input are left out.
 */
export interface TapConvolution {
  readonly name: string;
  readonly request: StrategyRequest;
  readonly input: ImageSource;
  readonly images: number;
  readonly groups: number;
  /** Reduced channels and produced channels of one group. */
  readonly inputChannels: number;
  readonly outputChannels: number;
  readonly rows: ConvolutionAxis;
  readonly columns: ConvolutionAxis;
  /** Lanes of input and output are the same channels (depthwise); then `groups` and `inputChannels` are 1. */
  readonly laneWise: boolean;
  /** Packed as [group][panel][row tap][column tap][channel][width]. */
  readonly weights: StepArgument;
  readonly weightOffset: number;
  readonly width: number;
}

/** Bytes of one (panel, row tap) of packed weights. */
export const rowTapBytes = (c: TapConvolution): number => c.columns.taps * c.inputChannels * c.width * 4;

/** A task of a kernel under construction. */
export interface TaskState {
  readonly k: KernelBuilder;
  readonly c: TapConvolution;
  readonly address: AddressOf;
  readonly image: IntOperand;
  readonly group: IntOperand;
  /** What the epilogue of a tile writes, and where: more than the request says where rows wait to be pooled. */
  readonly request: StrategyRequest;
  /** Fetches weights that are needed soon, a little with each iteration of the inner loops. */
  readonly weightsAhead: (() => void) | undefined;
}

/** The strips of a run of pixels. */
export const pixelStrips = (c: TapConvolution): Strips =>
  balancedStrips(c.columns.count, rowLimit(c.request.machine, c.width / 16));

/** First output channel of a panel. */
export function channelOf(
  k: KernelBuilder,
  group: IntOperand,
  channels: number,
  panel: IntOperand,
  width: number,
): IntOperand {
  if (typeof group === "number" && typeof panel === "number") return group * channels + panel * width;
  if (typeof group === "number")
    return group === 0
      ? k.mul(panel as IntRegister, width)
      : k.add(k.mul(panel as IntRegister, width), group * channels);
  const base = k.mul(group, channels);
  return typeof panel === "number" ? k.add(base, panel * width) : k.add(base, k.mul(panel, width));
}
