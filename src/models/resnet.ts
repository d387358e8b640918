/** Residual networks (He et al., 2015), wide ones (Zagoruyko and Komodakis, 2016) and ResNeXt (Xie et al., 2016). After torchvision.models.resnet. */
import { ArgumentError, UnsupportedError } from "../errors.ts";
import { flatten, nn, type Tensor } from "../torch/index.ts";
import { batchNorm, type NormLayer, startWeights } from "./norm-layer.ts";
import { type WeightsOption, withWeights } from "./weights.ts";

/** How a residual block is made. */
export interface BlockOptions {
  /** Step of the convolution that makes the image smaller (default 1). */
  readonly stride?: number;
  /** What brings the input to the shape of the output where the two differ (default null). */
  readonly downsample?: nn.Module | null;
  /** Groups of the 3x3 convolution (default 1). */
  readonly groups?: number;
  /** Channels of a group for every 64 planes (default 64). */
  readonly baseWidth?: number;
  /** Distance between the taps of the 3x3 convolution (default 1). */
  readonly dilation?: number;
  readonly normLayer?: NormLayer;
}

/** 3x3 with a border of zeros, without bias. */
function conv3x3(inPlanes: number, outPlanes: number, stride = 1, groups = 1, dilation = 1): nn.Conv2d {
  return new nn.Conv2d(inPlanes, outPlanes, 3, { stride, padding: dilation, groups, dilation, bias: false });
}
/** 1x1 without bias. */
function conv1x1(inPlanes: number, outPlanes: number, stride = 1): nn.Conv2d {
  return new nn.Conv2d(inPlanes, outPlanes, 1, { stride, bias: false });
}

/** Two 3x3 convolutions beside a shortcut: the block of ResNet-18 and ResNet-34. */
export class BasicBlock extends nn.Module {
  static readonly expansion = 1;
  readonly conv1: nn.Conv2d;
  readonly bn1: nn.Module;
  readonly relu: nn.ReLU;
  readonly conv2: nn.Conv2d;
  readonly bn2: nn.Module;
  readonly downsample: nn.Module | null;
  readonly stride: number;

  constructor(inPlanes: number, planes: number, options: BlockOptions = {}) {
    super();
    const { stride = 1, downsample = null, groups = 1, baseWidth = 64, dilation = 1, normLayer = batchNorm } = options;
    if (groups !== 1 || baseWidth !== 64) {
      throw new ArgumentError(
        `BasicBlock: only groups of 1 and a baseWidth of 64 are defined, received ${groups} and ${baseWidth}; take Bottleneck.`,
      );
    }
    if (dilation > 1) {
      throw new UnsupportedError(`BasicBlock: a dilation of ${dilation} is not defined; take Bottleneck.`);
    }
    this.conv1 = conv3x3(inPlanes, planes, stride);
    this.bn1 = normLayer(planes);
    this.relu = new nn.ReLU({ inplace: true });
    this.conv2 = conv3x3(planes, planes);
    this.bn2 = normLayer(planes);
    this.downsample = downsample;
    this.stride = stride;
  }
  override forward(x: Tensor): Tensor {
    let out = this.relu(this.bn1(this.conv1(x)));
    out = this.bn2(this.conv2(out));
    return this.relu(out.add(this.downsample ? this.downsample(x) : x));
  }
}

/**
 * 1x1, 3x3 and 1x1 convolutions beside a shortcut: the block of ResNet-50 and deeper. The stride stands at the 3x3 convolution, which is
 * known as ResNet v1.5.
 */
export class Bottleneck extends nn.Module {
  static readonly expansion = 4;
  readonly conv1: nn.Conv2d;
  readonly bn1: nn.Module;
  readonly conv2: nn.Conv2d;
  readonly bn2: nn.Module;
  readonly conv3: nn.Conv2d;
  readonly bn3: nn.Module;
  readonly relu: nn.ReLU;
  readonly downsample: nn.Module | null;
  readonly stride: number;

  constructor(inPlanes: number, planes: number, options: BlockOptions = {}) {
    super();
    const { stride = 1, downsample = null, groups = 1, baseWidth = 64, dilation = 1, normLayer = batchNorm } = options;
    const width = Math.trunc(planes * (baseWidth / 64)) * groups;
    this.conv1 = conv1x1(inPlanes, width);
    this.bn1 = normLayer(width);
    this.conv2 = conv3x3(width, width, stride, groups, dilation);
    this.bn2 = normLayer(width);
    this.conv3 = conv1x1(width, planes * Bottleneck.expansion);
    this.bn3 = normLayer(planes * Bottleneck.expansion);
    this.relu = new nn.ReLU({ inplace: true });
    this.downsample = downsample;
    this.stride = stride;
  }
  override forward(x: Tensor): Tensor {
    let out = this.relu(this.bn1(this.conv1(x)));
    out = this.relu(this.bn2(this.conv2(out)));
    out = this.bn3(this.conv3(out));
    return this.relu(out.add(this.downsample ? this.downsample(x) : x));
  }
}

/** The two kinds of residual blocks. */
export type ResidualBlock = typeof BasicBlock | typeof Bottleneck;

/** What a residual network may be made with. */
export interface ResNetOptions {
  /** Number of outputs (default 1000). */
  readonly numClasses?: number;
  /** Whether the last normalisation of each block starts as 0, so that blocks start as the identity (default false). */
  readonly zeroInitResidual?: boolean;
  readonly groups?: number;
  readonly widthPerGroup?: number;
  /** For each of the last three stages, whether taps move apart instead of the image becoming smaller (default none). */
  readonly replaceStrideWithDilation?: readonly [boolean, boolean, boolean];
  readonly normLayer?: NormLayer;
}

/**
 * A residual network for images (N, 3, H, W): four stages with `layers` blocks each. After torchvision.models.ResNet.
 *
 * @example
 * ```ts
 * const tiny = new ResNet(BasicBlock, [1, 1, 1, 1], { numClasses: 10 });
 * ```
 */
export class ResNet extends nn.Module {
  readonly conv1: nn.Conv2d;
  readonly bn1: nn.Module;
  readonly relu: nn.ReLU;
  readonly maxpool: nn.MaxPool2d;
  readonly layer1: nn.Sequential;
  readonly layer2: nn.Sequential;
  readonly layer3: nn.Sequential;
  readonly layer4: nn.Sequential;
  readonly avgpool: nn.AdaptiveAvgPool2d;
  fc: nn.Module;

  constructor(block: ResidualBlock, layers: readonly [number, number, number, number], options: ResNetOptions = {}) {
    super();
    const { numClasses = 1000, zeroInitResidual = false, replaceStrideWithDilation = [false, false, false] } = options;
    if (replaceStrideWithDilation.length !== 3) {
      throw new ArgumentError(
        `ResNet: replaceStrideWithDilation takes three booleans, received ${JSON.stringify(replaceStrideWithDilation)}.`,
      );
    }
    const normLayer = options.normLayer ?? batchNorm;
    const stages = new StageBuilder(block, options, normLayer);
    this.conv1 = new nn.Conv2d(3, 64, 7, { stride: 2, padding: 3, bias: false });
    this.bn1 = normLayer(64);
    this.relu = new nn.ReLU({ inplace: true });
    this.maxpool = new nn.MaxPool2d(3, { stride: 2, padding: 1 });
    this.layer1 = stages.next(64, layers[0], 1, false);
    this.layer2 = stages.next(128, layers[1], 2, replaceStrideWithDilation[0]);
    this.layer3 = stages.next(256, layers[2], 2, replaceStrideWithDilation[1]);
    this.layer4 = stages.next(512, layers[3], 2, replaceStrideWithDilation[2]);
    this.avgpool = new nn.AdaptiveAvgPool2d([1, 1]);
    this.fc = new nn.Linear(512 * block.expansion, numClasses);
    startWeights(this, { mode: "fan_out", nonlinearity: "relu" });
    if (zeroInitResidual) {
      for (const module of this.modules()) {
        const last = module instanceof Bottleneck ? module.bn3 : module instanceof BasicBlock ? module.bn2 : undefined;
        if (last instanceof nn.BatchNorm2d && last.weight) nn.init.zeros_(last.weight);
      }
    }
  }
  override forward(x: Tensor): Tensor {
    x = this.maxpool(this.relu(this.bn1(this.conv1(x))));
    x = this.layer4(this.layer3(this.layer2(this.layer1(x))));
    return this.fc(flatten(this.avgpool(x), 1));
  }
}

/** Makes stages one after the other: each takes what the one before it gives. */
class StageBuilder {
  private inPlanes = 64;
  private dilation = 1;
  private readonly block: ResidualBlock;
  private readonly shared: { readonly groups: number; readonly baseWidth: number; readonly normLayer: NormLayer };

  constructor(block: ResidualBlock, options: ResNetOptions, normLayer: NormLayer) {
    this.block = block;
    this.shared = { groups: options.groups ?? 1, baseWidth: options.widthPerGroup ?? 64, normLayer };
  }

  next(planes: number, blocks: number, givenStride: number, dilate: boolean): nn.Sequential {
    const { block: Block, shared } = this;
    const firstDilation = this.dilation;
    if (dilate) this.dilation *= givenStride;
    const stride = dilate ? 1 : givenStride;
    const outPlanes = planes * Block.expansion;
    const changes = stride !== 1 || this.inPlanes !== outPlanes;
    const downsample = changes
      ? new nn.Sequential(conv1x1(this.inPlanes, outPlanes, stride), shared.normLayer(outPlanes))
      : null;
    const stage: nn.Module[] = [
      new Block(this.inPlanes, planes, { ...shared, stride, downsample, dilation: firstDilation }),
    ];
    this.inPlanes = outPlanes;
    while (stage.length < blocks) {
      stage.push(new Block(outPlanes, planes, { ...shared, dilation: this.dilation }));
    }
    return new nn.Sequential(...stage);
  }
}

/** Options of the functions that make a residual network. */
export interface ResNetModelOptions extends ResNetOptions, WeightsOption {}
/** The same for networks whose groups and width are given. */
export interface WideResNetModelOptions extends Omit<ResNetModelOptions, "groups" | "widthPerGroup"> {}

function resnet(
  name: string,
  block: ResidualBlock,
  layers: readonly [number, number, number, number],
  options: ResNetModelOptions,
): ResNet {
  return withWeights(name, options, () => new ResNet(block, layers, options));
}

/** ResNet-18: 11,689,512 parameters. */
export function resnet18(options: ResNetModelOptions = {}): ResNet {
  return resnet("resnet18", BasicBlock, [2, 2, 2, 2], options);
}
/** ResNet-34: 21,797,672 parameters. */
export function resnet34(options: ResNetModelOptions = {}): ResNet {
  return resnet("resnet34", BasicBlock, [3, 4, 6, 3], options);
}
/**
 * ResNet-50: 25,557,032 parameters.
 *
 * @example
 * ```ts no-run: needs a file of weights
 * const model = resnet50({ weights: "resnet50.safetensors" }).eval();
 * const classes = torch.noGrad(() => model(images).argmax(1));
 * ```
 */
export function resnet50(options: ResNetModelOptions = {}): ResNet {
  return resnet("resnet50", Bottleneck, [3, 4, 6, 3], options);
}
/** ResNet-101: 44,549,160 parameters. */
export function resnet101(options: ResNetModelOptions = {}): ResNet {
  return resnet("resnet101", Bottleneck, [3, 4, 23, 3], options);
}
/** ResNet-152: 60,192,808 parameters. */
export function resnet152(options: ResNetModelOptions = {}): ResNet {
  return resnet("resnet152", Bottleneck, [3, 8, 36, 3], options);
}
/** ResNeXt-50 of 32 groups with 4 channels each: 25,028,904 parameters. */
export function resnext50_32x4d(options: WideResNetModelOptions = {}): ResNet {
  return resnet("resnext50_32x4d", Bottleneck, [3, 4, 6, 3], { ...options, groups: 32, widthPerGroup: 4 });
}
/** ResNeXt-101 of 32 groups with 8 channels each: 88,791,336 parameters. */
export function resnext101_32x8d(options: WideResNetModelOptions = {}): ResNet {
  return resnet("resnext101_32x8d", Bottleneck, [3, 4, 23, 3], { ...options, groups: 32, widthPerGroup: 8 });
}
/** ResNeXt-101 of 64 groups with 4 channels each: 83,455,272 parameters. */
export function resnext101_64x4d(options: WideResNetModelOptions = {}): ResNet {
  return resnet("resnext101_64x4d", Bottleneck, [3, 4, 23, 3], { ...options, groups: 64, widthPerGroup: 4 });
}
/** ResNet-50 with 3x3 convolutions of twice the channels: 68,883,240 parameters. */
export function wideResnet50_2(options: WideResNetModelOptions = {}): ResNet {
  return resnet("wide_resnet50_2", Bottleneck, [3, 4, 6, 3], { ...options, widthPerGroup: 128 });
}
/** ResNet-101 with 3x3 convolutions of twice the channels: 126,886,696 parameters. */
export function wideResnet101_2(options: WideResNetModelOptions = {}): ResNet {
  return resnet("wide_resnet101_2", Bottleneck, [3, 4, 23, 3], { ...options, widthPerGroup: 128 });
}
