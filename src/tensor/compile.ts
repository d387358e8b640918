import { defaultEngine } from "../engine/default-engine.ts";
import { variableLeaf } from "../engine/engine.ts";
import type { CachedProgram } from "../engine/plan-cache.ts";
import { ArgumentError } from "../errors.ts";
import type { BuiltProgram, RequestedOutput } from "../graph/build-program.ts";
import {
  bytesOf,
  dataNode,
  Node,
  type NodeValue,
  numberNode,
  serialNow,
  type TensorType,
  type VariableCell,
} from "../graph/node.ts";
import { sameType } from "../graph/same-structure.ts";
import { atEntry } from "./lift.ts";
import { Tensor } from "./tensor.ts";
import { traceCall } from "./tracing.ts";

/** Arguments of a compiled function: inside it numbers arrive as scalar tensors. */
export type CompiledArgument = Tensor | number;
/** What a compiled function may return: tensors, in arrays and plain objects. */
export type CompiledResult =
  | Tensor
  | undefined
  | readonly CompiledResult[]
  | { readonly [name: string]: CompiledResult };

/** The parameters inside the function: a number becomes a scalar tensor, because its value changes from call to call. */
export type TracedArguments<Args extends readonly CompiledArgument[]> = { [K in keyof Args]: Tensor };

interface Trace {
  /** Types of the arguments, `undefined` for a number. */
  readonly types: readonly (TensorType | undefined)[];
  readonly built: BuiltProgram;
  readonly outputs: readonly Node[];
  readonly cells: readonly VariableCell[];
  readonly rebuild: (tensors: readonly Tensor[]) => CompiledResult;
  /**
   * Positions of the leaves that are asked for a value at each replay, in the order in which the function made them: random operations draw
   * their counters as they would without compiling.
   */
  readonly refreshed: readonly number[];
  /** Whether the first replay is over: it takes the numbers that tracing has drawn, so that a compiled step draws as often as a plain one. */
  replayed: boolean;
}

function collect(result: CompiledResult, tensors: Tensor[]): (values: readonly Tensor[]) => CompiledResult {
  if ((result as unknown) instanceof Promise) throw new ArgumentError("compile: the function must be synchronous.");
  if (result === undefined) return () => undefined;
  if (result instanceof Tensor) {
    // a variable is returned as the value it has here, before what was assigned is taken over by the trace
    const index = tensors.push(new Tensor(result.node)) - 1;
    return (values) => values[index];
  }
  if (Array.isArray(result)) {
    const parts = result.map((part) => collect(part, tensors));
    return (values) => parts.map((part) => part(values));
  }
  if (typeof result === "object" && Object.getPrototypeOf(result) === Object.prototype) {
    const parts = Object.entries(result).map(([key, part]) => [key, collect(part as CompiledResult, tensors)] as const);
    return (values) => Object.fromEntries(parts.map(([key, part]) => [key, part(values)]));
  }
  throw new ArgumentError("compile: the function must return tensors, or arrays and plain objects of tensors.");
}

/** Runs the function once over placeholders and turns what it built into a program. */
function trace(fn: (...args: Tensor[]) => CompiledResult, args: readonly CompiledArgument[]): Trace {
  const start = serialNow();
  const types = args.map((arg) => (arg instanceof Tensor ? arg.node.type : undefined));
  const placeholders = types.map((type, index) => {
    const leaf = { kind: "placeholder", index } as const;
    return new Tensor(new Node(undefined, [], {}, type ?? { shape: [], dtype: "f32" }, { leaf }));
  });
  const tensors: Tensor[] = [];
  const { result: rebuild, assigned } = traceCall(() => collect(fn(...placeholders), tensors));
  const cells = assigned.map(({ cell }) => cell);
  const outputs = tensors.map((tensor) => tensor.node);
  const requests: RequestedOutput[] = [
    ...outputs.map((node) => ({ node })),
    ...assigned.map(({ cell, value }) => ({ node: value, overwrites: variableLeaf(cell) })),
  ];
  const built = defaultEngine.build(requests);
  const refreshed = built.leaves
    .map((leaf, position) => ({ leaf, position }))
    // what was drawn before, outside, stays as it was
    .filter(({ leaf: { leaf, serial } }) => serial >= start && leaf?.kind === "number" && leaf.refresh !== undefined)
    .sort((left, right) => left.leaf.serial - right.leaf.serial)
    .map(({ position }) => position);
  return { types, built, outputs, cells, rebuild, refreshed, replayed: false };
}

/** The trace for arguments like these, which is tried first from now on. */
function known(traces: Trace[], args: readonly CompiledArgument[]): Trace | undefined {
  const index = traces.findIndex(({ types }) => fits(types, args));
  const traced = traces[index];
  if (index > 0) traces.unshift(...traces.splice(index, 1));
  return traced;
}

function fits(types: Trace["types"], args: readonly CompiledArgument[]): boolean {
  if (types.length !== args.length) return false;
  for (let i = 0; i < types.length; i++) {
    const arg = args[i];
    const type = types[i];
    if (arg instanceof Tensor ? type === undefined || !sameType(arg.node.type, type) : type !== undefined) return false;
  }
  return true;
}

/** Storage of an input that is no number of the program's own formulas. */
function bind(leaf: Node, index: number, { numbers }: CachedProgram, args: readonly CompiledArgument[]): NodeValue {
  if (leaf.value) return leaf.value;
  const source = leaf.leaf;
  if (source?.kind === "placeholder") {
    const arg = args[source.index];
    if (arg === undefined) {
      throw new ArgumentError("a tensor from the step of a scan was used outside of it: return it among the outputs.");
    }
    return arg instanceof Tensor ? defaultEngine.read(arg.node) : numbers.write(index, "f32", arg);
  }
  if (source?.kind === "variable") return source.cell.value as NodeValue;
  if (source?.kind === "number") return numbers.write(index, leaf.dtype, source.value);
  throw new ArgumentError("compile: a tensor from another compiled function was captured.");
}

/** Computes initial values that are still missing. */
function initialize(leaves: readonly Node[]): void {
  let fresh: Set<VariableCell> | undefined;
  for (const { leaf } of leaves) {
    if (leaf?.kind !== "variable" || leaf.cell.value !== undefined) continue;
    fresh ??= new Set();
    fresh.add(leaf.cell);
  }
  if (fresh) defaultEngine.initialize([...fresh]);
}

function replay(traced: Trace, args: readonly CompiledArgument[]): CompiledResult {
  const { built, outputs, cells } = traced;
  const { leaves } = built;
  if (cells.length > 0) defaultEngine.computeKept();
  initialize(leaves);
  // the program may have been evicted since: look it up again (a hit keeps it recent)
  const entry = defaultEngine.lookUp(built);
  const inputs = new Array<NodeValue | undefined>(leaves.length).fill(undefined);
  if (traced.replayed) {
    for (const position of traced.refreshed) {
      const { leaf, dtype } = leaves[position];
      if (leaf?.kind === "number" && leaf.refresh)
        inputs[position] = entry.numbers.write(position, dtype, leaf.refresh());
    }
  }
  traced.replayed = true;
  for (let index = 0; index < leaves.length; index++) inputs[index] ??= bind(leaves[index], index, entry, args);
  const values: NodeValue[] = [];
  for (const { type } of outputs) values.push(defaultEngine.target.allocate(bytesOf(type)));
  const results = outputs.map(({ type }, index) => new Tensor(dataNode(type, values[index])));
  for (const cell of cells) values.push(cell.value as NodeValue);
  defaultEngine.execute(entry, leaves, inputs as NodeValue[], values);
  for (const cell of cells) defaultEngine.written(cell);
  return traced.rebuild(results);
}

/**
 * Compiles a function over tensors: it is run once for each combination of argument shapes and dtypes, and from then on replayed as one
 * program with no graph building at all. Tensor and number arguments are run-time values; numbers from outside the function are frozen;
 * variables, learning rates and random state are read at each call. Reading a value inside throws.
 *
 * @example
 * ```ts
 * const w = new Variable([1, 2]);
 * const step = compile((x, rate) => {
 *   const loss = w.mul(x).sum();
 *   const [slope] = gradients(loss, [w]);
 *   assignAll([[w, w.sub(slope!.mul(rate))]]);
 *   return loss;
 * });
 * step(tensor([3, 4]), 0.1).item(); // 11
 * ```
 */
export function compile<Args extends readonly CompiledArgument[], Result extends CompiledResult>(
  fn: (...args: TracedArguments<Args>) => Result,
): (...args: Args) => Result {
  const traces: Trace[] = [];
  const compiled = (...args: Args): Result =>
    atEntry(compiled, () => {
      // inside another compiled function it is a part of that one
      if (defaultEngine.tracing) {
        const tensors = args.map((arg) => (arg instanceof Tensor ? arg : new Tensor(numberNode(arg))));
        return fn(...(tensors as TracedArguments<Args>));
      }
      defaultEngine.commit();
      let traced = known(traces, args);
      if (!traced) {
        traced = trace(fn as unknown as (...args: Tensor[]) => CompiledResult, args);
        traces.unshift(traced);
      }
      return replay(traced, args) as Result;
    });
  return compiled;
}
