import type { Node } from "../graph/node.ts";
import { mul } from "./arithmetic.ts";
import { expand, flip, pad, permute, slice } from "./movement.ts";
import { constantLike } from "./prepare.ts";
import { reshape } from "./reshape.ts";

/**
 * For every element the product of all others over `axes`: eᵢ = Π_{j≠i} xⱼ, without a division, so that zeros are no exception and the
 * result can be differentiated again. Elements are paired, the exclusive product of a pair is that of its parent in a tree of pairs, and an
 * element's is its sibling times its parent's: O(n) work in O(log n) nodes.
 */
export function exclusiveProduct(x: Node, axes: readonly number[]): Node {
  const kept = x.shape.flatMap((_, axis) => (axes.includes(axis) ? [] : [axis]));
  const order = [...kept, ...axes];
  const moved = permute(x, order);
  const count = axes.reduce((product, axis) => product * x.shape[axis], 1);
  const outer = kept.reduce((product, axis) => product * x.shape[axis], 1);
  if (count * outer === 0) return x;
  const width = 2 ** Math.ceil(Math.log2(count));
  const flat = pad(
    reshape(moved, [outer, count]),
    [
      [0, 0],
      [0, width - count],
    ],
    1,
  );
  const product = slice(exclusive(flat), [undefined, { stop: count }]);
  return permute(
    reshape(product, moved.shape),
    order.map((_, axis) => order.indexOf(axis)),
  );
}

/** [outer, n] -> [outer, n] for a power of two n. */
function exclusive(x: Node): Node {
  const [outer, count] = x.shape;
  if (count === 1) return constantLike(x, 1);
  const pairs = reshape(x, [outer, count / 2, 2]);
  const siblings = flip(pairs, 2);
  if (count === 2) return reshape(siblings, [outer, count]);
  const side = (position: number) =>
    reshape(slice(pairs, [undefined, undefined, { start: position, stop: position + 1 }]), [outer, count / 2]);
  const parents = exclusive(mul(side(0), side(1)));
  return reshape(mul(siblings, expand(reshape(parents, [outer, count / 2, 1]), pairs.shape)), [outer, count]);
}
