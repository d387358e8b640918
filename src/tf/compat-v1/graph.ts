/** The static dataflow graph of TensorFlow 1: operations that are recipes over tensors, evaluated by a session with what it is fed. */
import { ShapeError, UnsupportedError } from "../../errors.ts";
import type { DType } from "../../graph/dtype.ts";
import type { Shape } from "../../graph/shape.ts";
import { abstractly, abstractTensor, Tensor, TensorShape } from "../../tensor/index.ts";
import { mapNested, nestedLeaves } from "../structure.ts";

/** Sizes of the axes; null where the size is known only when the graph runs. */
export type PartialShape = readonly (number | null)[];
/** What is known of a value in the graph; without a shape not even the rank is known. */
export interface PartialType {
  readonly dtype: DType;
  readonly shape: PartialShape | undefined;
}

/** What an operation sees while it is evaluated. */
export interface Evaluation {
  /** The argument with every tensor of the graph in it replaced by its value. */
  resolve<Value>(value: Value, reader: Operation): Value;
}

/** A recipe: from the values of its inputs to tensors, in any nested structure. */
export class Operation {
  readonly graph: Graph;
  readonly name: string;
  readonly id: number;
  /** Tensors of the graph that it reads. */
  readonly inputs: readonly GraphTensor[];
  /** Operations that come first although their values are not read. */
  readonly controlInputs: readonly Operation[];

  constructor(graph: Graph, name: string, args: unknown) {
    this.graph = graph;
    this.name = graph.uniqueName(name);
    this.inputs = [...new Set(nestedLeaves(args).filter((leaf) => leaf instanceof GraphTensor))];
    this.controlInputs = graph.activeControlInputs;
    this.id = graph.add(this);
  }
  /** Whether it writes a variable. */
  get writes(): boolean {
    return false;
  }
  /** Computes the value; operations that have none give undefined. */
  evaluate(_evaluation: Evaluation): unknown {
    return undefined;
  }
  toString(): string {
    return `<Operation "${this.name}">`;
  }
  [Symbol.for("nodejs.util.inspect.custom")](): string {
    return this.toString();
  }
}

/** A function of tensors, called again whenever the graph runs. */
class FunctionOperation extends Operation {
  private readonly body: (...args: readonly unknown[]) => unknown;
  private readonly args: readonly unknown[];

  constructor(graph: Graph, name: string, body: (...args: readonly unknown[]) => unknown, args: readonly unknown[]) {
    super(graph, name, args);
    this.body = body;
    this.args = args;
  }
  override evaluate(evaluation: Evaluation): unknown {
    return this.body(...evaluation.resolve(this.args, this));
  }
}

/**
 * A tensor of a static graph: a type, and the operation that will make its value. Functions of `tf` and methods of tensors work on it and make
 * further operations; its value exists only in what `Session.run` returns.
 */
export class GraphTensor extends Tensor {
  /** The operation that makes it. */
  readonly operation: Operation;
  /** @internal Where it stands in what the operation gives. */
  readonly path: readonly (string | number)[];
  private readonly partial: PartialType;

  constructor(operation: Operation, type: PartialType, path: readonly (string | number)[] = []) {
    super(undefined as never);
    this.operation = operation;
    this.path = path;
    this.partial = type;
  }
  get graph(): Graph {
    return this.operation.graph;
  }
  get name(): string {
    return this.path.length === 0 ? this.operation.name : `${this.operation.name}:${this.path.join(".")}`;
  }
  /** @internal */
  get partialType(): PartialType {
    return this.partial;
  }
  /** @internal */
  override get node(): never {
    throw new UnsupportedError(
      `${this.toString()} is a tensor of a static graph and has no value here: fetch it with Session.run, or use functions of tf on it.`,
    );
  }
  /** Sizes; unknown ones are null at run time (see `getShape`). */
  override get shape(): Shape {
    if (!this.partial.shape) {
      throw new ShapeError(`${this.toString()}: the shape is known only when the graph runs.`);
    }
    return this.partial.shape as Shape;
  }
  override get dtype(): DType {
    return this.partial.dtype;
  }
  override get rank(): number {
    return this.shape.length;
  }
  override get size(): number {
    if (!new TensorShape(this.shape).isFullyDefined()) {
      throw new ShapeError(`${this.toString()}: the number of elements is known only when the graph runs.`);
    }
    return this.shape.reduce((product, extent) => product * extent, 1);
  }
  override get requiresGrad(): boolean {
    return false;
  }
  override toString(): string {
    const shape = this.partial.shape ? new TensorShape(this.partial.shape).toString() : "<unknown>";
    return `<Tensor "${this.name}" shape=${shape} dtype=${this.dtype}>`;
  }
  [Symbol.for("nodejs.util.inspect.custom")](): string {
    return this.toString();
  }
}

/** Methods that make tensors, of the class whose other methods read them. */
const unread = ["detach", "clone", "contiguous"];

// Methods of tensors, called on a tensor of the graph, make operations; those that read a value or write in place ask for `node`, which says why not.
for (let prototype = Tensor.prototype, last = false; !last; prototype = Object.getPrototypeOf(prototype)) {
  last = Object.hasOwn(prototype, "dataSync");
  for (const name of last ? unread : Object.getOwnPropertyNames(prototype)) {
    if (name === "constructor" || name.endsWith("_") || Object.hasOwn(GraphTensor.prototype, name)) continue;
    const method: unknown = Object.getOwnPropertyDescriptor(prototype, name)?.value;
    if (typeof method !== "function") continue;
    Object.defineProperty(GraphTensor.prototype, name, {
      configurable: true,
      writable: true,
      value(this: GraphTensor, ...args: readonly unknown[]): unknown {
        return this.graph.record(name, (self, ...rest) => method.apply(self, rest), [this, ...args]);
      },
    });
  }
}

/** Sizes that stand for an unknown one while shapes are inferred: two for each axis, so that what depends on them shows. */
const probeSizes = [
  [8, 16, 32, 48, 56, 64],
  [24, 40, 72, 80, 88, 96],
] as const;

function probeType({ shape, dtype }: PartialType, round: 0 | 1): { shape: Shape; dtype: DType } {
  const sizes = probeSizes[round];
  return { dtype, shape: (shape as PartialShape).map((size, axis) => size ?? sizes[Math.min(axis, sizes.length - 1)]) };
}

/** Functions that give several tensors. */
const several = new Set(["split", "chunk", "unbind", "unstack", "topk", "moments", "meshgrid", "clipByGlobalNorm"]);

/** Operations and their names. */
export class Graph {
  private readonly operations: Operation[] = [];
  private readonly names = new Map<string, number>();
  private readonly controlScopes: (readonly Operation[])[] = [];
  /** @internal */
  readonly variables: GraphTensor[] = [];

  /** Makes this the graph that operations without a graph tensor among their inputs go to, while the callback runs. */
  asDefault<Result>(callback: () => Result): Result {
    const before = defaultGraph;
    defaultGraph = this;
    try {
      return callback();
    } finally {
      defaultGraph = before;
    }
  }
  getOperations(): readonly Operation[] {
    return this.operations;
  }
  /** @internal */
  add(operation: Operation): number {
    return this.operations.push(operation) - 1;
  }
  /** @internal */
  uniqueName(name: string): string {
    const used = this.names.get(name) ?? 0;
    this.names.set(name, used + 1);
    return used === 0 ? name : this.uniqueName(`${name}_${used}`);
  }
  /** @internal */
  get activeControlInputs(): readonly Operation[] {
    return this.controlScopes.flat();
  }
  /** Operations made in the callback come after the given ones, and read variables as these leave them. */
  controlDependencies<Result>(first: readonly (Operation | Tensor)[], callback: () => Result): Result {
    const operations = first.map((each) => operationOf("controlDependencies", each));
    this.controlScopes.push(operations);
    try {
      return callback();
    } finally {
      this.controlScopes.pop();
    }
  }

  /** @internal An operation that calls `body` with the values of its arguments, and the tensors that it gives. */
  record(name: string, body: (...args: readonly unknown[]) => unknown, args: readonly unknown[]): unknown {
    const operation = new FunctionOperation(this, name, body, args);
    const types = this.infer(operation);
    if (types === undefined && several.has(name)) {
      throw new ShapeError(
        `${name}: how many tensors it gives depends on a shape that is known only when the graph runs.`,
      );
    }
    if (types === undefined) return new GraphTensor(operation, { dtype: "f32", shape: undefined });
    const visit = (part: unknown, path: readonly (string | number)[]): unknown => {
      if (part instanceof InferredType) return new GraphTensor(operation, part.type, path);
      if (Array.isArray(part)) return part.map((each, index) => visit(each, [...path, index]));
      if (typeof part === "object" && part !== null) {
        return Object.fromEntries(Object.entries(part).map(([key, each]) => [key, visit(each, [...path, key])]));
      }
      return part;
    };
    return visit(types, []);
  }

  /** The structure of what an operation gives, with types for tensors; undefined if only running it can tell. */
  private infer(operation: Operation): unknown {
    const known = operation.inputs.every(({ partialType }) => partialType.shape?.every((size) => size !== null));
    if (operation.inputs.some(({ partialType }) => partialType.shape === undefined)) return undefined;
    const probe = (round: 0 | 1): unknown => {
      const evaluation: Evaluation = {
        resolve: (value) =>
          mapNested(value, (leaf) =>
            leaf instanceof GraphTensor ? abstractTensor(probeType(leaf.partialType, round)) : leaf,
          ) as typeof value,
      };
      const result = abstractly(() => operation.evaluate(evaluation));
      return mapNested(result, (leaf) =>
        leaf instanceof Tensor ? new InferredType({ dtype: leaf.dtype, shape: leaf.shape }) : leaf,
      );
    };
    if (known) return probe(0);
    try {
      return agreeing(probe(0), probe(1));
    } catch {
      // sizes that are unknown may be the right ones when the graph runs: then is the time for errors
      return undefined;
    }
  }
}

class InferredType {
  readonly type: PartialType;
  constructor(type: PartialType) {
    this.type = type;
  }
}

/** What two rounds of inference agree on: a size that differs depends on an unknown one. */
function agreeing(first: unknown, second: unknown): unknown {
  const others = nestedLeaves(second);
  let next = 0;
  return mapNested(first, (leaf) => {
    const other = others[next++];
    if (!(leaf instanceof InferredType) || !(other instanceof InferredType)) {
      if (leaf === other) return leaf;
      throw new UnsupportedError("this number depends on a size that is known only when the graph runs.");
    }
    const { dtype, shape } = leaf.type;
    const sizes = other.type.shape as PartialShape;
    return new InferredType({ dtype, shape: shape?.map((size, axis) => (size === sizes[axis] ? size : null)) });
  });
}

let defaultGraph = new Graph();
let eager = true;

export function getDefaultGraph(): Graph {
  return defaultGraph;
}
/** Starts a new default graph. */
export function resetDefaultGraph(): void {
  defaultGraph = new Graph();
}
/** From now on random functions of `tf` make operations of the default graph; those of `tf.compat.v1` always do. */
export function disableEagerExecution(): void {
  eager = false;
}
export function enableEagerExecution(): void {
  eager = true;
}
export function executingEagerly(): boolean {
  return eager;
}

/** The operation of a tensor of the graph, or the operation itself. */
export function operationOf(caller: string, value: Operation | Tensor): Operation {
  if (value instanceof Operation) return value;
  if (value instanceof GraphTensor) return value.operation;
  throw new UnsupportedError(
    `${caller}: expected an operation or tensor of a static graph, received an ordinary tensor.`,
  );
}
