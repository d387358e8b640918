/** Callbacks that see the gradients of a module's inputs and outputs. */
import { UnsupportedError } from "../../errors.ts";
import { isGradEnabled, Tensor } from "../../tensor/index.ts";
import type { AnyModule } from "./any-module.ts";

/**
 * Runs in `backward()` once the gradients of all differentiable inputs are known (of all outputs, where no input is differentiable); null stands
 * for what has no gradient. What it returns takes the place of the input's gradient.
 */
export type FullBackwardHook = (
  module: AnyModule,
  gradInput: readonly (Tensor | null)[],
  gradOutput: readonly (Tensor | null)[],
) => unknown;

const isDifferentiable = (value: unknown): value is Tensor => value instanceof Tensor && value.requiresGrad;

/** Runs a forward so that the hooks see its gradients. */
export function runWithBackwardHooks(
  module: AnyModule,
  hooks: readonly FullBackwardHook[],
  args: readonly unknown[],
  run: (args: readonly unknown[]) => unknown,
): unknown {
  if (hooks.length === 0 || !isGradEnabled()) return run(args);
  // tensors of their own, so that only the gradients that come through this module are seen
  const inputs = args.map((arg) => (isDifferentiable(arg) ? arg.clone() : arg));
  const result = run(inputs);
  const outputs: readonly unknown[] = Array.isArray(result) ? result : [result];
  const gradInput = new Array<Tensor | null>(inputs.length).fill(null);
  const gradOutput = new Array<Tensor | null>(outputs.length).fill(null);

  const call = (replaceable: boolean): Tensor | undefined => {
    let replacement: Tensor | undefined;
    for (const hook of hooks) {
      const returned = hook(module, [...gradInput], [...gradOutput]);
      const value: unknown = Array.isArray(returned) ? returned[0] : returned;
      if (!(value instanceof Tensor)) continue;
      if (!replaceable) {
        throw new UnsupportedError(
          `registerFullBackwardHook: a hook of ${module.constructor.name} can replace the gradient of an only input; use tensor.registerHook on the inputs.`,
        );
      }
      replacement = value;
      gradInput[gradInput.findIndex((gradient) => gradient !== null)] = value;
    }
    gradInput.fill(null);
    gradOutput.fill(null);
    return replacement;
  };
  watch(inputs, gradInput, (count) => call(count === 1));
  const watched = inputs.some(isDifferentiable);
  watch(outputs, gradOutput, () => (watched ? undefined : call(false)));
  return result;
}

/** Notes the gradients of tensors as they come; `complete` is called with the last one, and may replace it. */
function watch(
  values: readonly unknown[],
  gradients: (Tensor | null)[],
  complete: (count: number) => Tensor | undefined,
): void {
  const count = values.filter(isDifferentiable).length;
  values.forEach((value, index) => {
    if (!isDifferentiable(value)) return;
    value.registerHook((gradient) => {
      gradients[index] = gradient;
      if (gradients.filter((known) => known !== null).length === count) return complete(count);
      return undefined;
    });
  });
}
