import { InternalError } from "../errors.ts";
import type { Op } from "../ops/define.ts";
import { type Attributes, type AttributeValue, type Node, nextMark, type TensorType } from "./node.ts";
import type { GraphProgram, ProgramNode, ProgramOutput } from "./program.ts";

/** What to compute: a node, and the variable leaf whose storage its value overwrites, if any. */
export interface RequestedOutput {
  readonly node: Node;
  readonly overwrites?: Node;
}

/** Looks through movements: storing what they move is enough. */
export function noteRecomputed(node: Node, recomputed: Set<Node>): void {
  if (isLeaf(node) || !node.op || node.inputs.length === 0) return;
  const { kind } = node.op.meaning(
    node.inputs.map((input) => input.type),
    node.attributes,
    node.type,
  );
  if (kind === "movement" || kind === "reshape") for (const input of node.inputs) noteRecomputed(input, recomputed);
  else recomputed.add(node);
}

/** A program and the leaves that feed its inputs, in order. */
export interface BuiltProgram {
  readonly program: GraphProgram;
  readonly leaves: readonly Node[];
  /** The pending nodes that it computes. */
  readonly computed: readonly Node[];
  /** Those of them that an earlier program computed and did not store, and that something new reads: worth storing now. */
  readonly recomputed: readonly Node[];
  /** Every node that was placed, in that order, with its `position`; empty where the program was known (`KnownPrograms`). */
  readonly walked: readonly Node[];
}

/** A node that a program takes as given. */
export function isLeaf(node: Node): boolean {
  return node.value !== undefined || node.leaf !== undefined;
}

function attributesKey(attributes: Attributes): string {
  for (const _ in attributes) return valueKey(attributes);
  return "";
}
/** Unlike JSON, tells NaN, the infinities and -0 apart: a constant's value is structure. */
function valueKey(value: AttributeValue): string {
  if (typeof value === "number") return Object.is(value, -0) ? "-0" : String(value);
  if (typeof value === "string") return JSON.stringify(value);
  if (typeof value !== "object") return String(value);
  if (Array.isArray(value)) return `[${value.map(valueKey).join()}]`;
  let text = "{";
  for (const [name, part] of Object.entries(value)) text += `${name}:${valueKey(part)},`;
  return `${text}}`;
}
const typeKey = (type: TensorType): string => `${type.dtype}[${type.shape.join()}]`;
const inputKey = ({ variable, type }: ProgramNode): string => `${variable ? "variable" : "in"} ${typeKey(type)}`;

/** A node's op, attributes and inputs as text: equal texts mean equal values. */
export function structureOf(node: Pick<ProgramNode, "op" | "attributes" | "inputs">): string {
  return `${node.op?.opName}${attributesKey(node.attributes)}(${node.inputs.join()})`;
}

function outputsKey(outputs: readonly ProgramOutput[]): string {
  return outputs.map((o) => (o.overwrites === undefined ? `${o.node}` : `${o.node}>${o.overwrites}`)).join();
}

/**
 * The program of what `outputs` need among `nodes`, renumbered in the order in which `buildProgram` would have placed it; `inputs` are its inputs in
 * the numbering of `nodes`. Nodes may stand in any order.
 */
export function programOf(
  nodes: readonly ProgramNode[],
  outputs: readonly { readonly node: number; readonly overwrites?: number }[],
): { readonly program: GraphProgram; readonly inputs: readonly number[] } {
  const placed = new Map<number, number>();
  const result: ProgramNode[] = [];
  const inputs: number[] = [];
  const keys: string[] = [];
  const stack = outputs.flatMap(({ node, overwrites }) => (overwrites === undefined ? [node] : [overwrites, node]));
  stack.reverse();
  while (stack.length > 0) {
    const index = stack[stack.length - 1];
    const node = nodes[index];
    const missing = placed.has(index) ? [] : node.inputs.filter((input) => !placed.has(input));
    if (missing.length > 0) {
      stack.push(...missing.reverse());
      continue;
    }
    stack.pop();
    if (placed.has(index)) continue;
    placed.set(index, result.length);
    const renumbered = { ...node, inputs: node.inputs.map((input) => placed.get(input) as number) };
    if (!node.op) inputs.push(index);
    keys.push(node.op ? structureOf(renumbered) : inputKey(node));
    result.push(renumbered);
  }
  const position = (index: number): number => placed.get(index) as number;
  const programOutputs = outputs.map(
    ({ node, overwrites }): ProgramOutput => ({
      node: position(node),
      ...(overwrites !== undefined && { overwrites: inputs.indexOf(overwrites) }),
    }),
  );
  const program: GraphProgram = {
    nodes: result,
    inputs: inputs.map(position),
    outputs: programOutputs,
    key: `${keys.join("\n")}\nout ${outputsKey(programOutputs)}`,
  };
  return { program, inputs };
}

/**
 * The closed graph under `outputs`: nodes in post-order (so that equal structures get equal keys, whatever the order in which they were
 * created), equal nodes merged. Numbers, variables and data become inputs; their values are not part of the key.
 */
export function buildProgram(outputs: readonly RequestedOutput[]): BuiltProgram {
  const mark = nextMark();
  const nodes: ProgramNode[] = [];
  const inputs: number[] = [];
  const leaves: Node[] = [];
  const computed: Node[] = [];
  const recomputed = new Set<Node>();
  const walked: Node[] = [];
  const keys: string[] = [];
  const byKey = new Map<string, number>();
  const cells = new Map<object, number>();

  const place = (node: Node): void => {
    node.mark = mark;
    walked.push(node);
    if (isLeaf(node)) {
      const cell = node.value === undefined && node.leaf?.kind === "variable" ? node.leaf.cell : undefined;
      const known = cell && cells.get(cell);
      if (known !== undefined) {
        node.position = known;
        return;
      }
      node.position = nodes.length;
      if (cell) cells.set(cell, node.position);
      inputs.push(node.position);
      leaves.push(node);
      const stored = cell?.order;
      const { type } = node;
      const variable = cell && ({ variable: true } as const);
      const input = { op: undefined, inputs: [], attributes: {}, type, ...(stored && { stored }), ...variable };
      nodes.push(input);
      keys.push(`${inputKey(input)}${stored ? `@${stored.join()}` : ""}`);
      return;
    }
    if (!node.op) throw new InternalError("a node with neither op nor leaf");
    computed.push(node);
    if (!node.passed) for (const input of node.inputs) if (input.passed) noteRecomputed(input, recomputed);
    const indices = node.inputs.map((input) => input.position);
    const key = structureOf({ op: node.op, attributes: node.attributes, inputs: indices });
    const same = byKey.get(key);
    if (same !== undefined) {
      node.position = same;
      return;
    }
    node.position = nodes.length;
    byKey.set(key, node.position);
    nodes.push({ op: node.op, inputs: indices, attributes: node.attributes, type: node.type });
    keys.push(key);
  };

  const stack: Node[] = [];
  for (const output of outputs) {
    for (const root of output.overwrites ? [output.overwrites, output.node] : [output.node]) {
      if (root.mark === mark) continue;
      stack.push(root);
      while (stack.length > 0) {
        const node = stack[stack.length - 1];
        if (node.mark === mark) {
          stack.pop();
          continue;
        }
        let ready = true;
        if (!isLeaf(node)) {
          // pushed in reverse, so that inputs are placed first to last
          for (let i = node.inputs.length - 1; i >= 0; i--) {
            const input = node.inputs[i];
            if (input.mark !== mark) {
              stack.push(input);
              ready = false;
            }
          }
        }
        if (ready) {
          stack.pop();
          place(node);
        }
      }
    }
  }

  const inputPosition = new Map(inputs.map((index, position) => [index, position]));
  const programOutputs = outputs.map((output): ProgramOutput => {
    if (!output.overwrites) return { node: output.node.position };
    const overwrites = inputPosition.get(output.overwrites.position);
    if (overwrites === undefined) throw new InternalError("an overwritten node that is not an input");
    return { node: output.node.position, overwrites };
  });
  return {
    program: { nodes, inputs, outputs: programOutputs, key: `${keys.join("\n")}\nout ${outputsKey(programOutputs)}` },
    leaves,
    computed,
    recomputed: [...recomputed],
    walked,
  };
}

/** Number of nodes of each op in a program. */
export function countOps(program: GraphProgram): Map<string, number> {
  const counts = new Map<string, number>();
  for (const node of program.nodes) {
    const op: Op | undefined = node.op;
    if (op) counts.set(op.opName, (counts.get(op.opName) ?? 0) + 1);
  }
  return counts;
}
