/** The node of a loop over time, made from the live graph of its body. */
import { InternalError } from "../errors.ts";
import { buildProgram } from "../graph/build-program.ts";
import type { Attributes, Node } from "../graph/node.ts";
import type { ScanLoop, StepSource } from "../graph/scan-loop.ts";
import { type Shape, sizeOf } from "../graph/shape.ts";
import { applyOp, type GradientContext, type Op } from "../ops/define.ts";
import { constant, reshape, slice } from "../ops/index.ts";

/** Where an input of a body comes from: references are nodes outside the loop, or (once its node is made) positions among that node's inputs. */
export type BodySource<Reference = Node> =
  | { readonly kind: "carry"; readonly result: number; readonly initial: Reference }
  | { readonly kind: "sequence"; readonly sequence: Reference; readonly shift: 0 }
  | { readonly kind: "sequence"; readonly sequence: Reference; readonly shift: -1 | 1; readonly initial: Reference }
  | { readonly kind: "constant"; readonly value: Reference };

export interface BodyInput<Reference = Node> {
  readonly placeholder: Node;
  readonly source: BodySource<Reference>;
}

/** A loop as live graph. Results are distinct f32 nodes over the placeholders of `inputs` and nothing else. */
export interface LoopBody<Reference = Node> {
  readonly length: number;
  readonly reverse: boolean;
  readonly inputs: readonly BodyInput<Reference>[];
  readonly results: readonly Node[];
}

/** The gradient rule of a loop, given the nodes that it reads. */
export type LoopGradient = (
  loop: LoopBody,
  gradient: Node,
  context: GradientContext<Attributes>,
) => readonly (Node | undefined)[];

/** The initial value of a carry whose value the body never reads. */
const unread = -1;

/**
 * The packed output of a loop. Each loop has an op of its own, which holds its body; ops of loops with equal bodies are interchangeable, since the
 * body's key is among the attributes. The op holds nothing of the graph outside.
 */
export function scanNode(loop: LoopBody, gradient: LoopGradient): Node {
  const { length, reverse, results } = loop;
  const { program, leaves } = buildProgram(results.map((node) => ({ node })));
  const inputs: Node[] = [];
  const numbers = new Map<Node, number>();
  const numberOf = (node: Node): number => {
    const known = numbers.get(node);
    if (known !== undefined) return known;
    numbers.set(node, inputs.length);
    return inputs.push(node) - 1;
  };
  const read = new Set(leaves);
  const bodyInputs = loop.inputs.flatMap(({ placeholder, source }): BodyInput<number>[] => {
    if (read.has(placeholder)) return [{ placeholder, source: mapSource(source, numberOf) }];
    return source.kind === "carry" ? [{ placeholder, source: { ...source, initial: unread } }] : [];
  });
  const sourceOf = new Map(bodyInputs.map(({ placeholder, source }) => [placeholder, source]));
  const sources = leaves.map((leaf): StepSource => {
    const source = sourceOf.get(leaf);
    if (!source) throw new InternalError("the body of a scan reads something from outside that is no input of it");
    if (source.kind === "constant") return { kind: "constant", input: source.value };
    if (source.kind === "carry") return { kind: "carry", result: source.result, initial: source.initial };
    const initial = source.shift === 0 ? unread : source.initial;
    return { kind: "sequence", input: source.sequence, shift: source.shift, initial };
  });
  const offsets = regionsOf(loop).map(({ start }) => start);
  const description: ScanLoop = { body: program, length, reverse, sources, offsets };
  const total = results.reduce((sum, { shape }) => sum + length * sizeOf(shape), 0);
  const op: Op = {
    opName: "scan",
    summary: "A loop over time: the body runs once per step; the output holds every result of every step.",
    infer: () => ({ shape: [total], dtype: "f32" }),
    meaning: () => ({ kind: "scan", loop: description }),
    gradient: (flow, context) => {
      const nodeOf = (position: number, { shape }: Node): Node =>
        position === unread ? constant(0, shape, "f32") : context.inputs[position];
      const bound = bodyInputs.map(({ placeholder, source }) => {
        return { placeholder, source: mapSource(source, (position) => nodeOf(position, placeholder)) };
      });
      return gradient({ length, reverse, results, inputs: bound }, flow, context);
    },
    cases: [],
  };
  return applyOp(op, inputs, { length, reverse, sources: sources.map(({ ...source }) => source), body: program.key });
}

function mapSource<From, To>(source: BodySource<From>, map: (reference: From) => To): BodySource<To> {
  if (source.kind === "constant") return { kind: "constant", value: map(source.value) };
  if (source.kind === "carry") return { ...source, initial: map(source.initial) };
  if (source.shift === 0) return { kind: "sequence", sequence: map(source.sequence), shift: 0 };
  return { ...source, sequence: map(source.sequence), initial: map(source.initial) };
}

/** The part of the packed output that holds each result, in elements. */
export function regionsOf({
  length,
  results,
}: Pick<LoopBody, "length" | "results">): { start: number; stop: number }[] {
  let start = 0;
  return results.map(({ shape }) => {
    const region = { start, stop: start + length * sizeOf(shape) };
    start = region.stop;
    return region;
  });
}

/** Result `result` of all steps: [T, …]. */
export function sequenceOf(packed: Node, loop: LoopBody, result: number): Node {
  return reshape(slice(packed, [regionsOf(loop)[result]]), [loop.length, ...loop.results[result].shape]);
}

/** Result `result` of the step that ran last. */
export function finalOf(packed: Node, loop: LoopBody, result: number): Node {
  const { shape } = loop.results[result];
  const size = sizeOf(shape);
  const start = regionsOf(loop)[result].start + (loop.reverse ? 0 : loop.length - 1) * size;
  return reshape(slice(packed, [{ start, stop: start + size }]), shape);
}

/** Steps `from` to `to` of a sequence [T, …]. */
export function stepsOf(sequence: Node, from: number, to: number): Node {
  return slice(
    sequence,
    sequence.shape.map((_, axis) => (axis === 0 ? { start: from, stop: to } : undefined)),
  );
}

/** One step of a sequence, without the axis of time. */
export function stepOf(sequence: Node, t: number): Node {
  return reshape(stepsOf(sequence, t, t + 1), sequence.shape.slice(1));
}

/** The shape of a sequence whose steps have `shape`. */
export function stackedShape(loop: LoopBody, shape: Shape): Shape {
  return [loop.length, ...shape];
}
