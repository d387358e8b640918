/**
 * The contractions of the benchmarked networks, layer by layer, for one example: what FLOP counts, least bytes and the kernel suite's shapes
 * are figured from.
 */
import { standardRows } from "../src/models/mobilenet.ts";

/** A convolution of square images: `size` is the input's height and width. */
export interface ConvolutionShape {
  readonly kind: "convolution";
  readonly size: number;
  readonly inputs: number;
  readonly outputs: number;
  readonly window: number;
  readonly stride: number;
  readonly padding: number;
  readonly groups: number;
}

/** `rows` vectors of one example times a matrix; without weights where both factors are activations (attention). */
export interface ProductShape {
  readonly kind: "product";
  readonly rows: number;
  readonly inputs: number;
  readonly outputs: number;
  readonly weightless?: boolean;
}

export type Contraction = (ConvolutionShape | ProductShape) & {
  /** The first layer's input needs no gradient. */
  readonly first?: boolean;
};

type ConvolutionOptions = Partial<Pick<ConvolutionShape, "window" | "stride" | "padding" | "groups">>;

/** 3x3 with stride 1 and what padding keeps the size, unless told. */
function convolution(
  size: number,
  inputs: number,
  outputs: number,
  options: ConvolutionOptions = {},
): ConvolutionShape {
  const { window = 3, stride = 1, groups = 1 } = options;
  const { padding = window >> 1 } = options;
  return { kind: "convolution", size, inputs, outputs, window, stride, padding, groups };
}
const pointwise = (size: number, inputs: number, outputs: number, stride = 1) =>
  convolution(size, inputs, outputs, { window: 1, stride });
const product = (inputs: number, outputs: number, rows = 1): ProductShape => ({
  kind: "product",
  rows,
  inputs,
  outputs,
});

/** Height and width of a convolution's result. */
export const outputSize = ({ size, window, stride, padding }: ConvolutionShape): number =>
  Math.floor((size + 2 * padding - window) / stride) + 1;

/** The residual networks of torchvision for images of `image` pixels: `blocks` of each stage. */
function residual(image: number, blocks: readonly number[], bottleneck: boolean, classes: number): Contraction[] {
  const stem = convolution(image, 3, 64, { window: 7, stride: 2 });
  const layers: Contraction[] = [{ ...stem, first: true }];
  let size = Math.ceil(outputSize(stem) / 2);
  let channels = 64;
  blocks.forEach((count, stage) => {
    const width = 64 << stage;
    const outputs = bottleneck ? 4 * width : width;
    for (let block = 0; block < count; block++) {
      const stride = block === 0 && stage > 0 ? 2 : 1;
      const small = Math.ceil(size / stride);
      if (bottleneck) {
        layers.push(pointwise(size, channels, width), convolution(size, width, width, { stride }));
        layers.push(pointwise(small, width, outputs));
      } else {
        layers.push(convolution(size, channels, width, { stride }), convolution(small, width, width));
      }
      if (stride > 1 || channels !== outputs) layers.push(pointwise(size, channels, outputs, stride));
      [size, channels] = [small, outputs];
    }
  });
  return [...layers, product(channels, classes)];
}

function mobile(): Contraction[] {
  const layers: Contraction[] = [{ ...convolution(224, 3, 32, { stride: 2 }), first: true }];
  let [size, channels] = [112, 32];
  for (const [expansion, outputs, repeats, firstStride] of standardRows) {
    for (let repeat = 0; repeat < repeats; repeat++) {
      const stride = repeat === 0 ? firstStride : 1;
      const wide = channels * expansion;
      if (expansion > 1) layers.push(pointwise(size, channels, wide));
      layers.push(convolution(size, wide, wide, { stride, groups: wide }));
      size /= stride;
      layers.push(pointwise(size, wide, outputs));
      channels = outputs;
    }
  }
  return [...layers, pointwise(size, channels, 1280), product(1280, 1000)];
}

function vgg16(): Contraction[] {
  const stages = [
    [64, 64],
    [128, 128],
    [256, 256, 256],
    [512, 512, 512],
    [512, 512, 512],
  ];
  let channels = 3;
  const layers = stages.flatMap((widths, stage) =>
    widths.map((outputs): Contraction => {
      const layer = { ...convolution(224 >> stage, channels, outputs), ...(channels === 3 && { first: true }) };
      channels = outputs;
      return layer;
    }),
  );
  return [...layers, product(512 * 7 * 7, 4096), product(4096, 4096), product(4096, 1000)];
}

function densenet121(): Contraction[] {
  const layers: Contraction[] = [{ ...convolution(224, 3, 64, { window: 7, stride: 2 }), first: true }];
  let [size, channels] = [56, 64];
  [6, 12, 24, 16].forEach((count, stage) => {
    for (let layer = 0; layer < count; layer++) {
      layers.push(pointwise(size, channels, 128), convolution(size, 128, 32));
      channels += 32;
    }
    if (stage === 3) return;
    layers.push(pointwise(size, channels, channels / 2));
    [size, channels] = [size / 2, channels / 2];
  });
  return [...layers, product(channels, 1000)];
}

function transformerLayer(tokens: number, width: number, feedForward: number): Contraction[] {
  const attention = { ...product(width, tokens, tokens), weightless: true };
  return [
    product(width, 3 * width, tokens),
    attention,
    attention,
    product(width, width, tokens),
    product(width, feedForward, tokens),
    product(feedForward, width, tokens),
  ];
}

const valid = { padding: 0 };

const networks = {
  "seeds-cnn": [
    { ...convolution(28, 1, 32, valid), first: true },
    convolution(26, 32, 64, valid),
    product(9216, 1024),
    product(1024, 10),
  ],
  "seeds-8x8": [{ ...convolution(8, 1, 32, valid), first: true }, convolution(6, 32, 64, valid), product(1024, 10)],
  "cifar-cnn": [
    { ...convolution(32, 3, 50), first: true },
    convolution(32, 50, 50),
    convolution(16, 50, 100),
    convolution(16, 100, 100),
    product(6400, 512),
    product(512, 10),
  ],
  "imdb-gru": [product(125, 300, 150), product(100, 300, 150), product(100, 2)],
  "resnet18-32px": residual(32, [2, 2, 2, 2], false, 10),
  "transformer-layer": transformerLayer(128, 256, 1024),
  "tiny-mlp-eager": [{ ...product(784, 32), first: true }, product(32, 10)],
  "tiny-mlp-compiled": [{ ...product(784, 32), first: true }, product(32, 10)],
  resnet18: residual(224, [2, 2, 2, 2], false, 1000),
  resnet50: residual(224, [3, 4, 6, 3], true, 1000),
  mobilenet_v2: mobile(),
  vgg16: vgg16(),
  densenet121: densenet121(),
} as const satisfies Readonly<Record<string, readonly Contraction[]>>;

/** The contractions of a network; undefined for a name that has none here. */
export function contractionsOf(network: string): readonly Contraction[] | undefined {
  return Object.hasOwn(networks, network) ? networks[network as keyof typeof networks] : undefined;
}

/** Convolutions of a network, each shape once, in the order in which it first comes. */
export function distinctConvolutions(network: string): ConvolutionShape[] {
  const found = new Map<string, ConvolutionShape>();
  for (const shape of contractionsOf(network) ?? []) {
    if (shape.kind !== "convolution") continue;
    const { size, inputs, outputs, window, stride, padding, groups } = shape;
    const key = [size, inputs, outputs, window, stride, padding, groups].join();
    if (!found.has(key)) found.set(key, shape);
  }
  return [...found.values()];
}
