/** MobileNetV2 (Sandler et al., 2018). After torchvision.models.mobilenetv2. */
import { ArgumentError } from "../errors.ts";
import { flatten, nn, type Tensor } from "../torch/index.ts";
import { batchNorm, type NormLayer, startWeights } from "./norm-layer.ts";
import { type WeightsOption, withWeights } from "./weights.ts";

/** Geometry of a `Conv2dNormActivation`. */
export interface Conv2dNormActivationOptions {
  /** Default 3. */
  readonly kernelSize?: number;
  /** Default 1. */
  readonly stride?: number;
  /** Default 1. */
  readonly groups?: number;
  readonly normLayer?: NormLayer;
}

/** Convolution that keeps the image's size but for its stride, normalisation and ReLU6. */
export class Conv2dNormActivation extends nn.Sequential {
  constructor(inChannels: number, outChannels: number, options: Conv2dNormActivationOptions = {}) {
    const { kernelSize = 3, stride = 1, groups = 1, normLayer = batchNorm } = options;
    const padding = Math.floor((kernelSize - 1) / 2);
    super(
      new nn.Conv2d(inChannels, outChannels, kernelSize, { stride, padding, groups, bias: false }),
      normLayer(outChannels),
      new nn.ReLU6({ inplace: true }),
    );
  }
}

/** How an inverted residual block is made. */
export interface InvertedResidualOptions {
  /** 1 or 2 (default 1). */
  readonly stride?: number;
  /** How many times more channels the middle has than the input (default 6). */
  readonly expandRatio?: number;
  readonly normLayer?: NormLayer;
}

/** More channels by 1x1, a filter for each of them, fewer channels by 1x1; with a shortcut where input and output have one shape. */
export class InvertedResidual extends nn.Module {
  readonly conv: nn.Sequential;
  readonly stride: number;
  readonly useResConnect: boolean;

  constructor(inChannels: number, outChannels: number, options: InvertedResidualOptions = {}) {
    super();
    const { stride = 1, expandRatio = 6, normLayer = batchNorm } = options;
    if (stride !== 1 && stride !== 2) {
      throw new ArgumentError(`InvertedResidual: stride must be 1 or 2, received ${stride}.`);
    }
    const hidden = Math.round(inChannels * expandRatio);
    const layers: nn.Module[] = [];
    if (expandRatio !== 1) layers.push(new Conv2dNormActivation(inChannels, hidden, { kernelSize: 1, normLayer }));
    layers.push(
      new Conv2dNormActivation(hidden, hidden, { stride, groups: hidden, normLayer }),
      new nn.Conv2d(hidden, outChannels, 1, { bias: false }),
      normLayer(outChannels),
    );
    this.conv = new nn.Sequential(...layers);
    this.stride = stride;
    this.useResConnect = stride === 1 && inChannels === outChannels;
  }
  override forward(x: Tensor): Tensor {
    return this.useResConnect ? x.add(this.conv(x)) : this.conv(x);
  }
}

/** One row of MobileNetV2's table: how much wider the middle is, channels, blocks, stride of the first. */
export type InvertedResidualRow = readonly [expandRatio: number, channels: number, blocks: number, stride: number];

/** Table 2 of the paper (Sandler et al. 2018). */
export const standardRows: readonly InvertedResidualRow[] = [
  [1, 16, 1, 1],
  [6, 24, 2, 2],
  [6, 32, 3, 2],
  [6, 64, 4, 2],
  [6, 96, 3, 1],
  [6, 160, 3, 2],
  [6, 320, 1, 1],
];

/** What MobileNetV2 may be made with. */
export interface MobileNetV2Options {
  /** Number of outputs (default 1000). */
  readonly numClasses?: number;
  /** Factor of the channels of every layer (default 1). */
  readonly widthMult?: number;
  readonly invertedResidualSetting?: readonly InvertedResidualRow[];
  /** Numbers of channels are multiples of this (default 8). */
  readonly roundNearest?: number;
  readonly normLayer?: NormLayer;
  /** Probability with which the classifier's inputs become 0 in training (default 0.2). */
  readonly dropout?: number;
}

/** The nearest multiple of `divisor`, at least one of them and no more than 10 % below the value. */
function multipleOf(value: number, divisor: number): number {
  const near = Math.max(divisor, Math.floor(Math.trunc(value + divisor / 2) / divisor) * divisor);
  return near < 0.9 * value ? near + divisor : near;
}

/** MobileNetV2 for images (N, 3, H, W). After torchvision.models.MobileNetV2. */
export class MobileNetV2 extends nn.Module {
  readonly features: nn.Sequential;
  classifier: nn.Module;
  readonly lastChannel: number;

  constructor(options: MobileNetV2Options = {}) {
    super();
    const { numClasses = 1000, widthMult = 1, roundNearest = 8, normLayer = batchNorm, dropout = 0.2 } = options;
    const rows = options.invertedResidualSetting ?? standardRows;
    if (rows.length === 0 || rows.some((row) => row.length !== 4)) {
      throw new ArgumentError(
        `MobileNetV2: invertedResidualSetting takes rows [expandRatio, channels, blocks, stride], received ${JSON.stringify(rows)}.`,
      );
    }
    let channels = multipleOf(32 * widthMult, roundNearest);
    const features: nn.Module[] = [new Conv2dNormActivation(3, channels, { stride: 2, normLayer })];
    for (const [expandRatio, planes, blocks, firstStride] of rows) {
      const outChannels = multipleOf(planes * widthMult, roundNearest);
      for (let block = 0; block < blocks; block++) {
        const stride = block === 0 ? firstStride : 1;
        features.push(new InvertedResidual(channels, outChannels, { stride, expandRatio, normLayer }));
        channels = outChannels;
      }
    }
    this.lastChannel = multipleOf(1280 * Math.max(1, widthMult), roundNearest);
    features.push(new Conv2dNormActivation(channels, this.lastChannel, { kernelSize: 1, normLayer }));
    this.features = new nn.Sequential(...features);
    this.classifier = new nn.Sequential(new nn.Dropout(dropout), new nn.Linear(this.lastChannel, numClasses));
    // torchvision names no activation, which is a leaky ReLU of slope 0: the same gain as a ReLU
    startWeights(this, { mode: "fan_out", nonlinearity: "leaky_relu", denseDeviation: 0.01, zeroDenseBias: true });
  }
  override forward(x: Tensor): Tensor {
    return this.classifier(flatten(nn.functional.adaptiveAvgPool2d(this.features(x), [1, 1]), 1));
  }
}

/** MobileNetV2: 3,504,872 parameters. */
export function mobilenetV2(options: MobileNetV2Options & WeightsOption = {}): MobileNetV2 {
  return withWeights("mobilenet_v2", options, () => new MobileNetV2(options));
}
