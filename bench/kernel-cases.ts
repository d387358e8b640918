/**
 * The kernels that are timed on their own: operation, sizes and form, what each must do at least, and its operands. `bench/peers/torch_kernels.py`
 * reads the same names.
 */

import type { Work } from "../src/targets/roofline.ts";
import type { KernelWorkload, PeerSettings } from "./catalogue.ts";
import { flopsOf } from "./flop-table.ts";
import { type ConvolutionShape, distinctConvolutions, outputSize } from "./network-shapes.ts";

/** An operand: values, or row numbers below `count`. */
export interface Operand {
  readonly shape: readonly number[];
  readonly count?: number;
}

export interface KernelCase {
  readonly group: KernelWorkload;
  readonly operation: string;
  readonly dims: readonly number[];
  /** Variant of the operation: transposition, direction, axis. */
  readonly form: string;
  readonly operands: readonly Operand[];
  readonly work: Work;
  /** Whether arithmetic is the limit: throughput is then counted in GFLOP/s, otherwise in GB/s. */
  readonly arithmetic: boolean;
  readonly settings: PeerSettings;
}

/** The name by which contenders know a case: `matmul 64x64x64 nt`. */
export const nameOf = ({ operation, dims, form }: KernelCase) =>
  [operation, dims.join("x"), form].filter((part) => part !== "").join(" ");

const product = (numbers: readonly number[]) => numbers.reduce((left, right) => left * right, 1);
/** Bytes of f32 operands and results. */
const bytesOf = (...shapes: readonly (readonly number[])[]) =>
  4 * shapes.reduce((sum, shape) => sum + product(shape), 0);

const preallocated = { torch: ["default", "preallocated"] } as const;
const plain = { torch: ["default"] } as const;

function matmuls(): KernelCase[] {
  const squares = [32, 64, 128, 256, 512, 1024, 2048].flatMap((size) =>
    ["nn", "nt", "tn", "tt"].map((form) => ({ dims: [size, size, size], form })),
  );
  const skinny = [
    [1, 4096, 4096],
    [8, 4096, 4096],
    [4096, 64, 4096],
    [4096, 4096, 16],
    [64, 8192, 64],
  ].map((dims) => ({ dims, form: "nn" }));
  return [...squares, ...skinny].map(({ dims, form }): KernelCase => {
    const [rows, inner, columns] = dims as [number, number, number];
    const left = form[0] === "t" ? [inner, rows] : [rows, inner];
    const right = form[1] === "t" ? [columns, inner] : [inner, columns];
    const work = { flops: 2 * product(dims), bytes: bytesOf(left, right, [rows, columns]) };
    return {
      ...{ group: "matmul", operation: "matmul", dims, form, work, arithmetic: true, settings: preallocated },
      operands: [{ shape: left }, { shape: right }],
    };
  });
}

/** A convolution in its three directions, NHWC; dims are batch, size, inputs, outputs, window, stride, padding, groups. */
function convolutionCases(batch: number, shape: ConvolutionShape): KernelCase[] {
  const { size, inputs, outputs, window, stride, padding, groups } = shape;
  const out = outputSize(shape);
  const x = [batch, size, size, inputs];
  const kernel = [window, window, inputs / groups, outputs];
  const y = [batch, out, out, outputs];
  const work = { flops: batch * flopsOf(shape), bytes: bytesOf(x, kernel, y) };
  return ["forward", "input-gradient", "weight-gradient"].map((form) => ({
    ...{ group: "convolution", operation: groups > 1 ? "depthwise" : "convolution", form, work, settings: plain },
    dims: [batch, size, inputs, outputs, window, stride, padding, groups],
    operands: [{ shape: x }, { shape: kernel }, { shape: y }],
    arithmetic: groups === 1,
  }));
}

function convolutions(): KernelCase[] {
  const networks = { "seeds-cnn": 128, "seeds-8x8": 512, "cifar-cnn": 64, resnet50: 8, mobilenet_v2: 8, vgg16: 8 };
  return Object.entries(networks).flatMap(([name, batch]) =>
    distinctConvolutions(name).flatMap((shape) => convolutionCases(batch, shape)),
  );
}

/** An operation that memory limits: operands and result read or written once. */
function streaming(
  group: KernelWorkload,
  dims: readonly number[],
  form: string,
  operands: readonly Operand[],
  result: readonly number[],
  settings: PeerSettings = plain,
): KernelCase {
  const work = { flops: 0, bytes: bytesOf(...operands.map(({ shape }) => shape), result) };
  return { group, operation: group, dims, form, operands, work, arithmetic: false, settings };
}

function pooling(): KernelCase[] {
  const cases = [
    { dims: [128, 24, 24, 64], form: "max-2", out: [128, 12, 12, 64] },
    { dims: [8, 112, 112, 64], form: "max-3-2-1", out: [8, 56, 56, 64] },
    { dims: [8, 56, 56, 128], form: "average-2", out: [8, 28, 28, 128] },
    { dims: [8, 7, 7, 2048], form: "global-average", out: [8, 2048] },
  ];
  return cases.flatMap(({ dims, form, out }) => [
    streaming("pooling", dims, form, [{ shape: dims }], out),
    // the result is the input's gradient; where a maximum stood is found from the input
    streaming("pooling", dims, `${form}-gradient`, [{ shape: dims }, { shape: out }], dims),
  ]);
}

function memoryBound(): KernelCase[] {
  const cube = [256, 256, 256];
  const sixteenMillion = [16_777_216];
  const images = [64, 32, 32, 64];
  return [
    streaming("softmax", [4096, 4096], "", [{ shape: [4096, 4096] }], [4096, 4096], preallocated),
    streaming(
      "layer-norm",
      [4096, 1024],
      "",
      [{ shape: [4096, 1024] }, { shape: [1024] }, { shape: [1024] }],
      [4096, 1024],
    ),
    streaming("batch-norm", images, "training", [{ shape: images }, { shape: [64] }, { shape: [64] }], images),
    streaming("batch-norm", images, "inference", [{ shape: images }, { shape: [64] }, { shape: [64] }], images),
    streaming("gelu", sixteenMillion, "", [{ shape: sixteenMillion }], sixteenMillion, preallocated),
    streaming("cross-entropy", [4096, 1000], "", [{ shape: [4096, 1000] }, { shape: [4096], count: 1000 }], []),
    ...["sum", "max"].flatMap((what) => [
      ...[0, 1, 2].map((axis) => streaming("reduction", cube, `${what}-${axis}`, [{ shape: cube }], [256, 256])),
      streaming("reduction", cube, `${what}-all`, [{ shape: cube }], []),
    ]),
    streaming("transpose", [4096, 4096], "10", [{ shape: [4096, 4096] }], [4096, 4096]),
    streaming("transpose", [32, 128, 12, 64], "0213", [{ shape: [32, 128, 12, 64] }], [32, 12, 128, 64]),
    streaming("transpose", [32, 56, 56, 64], "0312", [{ shape: [32, 56, 56, 64] }], [32, 64, 56, 56]),
    // rows read and written; the rest of the table is not touched
    streaming(
      "gather",
      [30000, 128, 100000],
      "",
      [{ shape: [30000, 128] }, { shape: [100000], count: 30000 }],
      [100000, 128],
    ),
    streaming(
      "embedding-gradient",
      [30000, 125, 9600],
      "",
      [{ shape: [9600, 125] }, { shape: [9600], count: 30000 }],
      [30000, 125],
    ),
    streaming("sort", [1000, 1000], "", [{ shape: [1000, 1000] }], [1000, 1000]),
    streaming("sort", [1_000_000], "", [{ shape: [1_000_000] }], [1_000_000]),
  ];
}

function attentions(): KernelCase[] {
  return [
    [16, 4, 128, 64],
    [1, 8, 1024, 64],
  ].map((dims): KernelCase => {
    const [batch, heads, tokens, width] = dims as [number, number, number, number];
    const work = { flops: 4 * batch * heads * tokens * tokens * width, bytes: 4 * bytesOf(dims) };
    const operands = [{ shape: dims }, { shape: dims }, { shape: dims }];
    return {
      group: "attention",
      operation: "attention",
      dims,
      form: "",
      operands,
      work,
      arithmetic: true,
      settings: plain,
    };
  });
}

/** Every kernel, in the order of the report. */
export const kernelCases: readonly KernelCase[] = [
  ...matmuls(),
  ...convolutions(),
  ...pooling(),
  ...memoryBound(),
  ...attentions(),
];

const byName = new Map(kernelCases.map((entry) => [nameOf(entry), entry]));

/** The case of a name. */
export const findKernelCase = (name: string): KernelCase | undefined => byName.get(name);
