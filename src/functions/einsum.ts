/** Einstein's summation: any equation over any number of tensors, as permutes, reshapes and matrix products. */
import { ArgumentError, ShapeError } from "../errors.ts";
import type { Node } from "../graph/node.ts";
import { formatShape, sizeOf } from "../graph/shape.ts";
import { mul } from "../ops/arithmetic.ts";
import { matmul } from "../ops/matmul.ts";
import { expand, permute } from "../ops/movement.ts";
import { sum } from "../ops/reduce.ts";
import { reshape } from "../ops/reshape.ts";
import { diagonal } from "./diagonals.ts";

/** A tensor whose axes have names: letters, or "…k" for axis k (from the end) of the ellipsis. */
interface Labelled {
  readonly node: Node;
  readonly labels: readonly string[];
}

const malformed = (equation: string, what: string): ArgumentError =>
  new ArgumentError(`einsum: "${equation}": ${what}.`);

/** The letters of one term; "..." stands for as many axes as the letters leave. */
function labelsOf(equation: string, term: string, ellipsisRank: number): string[] {
  const dots = term.indexOf("...");
  const letters = (text: string): string[] => {
    if (!/^[a-zA-Z]*$/.test(text)) throw malformed(equation, `"${term}" may hold letters and one "..." only`);
    return [...text];
  };
  if (dots < 0) return letters(term);
  const ellipsis = Array.from({ length: ellipsisRank }, (_, i) => `…${ellipsisRank - 1 - i}`);
  return [...letters(term.slice(0, dots)), ...ellipsis, ...letters(term.slice(dots + 3))];
}

/** Axes of one name are read along their common diagonal. */
function withoutRepeats(equation: string, { node, labels }: Labelled): Labelled {
  const second = labels.findIndex((label, i) => labels.indexOf(label) < i);
  if (second < 0) return { node, labels };
  const first = labels.indexOf(labels[second]);
  if (node.shape[first] !== node.shape[second]) {
    throw new ShapeError(
      `einsum: "${equation}": "${labels[second]}" names axes of sizes ${node.shape[first]} and ${node.shape[second]} of one tensor.`,
    );
  }
  const rest = labels.filter((_, i) => i !== first && i !== second);
  return withoutRepeats(equation, { node: diagonal(node, 0, first, second), labels: [...rest, labels[first]] });
}

function summedOver({ node, labels }: Labelled, gone: (label: string) => boolean): Labelled {
  const axes = labels.flatMap((label, axis) => (gone(label) ? [axis] : []));
  return axes.length === 0 ? { node, labels } : { node: sum(node, axes), labels: labels.filter((l) => !gone(l)) };
}

/** Axes in the order of the labels; those that the tensor lacks have size 1. */
function aligned({ node, labels }: Labelled, order: readonly string[]): Node {
  const present = order.filter((label) => labels.includes(label));
  const moved = permute(
    node,
    present.map((label) => labels.indexOf(label)),
  );
  return reshape(
    moved,
    order.map((label) => (labels.includes(label) ? node.shape[labels.indexOf(label)] : 1)),
  );
}

/** Axes of size 1 stretched to the size that the label has elsewhere. */
function stretched({ node, labels }: Labelled, sizes: ReadonlyMap<string, number>): Labelled {
  return {
    node: expand(
      node,
      labels.map((label) => sizes.get(label) as number),
    ),
    labels,
  };
}

/** Product of two tensors, summed over the labels that are no longer needed. */
function contracted(
  a: Labelled,
  b: Labelled,
  needed: (label: string) => boolean,
  sizes: ReadonlyMap<string, number>,
): Labelled {
  const shared = a.labels.filter((label) => b.labels.includes(label));
  const batch = shared.filter(needed);
  const inner = shared.filter((label) => !needed(label));
  const left = a.labels.filter((label) => !shared.includes(label));
  const right = b.labels.filter((label) => !shared.includes(label));
  const labels = [...batch, ...left, ...right];
  if (inner.length === 0 || a.node.dtype !== "f32" || b.node.dtype !== "f32") {
    const all = [...labels, ...inner];
    const product = mul(aligned(a, all), aligned(b, all));
    return summedOver({ node: product, labels: all }, (label) => inner.includes(label));
  }
  const extents = (names: readonly string[]): number[] => names.map((label) => sizes.get(label) as number);
  const only = (names: readonly string[]) => (label: string) => names.includes(label);
  const sizesOf = (names: readonly string[]) => sizeOf(extents(names));
  const [wideA, wideB] = [stretched(a, narrowTo(sizes, a, only(left))), stretched(b, narrowTo(sizes, b, only(right)))];
  const rows = reshape(aligned(wideA, [...batch, ...left, ...inner]), [
    ...(batch.length > 0 ? [sizesOf(batch)] : []),
    sizeOf(left.map((label) => a.node.shape[a.labels.indexOf(label)])),
    sizesOf(inner),
  ]);
  const columns = reshape(aligned(wideB, [...batch, ...inner, ...right]), [
    ...(batch.length > 0 ? [sizesOf(batch)] : []),
    sizesOf(inner),
    sizeOf(right.map((label) => b.node.shape[b.labels.indexOf(label)])),
  ]);
  const shape = [
    ...extents(batch),
    ...left.map((label) => a.node.shape[a.labels.indexOf(label)]),
    ...right.map((label) => b.node.shape[b.labels.indexOf(label)]),
  ];
  return { node: reshape(matmul(rows, columns), shape), labels };
}

/** The sizes to stretch to: labels of one side only keep what they have. */
function narrowTo(sizes: ReadonlyMap<string, number>, { node, labels }: Labelled, own: (label: string) => boolean) {
  return new Map(labels.map((label, axis) => [label, own(label) ? node.shape[axis] : (sizes.get(label) as number)]));
}

/**
 * Sum of products by an equation such as "bij,bjk->bik". A letter names an axis, in several tensors the same one; letters that the result lacks are
 * summed over; "..." stands for the remaining axes, which broadcast. Without "->" the result has the ellipsis and then, in alphabetical order,
 * the letters that occur once. Tensors are multiplied from left to right.
 */
export function einsum(equation: string, operands: readonly Node[]): Node {
  const [left, right, ...more] = equation.replaceAll(" ", "").split("->");
  const terms = left.split(",");
  if (more.length > 0) throw malformed(equation, 'more than one "->"');
  if (terms.length !== operands.length)
    throw malformed(equation, `${terms.length} terms for ${operands.length} tensors`);
  const ranks = terms.map((term, i) => {
    const letters = term.replace("...", "").length;
    const rank = operands[i].shape.length - letters;
    if (rank < 0 || (rank > 0 && !term.includes("...")))
      throw malformed(equation, `"${term}" does not fit a tensor of shape ${formatShape(operands[i].shape)}`);
    return term.includes("...") ? rank : 0;
  });
  const named = terms.map(
    (term, i): Labelled => withoutRepeats(equation, { node: operands[i], labels: labelsOf(equation, term, ranks[i]) }),
  );
  const sizes = commonSizes(equation, named);
  const output =
    right === undefined
      ? impliedOutput(terms, Math.max(0, ...ranks), equation)
      : labelsOf(equation, right, Math.max(0, ...ranks));
  const unknown = output.find((label, i) => !sizes.has(label) || output.indexOf(label) < i);
  if (unknown !== undefined) throw malformed(equation, `"${unknown}" of the result is in no term, or there twice`);
  let result = summedOver(named[0], (label) => !neededBy(label, output, named, 1));
  for (let i = 1; i < named.length; i++) {
    const needed = (label: string): boolean => neededBy(label, output, named, i + 1);
    const next = summedOver(named[i], (label) => !result.labels.includes(label) && !needed(label));
    const before = summedOver(result, (label) => !next.labels.includes(label) && !needed(label));
    result = contracted(before, next, needed, sizes);
  }
  return aligned(result, output);
}

const neededBy = (label: string, output: readonly string[], named: readonly Labelled[], from: number): boolean =>
  output.includes(label) || named.slice(from).some(({ labels }) => labels.includes(label));

function commonSizes(equation: string, named: readonly Labelled[]): Map<string, number> {
  const sizes = new Map<string, number>();
  for (const { node, labels } of named) {
    labels.forEach((label, axis) => {
      const [extent, known] = [node.shape[axis], sizes.get(label) ?? 1];
      if (extent !== 1 && known !== 1 && extent !== known) {
        throw new ShapeError(
          `einsum: "${equation}": "${label.startsWith("…") ? "..." : label}" has sizes ${known} and ${extent}.`,
        );
      }
      sizes.set(label, known === 1 ? extent : known);
    });
  }
  return sizes;
}

function impliedOutput(terms: readonly string[], ellipsisRank: number, equation: string): string[] {
  const letters = [...terms.join("").replaceAll("...", "")];
  const once = letters.filter((letter) => letters.indexOf(letter) === letters.lastIndexOf(letter));
  return [...labelsOf(equation, "...", ellipsisRank), ...once.sort()];
}
