/**
 * Algorithmic floating-point operations (a multiply-add counts two) of one training or inference example, from layer shapes.
 * Shares of the roofline are figured from these, whatever algorithm runs.
 */

/** A contraction of a network, with what it costs forward, for the input's gradient and for the weight's gradient: the same each. */
interface Contraction {
  readonly label: string;
  readonly flops: number;
  /** The first layer's input needs no gradient. */
  readonly first?: boolean;
}

const convolution = (height: number, width: number, window: number, inputs: number, outputs: number) =>
  2 * height * width * window * window * inputs * outputs;
const dense = (inputs: number, outputs: number) => 2 * inputs * outputs;

const networks: Readonly<Record<string, readonly Contraction[]>> = {
  "seeds-cnn": [
    { label: "conv 3x3 1->32", flops: convolution(26, 26, 3, 1, 32), first: true },
    { label: "conv 3x3 32->64", flops: convolution(24, 24, 3, 32, 64) },
    { label: "dense 9216->1024", flops: dense(9216, 1024) },
    { label: "dense 1024->10", flops: dense(1024, 10) },
  ],
};

/** FLOP of one example: forward and, for training, both gradients of each contraction. */
export function flopsPerExample(workload: string, training: boolean): number | undefined {
  return networks[workload]?.reduce(
    (sum, { flops, first }) => sum + flops * (training ? (first === true ? 2 : 3) : 1),
    0,
  );
}
