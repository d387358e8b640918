/** Gradients against differences of function values, in a random direction, in f64. */
import { gradients } from "../autodiff/gradients.ts";
import { withGradMode } from "../graph/grad-mode.ts";
import type { Node } from "../graph/node.ts";
import { sizeOf } from "../graph/shape.ts";
import { add, mul, sum } from "../ops/index.ts";
import { leafData, leafOf, valuesOf } from "./nodes.ts";

export interface GradientCheckOptions {
  /** 1 checks the gradient, 2 also the gradient of a random projection of it. Default 2. */
  readonly order?: 1 | 2;
  /** Half the distance of the two points that a difference is taken of. Default 1e-5. */
  readonly step?: number;
  /** Default 1e-5. */
  readonly relative?: number;
  readonly seed?: number;
}

/** A small deterministic generator (mulberry32) of numbers in (−1, 1), away from 0. */
function randomNumbers(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    const unit = ((t ^ (t >>> 14)) >>> 0) / 4294967296;
    return unit < 0.5 ? unit - 1 : unit;
  };
}

function randomLike(node: Node, random: () => number): Node {
  return leafOf(
    node.shape,
    "f32",
    Array.from({ length: sizeOf(node.shape) }, () => random()),
  );
}

/** Σ weight · element over all nodes: one scalar that depends on every element. */
function project(nodes: readonly Node[], random: () => number): Node {
  return nodes.map((node) => sum(mul(node, randomLike(node, random)))).reduce((total, part) => add(total, part));
}

/**
 * Checks the gradients of outputs with respect to leaves: (f(x + h·v) − f(x − h·v)) / 2h must equal Σ v·∂f/∂x for a random direction v, where f
 * is a random projection of the outputs. Order 2 does the same to a random projection of the gradients.
 *
 * @throws Error that names the order and both numbers.
 */
export function checkGradients(
  outputs: readonly Node[],
  leaves: readonly Node[],
  options: GradientCheckOptions = {},
): void {
  const random = randomNumbers(options.seed ?? 1);
  let scalar = project(outputs, random);
  for (let order = 1; order <= (options.order ?? 2); order++) {
    const results = withGradMode(true, () => gradients([scalar], leaves, undefined, { createGraph: true }));
    checkDirection(scalar, leaves, results, random, order, options);
    const present = results.filter((result) => result !== undefined);
    if (present.length === 0) return;
    scalar = project(present, random);
    // Linear functions have a constant gradient, with no path of its own: there is nothing more to check.
    if (!scalar.requiresGrad) return;
  }
}

function checkDirection(
  scalar: Node,
  leaves: readonly Node[],
  results: readonly (Node | undefined)[],
  random: () => number,
  order: number,
  { step = 1e-5, relative = 1e-5 }: GradientCheckOptions,
): void {
  const points = leaves.map((leaf) => Float64Array.from(leafData(leaf)));
  const direction = points.map((point) => point.map(() => random()));
  const at = (distance: number): number => {
    const moved = new Map(
      leaves.map((leaf, number) => [leaf, points[number].map((value, i) => value + distance * direction[number][i])]),
    );
    return valuesOf([scalar], moved)[0][0];
  };
  const difference = (at(step) - at(-step)) / (2 * step);
  const present = results.flatMap((node, number) => (node ? [{ node, number }] : []));
  const values = valuesOf(present.map(({ node }) => node));
  let product = 0;
  let scale = 0;
  present.forEach(({ number }, index) => {
    values[index].forEach((value, i) => {
      product += value * direction[number][i];
      scale += Math.abs(value * direction[number][i]);
    });
  });
  if (!(Math.abs(product - difference) <= relative * (1 + scale))) {
    throw new Error(
      `gradient of order ${order}: ${product} along a random direction, but the function changes by ${difference}`,
    );
  }
}
