/** Training steps built by hand through ops: what the schedule must fuse well. */
import { gradients } from "../../src/autodiff/gradients.ts";
import { categoricalCrossentropy, maxPool2d } from "../../src/functions/index.ts";
import { softmax } from "../../src/functions/softmax.ts";
import { type BuiltProgram, buildProgram, type RequestedOutput } from "../../src/graph/build-program.ts";
import { type Node, numberNode } from "../../src/graph/node.ts";
import type { Shape } from "../../src/graph/shape.ts";
import { ops } from "../../src/ops/index.ts";
import { hashUniform } from "../../src/testing/hash-uniform.ts";
import { leafOf } from "../../src/testing/nodes.ts";

const { add, conv2d, matmul, mul, relu, reshape, sub, sum, eq, argmax, cast } = ops;

export interface ConvnetSizes {
  readonly batch: number;
  readonly side: number;
  readonly channels: readonly [number, number];
  readonly hidden: number;
  readonly classes: number;
}

/** The convnet of the seeds: conv-relu-conv-relu-pool-dense-relu-dense-softmax, cross-entropy, gradients and updates in one program. */
export function convnetStep(sizes: ConvnetSizes): BuiltProgram {
  return buildProgram(convnetOutputs(sizes));
}

/** Updated parameters, the loss, the number of hits. */
export function convnetOutputs({ batch, side, channels, hidden, classes }: ConvnetSizes): RequestedOutput[] {
  let stream = 1;
  const size = (shape: Shape) => shape.reduce((product, extent) => product * extent, 1);
  const parameter = (...shape: number[]): Node =>
    leafOf(shape, "f32", hashUniform(stream++, size(shape), -0.3, 0.3), true);
  const pooled = Math.floor((side - 4) / 2);
  const features = pooled * pooled * channels[1];
  const images = leafOf([batch, side, side, 1], "f32", hashUniform(stream++, batch * side * side, 0, 1));
  const labels = leafOf(
    [batch, classes],
    "f32",
    Array.from({ length: batch * classes }, (_, index) =>
      index % classes === Math.floor(index / classes) % classes ? 1 : 0,
    ),
  );
  const parameters = [
    parameter(3, 3, 1, channels[0]),
    parameter(channels[0]),
    parameter(3, 3, channels[0], channels[1]),
    parameter(channels[1]),
    parameter(features, hidden),
    parameter(hidden),
    parameter(hidden, classes),
    parameter(classes),
  ];
  const [w1, b1, w2, b2, w3, b3, w4, b4] = parameters;
  const first = relu(add(conv2d(images, w1), b1));
  const second = relu(add(conv2d(first, w2), b2));
  const flat = reshape(maxPool2d(second, 2), [batch, features]);
  const dense = relu(add(matmul(flat, w3), b3));
  const logits = add(matmul(dense, w4), b4);
  const probabilities = softmax(logits);
  const losses = categoricalCrossentropy(labels, probabilities);
  const loss = mul(sum(losses), numberNode(1 / batch));
  const hits = sum(cast(eq(argmax(probabilities, 1), argmax(labels, 1)), "f32"));
  const slopes = gradients([loss], parameters);
  const rate = numberNode(0.01);
  const updated = parameters.map((parameter, index) => sub(parameter, mul(slopes[index]!, rate)));
  return [...updated.map((node, index) => ({ node, overwrites: parameters[index] })), { node: loss }, { node: hits }];
}
