/** Variables of a static graph: their values belong to sessions. */
import { ArgumentError, ShapeError } from "../../errors.ts";
import { type DType, parseDType } from "../../graph/dtype.ts";
import { formatShape, sameShape } from "../../graph/shape.ts";
import { Tensor, type TensorLike, tensor, type Variable } from "../../tensor/index.ts";
import { define } from "../define.ts";
import { type Evaluation, type Graph, GraphTensor, getDefaultGraph, Operation, type PartialShape } from "./graph.ts";

/** What variables need of a run: the session's values. */
export interface VariableEvaluation extends Evaluation {
  /** The session's variable for one of the graph. */
  variable(operation: VariableOperation): Variable;
  /** Its value with the assignments of this run so far. */
  current(operation: VariableOperation): Tensor;
  /** Gives the variables their initial values. */
  initialize(operations: readonly VariableOperation[]): void;
}

/** Stands for a variable; a session has its value. */
export class VariableOperation extends Operation {
  readonly initial: Tensor;
  readonly trainable: boolean;

  constructor(graph: Graph, name: string, initial: Tensor, trainable: boolean) {
    super(graph, name, []);
    this.initial = initial;
    this.trainable = trainable && initial.dtype === "f32";
  }
}

/** Gives variables their initial values when it runs. */
export class InitializerOperation extends Operation {
  private readonly chosen: (() => readonly VariableOperation[]) | undefined;

  constructor(graph: Graph, name: string, chosen: () => readonly VariableOperation[]) {
    super(graph, name, []);
    this.chosen = chosen;
  }
  get variables(): readonly VariableOperation[] {
    return this.chosen?.() ?? [];
  }
  override get writes(): boolean {
    return true;
  }
  override evaluate(evaluation: VariableEvaluation): undefined {
    evaluation.initialize(this.variables);
  }
}

export type AssignKind = "assign" | "assignAdd" | "assignSub";

/** Writes a variable of the session; its value is the new one. */
class AssignOperation extends Operation {
  private readonly kind: AssignKind;
  private readonly target: VariableOperation;
  private readonly value: TensorLike;

  constructor(graph: Graph, kind: AssignKind, target: VariableOperation, value: TensorLike, name: string) {
    super(graph, name, [value]);
    this.kind = kind;
    this.target = target;
    this.value = value;
  }
  /** The variable that it writes. */
  get variable(): VariableOperation {
    return this.target;
  }
  override get writes(): boolean {
    return true;
  }
  override evaluate(evaluation: VariableEvaluation): Tensor {
    const { dtype } = this.target.initial;
    const value = evaluation.resolve(this.value, this);
    const variable = evaluation.variable(this.target);
    variable[this.kind](value instanceof Tensor || typeof value === "number" ? value : tensor(value, { dtype }));
    return evaluation.current(this.target);
  }
}

export type { AssignOperation };

/** Whether an operation writes a variable. */
export function writtenVariable(operation: Operation): VariableOperation | undefined {
  return operation instanceof AssignOperation ? operation.variable : undefined;
}

export interface GraphVariableOptions {
  readonly name?: string;
  readonly trainable?: boolean;
  readonly dtype?: DType | (string & {});
}

const scopes: string[] = [];
const reusing: boolean[] = [];
const scoped = (name: string): string => [...scopes, name].join("/");

/**
 * A variable of the default graph. Its initial value (a tensor, numbers, or an operation such as `randomNormal`) is computed when its initializer
 * runs; each session has its own value, which lasts from run to run.
 */
export class GraphVariable extends GraphTensor {
  constructor(initialValue: TensorLike | (() => TensorLike), options: GraphVariableOptions = {}) {
    const given = typeof initialValue === "function" ? initialValue() : initialValue;
    const dtype = options.dtype === undefined ? undefined : parseDType(options.dtype);
    const initial = given instanceof Tensor ? (dtype ? given.cast(dtype) : given) : tensor(given, { dtype });
    const type =
      initial instanceof GraphTensor
        ? initial.partialType
        : { dtype: initial.dtype, shape: initial.shape as PartialShape };
    if (!type.shape?.every((size) => size !== null)) {
      throw new ShapeError(`Variable: the initial value ${initial.toString()} must have a known shape.`);
    }
    const operation = new VariableOperation(
      getDefaultGraph(),
      scoped(options.name ?? "Variable"),
      initial,
      options.trainable ?? true,
    );
    super(operation, type);
    variablesOf(operation.graph).push(this);
  }
  /** @internal */
  get variableOperation(): VariableOperation {
    return this.operation as VariableOperation;
  }
  get trainable(): boolean {
    return this.variableOperation.trainable;
  }
  /** The operation that gives it its initial value. */
  get initializer(): Operation {
    const { graph, variableOperation } = this;
    return new InitializerOperation(graph, `${this.name}/initializer`, () => [variableOperation]);
  }
  /** The variable's value as a tensor. */
  value(): Tensor {
    return identity(this);
  }
  readValue(): Tensor {
    return identity(this);
  }
  /** An operation that writes the variable; its value is the new one. */
  assign(value: TensorLike): Tensor {
    return write("assign", this, value);
  }
  assignAdd(delta: TensorLike): Tensor {
    return write("assignAdd", this, delta);
  }
  assignSub(delta: TensorLike): Tensor {
    return write("assignSub", this, delta);
  }
}

/** The variables of a graph, in order of creation. */
export function variablesOf(graph: Graph): GraphVariable[] {
  return graph.variables as GraphVariable[];
}

function write(kind: AssignKind, target: Tensor, value: TensorLike, name?: string): GraphTensor {
  if (!(target instanceof GraphVariable)) {
    throw new ArgumentError(`${kind}: expected a variable of the graph, received ${target.toString()}.`);
  }
  if (kind === "assign" && value instanceof Tensor) {
    const known = value instanceof GraphTensor ? value.partialType.shape : value.shape;
    if (known?.every((size) => size !== null) && !sameShape(known as readonly number[], target.shape)) {
      throw new ShapeError(
        `assign: ${target.toString()} cannot take a value of shape ${formatShape(known as readonly number[])}.`,
      );
    }
  }
  const title = { assign: "Assign", assignAdd: "AssignAdd", assignSub: "AssignSub" }[kind];
  const operation = new AssignOperation(target.graph, kind, target.variableOperation, value, name ?? title);
  return new GraphTensor(operation, target.partialType);
}

/** Writes a variable of the graph when it is fetched; its value is the new one. */
export function assign(target: Tensor, value: TensorLike, options: { readonly name?: string } = {}): Tensor {
  return write("assign", target, value, options.name);
}
export function assignAdd(target: Tensor, delta: TensorLike, options: { readonly name?: string } = {}): Tensor {
  return write("assignAdd", target, delta, options.name);
}
export function assignSub(target: Tensor, delta: TensorLike, options: { readonly name?: string } = {}): Tensor {
  return write("assignSub", target, delta, options.name);
}

/** The same value as another tensor of the graph. */
export const identity = define(function identity(x: Tensor): Tensor {
  return x;
});

/** What a variable starts with: a function of its shape. */
export type VariableInitializer = (shape: readonly number[]) => Tensor;

export interface GetVariableOptions {
  readonly shape?: readonly number[];
  readonly dtype?: DType | (string & {});
  readonly initializer?: VariableInitializer | TensorLike;
  readonly trainable?: boolean;
}

/** The variable of a name: a new one, or inside a scope with `reuse` the existing one. */
export function getVariable(name: string, options: GetVariableOptions = {}): GraphVariable {
  const full = scoped(name);
  const existing = variablesOf(getDefaultGraph()).find((variable) => variable.name === full);
  if (reusing[reusing.length - 1]) {
    if (existing) return existing;
    throw new ArgumentError(`getVariable: there is no variable "${full}" to be used again.`);
  }
  if (existing) {
    throw new ArgumentError(
      `getVariable: the variable "${full}" exists already; use it inside variableScope(name, { reuse: true }, …).`,
    );
  }
  const { initializer, shape } = options;
  if (initializer === undefined) {
    throw new ArgumentError(
      `getVariable: "${full}" needs an initializer, a tensor or a function of the shape, such as initializers.glorotUniform().`,
    );
  }
  if (typeof initializer === "function" && !shape) {
    throw new ArgumentError(`getVariable: "${full}" needs a shape, because its initializer is a function.`);
  }
  const value = typeof initializer === "function" ? () => initializer(shape as readonly number[]) : initializer;
  return new GraphVariable(value, { name, dtype: options.dtype, trainable: options.trainable });
}

/** Variables made in the callback have names that begin with the scope's; with `reuse` they are those that exist. */
export function variableScope<Result>(
  name: string,
  options: { readonly reuse?: boolean } | (() => Result),
  callback?: () => Result,
): Result {
  const body = typeof options === "function" ? options : (callback as () => Result);
  const reuse = typeof options === "function" ? undefined : options.reuse;
  scopes.push(name);
  reusing.push(reuse ?? reusing[reusing.length - 1] ?? false);
  try {
    return body();
  } finally {
    scopes.pop();
    reusing.pop();
  }
}

export function globalVariables(): GraphVariable[] {
  return [...variablesOf(getDefaultGraph())];
}
export function trainableVariables(): GraphVariable[] {
  return globalVariables().filter((variable) => variable.trainable);
}

/** An operation that gives all variables of the graph their initial values, and optimizers a fresh state. */
export function globalVariablesInitializer(): Operation {
  const graph = getDefaultGraph();
  return new InitializerOperation(graph, "init", () => variablesOf(graph).map((each) => each.variableOperation));
}
/** An operation that gives these variables their initial values. */
export function variablesInitializer(variables: readonly GraphVariable[]): Operation {
  const operations = variables.map((variable) => variable.variableOperation);
  return new InitializerOperation(getDefaultGraph(), "init", () => operations);
}
