import { InternalError } from "../errors.ts";
import type { Node } from "../graph/node.ts";
import type { Tensor } from "./tensor.ts";

/**
 * What every tensor is: a handle on a node. Functions over nodes are lifted over this class, so that `Tensor` can have methods made of
 * those functions without a cycle between the modules.
 */
export abstract class Handle {
  /** @internal */
  abstract get node(): Node;
}

let create: ((node: Node) => Tensor) | undefined;

/** @internal Called once, by the module that defines `Tensor`. */
export function provideTensors(factory: (node: Node) => Tensor): void {
  create = factory;
}

/** A tensor for a node. */
export function tensorOf(node: Node): Tensor {
  if (!create) throw new InternalError("a tensor was made before the module of Tensor was loaded");
  return create(node);
}

export function isTensor(value: unknown): value is Tensor {
  return value instanceof Handle;
}
