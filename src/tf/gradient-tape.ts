import { ArgumentError } from "../errors.ts";
import { enableGrad, Recording, Tensor, type Variable, zerosLike } from "../tensor/index.ts";
import { atEntry } from "../tensor/lift.ts";
import { GraphTensor } from "./compat-v1/graph.ts";
import { mapNested, nestedLeaves } from "./structure.ts";

export interface GradientTapeOptions {
  /** May compute gradients more than once. */
  readonly persistent?: boolean;
  /** Watch trainable variables without being told; default true. */
  readonly watchAccessedVariables?: boolean;
}

/** Tensors alone, in arrays and objects. */
export type Tensors = Tensor | readonly Tensors[] | { readonly [name: string]: Tensors };
/** Gradients in the structure of their sources. */
export type GradientsOf<Sources, Missing = undefined> = Sources extends Tensor
  ? Tensor | Missing
  : { -readonly [K in keyof Sources]: GradientsOf<Sources[K], Missing> };

export interface GradientOptions {
  /** Gradients of the loss with respect to the target; ones by default. */
  readonly outputGradients?: Tensors;
  /** What a source gets that the target does not depend on: undefined ('none') or zeros ('zero'). */
  readonly unconnectedGradients?: "none" | "zero";
}

/**
 * Records operations, so that gradients can be computed through them.
 *
 * A tape records from its construction until `stop()` (or the end of a `using` block), or what the callback of `run` does, which is the form of
 * Python's `with`. What is computed while no tape looks is a constant for it. Targets, gradients, what `run` returned and the outputs of the
 * model (what was computed after the last variable came in) can be read after the optimizer's step; other tensors are marked with `keep()`.
 *
 * @example
 * ```ts
 * const x = tf.constant(3);
 * const tape = new tf.GradientTape();
 * const y = tape.run(() => {
 *   tape.watch(x);
 *   return tf.mul(x, x);
 * });
 * tape.gradient(y, x)?.item(); // 6
 * ```
 */
export class GradientTape {
  private readonly recording: Recording;

  constructor(options: GradientTapeOptions = {}) {
    this.recording = new Recording({
      persistent: options.persistent,
      watchVariables: options.watchAccessedVariables,
    });
    this.recording.start();
  }

  /** Records what a synchronous callback does, and only that; gives what it returns. */
  run<Result>(callback: (tape: this) => Result): Result {
    return atEntry(this.run, () => {
      this.recording.reset();
      this.recording.start();
      try {
        return enableGrad(() => {
          const result = callback(this);
          if (result instanceof Promise) {
            throw new ArgumentError(
              "GradientTape.run: the callback is asynchronous; what is recorded is decided while it runs, so it must be synchronous.",
            );
          }
          keepAll(result);
          return result;
        });
      } finally {
        this.recording.pause();
      }
    });
  }
  /** Ends the recording. */
  stop(): void {
    this.recording.pause();
  }
  [Symbol.dispose](): void {
    this.stop();
  }
  /** Runs a synchronous callback that this tape does not record. */
  stopRecording<Result>(callback: () => Result): Result {
    return atEntry(this.stopRecording, () => {
      const { recording } = this.recording;
      this.recording.pause();
      try {
        const result = callback();
        if (result instanceof Promise) {
          throw new ArgumentError("stopRecording: the callback is asynchronous; recording is decided while it runs.");
        }
        return result;
      } finally {
        if (recording) this.recording.start();
      }
    });
  }
  /** Forgets everything recorded so far. */
  reset(): void {
    const { recording } = this.recording;
    this.recording.reset();
    if (recording) this.recording.start();
  }
  /** Makes tensors sources of gradients; trainable variables are already. */
  watch(tensors: Tensors): void {
    atEntry(this.watch, () => {
      for (const tensor of tensorsOf("watch", tensors)) this.recording.watch(tensor);
    });
  }
  /** The variables watched by name. */
  watchedVariables(): readonly Variable[] {
    return this.recording.watched;
  }

  /**
   * Gradients of the target (of the sum of its elements, and of several targets) with respect to sources, in the sources' structure; undefined
   * where no recorded path leads. A tape that is not persistent can do this once, and its recording ends.
   */
  gradient<Sources extends Tensors>(
    target: Tensors,
    sources: Sources,
    options: GradientOptions & { readonly unconnectedGradients: "zero" },
  ): GradientsOf<Sources, never>;
  gradient<Sources extends Tensors>(target: Tensors, sources: Sources, options?: GradientOptions): GradientsOf<Sources>;
  gradient<Sources extends Tensors>(target: Tensors, sources: Sources, options: GradientOptions = {}): unknown {
    return atEntry(this.gradient, () => {
      const { outputGradients, unconnectedGradients = "none" } = options;
      if (unconnectedGradients !== "none" && unconnectedGradients !== "zero") {
        throw new ArgumentError(
          `GradientTape.gradient: unconnectedGradients must be "none" or "zero", received "${unconnectedGradients}".`,
        );
      }
      const wanted = tensorsOf("gradient", sources);
      const seeds = outputGradients && tensorsOf("gradient", outputGradients);
      const results = this.recording.gradients(tensorsOf("gradient", target), wanted, seeds);
      let next = 0;
      return mapNested(sources, () => {
        const index = next++;
        return results[index] ?? (unconnectedGradients === "zero" ? zerosLike(wanted[index]) : undefined);
      });
    });
  }

  /**
   * Derivatives of every element of the target with respect to every element of the sources, each of shape [...target, ...source]. One gradient
   * for each element of the target is built, so the target should be small.
   */
  jacobian<Sources extends Tensors>(target: Tensor, sources: Sources): GradientsOf<Sources> {
    return atEntry(this.jacobian, () => {
      const results = this.recording.jacobian(tensorsOf("jacobian", target)[0], tensorsOf("jacobian", sources));
      let next = 0;
      return mapNested(sources, () => results[next++]) as GradientsOf<Sources>;
    });
  }
}

function tensorsOf(operation: string, tensors: Tensors): Tensor[] {
  return nestedLeaves(tensors).map((leaf) => {
    if (leaf instanceof GraphTensor) {
      throw new ArgumentError(
        `GradientTape.${operation}: ${leaf.toString()} belongs to a static graph; use tf.compat.v1.gradients.`,
      );
    }
    if (leaf instanceof Tensor) return leaf;
    throw new ArgumentError(`GradientTape.${operation}: expected tensors, received ${String(leaf)}.`);
  });
}

/** What a recorded callback returns can be read after the step. */
function keepAll(result: unknown): void {
  for (const leaf of nestedLeaves(result)) if (leaf instanceof Tensor) leaf.keep();
}
