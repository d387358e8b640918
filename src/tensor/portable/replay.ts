/** From a program as plain data to the graph of a call. */

import { placeholderNode } from "../../control/graft.ts";
import { buildLoop } from "../../control/scan.ts";
import type { BodyInput } from "../../control/scan-node.ts";
import { DataError, TriviumError } from "../../errors.ts";
import type { Attributes, AttributeValue, TensorType } from "../../graph/node.ts";
import { type Node, numberNode } from "../../graph/node.ts";
import { formatShape, sameShape, sizeOf } from "../../graph/shape.ts";
import { abstractly, abstractTensor } from "../abstract.ts";
import { counterNode, defaultGenerator, seedNode } from "../random.ts";
import { Tensor } from "../tensor.ts";
import { buildOp } from "./op-builders.ts";
import {
  atBatch,
  type PortableEntry,
  type PortableGraph,
  type PortableLoop,
  type PortableProgram,
  type PortableShape,
  type PortableValue,
} from "./program.ts";

/** More elements than any tensor here has: 8 GiB of f32. */
const largestTensor = 2 ** 31;

export interface ReplayedProgram {
  readonly outputs: readonly Tensor[];
  /** New values of tensors, by name. */
  readonly updates: readonly (readonly [name: string, value: Tensor])[];
}

/**
 * Builds the graph of a program over arguments and named tensors, with gradient paths where they lead. Every op goes through the function that checks
 * what users pass, and must give the type that the program states.
 */
export function replay(
  program: PortableProgram,
  args: readonly Tensor[],
  tensors: ReadonlyMap<string, Tensor>,
  batch: number,
  what = "node",
): ReplayedProgram {
  const nodes = buildGraph(program, batch, what, (entry) => {
    if (entry.kind === "argument") return args[entry.index].node;
    if (entry.kind === "tensor") return (tensors.get(entry.name) as Tensor).node;
    return undefined;
  });
  return {
    outputs: program.outputs.map((position) => new Tensor(nodes[position])),
    updates: program.updates.map(({ name, value }) => [name, new Tensor(nodes[value])]),
  };
}

function buildGraph(
  graph: PortableGraph,
  batch: number,
  what: string,
  leafOf: (entry: PortableEntry) => Node | undefined,
): Node[] {
  const drawn = drawCounters(graph);
  const nodes: Node[] = [];
  graph.entries.forEach((entry, position) => {
    const where = `${what} ${position}`;
    nodes.push(checked(where, () => buildEntry(entry, nodes, batch, where, leafOf, drawn)));
  });
  return nodes;
}

/** Counters in the order in which the traced function drew them, so that a module and its trace see the same masks. */
function drawCounters({ entries }: PortableGraph): Map<PortableEntry, Node> {
  const counters = entries.filter((entry) => entry.kind === "counter");
  counters.sort((left, right) => left.order - right.order);
  return new Map(counters.map((entry) => [entry, counterNode(defaultGenerator)]));
}

function buildEntry(
  entry: PortableEntry,
  nodes: readonly Node[],
  batch: number,
  where: string,
  leafOf: (entry: PortableEntry) => Node | undefined,
  drawn: ReadonlyMap<PortableEntry, Node>,
): Node {
  switch (entry.kind) {
    case "number":
      return numberNode(atBatch(entry.value, batch), entry.dtype);
    case "seed":
      return seedNode(defaultGenerator);
    case "counter":
      return drawn.get(entry) as Node;
    case "op": {
      const inputs = entry.inputs.map((input) => nodes[input]);
      const node = entry.loop
        ? buildScan(entry.loop, inputs, batch, where)
        : buildOp(entry.op, inputs, attributesAt(entry.attributes, batch), where);
      expectType(where, entry, node.type, typeAt(where, entry, batch));
      return node;
    }
    default: {
      const leaf = leafOf(entry);
      if (!leaf) throw new DataError(`${where}: a ${entry.kind} has no place here.`);
      expectType(where, entry, leaf.type, typeAt(where, entry, batch));
      return leaf;
    }
  }
}

function expectType(where: string, entry: PortableEntry, found: TensorType, stated: TensorType): void {
  // a loop under gradient recording appends what its backward reads; what is read of it stays where it was
  const longer = entry.kind === "op" && entry.loop !== undefined && found.shape[0] >= stated.shape[0];
  if (found.dtype === stated.dtype && (longer || sameShape(found.shape, stated.shape))) return;
  throw new DataError(
    `${where}: the program states ${stated.dtype} ${formatShape(stated.shape)}, its inputs give ${found.dtype} ${formatShape(found.shape)}.`,
  );
}

function typeAt(
  where: string,
  entry: { readonly shape: PortableShape; readonly dtype: TensorType["dtype"] },
  batch: number,
): TensorType {
  const shape = entry.shape.map((extent) => atBatch(extent, batch));
  if (!shape.every((extent) => Number.isSafeInteger(extent) && extent >= 0) || sizeOf(shape) > largestTensor) {
    throw new DataError(`${where}: (${shape.join(", ")}) is no shape of a tensor.`);
  }
  return { shape, dtype: entry.dtype };
}

function attributesAt(attributes: { readonly [name: string]: PortableValue }, batch: number): Attributes {
  const resolve = (value: PortableValue): AttributeValue => {
    if (typeof value === "string" || typeof value === "boolean" || typeof value === "number") return value;
    if (Array.isArray(value)) return value.map((part: PortableValue) => resolve(part));
    return atBatch(value as { plus: number; times: number }, batch);
  };
  return Object.fromEntries(Object.entries(attributes).map(([name, value]) => [name, resolve(value)]));
}

function buildScan(loop: PortableLoop, inputs: readonly Node[], batch: number, where: string): Node {
  const { body, sources, reverse } = loop;
  const length = atBatch(loop.length, batch);
  const placeholders = new Map<number, Node>();
  for (const argument of body.entries) {
    if (argument.kind !== "argument") continue;
    if (placeholders.has(argument.index))
      throw new DataError(`${where}: argument ${argument.index} stands twice in the loop.`);
    placeholders.set(argument.index, placeholderNode(typeAt(where, argument, batch)));
  }
  if (placeholders.size !== sources.length || sources.some((_, index) => !placeholders.has(index)))
    throw new DataError(`${where}: a loop needs one source for each argument of its body.`);
  const nodes = buildGraph(body, batch, `${where}, loop node`, (argument) =>
    argument.kind === "argument" ? placeholders.get(argument.index) : undefined,
  );
  const results = body.outputs.map((position) => nodes[position]);
  const fail = (why: string): never => {
    throw new DataError(`${where}: ${why}.`);
  };
  const inputAt = (position: number): Node => inputs[position] ?? fail(`the loop has no input ${position}`);
  const bodyInputs = sources.map((source, index): BodyInput => {
    const placeholder = placeholders.get(index) as Node;
    const same = (other: Node | undefined): void => {
      if (!other || other.dtype !== placeholder.dtype || !sameShape(other.shape, placeholder.shape))
        fail(`source ${index} of the loop has another type than its argument`);
    };
    if (source.kind === "constant") {
      const value = inputAt(source.input);
      same(value);
      return { placeholder, source: { kind: "constant", value } };
    }
    if (source.kind === "carry") {
      const initial = inputAt(source.initial);
      same(initial);
      same(results[source.result]);
      return { placeholder, source: { kind: "carry", result: source.result, initial } };
    }
    const sequence = inputAt(source.input);
    if (
      sequence.shape[0] !== length ||
      sequence.dtype !== placeholder.dtype ||
      !sameShape(sequence.shape.slice(1), placeholder.shape)
    )
      fail(`source ${index} of the loop is no sequence of ${length} steps of its argument`);
    if (source.shift === 0) return { placeholder, source: { kind: "sequence", sequence, shift: 0 } };
    const initial = inputAt(source.initial);
    same(initial);
    return { placeholder, source: { kind: "sequence", sequence, shift: source.shift as -1 | 1, initial } };
  });
  if (results.length === 0 || results.some(({ dtype }) => dtype !== "f32") || new Set(results).size !== results.length)
    fail("the results of a loop must be distinct f32 nodes");
  if (!(Number.isSafeInteger(length) && length > 0)) fail(`a loop of ${length} steps`);
  return buildLoop({ length, reverse, inputs: bodyInputs, results }).node;
}

/** Runs a part of building; whatever goes wrong in it is a DataError that says where. */
function checked<Result>(where: string, build: () => Result): Result {
  try {
    return build();
  } catch (error) {
    if (error instanceof DataError) throw error;
    const reason = error instanceof TriviumError ? error.message : "its attributes are damaged";
    throw new DataError(`${where}: ${reason}`, { cause: error });
  }
}

/** Builds a program without computing anything, for sizes of the batch: throws a DataError where it does not hold together. */
export function validateProgram(
  program: PortableProgram,
  tensors: ReadonlyMap<string, Tensor>,
  where: string,
  batches: readonly number[],
): void {
  for (const batch of batches) {
    abstractly(() => {
      const args = program.arguments.map((argument, index) =>
        abstractTensor(typeAt(`${where}: argument ${index}`, argument, batch)),
      );
      const { updates } = replay(program, args, tensors, batch, `${where}: node`);
      for (const [name, value] of updates) {
        const target = tensors.get(name);
        if (!target || target.dtype !== value.dtype || !sameShape(target.shape, value.shape))
          throw new DataError(`${where}: the new value of ${name} has another type than ${name}.`);
      }
    });
  }
}
