/** Leaves, and callbacks that see gradients on their way. */
import { defaultEngine } from "../engine/default-engine.ts";
import { GradientError, ShapeError } from "../errors.ts";
import { dataNode, Node } from "../graph/node.ts";
import { formatShape, sameShape } from "../graph/shape.ts";
import { add } from "../ops/index.ts";
import { tensorOf } from "./handle.ts";
import type { Tensor } from "./tensor.ts";

/** Sees a gradient; a tensor that it returns takes the gradient's place. */
// biome-ignore lint/suspicious/noConfusingVoidType: a callback without a return statement leaves the gradient as it is
export type GradientCallback = (gradient: Tensor) => Tensor | void;

/** Removes what was registered. */
export interface HookHandle {
  remove(): void;
}

/**
 * A leaf with the value of a node that has no gradient path: gradients end there. The value is shared, since values never change; what has not
 * been computed is computed now.
 */
export function leafNode(node: Node, owner: Tensor, hooks = node.hooks): Node {
  const shared = node.owner !== undefined && node.owner !== owner;
  let leaf = node;
  if (node.inputs.length > 0 || node.leaf?.kind === "variable" || shared) {
    leaf = dataNode(node.type, defaultEngine.read(node));
  } else if (node.value) leaf = dataNode(node.type, node.value);
  else if (node.op) leaf = new Node(node.op, [], node.attributes, node.type);
  leaf.requiresGrad = true;
  leaf.owner = owner;
  leaf.hooks = hooks;
  return leaf;
}

/** `tensor.registerHook(callback)`. */
export function hookGradient(tensor: Tensor, callback: GradientCallback): HookHandle {
  if (!tensor.requiresGrad)
    throw new GradientError("registerHook: the tensor has no gradient path, so no gradient will come by.");
  const hook = (gradient: Node): Node | undefined => {
    gradient.shared = true;
    const replacement = callback(tensorOf(gradient));
    if (!replacement) return undefined;
    if (!sameShape(replacement.shape, gradient.shape)) {
      throw new ShapeError(
        `registerHook: the callback returned shape ${formatShape(replacement.shape)} for a gradient of shape ${formatShape(gradient.shape)}.`,
      );
    }
    return replacement.node;
  };
  const hooks = tensor.gradientHooks();
  hooks.push(hook);
  return {
    remove: () => {
      const at = hooks.indexOf(hook);
      if (at >= 0) hooks.splice(at, 1);
    },
  };
}

/** `tensor.retainGrad()`. */
export function retainGradient(tensor: Tensor): void {
  if (!tensor.requiresGrad) throw new GradientError("retainGrad: the tensor has no gradient path.");
  if (tensor.isLeaf) return;
  tensor.gradientHooks().push((gradient) => {
    gradient.shared = true;
    tensor.grad = tensorOf(tensor.grad ? add(tensor.grad.node, gradient) : gradient);
    return undefined;
  });
}
