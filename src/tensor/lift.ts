/** From functions over nodes to functions over tensors, with errors that point at the caller's line. */

import { recordCallSite } from "../engine/debug.ts";
import { defaultEngine } from "../engine/default-engine.ts";
import { beginStackAtUser, TriviumError } from "../errors.ts";
import { type DType, promote } from "../graph/dtype.ts";
import { Node, numberNode } from "../graph/node.ts";
import { isTensor, tensorOf } from "./handle.ts";
import type { Tensor } from "./tensor.ts";

/** The parameters of a node function with `Tensor` in place of `Node`. */
export type Lifted<T> = T extends Node
  ? Tensor
  : T extends readonly unknown[]
    ? { [K in keyof T]: Lifted<T[K]> }
    : T extends (...args: never[]) => unknown
      ? T
      : T extends object
        ? { [K in keyof T]: Lifted<T[K]> }
        : T;

/** Runs `body`; a typed error leaves with its stack cut at `entry`, so that the user's line comes first. */
export function atEntry<T>(entry: (...args: never[]) => unknown, body: () => T): T {
  try {
    return body();
  } catch (error) {
    throw atUser(error, entry);
  }
}

/** A typed error with its stack cut at `entry`; others as they are. */
function atUser(error: unknown, entry: (...args: never[]) => unknown): unknown {
  if (error instanceof TriviumError) beginStackAtUser(error, entry);
  return error;
}

function lower(value: unknown): unknown {
  if (value === null || (typeof value !== "object" && typeof value !== "function")) return value;
  if (isTensor(value)) return value.node;
  if (Array.isArray(value)) return value.map(lower);
  if (Object.getPrototypeOf(value) !== Object.prototype) return value;
  const lowered: Record<string, unknown> = {};
  for (const [key, entry] of Object.entries(value)) lowered[key] = lower(entry);
  return lowered;
}

function raise(value: unknown): unknown {
  if (value instanceof Node) return wrap(value);
  if (Array.isArray(value)) return value.map(raise);
  if (value !== null && typeof value === "object" && Object.getPrototypeOf(value) === Object.prototype) {
    return Object.fromEntries(Object.entries(value).map(([key, entry]) => [key, raise(entry)]));
  }
  return value;
}

/** A tensor for a node; past a fixed number of pending nodes the engine computes it, so that unread loops stay bounded. */
export function wrap(node: Node): Tensor {
  if (defaultEngine.debug) recordCallSite(node, callSite());
  node.exposed = true;
  defaultEngine.noteNode(node);
  return tensorOf(node);
}

function callSite(): string {
  const lines = (new Error().stack ?? "").split("\n").slice(1);
  return (
    lines.find((line) => !/[\\/](src|dist)[\\/](chunks|tensor|ops|functions|nn|keras|train|optim)[\\/]/.test(line)) ??
    ""
  ).trim();
}

/** The public form of a function over nodes: takes and gives tensors, anywhere in its arguments and result. */
export function lift<Args extends readonly unknown[], Result>(
  operation: (...args: Args) => Result,
): (...args: { [K in keyof Args]: Lifted<Args[K]> }) => Lifted<Result> {
  const entry = (...args: unknown[]): unknown => {
    try {
      return raise(operation(...(args.map(lower) as unknown as Args)));
    } catch (error) {
      throw atUser(error, entry);
    }
  };
  Object.defineProperty(entry, "name", { value: operation.name });
  return entry as (...args: { [K in keyof Args]: Lifted<Args[K]> }) => Lifted<Result>;
}

/** An operand of arithmetic. Numbers are run-time arguments of the compiled program. */
export type Operand = Tensor | number | boolean;

/** A number takes the dtype of the tensor beside it; a fraction beside integers makes f32, an integer beside bool i32 (PyTorch's rule). */
function numberDType(value: number | boolean, beside: DType): DType {
  if (typeof value === "boolean") return beside;
  if (beside === "f32" || !Number.isInteger(value)) return "f32";
  return promote(beside, beside === "bool" ? "i32" : beside);
}

/** The node of an operand beside a tensor of a dtype. */
export function operandNode(operand: Operand, beside: DType): Node {
  if (isTensor(operand)) return operand.node;
  return numberNode(Number(operand), numberDType(operand, beside));
}

/** The public form of a two-input elementwise op: either side may be a number. */
export function liftBinary(operation: (left: Node, right: Node) => Node): (left: Operand, right: Operand) => Tensor {
  const entry = (left: Operand, right: Operand): Tensor => {
    try {
      const besideLeft = isTensor(right) ? right.dtype : "f32";
      const besideRight = isTensor(left) ? left.dtype : "f32";
      return wrap(operation(operandNode(left, besideLeft), operandNode(right, besideRight)));
    } catch (error) {
      throw atUser(error, entry);
    }
  };
  Object.defineProperty(entry, "name", { value: operation.name });
  return entry;
}
