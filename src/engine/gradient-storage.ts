import { isLeaf } from "../graph/build-program.ts";
import { bytesOf, type Node } from "../graph/node.ts";

/** Smaller gradients cost next to nothing to store. */
const smallest = 1024 * 1024;
/** How much smaller than a gradient its factors must be. */
const ratio = 4;

/** The value that a node only shows in another order or shape. */
function withoutMovement(node: Node): Node {
  let source = node;
  while (!isLeaf(source) && (source.op?.opName === "permute" || source.op?.opName === "reshape"))
    [source] = source.inputs as [Node];
  return source;
}

/**
 * What must be stored so that a gradient can be read after the step: the gradient, or, where it is a product many times larger than its factors (the
 * weight of a large dense layer), the factors. The step then multiplies them into the update without storing the product, and whoever
 * asks for it gets the same product of the same factors.
 */
export function storedForGradient(gradient: Node): readonly Node[] {
  const product = withoutMovement(gradient);
  if (product.op?.opName !== "matmul" || isLeaf(product) || product.requiresGrad) return [gradient];
  const factors = product.inputs.map(withoutMovement);
  // a variable holds another value after the step
  if (factors.some((factor) => factor.leaf?.kind === "variable")) return [gradient];
  const bytes = factors.reduce((sum, factor) => sum + bytesOf(factor.type), 0);
  return bytesOf(product.type) >= smallest && bytes * ratio <= bytesOf(product.type) ? factors : [gradient];
}
