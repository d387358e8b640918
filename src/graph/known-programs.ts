/** Programs found again without writing down their keys: a pending graph that was walked before is recognised while it is walked. */
import type { Op } from "../ops/define.ts";
import { type BuiltProgram, isLeaf, noteRecomputed, type RequestedOutput } from "./build-program.ts";
import { type Attributes, type Node, nextMark, type TensorType, type VariableCell } from "./node.ts";
import type { GraphProgram, ProgramNode } from "./program.ts";
import { sameAttributes, sameType } from "./same-structure.ts";
import { sameShape } from "./shape.ts";

/** Steps that are remembered; beyond, everything is forgotten and learnt again. */
const stepLimit = 100_000;
/** Ways in which a walk may go on after one step; the one that was taken longest ago is forgotten first. */
const branchLimit = 16;

/** What stands for a program: the form that is compiled, and its inputs in the numbering of the program that was built. */
export interface KnownForm {
  readonly program: GraphProgram;
  readonly inputs: readonly number[];
}

/** One node placed by a walk, after the steps before it. */
class Step {
  /** `undefined` for an input of the program. */
  readonly op: Op | undefined;
  readonly attributes: Attributes;
  readonly type: TensorType;
  /** The order in which memory holds the axes of a variable. */
  readonly stored: readonly number[] | undefined;
  readonly variable: boolean;
  /** Positions of the node's inputs. */
  readonly inputs: readonly number[];
  /** Where the node stands in the program: at the end, or where an equal one stood already. */
  readonly position: number;
  /** The step that followed last time; others are chained by `other`. */
  next: Step | undefined = undefined;
  other: Step | undefined = undefined;
  /** Programs that end here. */
  readonly ends: End[] = [];

  constructor(node: ProgramNode, inputs: readonly number[], position: number) {
    const { op, attributes, type, stored, variable } = node;
    this.op = op;
    this.attributes = attributes;
    this.type = type;
    this.stored = stored;
    this.variable = variable ?? false;
    this.inputs = inputs;
    this.position = position;
  }
}

interface End {
  /** For each output its position, and that of the input that it overwrites or −1. */
  readonly outputs: readonly number[];
  readonly form: KnownForm;
}

/** The variable whose storage a leaf reads. */
function cellOf(node: Node): VariableCell | undefined {
  return node.value === undefined && node.leaf?.kind === "variable" ? node.leaf.cell : undefined;
}

function outputPositions(outputs: readonly RequestedOutput[]): number[] {
  const positions: number[] = [];
  for (const { node, overwrites } of outputs) {
    positions.push(node.position);
    positions.push(overwrites ? overwrites.position : -1);
  }
  return positions;
}

/**
 * Remembers walks as a tree of steps. The walk is that of `buildProgram`, which depends on the structure of the graph only; each step is compared in full (op,
 * attributes, positions of inputs; type and variable of a leaf), so equal walks are equal programs. In a loop each comparison is one of numbers and of
 * objects that are the same ones as last time.
 */
export class KnownPrograms {
  private start: Step | undefined;
  private steps = 0;
  private readonly stack: Node[] = [];

  /** The program under `outputs` in its known form, if it was added before. */
  find(outputs: readonly RequestedOutput[]): BuiltProgram | undefined {
    if (!this.start) return undefined;
    const { stack } = this;
    const mark = nextMark();
    const leaves: Node[] = [];
    const computed: Node[] = [];
    let recomputed: Set<Node> | undefined;
    let step: Step | undefined = this.start;
    let count = 0;
    for (let index = 0; index < 2 * outputs.length; index++) {
      const output = outputs[index >> 1];
      const root = (index & 1) === 0 ? output.overwrites : output.node;
      if (!root || root.mark === mark) continue;
      stack.push(root);
      while (stack.length > 0) {
        const node: Node = stack[stack.length - 1];
        if (node.mark === mark) {
          stack.pop();
          continue;
        }
        if (isLeaf(node)) {
          const cell = cellOf(node);
          const known = cell !== undefined && cell.mark === mark;
          step = leafAfter(step, node.type, cell, known ? cell.position : count);
          if (step && !known) {
            leaves.push(node);
            if (cell) {
              cell.mark = mark;
              cell.position = count;
            }
          }
        } else {
          const { inputs } = node;
          const depth = stack.length;
          for (let i = inputs.length - 1; i >= 0; i--) if (inputs[i].mark !== mark) stack.push(inputs[i]);
          if (stack.length > depth) continue;
          step = nodeAfter(step, node);
          computed.push(node);
          if (!node.passed) {
            for (const input of inputs) {
              if (!input.passed) continue;
              recomputed ??= new Set();
              noteRecomputed(input, recomputed);
            }
          }
        }
        if (!step) {
          stack.length = 0;
          return undefined;
        }
        stack.pop();
        node.mark = mark;
        node.position = step.position;
        if (step.position === count) count++;
      }
    }
    const positions = outputPositions(outputs);
    for (const { outputs: known, form } of step.ends) {
      if (!sameShape(known, positions)) continue;
      const bound = form.inputs.map((input) => leaves[input]);
      return {
        program: form.program,
        leaves: bound,
        computed,
        recomputed: recomputed ? [...recomputed] : [],
        walked: [],
      };
    }
    return undefined;
  }

  /** Remembers a program that was built just now, with the form that stands for it. */
  add(outputs: readonly RequestedOutput[], built: BuiltProgram, form: KnownForm): void {
    if (this.steps > stepLimit) this.clear();
    this.start ??= new Step(nothing, [], -1);
    let step = this.start;
    for (const node of built.walked) {
      const leaf = isLeaf(node);
      const cell = leaf ? cellOf(node) : undefined;
      const known = leaf ? leafAfter(step, node.type, cell, node.position) : nodeAfter(step, node);
      if (known) {
        step = known;
        continue;
      }
      const { attributes, type, position } = node;
      const inputs = leaf ? [] : node.inputs.map((input) => input.position);
      const input = cell && ({ stored: cell.order, variable: true } as const);
      const added = new Step({ op: leaf ? undefined : node.op, attributes, type, inputs, ...input }, inputs, position);
      toFront(step, added, undefined);
      forgetOldest(step);
      this.steps++;
      step = added;
    }
    step.ends.push({ outputs: outputPositions(outputs), form });
    if (step.ends.length > branchLimit) step.ends.shift();
  }

  /** Forgets everything. */
  clear(): void {
    this.start = undefined;
    this.steps = 0;
  }
}

const nothing: ProgramNode = { op: undefined, inputs: [], attributes: {}, type: { shape: [], dtype: "f32" } };

/** The step for a node whose inputs have been placed. */
function nodeAfter(from: Step, node: Node): Step | undefined {
  const { op, inputs, attributes } = node;
  let before: Step | undefined;
  for (let step = from.next; step; before = step, step = step.other) {
    if (step.op !== op && (step.op === undefined || step.op.opName !== op?.opName)) continue;
    if (!placedAt(step.inputs, inputs) || !sameAttributes(step.attributes, attributes)) continue;
    if (before) toFront(from, step, before);
    return step;
  }
  return undefined;
}

/** The step for an input of the program at a position. */
function leafAfter(from: Step, type: TensorType, cell: VariableCell | undefined, position: number): Step | undefined {
  const stored = cell?.order;
  const variable = cell !== undefined;
  let before: Step | undefined;
  for (let step = from.next; step; before = step, step = step.other) {
    if (step.op !== undefined || step.position !== position || step.variable !== variable) continue;
    if (!sameType(step.type, type)) continue;
    if (step.stored !== stored && !(step.stored && stored && sameShape(step.stored, stored))) continue;
    if (before) toFront(from, step, before);
    return step;
  }
  return undefined;
}

function placedAt(positions: readonly number[], nodes: readonly Node[]): boolean {
  if (positions.length !== nodes.length) return false;
  for (let i = 0; i < positions.length; i++) if (positions[i] !== nodes[i].position) return false;
  return true;
}

/** Makes a step the first that is tried after another. */
function toFront(from: Step, step: Step, before: Step | undefined): void {
  if (before) before.other = step.other;
  step.other = from.next;
  from.next = step;
}

function forgetOldest(from: Step): void {
  let kept = 1;
  for (let step = from.next; step; step = step.other) if (kept++ === branchLimit) step.other = undefined;
}
