import {
  averagePool2d,
  categoricalCrossentropy,
  conv2d,
  cumulativeSum,
  engine,
  gather,
  gradients,
  layerNormalization,
  logSoftmax,
  matmul,
  maxPool2d,
  randomNormal,
  setRandomSeed,
  softmax,
  sort,
  type Tensor,
  tensor,
  where,
} from "../tensor/index.ts";
import { hashLabels, hashUniform } from "./hash-uniform.ts";

/** One program computed twice: on the chosen target and on the reference. */
export interface SelfTestResult {
  readonly name: string;
  readonly agrees: boolean;
  /** Largest difference, relative to the largest magnitude of the reference's result. */
  readonly difference: number;
  /** Why it could not be computed at all. */
  readonly problem?: string;
}

const data = (stream: number, shape: readonly number[], low = -2, high = 2): Tensor =>
  tensor(
    hashUniform(
      stream,
      shape.reduce((product, extent) => product * extent, 1),
      low,
      high,
    ),
    { shape },
  );
const tracked = (stream: number, shape: readonly number[]): Tensor => {
  const value = data(stream, shape);
  value.requiresGrad = true;
  return value;
};

/** Gradients of `f`, weighted so that no symmetry hides a mistake, joined into one vector. */
function gradientsOf(f: (...inputs: Tensor[]) => Tensor, ...inputs: Tensor[]): Tensor[] {
  const output = f(...inputs);
  return gradients(output.mul(data(99, output.shape)).sum(), inputs) as Tensor[];
}

/** Sizes around vector and tile edges; every kind of kernel once. */
const cases: Readonly<Record<string, () => Tensor | Tensor[]>> = {
  "elementwise chain": () =>
    data(1, [37, 19])
      .mul(3)
      .add(data(2, [19]))
      .relu()
      .sub(data(3, [37, 1]))
      .abs(),
  "exp, log, tanh, sigmoid": () => {
    const x = data(4, [1001]);
    return [x.exp(), x.abs().add(0.1).log(), x.tanh(), x.sigmoid()];
  },
  "erf, sin, cos, pow": () => {
    const x = data(5, [517]);
    return [x.erf(), x.sin(), x.cos(), x.abs().pow(1.7)];
  },
  "comparison and where": () => where(data(6, [33, 7]).gt(data(7, [33, 7])), data(6, [33, 7]), 0.5),
  "reductions over each axis": () => {
    const x = data(8, [17, 5, 33]);
    return [x.sum(), x.sum([0]), x.mean([1]), x.amax([2]), x.amin([0, 2]), x.argmax(1)];
  },
  "matrix product": () => matmul(data(9, [65, 33]), data(10, [33, 70])),
  "matrix product's gradients": () => gradientsOf(matmul, tracked(9, [17, 33]), tracked(10, [33, 35])),
  convolution: () => conv2d(data(11, [2, 12, 11, 5]), data(12, [3, 3, 5, 18])),
  "strided, padded convolution": () =>
    conv2d(data(11, [2, 12, 11, 5]), data(12, [3, 3, 5, 18]), {
      strides: [2, 1],
      padding: [
        [1, 0],
        [2, 1],
      ],
    }),
  "convolution's gradients": () =>
    gradientsOf((x, kernel) => conv2d(x, kernel), tracked(11, [2, 8, 7, 3]), tracked(12, [3, 3, 3, 17])),
  "depthwise convolution": () => conv2d(data(13, [2, 9, 9, 6]), data(14, [3, 3, 1, 6]), { groups: 6 }),
  "pooling and its gradient": () => [
    ...gradientsOf((x) => maxPool2d(x, 2), tracked(15, [2, 8, 6, 5])),
    averagePool2d(data(15, [2, 8, 6, 5]), 3, { strides: 2, padding: "same" }),
  ],
  "softmax and cross-entropy": () => {
    const x = data(16, [9, 10]);
    const target = softmax(data(17, [9, 10]));
    return [softmax(x), logSoftmax(x), categoricalCrossentropy(target, softmax(x))];
  },
  normalization: () => layerNormalization(data(18, [7, 50])),
  movement: () =>
    data(19, [4, 6, 5])
      .permute([2, 0, 1])
      .reshape([20, 6])
      .slice([1, 0], [19, 6], [3, 2])
      .flip([1])
      .pad([
        [1, 0],
        [0, 2],
      ]),
  "gather, sort, cumulative sum": () => {
    const x = data(20, [13, 9]);
    return [gather(x, tensor(hashLabels(21, 8, 13)), 0), sort(x), cumulativeSum(x, { axis: 0 })];
  },
  "random numbers": () => {
    setRandomSeed(7);
    return randomNormal([300]);
  },
};

/** f32 against f64: contractions here are at most a few hundred terms long. */
const tolerance = 2e-5;

function compute(name: string): number[] {
  const made = cases[name]!();
  return [made].flat().flatMap((value) => Array.from(value.dataSync()));
}

function compare(actual: readonly number[], expected: readonly number[]): number {
  const scale = Math.max(1, ...expected.filter(Number.isFinite).map(Math.abs));
  let worst = actual.length === expected.length ? 0 : Number.POSITIVE_INFINITY;
  expected.forEach((value, index) => {
    const other = actual[index]!;
    if (!Object.is(value, other) && !(Number.isNaN(value) && Number.isNaN(other))) {
      const difference = Math.abs(value - other) / scale;
      worst = Math.max(worst, Number.isNaN(difference) ? Number.POSITIVE_INFINITY : difference);
    }
  });
  return worst;
}

/** Computes every case on the current target and on the reference. The target is the current one again afterwards; random numbers start at seed 7. */
export function runSelfTest(): SelfTestResult[] {
  const chosen = engine.targetName;
  const computed = new Map<string, number[] | Error>();
  const attempt = (name: string): number[] | Error => {
    try {
      return compute(name);
    } catch (error) {
      return error instanceof Error ? error : new Error(String(error));
    }
  };
  const names = Object.keys(cases);
  for (const name of names) computed.set(name, attempt(name));
  engine.setTarget("reference");
  try {
    return names.map((name) => {
      const actual = computed.get(name)!;
      const expected = attempt(name);
      const failed = [actual, expected].find((value) => value instanceof Error) as Error | undefined;
      if (failed !== undefined)
        return { name, agrees: false, difference: Number.NaN, problem: failed.message.split("\n")[0]! };
      const difference = compare(actual as number[], expected as number[]);
      return { name, agrees: difference <= tolerance, difference };
    });
  } finally {
    engine.setTarget(chosen as "auto");
  }
}
