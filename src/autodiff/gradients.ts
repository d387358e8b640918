import { GradientError, InternalError } from "../errors.ts";
import { withGradMode } from "../graph/grad-mode.ts";
import { type Node, nextMark, serialNow } from "../graph/node.ts";
import { formatShape, sameShape } from "../graph/shape.ts";
import { add, constant } from "../ops/index.ts";
import { GradientTemplates } from "./gradient-templates.ts";

const templates = new GradientTemplates();

export interface GradientsOptions {
  /** Record the gradients' own graph, so that they can be differentiated again. Default false. */
  readonly createGraph?: boolean;
  /** Throw `GradientError` for an input that no output depends on, instead of giving `undefined`. Default false. */
  readonly strict?: boolean;
  /** Nodes for which this is false are constants: no gradient flows to their inputs (what a tape did not record). */
  readonly through?: (node: Node) => boolean;
  /** Call the hooks that nodes hold. Default true. */
  readonly hooks?: boolean;
}

/**
 * Reverse-mode differentiation as graph to graph: Σ over outputs of seedᵀ·∂output/∂input, one node per input, `undefined` where there is no
 * differentiable path. A missing seed is 1 for every element.
 *
 * Nodes are visited in decreasing order of creation, which is a reverse topological order, so depth is no limit; contributions to
 * one node are added in that same fixed order.
 */
export function gradients(
  outputs: readonly Node[],
  inputs: readonly Node[],
  seeds: readonly (Node | undefined)[] = [],
  options: GradientsOptions = {},
): (Node | undefined)[] {
  const { createGraph = false, strict = false, through, hooks = true } = options;
  const seeded = seeds.some((seed) => seed !== undefined);
  const templated = !createGraph && !through && !seeded;
  const known = templated ? templates.find(outputs, inputs) : undefined;
  if (known) return checked(known, inputs, strict);
  const start = serialNow();
  const results = build(outputs, inputs, seeds, { createGraph, through, hooks });
  if (templated) templates.add(outputs, inputs, results, start);
  return checked(results, inputs, strict);
}

/** Throws for an input without a gradient where that is a mistake. */
function checked(results: (Node | undefined)[], inputs: readonly Node[], strict: boolean): (Node | undefined)[] {
  if (!strict) return results;
  const missing = results.indexOf(undefined);
  if (missing < 0) return results;
  throw new GradientError(
    `gradients: no output depends on input ${missing} (shape ${formatShape(inputs[missing].shape)}) by a differentiable path. ` +
      "Check that it requires a gradient and that no op between them is piecewise constant or works on integers.",
  );
}

function build(
  outputs: readonly Node[],
  inputs: readonly Node[],
  seeds: readonly (Node | undefined)[],
  { createGraph, through, hooks }: Pick<GradientsOptions, "createGraph" | "through" | "hooks">,
): (Node | undefined)[] {
  return withGradMode(createGraph ?? false, () => {
    const path = nodesBetween(outputs, inputs, through);
    const accumulated = new Map<Node, Node>();
    const accumulate = (node: Node, gradient: Node): void => {
      const before = accumulated.get(node);
      accumulated.set(node, before ? add(before, gradient) : gradient);
    };
    outputs.forEach((output, index) => {
      if (path.has(output)) accumulate(output, seedFor(output, seeds[index]));
    });
    const wanted = new Set(inputs);
    const order = [...path].sort((a, b) => b.serial - a.serial);
    for (const node of order) {
      let gradient = accumulated.get(node);
      if (!gradient) continue;
      if (hooks && node.hooks) {
        for (const hook of [...node.hooks]) gradient = hook(gradient) ?? gradient;
        accumulated.set(node, gradient);
      }
      if (node.inputs.length === 0 || through?.(node) === false) continue;
      if (!wanted.has(node)) accumulated.delete(node);
      propagate(node, gradient, path, accumulate);
    }
    return inputs.map((input) => accumulated.get(input));
  });
}

/** Applies one op's gradient rule. */
function propagate(
  node: Node,
  gradient: Node,
  path: ReadonlySet<Node>,
  accumulate: (node: Node, gradient: Node) => void,
): void {
  const rule = node.op?.gradient;
  if (typeof rule !== "function") return;
  const needs = node.inputs.map((input) => path.has(input));
  const results = rule(gradient, { inputs: node.inputs, output: node, attributes: node.attributes, needs });
  node.inputs.forEach((input, index) => {
    const result = results[index];
    if (!needs[index] || !result) return;
    if (!sameShape(result.shape, input.shape) || result.dtype !== input.dtype) {
      throw new InternalError(
        `the gradient of ${node.op?.opName} for input ${index} is ${result.dtype} ${formatShape(result.shape)}, expected ${input.dtype} ${formatShape(input.shape)}`,
      );
    }
    accumulate(input, result);
  });
}

function seedFor(output: Node, seed: Node | undefined): Node {
  if (!seed) return constant(1, output.shape, output.dtype);
  if (!sameShape(seed.shape, output.shape)) {
    throw new GradientError(
      `gradients: the seed has shape ${formatShape(seed.shape)}, expected that of its output, ${formatShape(output.shape)}.`,
    );
  }
  return seed;
}

/** The nodes with a gradient path that are above an output and below an input, both included. */
function nodesBetween(outputs: readonly Node[], inputs: readonly Node[], through?: (node: Node) => boolean): Set<Node> {
  const mark = nextMark();
  const above: Node[] = [];
  const stack = [...outputs];
  while (stack.length > 0) {
    const node = stack.pop() as Node;
    if (node.mark === mark || !node.requiresGrad) continue;
    node.mark = mark;
    above.push(node);
    if (through?.(node) !== false) stack.push(...node.inputs);
  }
  const between = new Set<Node>();
  const wanted = new Set(inputs);
  above.sort((a, b) => a.serial - b.serial);
  for (const node of above) {
    if (wanted.has(node) || (through?.(node) !== false && node.inputs.some((input) => between.has(input))))
      between.add(node);
  }
  return between;
}
