/** Gradients as they are stored: as their variable lies in memory, so that a program does not depend on the order in which a door shows the axes. */
import { defaultEngine } from "../engine/default-engine.ts";
import { withGradMode } from "../graph/grad-mode.ts";
import type { Node } from "../graph/node.ts";
import { permute } from "../ops/index.ts";

/** The order in which memory holds the axes of the variable behind a leaf; `undefined` where it is their own. */
export function orderInMemory({ leaf }: Node): readonly number[] | undefined {
  return leaf?.kind === "variable" ? leaf.cell.order : undefined;
}

/** A gradient as the variable lies in memory, and as the variable shows it. */
export function storedGradient(
  gradient: Node,
  order: readonly number[] | undefined,
): { readonly inMemory: Node; readonly seen: Node } {
  if (!order) return { inMemory: gradient, seen: gradient };
  const inMemory = permute(gradient, order);
  const shown = order.map((_, axis) => order.indexOf(axis));
  return { inMemory, seen: permute(inMemory, shown) };
}

/**
 * Gradients that a user holds, as they are seen: they are computed together with what was differentiated, by the next step or when one of them is read.
 * Those that have a gradient themselves are part of what is still being written, and are only kept through the next step.
 */
export function keptGradients(
  roots: readonly Node[],
  gradients: readonly (Node | undefined)[],
  orders: readonly (readonly number[] | undefined)[],
  createGraph: boolean,
): (Node | undefined)[] {
  const stored: Node[] = [];
  const seen = gradients.map((gradient, index) => {
    if (!gradient) return undefined;
    const forms = withGradMode(createGraph, () => storedGradient(gradient, orders[index]));
    stored.push(forms.inMemory);
    return forms.seen;
  });
  if (createGraph) for (const node of [...roots, ...stored]) defaultEngine.keep(node);
  else if (!defaultEngine.tracing) defaultEngine.defer([...stored, ...roots]);
  return seen;
}
