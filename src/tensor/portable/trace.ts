/** Tracing a function for every size of the batch. */

import { GradientError, ShapeError, TriviumError, UnsupportedError } from "../../errors.ts";
import type { TensorType } from "../../graph/node.ts";
import { formatShape } from "../../graph/shape.ts";
import { hostView } from "../host-view.ts";
import type { Tensor } from "../tensor.ts";
import { NotUniform, unifyTraces } from "./batch.ts";
import { type Capture, capture } from "./capture.ts";
import { atBatch, type PortableProgram } from "./program.ts";
import { type ReplayedProgram, replay } from "./replay.ts";
import { flattenTensors, type Structure } from "./structure.ts";

/** A program with what a call of it needs to know. */
export interface TracedProgram {
  readonly program: PortableProgram;
  /** The axis of each argument that holds the batch; null for an argument without one. */
  readonly batchAxes: readonly (number | null)[];
  /** Why the program holds for the traced shapes only. */
  readonly fixed?: string;
  /** The batch that it was traced with. */
  readonly batch: number;
  /** How the results stand in what a call returns. */
  readonly result: Structure;
}

export interface TraceResult {
  /** Tried in order. */
  readonly programs: readonly TracedProgram[];
  /** Tensors that the programs use by name and that have no name of their own. */
  readonly constants: ReadonlyMap<string, Tensor>;
}

interface Traced extends Capture {
  readonly result: Structure;
}

export interface TraceRequest {
  /** For messages. */
  readonly operation: string;
  readonly call: (args: readonly Tensor[]) => unknown;
  readonly types: readonly TensorType[];
  readonly names: ReadonlyMap<Tensor, string>;
  /** The axis of each argument that holds the batch; null for none. */
  readonly batchAxes: readonly (number | null)[];
  /** Put before the names of constants. */
  readonly prefix: string;
}

/**
 * Traces a function at the sizes of the batch given and at three others, and joins the traces to one program in which sizes depend on the batch.
 * A function that computes other things for other sizes is traced for the given shapes only; one that gives another program when it is called again
 * is refused.
 */
export function traceFunction(request: TraceRequest): TraceResult {
  const { types, batchAxes, operation, prefix } = request;
  let result: Structure = null;
  const at = (batch: number | undefined): Traced => {
    const found = capture(
      (args) => {
        const { tensors, structure } = flattenTensors(request.call(args), `${operation}: results`);
        result = structure;
        return tensors;
      },
      batch === undefined ? types : types.map((type, index) => withBatch(type, batchAxes[index], batch)),
      request.names,
    );
    return { ...found, result };
  };
  const constants = new Map<string, Tensor>();
  const traced = (found: Traced, rest: Omit<TracedProgram, "program" | "result">): TracedProgram => {
    const group = `${prefix}${constants.size}/`;
    for (const [name, tensor] of found.constants) constants.set(group + name, tensor);
    return { ...rest, program: renamed(found, group), result: found.result };
  };

  const first = at(undefined);
  if (!alike(first, at(undefined))) {
    throw new UnsupportedError(
      `${operation}: the function gives another program each time it is called, so it cannot be traced. Random numbers must come from tensors (dropout, randomUniform), not from Math.random().`,
    );
  }
  const given = batchOf(types, batchAxes);
  if (given === undefined) {
    return {
      programs: [traced(first, { batchAxes, batch: 0, fixed: "no argument has an axis for the batch" })],
      constants,
    };
  }
  const sizes = [Math.max(given, 2), Math.max(given, 2) + 1, Math.max(given, 2) + 3];
  try {
    const captures = sizes.map((size) => (size === given ? first : at(size)));
    if (!captures.every((each) => sameConstants(each, captures[0]))) throw new NotUniform("constants");
    if (!captures.every((each) => JSON.stringify(each.result) === JSON.stringify(captures[0].result)))
      throw new NotUniform("results");
    const program = unifyTraces(
      captures.map((each) => each.program),
      sizes,
    );
    const joined = { ...captures[0], program };
    const uniform = traced(joined, { batchAxes, batch: sizes[0] });
    const single = singleExample(request, joined, at);
    const programs = single
      ? [traced(single, { batchAxes, batch: 1, fixed: "a batch of 1 is computed in its own way" }), uniform]
      : [uniform];
    return { programs, constants };
  } catch (error) {
    if (!(error instanceof NotUniform || error instanceof TriviumError) || error instanceof GradientError) throw error;
    const why =
      error instanceof NotUniform
        ? `the function computes other things for other sizes of the batch (${error.message})`
        : `the function does not take other sizes of the batch (${error.message})`;
    return { programs: [traced(first, { batchAxes, batch: given, fixed: why })], constants };
  }
}

/** The trace at a batch of 1, where it is not what the program for all sizes gives: axes of size 1 broadcast and are squeezed. */
function singleExample(
  { types, batchAxes, names }: TraceRequest,
  uniform: Traced,
  at: (batch: number) => Traced,
): Traced | undefined {
  let own: Traced;
  try {
    own = at(1);
  } catch (error) {
    if (error instanceof TriviumError) return undefined;
    throw error;
  }
  const tensors = new Map([...uniform.constants, ...[...names].map(([tensor, name]) => [name, tensor] as const)]);
  try {
    const repeated = capture(
      (args) => {
        const { outputs, updates } = replay(uniform.program, args, tensors, 1);
        return [...outputs, ...updates.map(([, value]) => value)];
      },
      types.map((type, index) => withBatch(type, batchAxes[index], 1)),
      names,
    );
    const { outputs, updates } = own.program;
    const wanted = { ...own.program, outputs: [...outputs, ...updates.map(({ value }) => value)], updates: [] };
    const same = JSON.stringify([wanted, own.result]) === JSON.stringify([repeated.program, uniform.result]);
    return same ? undefined : own;
  } catch (error) {
    if (error instanceof TriviumError) return own;
    throw error;
  }
}

function withBatch({ shape, dtype }: TensorType, axis: number | null, batch: number): TensorType {
  return { shape: axis === null ? shape : shape.map((extent, index) => (index === axis ? batch : extent)), dtype };
}

function batchOf(types: readonly TensorType[], axes: readonly (number | null)[]): number | undefined {
  const index = axes.findIndex((axis) => axis !== null);
  return index < 0 ? undefined : types[index].shape[axes[index] as number];
}

const alike = (left: Capture, right: Capture): boolean =>
  JSON.stringify(left.program) === JSON.stringify(right.program) && sameConstants(left, right);

/** Constants are one tensor, or equal bytes. */
function sameConstants(left: Capture, right: Capture): boolean {
  return [...left.constants].every(([name, tensor]) => {
    const other = right.constants.get(name);
    if (!other || other.dtype !== tensor.dtype || other.size !== tensor.size) return false;
    if (other.node === tensor.node) return true;
    const [a, b] = [hostView(tensor), hostView(other)];
    return a.every((value, index) => Object.is(value, b[index]));
  });
}

function renamed({ program, constants }: Capture, prefix: string): PortableProgram {
  return {
    ...program,
    entries: program.entries.map((entry) =>
      entry.kind === "tensor" && constants.has(entry.name) ? { ...entry, name: prefix + entry.name } : entry,
    ),
  };
}

/** Arguments of one list of types: for choosing a program, and for messages. */
const describe = (types: readonly TensorType[]): string =>
  types.map(({ shape, dtype }) => `${dtype} ${formatShape(shape)}`).join(", ");

/** The types that a program takes, with `batch` where any size will do. */
export function describeArguments({ program, batchAxes, fixed }: TracedProgram): string {
  return program.arguments
    .map(({ shape, dtype }, index) => {
      const sizes = shape.map((extent, axis) =>
        fixed === undefined && axis === batchAxes[index] ? "batch" : String(atBatch(extent, 0)),
      );
      return `${dtype} (${sizes.join(", ")}${sizes.length === 1 ? "," : ""})`;
    })
    .join(", ");
}

/** The batch with which a program takes arguments of these types, if it does. */
function batchFor(
  { program, batchAxes, fixed, batch }: TracedProgram,
  types: readonly TensorType[],
): number | undefined {
  if (types.length !== program.arguments.length) return undefined;
  const size = fixed === undefined ? (batchOf(types, batchAxes) ?? 0) : batch;
  const fits = program.arguments.every(({ shape, dtype }, index) => {
    const given = types[index];
    return (
      given.dtype === dtype &&
      given.shape.length === shape.length &&
      shape.every((extent, axis) => atBatch(extent, size) === given.shape[axis])
    );
  });
  return fits ? size : undefined;
}

/** Whether a program takes arguments of these types. */
export function takes(traced: TracedProgram, args: readonly Tensor[]): boolean {
  return batchFor(traced, args) !== undefined;
}

/**
 * Calls the first program that takes the arguments.
 * @throws ShapeError, saying what the programs take, where none does
 */
export function callTraced(
  operation: string,
  programs: readonly TracedProgram[],
  args: readonly Tensor[],
  tensors: ReadonlyMap<string, Tensor>,
): ReplayedProgram & { readonly result: Structure } {
  for (const traced of programs) {
    const batch = batchFor(traced, args);
    if (batch !== undefined) return { ...replay(traced.program, args, tensors, batch), result: traced.result };
  }
  const taken = programs.map((traced) => {
    const why = traced.fixed === undefined ? "" : ` (only these shapes: ${traced.fixed})`;
    return `${describeArguments(traced)}${why}`;
  });
  throw new ShapeError(
    `${operation}: received ${describe(args)}; traced for ${taken.join("; or ")}. Trace it again with inputs like these.`,
  );
}
