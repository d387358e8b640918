/**
 * Algorithmic floating-point operations (a multiply-add counts two) of one training or inference example, from layer shapes.
 * Shares of the roofline are figured from these, whatever algorithm runs.
 */

import type { Work } from "../src/targets/roofline.ts";
import { type Contraction, contractionsOf, outputSize } from "./network-shapes.ts";

/** FLOP of one example, forward; each gradient costs the same. */
export function flopsOf(shape: Contraction): number {
  if (shape.kind === "product") return 2 * shape.rows * shape.inputs * shape.outputs;
  return 2 * outputSize(shape) ** 2 * weightsOf(shape);
}

/** Elements of a contraction's kernel. */
export function weightsOf(shape: Contraction): number {
  if (shape.kind === "product") return shape.weightless ? 0 : shape.inputs * shape.outputs;
  return (shape.window ** 2 * shape.inputs * shape.outputs) / shape.groups;
}

/** FLOP of one example: forward and, for training, both gradients of each contraction. */
export function flopsPerExample(network: string, training: boolean): number | undefined {
  return contractionsOf(network)?.reduce(
    (sum, shape) => sum + flopsOf(shape) * (training ? (shape.first === true ? 2 : 3) : 1),
    0,
  );
}

/** What one step of a network must do at least: its FLOP, and its kernels read (and, for training, written) once. */
export function workOfStep(network: string, batch: number, training: boolean): Work | undefined {
  const flops = flopsPerExample(network, training);
  if (flops === undefined) return undefined;
  const weights = contractionsOf(network)!.reduce((sum, shape) => sum + weightsOf(shape), 0);
  return { flops: flops * batch, bytes: weights * (training ? 8 : 4) };
}
