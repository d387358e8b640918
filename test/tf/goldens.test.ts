/** Functions of the TensorFlow door against TensorFlow: values and first gradients. */
import { readFileSync } from "node:fs";
import { beforeAll, describe, expect, test } from "vitest";
import { assertClose } from "../../src/testing/allclose.ts";
import { hashUniform } from "../../src/testing/hash-uniform.ts";
import * as tf from "../../src/tf/index.ts";
import { useFastTarget } from "../keras/golden.ts";

interface Stored {
  readonly shape: readonly number[];
  readonly data: readonly (number | string)[];
}
interface Case {
  readonly name: string;
  readonly inputs: readonly {
    readonly stream: number;
    readonly shape: readonly number[];
    readonly low: number;
    readonly high: number;
  }[];
  readonly settings: Readonly<Record<string, unknown>>;
  readonly y: Stored;
  readonly gradients: readonly (Stored | null)[];
}
interface Goldens {
  readonly cases: readonly Case[];
  readonly optimizers?: readonly { readonly name: string; readonly values: Stored }[];
}

const read = (name: string): Goldens =>
  JSON.parse(readFileSync(new URL(`../goldens/${name}.json`, import.meta.url), "utf8")) as Goldens;

const sizeOf = (shape: readonly number[]): number => shape.reduce((product, extent) => product * extent, 1);
const made = (stream: number, shape: readonly number[], low = -1, high = 1): tf.Tensor =>
  tf.tensor(hashUniform(stream, sizeOf(shape), low, high), shape);
const given = (stored: Stored): tf.Tensor => tf.tensor(Float32Array.from(stored.data, Number), stored.shape);

type Settings = Readonly<Record<string, never>>;
type Call = (inputs: readonly tf.Tensor[], settings: Settings) => tf.Tensor;

/** Functions whose arguments are not simply the inputs. */
const calls: Readonly<Record<string, Call>> = {
  conv2d: ([x, w], settings) => tf.nn.conv2d(x, w, settings as never),
  depthwiseConv2d: ([x, w], settings) => tf.nn.depthwiseConv2d(x, w, settings as never),
  conv2dTranspose: ([x, w], { outputShape, ...settings }) =>
    tf.nn.conv2dTranspose(x, w, outputShape, settings as never),
  maxPool2d: ([x], settings) => tf.nn.maxPool2d(x, settings as never),
  avgPool2d: ([x], settings) => tf.nn.avgPool2d(x, settings as never),
  biasAdd: ([x, b]) => tf.nn.biasAdd(x, b),
  softmaxCrossEntropyWithLogits: ([logits], { labels, axis }) =>
    tf.nn.softmaxCrossEntropyWithLogits({ labels: given(labels), logits, ...(axis !== undefined && { axis }) }),
  sparseSoftmaxCrossEntropyWithLogits: ([logits], { labels }) =>
    tf.nn.sparseSoftmaxCrossEntropyWithLogits({ labels: tf.cast(given(labels), "int32"), logits }),
  sigmoidCrossEntropyWithLogits: ([logits], { labels }) =>
    tf.nn.sigmoidCrossEntropyWithLogits({ labels: given(labels), logits }),
  weightedCrossEntropyWithLogits: ([logits], { labels, posWeight }) =>
    tf.nn.weightedCrossEntropyWithLogits({ labels: given(labels), logits, posWeight }),
  relu: ([x]) => tf.nn.relu(x),
  gelu: ([x]) => tf.nn.gelu(x),
  argMax: ([x], { axis }) => tf.argMax(x, axis),
  cumsum: ([x], { axis, exclusive, reverse }) => tf.cumsum(x, axis, exclusive, reverse),
  cumprod: ([x], settings) => tf.cumprod(x, settings),
  softmax: ([x], { axis }) => tf.nn.softmax(x, axis),
  logSoftmax: ([x], { axis }) => tf.nn.logSoftmax(x, { axis }),
  matMul: ([a, b], settings) => tf.matMul(a, b, settings as never),
  einsum: (inputs, { equation }) => tf.einsum(equation, ...inputs),
  transpose: ([x], { perm }) => tf.transpose(x, perm),
  tile: ([x], { multiples }) => tf.tile(x, multiples),
  pad: ([x], { paddings, value }) => tf.pad(x, paddings, value),
  slice: ([x], { begin, size }) => tf.slice(x, begin, size),
  stridedSlice: ([x], { begin, end, strides, masks }) => tf.stridedSlice(x, begin, end, strides, masks),
  gather: ([x], { indices, axis }) => tf.gather(x, indices, axis),
  gatherND: ([x], { indices }) => tf.gatherND(x, indices),
  reverse: ([x], { axis }) => tf.reverse(x, axis),
  clipByValue: ([x], { least, most }) => tf.clipByValue(x, least, most),
  clipByNorm: ([x], { clipNorm, axes }) => tf.clipByNorm(x, clipNorm, axes),
  clipByGlobalNorm: (inputs, { clipNorm }) => tf.clipByGlobalNorm(inputs, clipNorm)[0][0] as tf.Tensor,
  norm: ([x], { ord, axis }) => tf.norm(x, ord === "Infinity" ? Number.POSITIVE_INFINITY : ord, axis),
  l2Normalize: ([x], { axis }) => tf.math.l2Normalize(x, axis),
  l2Loss: ([x]) => tf.nn.l2Loss(x),
  batchNormalization: ([x, mean, variance, offset, scale]) =>
    tf.nn.batchNormalization(x, mean, variance, offset, scale, 1e-3),
  moments: ([x], { axes }) => tf.nn.moments(x, axes).variance,
  topk: ([x], { k }) => tf.topk(x, k).values,
  where: ([a, b]) => tf.where(tf.greater(a, b), a, tf.mul(b, 2)),
};

const reductions = new Set(["sum", "mean", "prod", "max", "min", "logSumExp", "reduceVariance", "reduceStd"]);

function callOf(name: string): Call {
  if (Object.hasOwn(calls, name)) return calls[name];
  const found = (tf as unknown as Record<string, (...args: unknown[]) => tf.Tensor>)[name];
  return reductions.has(name) ? ([x], settings) => found(x, settings) : (inputs) => found(...inputs);
}

beforeAll(useFastTarget);

for (const file of ["tf-convolutions", "tf-functions"]) {
  describe(file, () => {
    const { cases } = read(file);
    const names = [...new Set(cases.map(({ name }) => name))];
    test.each(names)("%s: values and gradients are TensorFlow's", (name) => {
      for (const { inputs, settings, y, gradients } of cases.filter((each) => each.name === name)) {
        const what = `${name} ${JSON.stringify(settings).slice(0, 120)}`;
        const sources = inputs.map(({ stream, shape, low, high }) => made(stream, shape, low, high));
        const tape = new tf.GradientTape();
        const value = tape.run(() => {
          tape.watch(sources);
          return callOf(name)(sources, settings as Settings);
        });
        expect(value.shape, what).toEqual(y.shape);
        assertClose(value.dataSync(), Float32Array.from(y.data, Number), { relative: 2e-5, absolute: 2e-6 }, what);
        if (gradients.every((gradient) => gradient === null)) continue;
        const found = tape.gradient(value, sources, { outputGradients: made(999, y.shape) });
        gradients.forEach((gradient, index) => {
          const mine = found[index];
          if (gradient === null) {
            // where TensorFlow has no gradient there is none, or one of zeros
            if (mine) expect(Math.max(...Array.from(mine.dataSync(), Math.abs)), what).toBe(0);
            return;
          }
          const values = mine?.dataSync() ?? new Float32Array(gradient.data.length);
          assertClose(
            values,
            Float32Array.from(gradient.data, Number),
            { relative: 5e-5, absolute: 5e-6 },
            `${what}, gradient ${index}`,
          );
        });
      }
    });
  });
}

describe("optimizers of version 1", () => {
  const v1 = tf.compat.v1;
  const optimizers: Readonly<Record<string, () => InstanceType<typeof v1.train.Optimizer>>> = {
    GradientDescentOptimizer: () => new v1.train.GradientDescentOptimizer(0.1),
    MomentumOptimizer: () => new v1.train.MomentumOptimizer(0.05, 0.9),
    "MomentumOptimizer nesterov": () => new v1.train.MomentumOptimizer(0.05, 0.9, { useNesterov: true }),
    AdamOptimizer: () => new v1.train.AdamOptimizer(0.1),
    AdagradOptimizer: () => new v1.train.AdagradOptimizer(0.1),
    AdadeltaOptimizer: () => new v1.train.AdadeltaOptimizer(1),
    RMSPropOptimizer: () => new v1.train.RMSPropOptimizer(0.1),
    "RMSPropOptimizer momentum": () => new v1.train.RMSPropOptimizer(0.1, { decay: 0.8, momentum: 0.5 }),
    "RMSPropOptimizer centered": () => new v1.train.RMSPropOptimizer(0.1, { centered: true }),
  };
  test.each(read("tf-functions").optimizers ?? [])("$name: ten steps are TensorFlow's", ({ name, values }) => {
    new v1.Graph().asDefault(() => {
      const w = new v1.Variable(hashUniform(40, 3));
      const loss = v1.reduceSum(v1.mul(v1.square(v1.sub(w, hashUniform(41, 3))), [1, 2, 3]));
      const step = optimizers[name]().minimize(loss);
      const session = new v1.Session();
      session.run(v1.globalVariablesInitializer());
      const found: number[] = [];
      for (let i = 0; i < 10; i++) {
        session.run(step);
        found.push(...session.run(w).dataSync());
      }
      assertClose(found, Float32Array.from(values.data, Number), { relative: 2e-5, absolute: 2e-6 }, name);
    });
  });
});
