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
import { ModuleSnapshot } from "./nn/module-snapshot.ts";

type Program = (...args: Tensor[]) => Tensor;

/**
 * A module whose calls without gradients are replayed as one program, without building a graph. Calls that record gradients stay part of the
 * graph around them, which is compiled as one program with the step in any case. The module inside is `_orig_mod`, as in PyTorch.
 */
export class OptimizedModule<Inner extends AnyModule> extends Module<CallArguments<Inner>, CallResult<Inner>> {
  readonly _orig_mod: Inner;
  /** By the modes of the modules inside. */
  readonly #programs = new Map<string, Program>();
  #snapshot: ModuleSnapshot | undefined;

  constructor(module: Inner) {
    super();
    this._orig_mod = module;
    this.training = module.training;
  }

  override forward(...args: CallArguments<Inner>): CallResult<Inner> {
    const inner = this._orig_mod as unknown as Program;
    if (isGradEnabled()) return inner(...(args as unknown as Tensor[])) as CallResult<Inner>;
    if (!this.#snapshot?.holds()) {
      const snapshot = new ModuleSnapshot(this._orig_mod);
      // another network: what was traced through the one before is not it
      if (this.#snapshot && !snapshot.hasModulesOf(this.#snapshot)) this.#programs.clear();
      this.#snapshot = snapshot;
    }
    const { modes } = this.#snapshot;
    let program = this.#programs.get(modes);
    if (!program) {
      program = compileFunction((...given: Tensor[]) => inner(...given)) as Program;
      this.#programs.set(modes, program);
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
