import { ArgumentError } from "../../errors.ts";
import { Tensor, Variable } from "../../tensor/index.ts";
import { atEntry } from "../../tensor/lift.ts";
import { flattenTensors, type TensorStructure, traceFunction } from "../../tensor/portable/index.ts";
import { AnyModule } from "../nn/any-module.ts";
import { Buffer } from "../nn/parameter.ts";
import { placesOf, ScriptModule, type ScriptParts, type StatePlace, whileTracing } from "./script-module.ts";

type AnyFunction = (...args: never[]) => unknown;
/** What can be traced: a module, or a function over tensors. */
export type Traceable = AnyModule | AnyFunction;
/** The arguments of a call. */
export type CallArguments<Target> = Target extends { forward(...args: infer Args): unknown }
  ? Args
  : Target extends (...args: infer Args) => unknown
    ? Args
    : never;
/** What a call returns. */
export type CallResult<Target> = Target extends { forward(...args: never[]): infer Result }
  ? Result
  : Target extends (...args: never[]) => infer Result
    ? Result
    : never;

export interface TraceOptions {
  /**
   * The axis that holds the batch, of every input or of each one in turn; null for none. By default axis 0 of every input that is as long there as
   * the first one.
   */
  readonly batchAxis?: number | null | readonly (number | null)[];
}

/**
 * Runs a module (or function) once with example inputs, without computing anything, and gives back its program as a module of its own: same
 * parameters, same state names, any size of the batch. Dropout and other random operations stay random. Where the result depends on data by
 * ordinary control flow there is no such program, and tracing is refused; where it depends on the size of the batch, the program holds for the shapes of
 * the examples only. A branch on a size far from the example's is not seen. After torch.jit.trace.
 *
 * @example
 * ```ts
 * const traced = jit.trace(model.eval(), torch.randn(1, 1, 28, 28));
 * jit.save(traced, "model.pt");
 * ```
 * @throws GradientError where the module reads a value; UnsupportedError for what no file can hold.
 */
export function trace<Target extends Traceable>(
  target: Target,
  exampleInputs: Tensor | CallArguments<Target>,
  options: TraceOptions = {},
): ScriptModule<CallArguments<Target>, CallResult<Target>> {
  return atEntry(trace as AnyFunction, () => {
    const parts = emptyParts("trace", target);
    const args = (exampleInputs instanceof Tensor ? [exampleInputs] : exampleInputs) as readonly unknown[];
    if (!Array.isArray(args))
      throw new ArgumentError("trace: exampleInputs must be a tensor or an array of the arguments.");
    addProgram("trace", target, parts, args, options, undefined);
    return new ScriptModule<CallArguments<Target>, CallResult<Target>>(parts);
  });
}

/**
 * A module that is traced when it is called, once for each form of its arguments (rank, dtype, sizes apart from the batch) and for training and
 * evaluation; saved, it holds the programs of the calls that were made. There is no compiler from JavaScript's control flow to programs: what
 * `trace` refuses is refused here too. After torch.jit.script.
 */
export function script<Target extends Traceable>(
  target: Target,
  options: TraceOptions = {},
): ScriptModule<CallArguments<Target>, CallResult<Target>> {
  return atEntry(script as AnyFunction, () => {
    const parts: ScriptParts = {
      ...emptyParts("script", target),
      traceFor: (args, training) => addProgram("script", target, parts, args, options, training),
    };
    const made = new ScriptModule<CallArguments<Target>, CallResult<Target>>(parts);
    if (target instanceof AnyModule) made.train(target.training);
    return made;
  });
}

/** The state of what is traced; buffers that are plain tensors become variables. */
function emptyParts(operation: string, target: Traceable): ScriptParts {
  if (typeof target !== "function") {
    throw new ArgumentError(`${operation}: expected a module or a function, received ${typeof target}.`);
  }
  if (!(target instanceof AnyModule)) {
    return { originalName: target.name || "function", places: [], programs: [], tensors: new Map() };
  }
  const places = placesOf(target).map(
    (place): StatePlace => (place.tensor instanceof Variable ? place : { ...place, tensor: new Buffer(place.tensor) }),
  );
  const tensors = new Map<string, Tensor>();
  for (const { name, tensor } of places) tensors.set(name, tensor);
  return { originalName: target.constructor.name, places, programs: [], tensors };
}

function addProgram(
  operation: string,
  target: Traceable,
  parts: ScriptParts,
  args: readonly unknown[],
  options: TraceOptions,
  training: boolean | undefined,
): void {
  const { tensors: flat, structure } = flattenTensors(args, `${operation}: inputs`);
  const names = new Map<Tensor, string>();
  if (target instanceof AnyModule) {
    for (const { name, tensor } of placesOf(target)) if (!names.has(tensor)) names.set(tensor, name);
  }
  const call = (given: readonly Tensor[]): unknown =>
    (target as (...args: unknown[]) => unknown)(...(place(args, given) as unknown[]));
  const before =
    target instanceof AnyModule ? target.modules().map((module) => [module, module.training] as const) : [];
  try {
    if (training !== undefined && target instanceof AnyModule) target.train(training);
    const { programs, constants } = whileTracing(operation, parts.originalName, () =>
      traceFunction({
        operation,
        call,
        types: flat.map(({ shape, dtype }) => ({ shape, dtype })),
        names,
        batchAxes: batchAxesOf(operation, flat, options.batchAxis),
        prefix: `#${parts.programs.length}.`,
      }),
    );
    for (const [name, tensor] of constants) parts.tensors.set(name, tensor);
    for (const traced of programs) {
      parts.programs.push({ traced, structure, ...(training !== undefined && { training }) });
    }
  } finally {
    for (const [module, mode] of before) module.training = mode;
  }
}

/** The arguments of the example with other tensors in their places. */
function place(args: unknown, given: readonly Tensor[]): unknown {
  let next = 0;
  const visit = (part: unknown): unknown => {
    if (part instanceof Tensor) return given[next++];
    if (Array.isArray(part)) return part.map(visit);
    if (part !== null && typeof part === "object")
      return Object.fromEntries(Object.entries(part).map(([name, inner]) => [name, visit(inner)]));
    return part;
  };
  return visit(args) as TensorStructure;
}

function batchAxesOf(operation: string, flat: readonly Tensor[], wanted: TraceOptions["batchAxis"]): (number | null)[] {
  const first = flat.find(({ rank }) => rank > 0)?.shape[0];
  return flat.map(({ shape }, index) => {
    if (wanted === undefined) return shape.length > 0 && shape[0] === first ? 0 : null;
    const axis = wanted === null || typeof wanted === "number" ? wanted : (wanted[index] ?? null);
    if (axis !== null && !(Number.isInteger(axis) && axis >= 0 && axis < shape.length)) {
      throw new ArgumentError(
        `${operation}: batchAxis ${axis} is no axis of input ${index}, which has ${shape.length}.`,
      );
    }
    return axis;
  });
}
