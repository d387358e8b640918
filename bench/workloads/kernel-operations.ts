/** Single operations, compiled as one program each and run into storage that is used again. */
import { defaultEngine } from "../../src/engine/default-engine.ts";
import { UnsupportedError } from "../../src/errors.ts";
import { viewOf } from "../../src/graph/dtype.ts";
import { bytesOf } from "../../src/graph/node.ts";
import { sizeOf } from "../../src/graph/shape.ts";
import {
  averagePool2d,
  batchNormalizationInference,
  batchNormalizationTraining,
  conv2d,
  crossEntropy,
  gather,
  gelu,
  globalAveragePool2d,
  gradients,
  layerNormalization,
  matmul,
  maxPool2d,
  permute,
  scatterAdd,
  softmax,
  sort,
  type Tensor,
  tensor,
} from "../../src/tensor/index.ts";
import { hashLabels, hashUniform } from "../../src/testing/hash-uniform.ts";
import { nn } from "../../src/torch/index.ts";
import { findKernelCase, type KernelCase } from "../kernel-cases.ts";
import { type Sample, sampleOf, spread } from "../kernel-samples.ts";
import { streamOf } from "./fill.ts";
import type { Part, Step, Workload } from "./step.ts";

type Operation = (operands: readonly Tensor[], of: KernelCase) => Tensor;

/** The gradient of `result` with respect to one of its operands, given the result's. */
const gradientOf = (result: Tensor, operand: Tensor, slope: Tensor) =>
  gradients(result, [operand], { seeds: [slope] })[0]!;

function convolve([x, kernel, slope]: readonly Tensor[], { dims, form }: KernelCase): Tensor {
  const [, , , , , stride, padding, groups] = dims;
  const pair = [padding!, padding!] as const;
  const [image, weights] = [x!.requiresGrad_(), kernel!.requiresGrad_()];
  const result = conv2d(image, weights, { strides: [stride!, stride!], padding: [pair, pair], groups: groups! });
  if (form === "forward") return result;
  return gradientOf(result, form === "input-gradient" ? image : weights, slope!);
}

function pool([x, slope]: readonly Tensor[], { form }: KernelCase): Tensor {
  const image = x!.requiresGrad_();
  const kinds: Readonly<Record<string, () => Tensor>> = {
    "max-2": () => maxPool2d(image, 2),
    "max-3-2-1": () =>
      maxPool2d(image, 3, {
        strides: 2,
        padding: [
          [1, 1],
          [1, 1],
        ],
      }),
    "average-2": () => averagePool2d(image, 2),
    "global-average": () => globalAveragePool2d(image),
  };
  const result = kinds[form.replace("-gradient", "")]!();
  return slope === undefined ? result : gradientOf(result, image, slope);
}

function reduce([x]: readonly Tensor[], { form }: KernelCase): Tensor {
  const [what, axis] = form.split("-") as [string, string];
  const axes = axis === "all" ? undefined : Number(axis);
  return what === "sum" ? x!.sum(axes) : x!.amax(axes);
}

const operations: Readonly<Record<string, Operation>> = {
  matmul: ([left, right], { form }) =>
    matmul(form[0] === "t" ? left!.transpose() : left!, form[1] === "t" ? right!.transpose() : right!),
  convolution: convolve,
  depthwise: convolve,
  pooling: pool,
  softmax: ([x]) => softmax(x!),
  "layer-norm": ([x, gamma, beta]) => layerNormalization(x!, { gamma: gamma!, beta: beta!, epsilon: 1e-5 }),
  "batch-norm": ([x, gamma, beta], { form }) => {
    const options = { gamma: gamma!, beta: beta! };
    if (form === "training") return batchNormalizationTraining(x!, options).output;
    return batchNormalizationInference(x!, beta!, gamma!.abs(), options);
  },
  gelu: ([x]) => gelu(x!),
  "cross-entropy": ([logits, labels]) => crossEntropy(logits!, labels!),
  reduction: reduce,
  transpose: ([x], { form }) => permute(x!, [...form].map(Number)),
  gather: ([table, rows]) => gather(table!, rows!, 0),
  "embedding-gradient": ([slopes, rows], { dims }) => scatterAdd(slopes!, rows!, 0, dims[0]!),
  sort: ([x]) => sort(x!),
  attention: ([query, key, value]) => nn.functional.scaledDotProductAttention(query!, key!, value!),
};

/** A step that computes a pending tensor again and again, into the same storage. */
function repeated({ node }: Tensor): Step {
  const built = defaultEngine.build([{ node }]);
  const entry = defaultEngine.lookUp(built);
  const inputs = built.leaves.map((leaf, index) => defaultEngine.inputValue(leaf, index, entry));
  const output = defaultEngine.target.allocate(bytesOf(node.type));
  const view = viewOf(node.dtype, output.buffer, output.byteOffset, sizeOf(node.shape)) as ArrayLike<number>;
  return () => {
    defaultEngine.execute(entry, built.leaves, inputs, [output]);
    return view;
  };
}

/** Operands of a case, or of a part of it: values by their names, whatever part of them is kept. */
function operandsOf({ operands }: KernelCase, sample?: Sample): Tensor[] {
  return operands.map(({ shape, count }, index) => {
    const [stream, size] = [streamOf(`operand-${index}`), sizeOf(shape)];
    const values = count === undefined ? hashUniform(stream, size, -1, 1) : hashLabels(stream, size, count);
    const kept = sample?.operands[index] ?? shape;
    return tensor(spread(values, shape, kept), { shape: kept });
  });
}

/** What the f64 interpreter computes of a case: everything, or positions of it. */
function partOf(of: KernelCase, operation: Operation): Part {
  const sample = sampleOf(of);
  return {
    about: sample === undefined ? "whole" : `${sample.result.join("x")} of ${sample.whole.join("x")}`,
    make: () => repeated(operation(operandsOf(of, sample), of)),
    pick: (whole) => (sample === undefined ? whole : spread(whole as Float32Array, sample.whole, sample.result)),
  };
}

/** The workload of a kernel case by its name. */
export function kernelWorkload(name: string): Workload {
  const found = findKernelCase(name);
  const operation = found && operations[found.operation];
  if (found === undefined || operation === undefined) throw new UnsupportedError(`bench: no kernel "${name}".`);
  return {
    make: () => repeated(operation(operandsOf(found), found)),
    part: () => partOf(found, operation),
  };
}
