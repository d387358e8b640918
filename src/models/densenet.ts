/** Densely connected networks (Huang et al., 2016). After torchvision.models.densenet. */
import { UnsupportedError } from "../errors.ts";
import { cat, flatten, nn, type Tensor } from "../torch/index.ts";
import { startWeights } from "./norm-layer.ts";
import { type WeightsOption, withWeights } from "./weights.ts";

/** What the layers of a dense block share. */
export interface DenseLayerOptions {
  /** Channels that each layer adds. */
  readonly growthRate: number;
  /** Channels between the two convolutions, as a multiple of `growthRate`. */
  readonly bnSize: number;
  /** Probability with which added channels become 0 in training. */
  readonly dropRate: number;
}

/** Normalisation, ReLU, 1x1 convolution, and again with 3x3, over all that the block has made so far. */
export class DenseLayer extends nn.Module<[features: readonly Tensor[]], Tensor> {
  readonly norm1: nn.BatchNorm2d;
  readonly relu1: nn.ReLU;
  readonly conv1: nn.Conv2d;
  readonly norm2: nn.BatchNorm2d;
  readonly relu2: nn.ReLU;
  readonly conv2: nn.Conv2d;
  readonly dropRate: number;

  constructor(inFeatures: number, options: DenseLayerOptions) {
    super();
    const { growthRate, bnSize, dropRate } = options;
    const between = bnSize * growthRate;
    this.norm1 = new nn.BatchNorm2d(inFeatures);
    this.relu1 = new nn.ReLU({ inplace: true });
    this.conv1 = new nn.Conv2d(inFeatures, between, 1, { bias: false });
    this.norm2 = new nn.BatchNorm2d(between);
    this.relu2 = new nn.ReLU({ inplace: true });
    this.conv2 = new nn.Conv2d(between, growthRate, 3, { padding: 1, bias: false });
    this.dropRate = dropRate;
  }
  override forward(features: readonly Tensor[]): Tensor {
    const between = this.conv1(this.relu1(this.norm1(cat(features, 1))));
    const added = this.conv2(this.relu2(this.norm2(between)));
    if (this.dropRate === 0) return added;
    return nn.functional.dropout(added, { p: this.dropRate, training: this.training });
  }
}

/** Layers that each see the outputs of all before them, and add to them. */
export class DenseBlock extends nn.Module {
  constructor(layers: number, inFeatures: number, options: DenseLayerOptions) {
    super();
    for (let index = 0; index < layers; index++) {
      const layer = new DenseLayer(inFeatures + index * options.growthRate, options);
      this.registerModule(`denselayer${index + 1}`, layer);
    }
  }
  override forward(x: Tensor): Tensor {
    const features = [x];
    for (const layer of this.children() as DenseLayer[]) features.push(layer(features));
    return cat(features, 1);
  }
}

/** Fewer channels and a quarter of the positions, between two blocks. */
export class Transition extends nn.Sequential {
  constructor(inFeatures: number, outFeatures: number) {
    super({
      norm: new nn.BatchNorm2d(inFeatures),
      relu: new nn.ReLU({ inplace: true }),
      conv: new nn.Conv2d(inFeatures, outFeatures, 1, { bias: false }),
      pool: new nn.AvgPool2d(2, 2),
    });
  }
}

/** What a dense network may be made with. */
export interface DenseNetOptions {
  /** Channels that each layer adds (default 32). */
  readonly growthRate?: number;
  /** Layers of each block (default 6, 12, 24, 16). */
  readonly blockConfig?: readonly number[];
  /** Channels before the first block (default 64). */
  readonly numInitFeatures?: number;
  /** Channels between the convolutions of a layer, as a multiple of `growthRate` (default 4). */
  readonly bnSize?: number;
  /** Probability with which added channels become 0 in training (default 0). */
  readonly dropRate?: number;
  /** Number of outputs (default 1000). */
  readonly numClasses?: number;
  /** Not available. */
  readonly memoryEfficient?: false;
}

/** A dense network for images (N, 3, H, W). After torchvision.models.DenseNet. */
export class DenseNet extends nn.Module {
  readonly features: nn.Sequential;
  classifier: nn.Module;

  constructor(options: DenseNetOptions = {}) {
    super();
    const { growthRate = 32, blockConfig = [6, 12, 24, 16], numInitFeatures = 64, numClasses = 1000 } = options;
    if (options.memoryEfficient) {
      throw new UnsupportedError("DenseNet: memoryEfficient (computing again in backward) is not available.");
    }
    const shared = { growthRate, bnSize: options.bnSize ?? 4, dropRate: options.dropRate ?? 0 };
    this.features = new nn.Sequential({
      conv0: new nn.Conv2d(3, numInitFeatures, 7, { stride: 2, padding: 3, bias: false }),
      norm0: new nn.BatchNorm2d(numInitFeatures),
      relu0: new nn.ReLU({ inplace: true }),
      pool0: new nn.MaxPool2d(3, { stride: 2, padding: 1 }),
    });
    let channels = numInitFeatures;
    for (const [index, layers] of blockConfig.entries()) {
      this.features.add(new DenseBlock(layers, channels, shared), `denseblock${index + 1}`);
      channels += layers * growthRate;
      if (index === blockConfig.length - 1) continue;
      const fewer = Math.floor(channels / 2);
      this.features.add(new Transition(channels, fewer), `transition${index + 1}`);
      channels = fewer;
    }
    this.features.add(new nn.BatchNorm2d(channels), "norm5");
    this.classifier = new nn.Linear(channels, numClasses);
    startWeights(this, { mode: "fan_in", nonlinearity: "leaky_relu", zeroDenseBias: true });
  }
  override forward(x: Tensor): Tensor {
    const features = nn.functional.relu(this.features(x));
    return this.classifier(flatten(nn.functional.adaptiveAvgPool2d(features, [1, 1]), 1));
  }
}

type Sizes = "growthRate" | "blockConfig" | "numInitFeatures";

/** Options of the functions that make a dense network. */
export interface DenseNetModelOptions extends Omit<DenseNetOptions, Sizes>, WeightsOption {}

function densenet(name: string, sizes: Pick<DenseNetOptions, Sizes>, options: DenseNetModelOptions): DenseNet {
  return withWeights(name, options, () => new DenseNet({ ...options, ...sizes }));
}

/** DenseNet-121: 7,978,856 parameters. */
export function densenet121(options: DenseNetModelOptions = {}): DenseNet {
  return densenet("densenet121", { growthRate: 32, blockConfig: [6, 12, 24, 16], numInitFeatures: 64 }, options);
}
/** DenseNet-161: 28,681,000 parameters. */
export function densenet161(options: DenseNetModelOptions = {}): DenseNet {
  return densenet("densenet161", { growthRate: 48, blockConfig: [6, 12, 36, 24], numInitFeatures: 96 }, options);
}
/** DenseNet-169: 14,149,480 parameters. */
export function densenet169(options: DenseNetModelOptions = {}): DenseNet {
  return densenet("densenet169", { growthRate: 32, blockConfig: [6, 12, 32, 32], numInitFeatures: 64 }, options);
}
/** DenseNet-201: 20,013,928 parameters. */
export function densenet201(options: DenseNetModelOptions = {}): DenseNet {
  return densenet("densenet201", { growthRate: 32, blockConfig: [6, 12, 48, 32], numInitFeatures: 64 }, options);
}
