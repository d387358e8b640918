/** Loops over time as one operation. */
import { scan as scanNodes } from "../control/scan.ts";
import { defaultEngine } from "../engine/default-engine.ts";
import { ArgumentError } from "../errors.ts";
import { isTensor, tensorOf } from "./handle.ts";
import { atEntry, wrap } from "./lift.ts";
import type { Tensor } from "./tensor.ts";
import { withoutAssignments } from "./tracing.ts";

/** What a step gives back. */
export interface ScanStep {
  /** The carries of the next step, with the shapes of those that came in. */
  readonly carries: readonly Tensor[];
  /** What is stacked over all steps. */
  readonly outputs?: readonly Tensor[];
}

export interface ScanOptions {
  /** From the last element of the sequences to the first; outputs stay beside the elements that they belong to. */
  readonly reverse?: boolean;
  /** Number of steps; needed only without sequences. */
  readonly length?: number;
}

export interface ScanResult {
  /** The carries after the last step. */
  readonly carries: Tensor[];
  /** [T, …] each. */
  readonly outputs: Tensor[];
  /** Each carry after every step: [T, …]. Costs nothing unless it is used. */
  readonly history: Tensor[];
}

/**
 * Runs `step` for each element along the first axis of `sequences`, as one operation: carry_t, output_t = step(carry_{t−1}, x_t). The step is traced
 * once, so compiling takes as long for 500 steps as for 5; random numbers drawn in it are the same at every step. Tensors and variables from outside
 * may be used in it, and gradients flow to them. Carries and outputs are f32; sequences (masks, indices) may be of any dtype. After jax.lax.scan.
 *
 * @throws ShapeError where a carry changes its shape or sequences differ in length
 * @example
 * ```ts
 * // running mean with decay
 * const { outputs } = scan(
 *   ([mean], [row]) => {
 *     const next = mean.mul(0.9).add(row.mul(0.1));
 *     return { carries: [next], outputs: [next] };
 *   },
 *   [zeros([3])],
 *   [x], // [T, 3]
 * );
 * ```
 */
export function scan(
  step: (carries: Tensor[], elements: Tensor[]) => ScanStep,
  initial: readonly Tensor[],
  sequences: readonly Tensor[],
  options: ScanOptions = {},
): ScanResult {
  return atEntry(scan, () => {
    if (!defaultEngine.tracing) defaultEngine.commit();
    const [starts, elements] = [initial, sequences].map((list) => list.map(({ node }) => node));
    const { carries, outputs, history } = scanNodes(
      (carriedNodes, elementNodes) => {
        const { tracing } = defaultEngine;
        // inside the step values cannot be read and nothing can be computed
        return withoutAssignments(refusal, () => {
          defaultEngine.tracing = true;
          try {
            const result = step(carriedNodes.map(tensorOf), elementNodes.map(tensorOf));
            return { carries: nodesOf(result?.carries), outputs: nodesOf(result?.outputs ?? []) };
          } finally {
            defaultEngine.tracing = tracing;
          }
        });
      },
      starts,
      elements,
      options,
    );
    return { carries: carries.map(wrap), outputs: outputs.map(wrap), history: history.map(tensorOf) };
  });
}

const refusal = (name: string): string =>
  `scan: the step assigns ${name}; a variable cannot change from step to step. Make it a carry and assign its last value.`;

function nodesOf(tensors: unknown) {
  if (Array.isArray(tensors) && tensors.every(isTensor)) return tensors.map(({ node }) => node);
  throw new ArgumentError("scan: the step must return { carries: [tensors], outputs: [tensors] }.");
}
