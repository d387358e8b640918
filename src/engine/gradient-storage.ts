import { isLeaf } from "../graph/build-program.ts";
import { bytesOf, dataNode, Node, type NodeValue } from "../graph/node.ts";

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

/** A large gradient that is stored as the factors of a product. */
export interface FactoredGradient {
  readonly product: Node;
  /** Those that have not been computed. */
  readonly factors: readonly Node[];
}

/**
 * What must be stored so that a gradient can be read after the step: the gradient (`undefined` here), or, where it is a product many times larger than
 * its factors (the weight of a large dense layer), the factors. The step then multiplies them into the update without storing the
 * product, and whoever asks for it gets the same product of the same factors.
 */
export function factoredGradient(gradient: Node): FactoredGradient | undefined {
  if (bytesOf(gradient.type) < smallest) return undefined;
  const product = withoutMovement(gradient);
  if (product.op?.opName !== "matmul" || isLeaf(product) || product.requiresGrad) return undefined;
  const factors = product.inputs.map(withoutMovement);
  // a variable holds another value after the step
  if (factors.some((factor) => factor.leaf?.kind === "variable")) return undefined;
  const bytes = factors.reduce((sum, factor) => sum + bytesOf(factor.type), 0);
  if (bytes * ratio > bytesOf(product.type)) return undefined;
  return { product, factors: factors.filter((factor) => !isLeaf(factor)) };
}

/** Leaves for the values of factors that belong to a product alone. */
const ownFactors = new WeakMap<Node, readonly Node[]>();

/** Makes products depend on the stored values of their factors, and on nothing of the graph that these came from. */
export function bindFactors(gradients: readonly FactoredGradient[], values: ReadonlyMap<Node, NodeValue>): void {
  const leaves = new Map<Node, Node>();
  for (const { product, factors } of gradients) {
    const own: Node[] = [];
    for (const factor of factors) {
      const value = values.get(factor);
      if (!value) continue;
      const known = leaves.get(factor);
      if (known) known.shared = true;
      const leaf = known ?? dataNode(factor.type, value);
      leaves.set(factor, leaf);
      own.push(leaf);
    }
    product.inputs = product.inputs.map((input) => moved(input, leaves));
    ownFactors.set(product, own);
  }
}

/** The same movements of a factor's leaf. */
function moved(node: Node, leaves: ReadonlyMap<Node, Node>): Node {
  const leaf = leaves.get(node);
  if (leaf) return leaf;
  const source = withoutMovement(node);
  if (source === node || !leaves.has(source)) return node;
  return new Node(node.op, [moved(node.inputs[0], leaves)], node.attributes, node.type);
}

/** Leaves whose storage nobody needs once the only holder of a gradient has dropped it. */
export function takeFactors(gradient: Node): readonly Node[] {
  const product = withoutMovement(gradient);
  const own = ownFactors.get(product);
  if (!own || product.shared) return [];
  ownFactors.delete(product);
  return own.filter((leaf) => !leaf.shared);
}
