/** What there is to run: suites, their workloads, and which peer runs each of them in which settings. */
import { ArgumentError } from "../src/errors.ts";
import { nearestName } from "../src/nearest-name.ts";

export const peerNames = ["torch", "keras", "ort", "tfjs", "jax"] as const;
export type PeerName = (typeof peerNames)[number];
export type PeerSettings = Readonly<Partial<Record<PeerName, readonly string[]>>>;

/** A network that is timed against peers. */
export interface NetworkWorkload {
  readonly name: string;
  readonly batches: readonly number[];
  readonly unit: string;
  readonly settings: PeerSettings;
  /** Batch sizes of peers for which the others would take hours. */
  readonly peerBatches?: Readonly<Partial<Record<PeerName, readonly number[]>>>;
  /** Largest relative difference of the compared numbers, where it is not the suite's usual one. */
  readonly tolerance?: number;
}

const convolutional = { torch: ["default", "channels_last", "compile"] } as const;
const plain = { torch: ["default", "compile"] } as const;
const keras = { keras: ["default", "no-jit"] } as const;
const inference = { torch: ["default", "channels_last", "compile"], ort: ["default", "all-optimisations"] } as const;

const network = (name: string, batches: readonly number[], settings: PeerSettings, unit = "images/s") => ({
  name,
  batches,
  unit,
  settings,
});

/** Training steps. */
export const trainWorkloads: readonly NetworkWorkload[] = [
  {
    ...network("seeds-cnn", [32, 128, 512], { ...convolutional, ...keras, jax: ["default"], tfjs: ["cpu", "wasm"] }),
    peerBatches: { tfjs: [32] },
  },
  network("seeds-8x8", [512], convolutional),
  network("cifar-cnn", [64], { ...convolutional, ...keras }),
  // Adam divides the first gradients by their own size: Keras and PyTorch add epsilon at different places, and most of the embedding's are tiny
  { ...network("imdb-gru", [64], { ...plain, ...keras }, "sequences/s"), tolerance: 2e-3 },
  network("resnet18-32px", [64], convolutional),
  network("transformer-layer", [16], plain, "sequences/s"),
  network("tiny-mlp-eager", [1, 8, 64], plain, "examples/s"),
  network("tiny-mlp-compiled", [1, 8, 64], plain, "examples/s"),
];

/** Forward passes of trained networks. */
export const inferWorkloads: readonly NetworkWorkload[] = [
  ...["resnet18", "resnet50", "mobilenet_v2", "vgg16", "densenet121"].map((name) => network(name, [1, 8], inference)),
  network("seeds-cnn", [32, 128], inference),
];

/** What `--only` may name in the system suite. */
export const systemWorkloads = [
  "startup",
  "compile-time",
  "memory",
  "dispatch",
  "dependencies",
  "scaling",
  "neighbour",
  "steady",
] as const;
export type SystemWorkload = (typeof systemWorkloads)[number];

/** Groups of kernels that `--only` may name. */
export const kernelWorkloads = [
  "budget",
  "matmul",
  "convolution",
  "pooling",
  "softmax",
  "layer-norm",
  "batch-norm",
  "gelu",
  "cross-entropy",
  "reduction",
  "transpose",
  "gather",
  "embedding-gradient",
  "sort",
  "attention",
] as const;
export type KernelWorkload = (typeof kernelWorkloads)[number];

/** Suites with what they measure and their workloads. */
export const suites = {
  train: { about: "training steps against peers, interleaved", workloads: trainWorkloads.map(({ name }) => name) },
  infer: { about: "inference against peers, interleaved", workloads: inferWorkloads.map(({ name }) => name) },
  kernels: { about: "single operations as shares of the machine's limits", workloads: [...kernelWorkloads] },
  system: {
    about: "start, compile time, memory, dispatch, scaling, neighbours, drift",
    workloads: [...systemWorkloads],
  },
  doors: { about: "the usual PyTorch loop against the same step in Keras' fit and compiled, batch 32", workloads: [] },
  recipe: { about: "test accuracy of PyTorch's own MNIST example, 14 epochs (some minutes)", workloads: [] },
} as const satisfies Readonly<Record<string, { readonly about: string; readonly workloads: readonly string[] }>>;
export type SuiteName = keyof typeof suites;

/** Checks names from the command line against what there is; the error names the nearest. */
export function knownNames<Name extends string>(
  kind: string,
  given: readonly string[],
  known: readonly Name[],
): Name[] {
  return given.map((name) => {
    if ((known as readonly string[]).includes(name)) return name as Name;
    const near = nearestName(name, known);
    const hint = near === undefined ? `there are ${known.join(", ")}` : `did you mean ${near}?`;
    throw new ArgumentError(`unknown ${kind} "${name}": ${hint}`);
  });
}
