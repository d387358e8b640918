import { gradients as nodeGradients } from "../autodiff/gradients.ts";
import { defaultEngine } from "../engine/default-engine.ts";
import { differentiableLeaves } from "../engine/saved-for-backward.ts";
import { GradientError, ShapeError } from "../errors.ts";
import { isLeaf } from "../graph/build-program.ts";
import { withGradMode } from "../graph/grad-mode.ts";
import { type Node, nextMark } from "../graph/node.ts";
import { formatShape } from "../graph/shape.ts";
import { add } from "../ops/index.ts";
import { isTensor, tensorOf } from "./handle.ts";
import { atEntry } from "./lift.ts";
import { keptGradients, orderInMemory, storedGradient } from "./stored-gradient.ts";
import type { Tensor } from "./tensor.ts";

export interface BackwardOptions {
  /** Keep the graph for another `backward()` through it. */
  readonly retainGraph?: boolean;
  /** Record the gradients' own graph, for gradients of gradients; implies `retainGraph`. */
  readonly createGraph?: boolean;
}

/** Whose `grad` was set while a function was traced: it belongs to the trace. */
const tracedOwners: Tensor[] = [];

/** @internal Removes the gradients that a trace accumulated. */
export function clearTracedGradients(): void {
  defaultEngine.dropDeferred();
  for (const owner of tracedOwners.splice(0)) owner.grad = undefined;
}

/** Marks the graph above the leaves as consumed; a part that was consumed before is PyTorch's error. */
function consume(roots: readonly Node[], retain: boolean): void {
  const mark = nextMark();
  const stack = [...roots];
  while (stack.length > 0) {
    const node = stack.pop() as Node;
    if (node.mark === mark || !node.requiresGrad || !node.op) continue;
    node.mark = mark;
    if (node.consumed) {
      throw new GradientError(
        "backward through the graph a second time: its saved values were freed by the first backward(). " +
          "Pass { retainGraph: true } to the first one, or compute the loss again.",
      );
    }
    stack.push(...node.inputs);
  }
  if (retain) return;
  const seen = nextMark();
  stack.push(...roots);
  while (stack.length > 0) {
    const node = stack.pop() as Node;
    if (node.mark === seen || !node.requiresGrad || !node.op) continue;
    node.mark = seen;
    node.consumed = true;
    stack.push(...node.inputs);
    if (isLeaf(node)) node.inputs = [];
  }
}

function checkRoot(name: string, root: Tensor, seed: Tensor | undefined): void {
  if (!root.requiresGrad) {
    throw new GradientError(
      `${name}: the tensor has no gradient path: nothing it was made from is a trainable variable or has requiresGrad (was it made under noGrad, or detached?).`,
    );
  }
  if (!seed && root.size !== 1) {
    throw new GradientError(
      `${name}: the tensor has shape ${formatShape(root.shape)}; only a scalar needs no gradient argument. Reduce it (sum, mean) or pass one.`,
    );
  }
  if (seed && formatShape(seed.shape) !== formatShape(root.shape)) {
    throw new ShapeError(
      `${name}: the gradient has shape ${formatShape(seed.shape)}, the tensor ${formatShape(root.shape)}.`,
    );
  }
}

/** `tensor.backward()`: adds to `grad` of every owner upstream. */
export function backward(root: Tensor, seed: Tensor | undefined, options: BackwardOptions = {}): void {
  checkRoot("backward", root, seed);
  // the gradients of an earlier backward are computed first, so that accumulated micro-batches hold the activations of one
  if (!defaultEngine.tracing) defaultEngine.computeDeferred();
  const node = root.node;
  const leaves = differentiableLeaves([node]).filter((leaf) => isTensor(leaf.owner));
  const results = nodeGradients([node], leaves, seed ? [seed.node] : undefined, {
    createGraph: options.createGraph ?? false,
  });
  consume([node], options.retainGraph ?? options.createGraph ?? false);
  leaves.forEach((leaf, index) => {
    const owner = leaf.owner as Tensor;
    const gradient = results[index];
    if (!gradient) return;
    const before = owner.peekGradient();
    if (before && defaultEngine.tracing && !tracedOwners.includes(owner)) {
      throw new GradientError(
        "backward: a variable has a gradient from outside the compiled function, which would be frozen into it; call zeroGrad() inside the function first.",
      );
    }
    const shared =
      seed !== undefined || leaf.hooks !== undefined || results.indexOf(gradient) !== results.lastIndexOf(gradient);
    const order = orderInMemory(leaf);
    withGradMode(options.createGraph ?? false, () => {
      const { inMemory, seen } = storedGradient(before ? add(before.node, gradient) : gradient, order);
      // nodes older than the root belong to the forward pass
      owner.accumulateGradient(tensorOf(seen), inMemory, !shared && inMemory.serial > node.serial);
    });
    if (defaultEngine.tracing) tracedOwners.push(owner);
  });
  defaultEngine.defer([node]);
}

export interface GradientOptions extends BackwardOptions {
  /** Gradients of the loss with respect to the outputs (ones by default; required for outputs that are not scalars). */
  readonly seeds?: readonly Tensor[];
  /** The results, and what was differentiated, can be read after the step that they go into, and are computed together. */
  readonly keepResults?: boolean;
}

/**
 * Gradients of outputs (summed) with respect to inputs, without touching any `grad`. Undefined where no path leads.
 *
 * @example
 * ```ts
 * const x = new Variable([3]);
 * const [slope] = gradients(x.square().sum(), [x]);
 * slope?.item(); // 6
 * ```
 */
export function gradients(
  outputs: Tensor | readonly Tensor[],
  inputs: readonly Tensor[],
  options: GradientOptions = {},
): (Tensor | undefined)[] {
  return atEntry(gradients, () => {
    const roots = isTensor(outputs) ? [outputs] : outputs;
    roots.forEach((root, index) => checkRoot("gradients", root, options.seeds?.[index]));
    const createGraph = options.createGraph ?? false;
    const nodes = roots.map((root) => root.node);
    const targets = inputs.map((input) => input.node);
    const results = nodeGradients(
      nodes,
      targets,
      options.seeds?.map((seed) => seed.node),
      { createGraph },
    );
    consume(nodes, options.retainGraph ?? createGraph);
    if (options.keepResults) {
      return keptGradients(nodes, results, targets.map(orderInMemory), createGraph).map(
        (node) => node && tensorOf(node),
      );
    }
    // what was differentiated can be read after the step that its gradients go into
    for (const node of nodes) defaultEngine.keep(node);
    return results.map((node) => node && tensorOf(node));
  });
}
