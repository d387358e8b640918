import {
  type CompiledArgument,
  type CompiledResult,
  compile as compileFunction,
  type TracedArguments,
} from "../tensor/compile.ts";
import { isGradEnabled, type Tensor } from "../tensor/index.ts";
import { atEntry } from "../tensor/lift.ts";
import type { CallArguments, CallResult } from "./jit/trace.ts";
import { AnyModule } from "./nn/any-module.ts";
import { Module } from "./nn/module.ts";

type Program = (...args: Tensor[]) => Tensor;

/**
 * A module whose calls without gradients are replayed as one program, without building a graph. Calls that record gradients stay part of the
 * graph around them, which is compiled as one program with the step in any case. The module inside is `_orig_mod`, as in PyTorch.
 */
export class OptimizedModule<Inner extends AnyModule> extends Module<CallArguments<Inner>, CallResult<Inner>> {
  readonly _orig_mod: Inner;
  readonly #programs = new Map<string, Program>();

  constructor(module: Inner) {
    super();
    this._orig_mod = module;
    this.training = module.training;
  }

  override forward(...args: CallArguments<Inner>): CallResult<Inner> {
    const inner = this._orig_mod as unknown as Program;
    if (isGradEnabled()) return inner(...(args as unknown as Tensor[])) as CallResult<Inner>;
    // what a trace depends on besides the arguments
    const mode = this._orig_mod
      .modules()
      .map(({ training }) => (training ? 1 : 0))
      .join("");
    let program = this.#programs.get(mode);
    if (!program) {
      program = compileFunction((...given: Tensor[]) => inner(...given)) as Program;
      this.#programs.set(mode, program);
    }
    return program(...(args as unknown as Tensor[])) as CallResult<Inner>;
  }
}

/**
 * Compiles a module, or a function over tensors such as a whole training step. A function is run once for each combination of argument shapes and
 * dtypes, then replayed as one program: tensors and numbers passed to it are run-time values, learning rates and random state are read at each
 * call, numbers from outside are frozen, and reading a value inside throws. After torch.compile.
 *
 * @example
 * ```ts
 * const step = torch.compile((input: Tensor, target: Tensor) => {
 *   optimizer.zeroGrad();
 *   const loss = criterion(model(input), target);
 *   loss.backward();
 *   optimizer.step();
 *   return loss;
 * });
 * step(images, labels).item();
 * ```
 */
export function compile<Inner extends AnyModule>(module: Inner): OptimizedModule<Inner>;
export function compile<Args extends readonly CompiledArgument[], Result extends CompiledResult>(
  fn: (...args: TracedArguments<Args>) => Result,
): (...args: Args) => Result;
export function compile(target: unknown): unknown {
  return atEntry(compile as (...args: never[]) => unknown, () =>
    target instanceof AnyModule ? new OptimizedModule(target) : compileFunction(target as Program),
  );
}
