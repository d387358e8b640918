/** The gradient that a tensor accumulates. */
import { defaultEngine } from "../engine/default-engine.ts";
import type { Node } from "../graph/node.ts";
import { Handle } from "./handle.ts";
import type { Tensor } from "./tensor.ts";

interface Held {
  readonly tensor: Tensor;
  /** The node whose value is stored: the gradient as the variable lies in memory. */
  readonly stored: Node;
  /** `backward` made the node for this tensor alone: once it is dropped, nobody sees it unless it was handed out. */
  readonly own: boolean;
}

/** Part of every tensor: `grad`. */
export abstract class GradientHolder extends Handle {
  private held: Held | undefined;

  /**
   * The gradient accumulated by `backward()`; undefined before, and after an optimizer's `zeroGrad()`. A gradient that was looked at stays valid as
   * long as it is held; the storage of others is used again.
   */
  get grad(): Tensor | undefined {
    if (this.held) this.held.stored.shared = true;
    return this.held?.tensor;
  }
  set grad(value: Tensor | null | undefined) {
    const { held } = this;
    if (held && value === held.tensor) return;
    if (held?.own) defaultEngine.recycle(held.stored);
    this.held = value ? { tensor: value, stored: value.node, own: false } : undefined;
    if (value) defaultEngine.defer([value.node]);
  }

  /** @internal The gradient, for those who do not hand it on. */
  peekGradient(): Tensor | undefined {
    return this.held?.tensor;
  }
  /** @internal Replaces the gradient by one that includes it. */
  accumulateGradient(tensor: Tensor, stored: Node, own: boolean): void {
    this.held = { tensor, stored, own };
    defaultEngine.defer([stored]);
  }
}
