/** Regression losses with Keras' rules: one value for each example, the mean over the last axis. */
import { ShapeError } from "../errors.ts";
import type { Node } from "../graph/node.ts";
import { formatShape } from "../graph/shape.ts";
import { mul, sub } from "../ops/arithmetic.ts";
import { le } from "../ops/compare.ts";
import { constantLike, toFloat } from "../ops/prepare.ts";
import { mean } from "../ops/reduce.ts";
import { reshape } from "../ops/reshape.ts";
import { abs } from "../ops/unary.ts";
import { where } from "../ops/where.ts";

/**
 * Gives targets and outputs one rank, as Keras does: a last axis of size 1 that only one of them has is dropped, or added to the other if
 * that is a vector.
 */
export function sameRank(operation: string, target: Node, output: Node): readonly [Node, Node] {
  const [t, o] = [target.shape, output.shape];
  const appended = (node: Node): Node => reshape(node, [...node.shape, 1]);
  const dropped = (node: Node): Node => reshape(node, node.shape.slice(0, -1));
  if (t.length === o.length + 1 && t[t.length - 1] === 1) {
    return o.length === 1 ? [target, appended(output)] : [dropped(target), output];
  }
  if (o.length === t.length + 1 && o[o.length - 1] === 1) {
    return t.length === 1 ? [appended(target), output] : [target, dropped(output)];
  }
  if (t.length !== o.length) {
    throw new ShapeError(
      `${operation}: targets of shape ${formatShape(t)} and outputs of shape ${formatShape(o)} do not fit together.`,
    );
  }
  return [target, output];
}

function errorOf(operation: string, target: Node, output: Node): Node {
  const [t, o] = sameRank(operation, toFloat(target), toFloat(output));
  return sub(o, t);
}

/** A scalar stays as it is; anything else is averaged over its last axis. */
const perExample = (x: Node): Node => (x.shape.length === 0 ? x : mean(x, -1));

/** Mean of (output − target)² over the last axis. */
export function meanSquaredError(target: Node, output: Node): Node {
  const error = errorOf("meanSquaredError", target, output);
  return perExample(mul(error, error));
}

/** Mean of |output − target| over the last axis. */
export function meanAbsoluteError(target: Node, output: Node): Node {
  return perExample(abs(errorOf("meanAbsoluteError", target, output)));
}

/** Huber's loss, mean over the last axis: e²/2 where |e| ≤ δ, δ |e| − δ²/2 beyond. */
export function huber(target: Node, output: Node, delta = 1): Node {
  const error = errorOf("huber", target, output);
  const size = abs(error);
  const quadratic = mul(constantLike(error, 0.5), mul(error, error));
  const linear = sub(mul(constantLike(error, delta), size), constantLike(error, 0.5 * delta * delta));
  return perExample(where(le(size, constantLike(size, delta)), quadratic, linear));
}
