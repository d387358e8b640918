/**
 * Graphs of gradients that were built before: what the rules of a forward graph give depends on its structure only, so where the structure is known
 * the nodes of its gradients are made at once, without asking a rule.
 */
import { type Attributes, Node, nextMark, numberNode, type TensorType } from "../graph/node.ts";
import { sameAttributes, sameType } from "../graph/same-structure.ts";
import type { Op } from "../ops/define.ts";

/** Templates that are remembered; the one that was used longest ago is forgotten first. */
const limit = 32;
/** Stands for a node that no gradient flows through. */
const outside = -1;

/** A node on the way from the outputs, in the order in which a walk over all inputs with a gradient path finds it. */
interface PathStep {
  readonly op: Op | undefined;
  readonly attributes: Attributes;
  readonly type: TensorType;
  /** For each input its number on the path, or `outside`; types of the latter count too. */
  readonly inputs: readonly number[];
  readonly inputTypes: readonly TensorType[];
}

/** A node that a template uses: k ≥ 0 is the k-th node that it makes, otherwise ~k is the number of a given one. */
type Reference = number;

/** A node of the gradients' graph. */
interface Made {
  /** `undefined` for a number that a rule's formula fixes. */
  readonly op: Op | undefined;
  readonly attributes: Attributes;
  readonly type: TensorType;
  readonly number: number;
  readonly inputs: readonly Reference[];
}

interface Template {
  readonly path: readonly PathStep[];
  /** Numbers on the path. */
  readonly outputs: readonly number[];
  readonly inputs: readonly number[];
  /** Numbers on the path by decreasing age of the nodes: contributions are added in that order. */
  readonly order: readonly number[];
  /** Forward nodes that the gradients read: a node of the path and which of its inputs, or `outside` for itself. */
  readonly given: readonly (readonly [node: number, input: number])[];
  readonly made: readonly Made[];
  readonly results: readonly (Reference | undefined)[];
}

/** Nodes with a gradient path above some outputs, as they are found. */
class Path {
  readonly nodes: Node[] = [];
  private readonly mark = nextMark();

  /** The number of a node, new or known. */
  numberOf(node: Node): number {
    if (!node.requiresGrad) return outside;
    if (node.mark !== this.mark) {
      node.mark = this.mark;
      node.position = this.nodes.length;
      this.nodes.push(node);
    }
    return node.position;
  }
  has(node: Node): boolean {
    return node.mark === this.mark;
  }
}

/** The templates of one process: they hold plain data and nothing of any graph. */
export class GradientTemplates {
  private readonly templates: Template[] = [];

  /** The gradients of the sum of `outputs` with respect to `inputs`, if their structure is known. */
  find(outputs: readonly Node[], inputs: readonly Node[]): (Node | undefined)[] | undefined {
    for (let index = 0; index < this.templates.length; index++) {
      const template = this.templates[index];
      const path = walk(template, outputs, inputs);
      if (!path) continue;
      if (index > 0) {
        this.templates.splice(index, 1);
        this.templates.unshift(template);
      }
      return instantiate(template, path);
    }
    return undefined;
  }

  /** Remembers gradients that were built from nodes no younger than `start`. */
  add(outputs: readonly Node[], inputs: readonly Node[], results: readonly (Node | undefined)[], start: number): void {
    const template = templateOf(outputs, inputs, results, start);
    if (!template) return;
    this.templates.unshift(template);
    if (this.templates.length > limit) this.templates.pop();
  }
}

/** The nodes of the path, if the graph has the structure of a template. */
function walk(template: Template, outputs: readonly Node[], inputs: readonly Node[]): readonly Node[] | undefined {
  if (outputs.length !== template.outputs.length || inputs.length !== template.inputs.length) return undefined;
  const found = new Path();
  const { nodes } = found;
  for (let i = 0; i < outputs.length; i++) {
    if (found.numberOf(outputs[i]) !== template.outputs[i]) return undefined;
  }
  for (let index = 0; index < nodes.length; index++) {
    if (index === template.path.length) return undefined;
    const node = nodes[index];
    const step = template.path[index];
    if (node.op !== step.op || node.hooks?.length || node.inputs.length !== step.inputs.length) return undefined;
    if (!sameType(node.type, step.type) || !sameAttributes(node.attributes, step.attributes)) return undefined;
    for (let i = 0; i < step.inputs.length; i++) {
      const input = node.inputs[i];
      if (found.numberOf(input) !== step.inputs[i] || !sameType(input.type, step.inputTypes[i])) return undefined;
    }
  }
  if (nodes.length !== template.path.length) return undefined;
  for (let i = 0; i < inputs.length; i++) {
    if ((found.has(inputs[i]) ? inputs[i].position : outside) !== template.inputs[i]) return undefined;
  }
  const { order } = template;
  for (let i = 1; i < order.length; i++) if (nodes[order[i - 1]].serial <= nodes[order[i]].serial) return undefined;
  return nodes;
}

function instantiate(template: Template, path: readonly Node[]): (Node | undefined)[] {
  const made: Node[] = [];
  const resolve = (reference: Reference): Node => {
    if (reference >= 0) return made[reference];
    const [node, input] = template.given[~reference];
    return input === outside ? path[node] : path[node].inputs[input];
  };
  for (const { op, attributes, type, number, inputs } of template.made) {
    if (!op) {
      made.push(numberNode(number, type.dtype));
      continue;
    }
    const nodes = new Array<Node>(inputs.length);
    for (let i = 0; i < inputs.length; i++) nodes[i] = resolve(inputs[i]);
    made.push(new Node(op, nodes, attributes, type));
  }
  return template.results.map((result) => (result === undefined ? undefined : resolve(result)));
}

/** The template of gradients, unless something in them depends on more than the structure of the path. */
function templateOf(
  outputs: readonly Node[],
  inputs: readonly Node[],
  results: readonly (Node | undefined)[],
  start: number,
): Template | undefined {
  const found = new Path();
  const { nodes } = found;
  const outputNumbers = outputs.map((output) => found.numberOf(output));
  const path: PathStep[] = [];
  const given: [number, number][] = [];
  const references = new Map<Node, Reference>();
  const give = (node: Node, place: [number, number]): void => {
    if (!references.has(node)) references.set(node, ~(given.push(place) - 1));
  };
  for (let index = 0; index < nodes.length; index++) {
    const { op, attributes, type, hooks, inputs: sources } = nodes[index];
    if (hooks?.length || (op && !op.applications)) return undefined;
    const numbers = sources.map((source) => found.numberOf(source));
    path.push({ op, attributes, type, inputs: numbers, inputTypes: sources.map((source) => source.type) });
    give(nodes[index], [index, outside]);
    sources.forEach((source, position) => {
      give(source, [index, position]);
    });
  }
  const inputNumbers = inputs.map((input) => (found.has(input) ? input.position : outside));
  const order = nodes.map((_, index) => index).sort((a, b) => nodes[b].serial - nodes[a].serial);
  const made: Made[] = [];
  for (const node of nodesSince(start, results)) {
    const { op, attributes, type, leaf, value, requiresGrad, hooks } = node;
    if (value || requiresGrad || hooks || (op && !op.applications)) return undefined;
    if (leaf && (leaf.kind !== "number" || leaf.refresh || leaf.draws)) return undefined;
    const sources = node.inputs.map((input) => references.get(input));
    if (sources.includes(undefined)) return undefined;
    const number = leaf?.kind === "number" ? leaf.value : 0;
    references.set(node, made.push({ op, attributes, type, number, inputs: sources as Reference[] }) - 1);
  }
  const resultReferences = results.map((result) => result && references.get(result));
  if (results.some((result, index) => result && resultReferences[index] === undefined)) return undefined;
  return { path, outputs: outputNumbers, inputs: inputNumbers, order, given, made, results: resultReferences };
}

/** The nodes no younger than `start` that results are made of, oldest first. */
function nodesSince(start: number, results: readonly (Node | undefined)[]): Node[] {
  const mark = nextMark();
  const nodes: Node[] = [];
  const stack = results.filter((node) => node !== undefined);
  for (let node = stack.pop(); node; node = stack.pop()) {
    if (node.mark === mark || node.serial < start) continue;
    node.mark = mark;
    nodes.push(node);
    stack.push(...node.inputs);
  }
  return nodes.sort((a, b) => a.serial - b.serial);
}
