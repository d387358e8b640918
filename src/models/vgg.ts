/** VGG networks (Simonyan and Zisserman, 2014). After torchvision.models.vgg. */
import { flatten, nn, type Tensor } from "../torch/index.ts";
import { startWeights } from "./norm-layer.ts";
import { type WeightsOption, withWeights } from "./weights.ts";

/** What a VGG network may be made with. */
export interface VGGOptions {
  /** Number of outputs (default 1000). */
  readonly numClasses?: number;
  /** Whether weights start as in torchvision rather than as PyTorch's layers do (default true). */
  readonly initWeights?: boolean;
  /** Probability with which inputs of the last two layers become 0 in training (default 0.5). */
  readonly dropout?: number;
}

/** A VGG network: convolutions made by `makeLayers`, then three dense layers. After torchvision.models.VGG. */
export class VGG extends nn.Module {
  readonly features: nn.Module;
  readonly avgpool: nn.AdaptiveAvgPool2d;
  classifier: nn.Module;

  constructor(features: nn.Module, options: VGGOptions = {}) {
    super();
    const { numClasses = 1000, initWeights = true, dropout = 0.5 } = options;
    this.features = features;
    this.avgpool = new nn.AdaptiveAvgPool2d([7, 7]);
    this.classifier = new nn.Sequential(
      new nn.Linear(512 * 7 * 7, 4096),
      new nn.ReLU({ inplace: true }),
      new nn.Dropout(dropout),
      new nn.Linear(4096, 4096),
      new nn.ReLU({ inplace: true }),
      new nn.Dropout(dropout),
      new nn.Linear(4096, numClasses),
    );
    if (initWeights) {
      startWeights(this, { mode: "fan_out", nonlinearity: "relu", denseDeviation: 0.01, zeroDenseBias: true });
    }
  }
  override forward(x: Tensor): Tensor {
    return this.classifier(flatten(this.avgpool(this.features(x)), 1));
  }
}

/** Channels of a 3x3 convolution, or "M" for a maximum over 2x2. */
export type VGGLayer = number | "M";

/** The convolutions of a VGG network, with or without batch normalisation behind each. */
export function makeLayers(layers: readonly VGGLayer[], batchNorm = false): nn.Sequential {
  const modules: nn.Module[] = [];
  let channels = 3;
  for (const layer of layers) {
    if (layer === "M") {
      modules.push(new nn.MaxPool2d(2, 2));
      continue;
    }
    modules.push(new nn.Conv2d(channels, layer, 3, { padding: 1 }));
    if (batchNorm) modules.push(new nn.BatchNorm2d(layer));
    modules.push(new nn.ReLU({ inplace: true }));
    channels = layer;
  }
  return new nn.Sequential(...modules);
}

/** Five stages of so many convolutions. */
function stages(...counts: readonly number[]): VGGLayer[] {
  const channels = [64, 128, 256, 512, 512];
  return counts.flatMap((count, stage): VGGLayer[] => [...new Array<VGGLayer>(count).fill(channels[stage]), "M"]);
}
const layersOf = {
  vgg11: stages(1, 1, 2, 2, 2),
  vgg13: stages(2, 2, 2, 2, 2),
  vgg16: stages(2, 2, 3, 3, 3),
  vgg19: stages(2, 2, 4, 4, 4),
} as const;

/** Options of the functions that make a VGG network. */
export interface VGGModelOptions extends VGGOptions, WeightsOption {}

function vgg(name: keyof typeof layersOf, batchNorm: boolean, options: VGGModelOptions): VGG {
  const full = `${name}${batchNorm ? "_bn" : ""}`;
  return withWeights(full, options, () => new VGG(makeLayers(layersOf[name], batchNorm), options));
}

/** VGG-11: 132,863,336 parameters. */
export function vgg11(options: VGGModelOptions = {}): VGG {
  return vgg("vgg11", false, options);
}
/** VGG-11 with batch normalisation: 132,868,840 parameters. */
export function vgg11Bn(options: VGGModelOptions = {}): VGG {
  return vgg("vgg11", true, options);
}
/** VGG-13: 133,047,848 parameters. */
export function vgg13(options: VGGModelOptions = {}): VGG {
  return vgg("vgg13", false, options);
}
/** VGG-13 with batch normalisation: 133,053,736 parameters. */
export function vgg13Bn(options: VGGModelOptions = {}): VGG {
  return vgg("vgg13", true, options);
}
/** VGG-16: 138,357,544 parameters. */
export function vgg16(options: VGGModelOptions = {}): VGG {
  return vgg("vgg16", false, options);
}
/** VGG-16 with batch normalisation: 138,365,992 parameters. */
export function vgg16Bn(options: VGGModelOptions = {}): VGG {
  return vgg("vgg16", true, options);
}
/** VGG-19: 143,667,240 parameters. */
export function vgg19(options: VGGModelOptions = {}): VGG {
  return vgg("vgg19", false, options);
}
/** VGG-19 with batch normalisation: 143,678,248 parameters. */
export function vgg19Bn(options: VGGModelOptions = {}): VGG {
  return vgg("vgg19", true, options);
}
