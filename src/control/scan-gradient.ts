/**
 * The gradient of a loop is a loop in the other direction whose body is the gradient of the body. It reads what the forward loop stored, and
 * what it sums over all steps (gradients of weights) is summed outside, as one large product.
 */
import { gradients } from "../autodiff/gradients.ts";
import { withGradMode } from "../graph/grad-mode.ts";
import type { Attributes, Node } from "../graph/node.ts";
import { type Shape, sizeOf } from "../graph/shape.ts";
import type { GradientContext } from "../ops/define.ts";
import { add, constant, pad, reshape, slice } from "../ops/index.ts";
import { graft, placeholderNode } from "./graft.ts";
import {
  type BodyInput,
  type BodySource,
  finalOf,
  type LoopBody,
  regionsOf,
  sequenceOf,
  stackedShape,
  stepOf,
  stepsOf,
} from "./scan-node.ts";
import { type StepValues, SumOverSteps } from "./sum-over-steps.ts";

type BuildLoop = (loop: LoopBody) => { readonly node: Node; readonly loop: LoopBody };

/** The gradient of what the loop gave for one result: at every step, and at the last one in addition. */
interface ResultGradient {
  readonly everywhere: Node | undefined;
  readonly last: Node | undefined;
}

/** The gradient rule of a loop's node: one gradient for each input of the node. */
export function gradientOf(
  forward: LoopBody,
  gradient: Node,
  context: GradientContext<Attributes>,
  build: BuildLoop,
): (Node | undefined)[] {
  const needed = new Set(context.inputs.filter((_, index) => context.needs[index]));
  const backward = new BackwardLoop(forward, context.output, splitGradient(forward, gradient), needed);
  const flow = backward.build(build);
  return context.inputs.map((input, index) => (context.needs[index] ? flow.get(input) : undefined));
}

/** One part of the packed vector's gradient, as a vector. */
interface Part {
  readonly start: number;
  readonly stop: number;
  readonly node: Node;
}

/** The gradient of the packed output is a sum of padded slices: taken apart again, so that no step sees zeros. */
function partsOf(gradient: Node): Part[] {
  const [size] = gradient.shape;
  if (gradient.op === add) return gradient.inputs.flatMap(partsOf);
  if (gradient.op === pad && gradient.attributes.value === 0) {
    const [[before, after]] = gradient.attributes.padding as readonly (readonly [number, number])[];
    if (before >= 0 && after >= 0) return [{ start: before, stop: size - after, node: gradient.inputs[0] }];
  }
  return [{ start: 0, stop: size, node: gradient }];
}

function splitGradient(loop: LoopBody, gradient: Node): ResultGradient[] {
  const parts = partsOf(gradient);
  return regionsOf(loop).map(({ start, stop }, result) => {
    const { shape } = loop.results[result];
    const size = sizeOf(shape);
    const lastStart = loop.reverse ? start : stop - size;
    const carried = loop.inputs.some(({ source }) => source.kind === "carry" && source.result === result);
    let everywhere: Node | undefined;
    let last: Node | undefined;
    for (const part of parts) {
      const from = Math.max(start, part.start);
      const to = Math.min(stop, part.stop);
      if (from >= to) continue;
      const piece = slice(part.node, [{ start: from - part.start, stop: to - part.start }]);
      if (carried && loop.length > 1 && from >= lastStart && to <= lastStart + size) {
        last = plus(last, reshape(pad(piece, [[from - lastStart, lastStart + size - to]]), shape));
      } else {
        everywhere = plus(everywhere, reshape(pad(piece, [[from - start, stop - to]]), stackedShape(loop, shape)));
      }
    }
    return { everywhere, last };
  });
}

function plus(left: Node | undefined, right: Node): Node {
  return left ? add(left, right) : right;
}

const zeros = (shape: Shape): Node => constant(0, shape, "f32");

class BackwardLoop {
  private readonly forward: LoopBody;
  private readonly packed: Node;
  private readonly resultGradients: readonly ResultGradient[];
  /** Inputs of the forward node whose gradient is asked for. */
  private readonly needed: ReadonlySet<Node>;
  private readonly inputs: BodyInput[] = [];
  /** Nodes of the forward body and what stands for them in the backward body. */
  private readonly replaced = new Map<Node, Node>();
  private readonly resultOf: Map<Node, number>;

  constructor(forward: LoopBody, packed: Node, resultGradients: readonly ResultGradient[], needed: ReadonlySet<Node>) {
    this.forward = forward;
    this.packed = packed;
    this.resultGradients = resultGradients;
    this.needed = needed;
    this.resultOf = new Map(forward.results.map((result, index) => [result, index]));
  }

  /** Builds the loop; gives the gradient of each input of the forward node. */
  build(build: BuildLoop): Map<Node, Node> {
    const { forward } = this;
    const carries = forward.inputs.filter(({ source }) => source.kind === "carry");
    // the gradient that the step after (in forward order) hands down for each carry
    const handed = carries.map(({ placeholder }) => placeholderNode(placeholder.type, true));
    const { roots, seeds } = this.seeds(carries, handed);
    const wanted = forward.inputs.filter((input) => input.placeholder.requiresGrad && this.isWanted(input.source));
    const targets = [...carries, ...wanted.filter(({ source }) => source.kind !== "carry")];
    const found = withGradMode(true, () =>
      gradients(
        roots,
        targets.map(({ placeholder }) => placeholder),
        seeds,
        { createGraph: true },
      ),
    );
    const results = new ResultTable();
    const next = carries.map((carry, i) => results.add(found[i] ?? zeros(carry.placeholder.shape)));
    const flows: (() => readonly (readonly [Node, Node])[])[] = [];
    let built: ReturnType<BuildLoop> | undefined;
    const stacked = (result: number): Node => sequenceOf(built!.node, built!.loop, result);
    const sums = new SumOverSteps(forward, {
      known: (node) => this.knownValues(node),
      store: (node) => {
        const result = results.add(node);
        return () => stacked(result);
      },
      accumulate: (node) => {
        const before = placeholderNode(node.type, true);
        const result = results.add(withGradMode(true, () => add(before, node)));
        this.inputs.push({ placeholder: before, source: { kind: "carry", result, initial: zeros(node.shape) } });
        return () => finalOf(built!.node, built!.loop, result);
      },
    });
    targets.forEach(({ source }, index) => {
      const node = found[index];
      if (!node || source.kind === "carry") return;
      if (source.kind === "constant") {
        const total = sums.of(node);
        flows.push(() => [[source.value, total()]]);
      } else {
        const result = results.add(node);
        flows.push(() => this.sequenceFlow(source, stacked(result)));
      }
    });
    carries.forEach(({ source }, i) => {
      if (source.kind !== "carry" || !this.needed.has(source.initial)) return;
      flows.push(() => [[source.initial, finalOf(built!.node, built!.loop, next[i])]]);
    });
    carries.forEach(({ source, placeholder }, i) => {
      if (source.kind !== "carry") return;
      const initial = this.resultGradients[source.result].last ?? zeros(placeholder.shape);
      // the last step of a result that is carried twice is handed down once
      const first = carries.findIndex(
        (other) => other.source.kind === "carry" && other.source.result === source.result,
      );
      const start = first === i ? initial : zeros(placeholder.shape);
      this.inputs.push({ placeholder: handed[i], source: { kind: "carry", result: next[i], initial: start } });
    });
    const nodes = withGradMode(true, () => graft(results.nodes, (node) => this.replace(node)));
    built = build({ length: forward.length, reverse: !forward.reverse, inputs: this.inputs, results: nodes });
    const total = new Map<Node, Node>();
    for (const flow of flows) {
      for (const [input, part] of flow()) total.set(input, plus(total.get(input), part));
    }
    return total;
  }

  private isWanted(source: BodySource): boolean {
    if (source.kind === "constant") return this.needed.has(source.value);
    if (source.kind === "carry") return true;
    return this.needed.has(source.sequence) || (source.shift !== 0 && this.needed.has(source.initial));
  }

  /** Results with a gradient, and that gradient at one step. */
  private seeds(carries: readonly BodyInput[], handed: readonly Node[]): { roots: Node[]; seeds: Node[] } {
    const roots: Node[] = [];
    const seeds: Node[] = [];
    withGradMode(true, () => {
      this.forward.results.forEach((result, index) => {
        let seed: Node | undefined;
        carries.forEach(({ source }, i) => {
          if (source.kind === "carry" && source.result === index) seed = plus(seed, handed[i]);
        });
        const { everywhere } = this.resultGradients[index];
        if (everywhere) {
          const placeholder = placeholderNode(result.type, true);
          this.inputs.push({ placeholder, source: { kind: "sequence", sequence: everywhere, shift: 0 } });
          seed = plus(seed, placeholder);
        }
        if (!seed || !result.requiresGrad) return;
        roots.push(result);
        seeds.push(seed);
      });
    });
    return { roots, seeds };
  }

  /** A node of the forward body that the backward loop is given instead of computing it. */
  private replace(node: Node): Node | undefined {
    const known = this.replaced.get(node);
    if (known) return known;
    const source = this.sourceFor(node);
    if (!source) return undefined;
    // what depends on constants only is computed outside, once
    if (source.kind === "constant") return source.value;
    const placeholder = placeholderNode(node.type, node.requiresGrad);
    this.inputs.push({ placeholder, source });
    this.replaced.set(node, placeholder);
    return placeholder;
  }

  private sourceFor(node: Node): BodySource | undefined {
    const input = this.forward.inputs.find(({ placeholder }) => placeholder === node);
    if (input) {
      const { source } = input;
      if (source.kind !== "carry") return source;
      const sequence = sequenceOf(this.packed, this.forward, source.result);
      return { kind: "sequence", sequence, shift: this.forward.reverse ? 1 : -1, initial: source.initial };
    }
    const result = this.resultOf.get(node);
    if (result === undefined) return undefined;
    return { kind: "sequence", sequence: sequenceOf(this.packed, this.forward, result), shift: 0 };
  }

  /** The values at all steps of what the backward loop is given. */
  private knownValues(node: Node): StepValues | undefined {
    const given = this.inputs.find(({ placeholder, source }) => placeholder === node && source.kind === "sequence");
    const source = given?.source ?? this.sourceFor(node);
    if (!source) return undefined;
    const { length } = this.forward;
    if (source.kind === "constant") return { kind: "same", value: source.value };
    if (source.kind === "carry") return undefined;
    if (source.shift === 0) return { kind: "steps", from: 0, sequence: () => source.sequence };
    const sequence = (): Node =>
      source.shift < 0 ? stepsOf(source.sequence, 0, length - 1) : stepsOf(source.sequence, 1, length);
    const from = source.shift < 0 ? 1 : 0;
    return { kind: "steps", from, sequence, other: { step: source.shift < 0 ? 0 : length - 1, value: source.initial } };
  }

  /** From the gradients of what a loop read of a sequence at each step to that of the sequence. */
  private sequenceFlow(source: BodySource & { kind: "sequence" }, values: Node): [Node, Node][] {
    if (source.shift === 0) return [[source.sequence, values]];
    const { length } = this.forward;
    const initial: [Node, Node] = [source.initial, stepOf(values, source.shift < 0 ? 0 : length - 1)];
    if (length === 1) return [initial];
    const inner = source.shift < 0 ? stepsOf(values, 1, length) : stepsOf(values, 0, length - 1);
    const padding = inner.shape.map((_, axis): [number, number] => {
      if (axis > 0) return [0, 0];
      return source.shift < 0 ? [0, 1] : [1, 0];
    });
    return [initial, [source.sequence, pad(inner, padding)]];
  }
}

/** Results of a loop, each node once. */
class ResultTable {
  readonly nodes: Node[] = [];

  add(node: Node): number {
    const known = this.nodes.indexOf(node);
    return known >= 0 ? known : this.nodes.push(node) - 1;
  }
}
