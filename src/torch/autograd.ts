/** `torch.autograd`. */
import { GradientError } from "../errors.ts";
import { gradients } from "../tensor/autograd.ts";
import { enableGrad, noGrad } from "../tensor/control.ts";
import { isTensor } from "../tensor/handle.ts";
import { atEntry } from "../tensor/lift.ts";
import type { Tensor } from "../tensor/tensor.ts";

/** Keyword arguments of `grad`. */
export interface GradOptions {
  /** Gradients with respect to the outputs; needed for those that are not scalars. */
  readonly gradOutputs?: Tensor | readonly Tensor[];
  /** Record the gradients' own graph, for gradients of gradients. */
  readonly createGraph?: boolean;
  /** Keep the graph for another pass through it; as `createGraph` unless given. */
  readonly retainGraph?: boolean;
  /** Give undefined, instead of an error, for an input that no output depends on. */
  readonly allowUnused?: boolean;
}

const listOf = (value: Tensor | readonly Tensor[]): readonly Tensor[] => (isTensor(value) ? [value] : value);

/**
 * Gradients of the sum of outputs with respect to inputs; `grad` of no tensor changes.
 *
 * @example
 * ```ts
 * const x = torch.tensor([3], { requiresGrad: true });
 * const [slope] = torch.autograd.grad(x.pow(2).sum(), x); // 6
 * ```
 */
export function grad(
  outputs: Tensor | readonly Tensor[],
  inputs: Tensor | readonly Tensor[],
  options: GradOptions & { readonly allowUnused: true },
): (Tensor | undefined)[];
export function grad(
  outputs: Tensor | readonly Tensor[],
  inputs: Tensor | readonly Tensor[],
  options?: GradOptions,
): Tensor[];
export function grad(
  outputs: Tensor | readonly Tensor[],
  inputs: Tensor | readonly Tensor[],
  options: GradOptions = {},
): (Tensor | undefined)[] {
  return atEntry(grad, () => {
    const targets = listOf(inputs);
    targets.forEach((input, index) => {
      if (input.requiresGrad) return;
      throw new GradientError(
        `autograd.grad: input ${index} does not require grad; set requiresGrad before it is used.`,
      );
    });
    const seeds = options.gradOutputs === undefined ? undefined : listOf(options.gradOutputs);
    const { createGraph, retainGraph } = options;
    const results = gradients(listOf(outputs), targets, { seeds, createGraph, retainGraph, keepResults: true });
    const unused = results.indexOf(undefined);
    if (unused >= 0 && !options.allowUnused) {
      throw new GradientError(
        `autograd.grad: input ${unused} appears not to have been used in the graph of the outputs. Pass { allowUnused: true } if that is meant; its gradient is then undefined.`,
      );
    }
    return results;
  });
}

/** Runs a synchronous callback with gradient recording switched on or off. */
export function setGradEnabled<T>(mode: boolean, callback: () => T): T {
  return mode ? enableGrad(callback) : noGrad(callback);
}
/** Runs a synchronous callback without recording gradients: `noGrad`. */
export const inferenceMode: <T>(callback: () => T) => T = noGrad;
