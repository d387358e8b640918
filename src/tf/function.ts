/** `tf.function`: functions that are traced once for each kind of arguments and then replayed as compiled programs. */
import { ArgumentError, ShapeError } from "../errors.ts";
import { type DType, parseDType } from "../graph/dtype.ts";
import { Callable } from "../nn/callable.ts";
import {
  type CompiledResult,
  compile,
  recordsOrTraces,
  tensor as scalar,
  Tensor,
  TensorShape,
  variableCount,
} from "../tensor/index.ts";
import type { DTypeName } from "./convert.ts";
import { mapNested, nestedLeaves } from "./structure.ts";

/** What an argument must be: sizes (null for any) and a dtype. */
export class TensorSpec {
  readonly shape: readonly (number | null)[];
  readonly dtype: DType;

  constructor(shape: readonly (number | null)[], dtype: DTypeName = "float32") {
    this.shape = shape;
    this.dtype = parseDType(dtype);
  }
  /** Whether a tensor is as described. */
  accepts(tensor: Tensor): boolean {
    return (
      tensor.dtype === this.dtype &&
      tensor.rank === this.shape.length &&
      this.shape.every((size, axis) => size === null || size === tensor.shape[axis])
    );
  }
  toString(): string {
    return `TensorSpec(${new TensorShape(this.shape)}, ${this.dtype})`;
  }
}

export interface FunctionOptions {
  /** What the arguments must be; anything else is an error. */
  readonly inputSignature?: readonly TensorSpec[];
}

/** A compiled function. Make one with `tf.function`. */
export class CompiledFunction<Args extends readonly unknown[], Result> extends Callable<Args, Result> {
  private readonly body: (...args: Args) => Result;
  private readonly signature: readonly TensorSpec[] | undefined;
  private readonly programs = new Map<string, (...args: (Tensor | number)[]) => CompiledResult>();
  private traces = 0;

  constructor(body: (...args: Args) => Result, options: FunctionOptions = {}) {
    super();
    this.body = body;
    this.signature = options.inputSignature;
  }

  override invoke(...args: Args): Result {
    if (this.signature) this.check(args, this.signature);
    // a tape sees through it, and within another compiled function it becomes a part of that one
    if (recordsOrTraces()) {
      return this.body(...(mapNested(args, (leaf) => (typeof leaf === "number" ? scalar(leaf) : leaf)) as Args));
    }
    const values: (Tensor | number)[] = [];
    // tensors and numbers are arguments of the program; everything else is part of its identity
    const identity = mapNested(args, (leaf) => {
      if (leaf instanceof Tensor || typeof leaf === "number") {
        values.push(leaf);
        return leaf instanceof Tensor ? "tensor" : "number";
      }
      if (leaf === null || leaf === undefined || typeof leaf === "boolean" || typeof leaf === "string") {
        return [typeof leaf, String(leaf)];
      }
      throw new ArgumentError(
        `tf.function: arguments are tensors, numbers, booleans and strings, in arrays and objects, received ${typeof leaf === "object" ? leaf.constructor.name : typeof leaf}.`,
      );
    });
    const key = JSON.stringify(identity);
    let program = this.programs.get(key);
    if (!program) {
      program = compile((...given: Tensor[]): CompiledResult => this.trace(args, given));
      this.programs.set(key, program);
    }
    return program(...values) as Result;
  }

  private trace(args: Args, given: readonly Tensor[]): CompiledResult {
    let next = 0;
    const seen = mapNested(args, (leaf) => (leaf instanceof Tensor || typeof leaf === "number" ? given[next++] : leaf));
    const before = variableCount();
    const result = this.body(...(seen as Args));
    if (this.traces > 0 && variableCount() > before) {
      throw new ArgumentError(
        "tf.function: a variable was created in a call after the first: create variables outside of the function, or keep the one that the first call made.",
      );
    }
    this.traces++;
    return result as CompiledResult;
  }

  private check(args: readonly unknown[], signature: readonly TensorSpec[]): void {
    const given = nestedLeaves(args);
    const fits =
      given.length === signature.length &&
      signature.every((spec, index) => {
        const value = given[index];
        return value instanceof Tensor ? spec.accepts(value) : typeof value === "number" && spec.shape.length === 0;
      });
    if (fits) return;
    const received = given.map((value) =>
      value instanceof Tensor ? `${value.dtype}${new TensorShape(value.shape)}` : typeof value,
    );
    throw new ShapeError(
      `tf.function: arguments [${received.join(", ")}] do not fit the inputSignature [${signature.join(", ")}].`,
    );
  }

  /** How often the function was traced: once for each combination of shapes and dtypes. */
  experimentalGetTracingCount(): number {
    return this.traces;
  }
}

/**
 * Compiles a function: it is traced once for each combination of argument shapes and dtypes, and from then on replayed as one program. Tensors and
 * numbers, in arrays and objects too, are run-time values (numbers arrive as scalar tensors); strings and booleans choose the program.
 * Variables may be created by the first call only. Reading a value inside throws. Under a tape, and inside another compiled function, it is called as it is.
 *
 * @example
 * ```ts
 * const step = tf.function((x: tf.Tensor, y: tf.Tensor) => {
 *   const tape = new tf.GradientTape();
 *   const loss = tape.run(() => lossOf(model(x), y));
 *   const slopes = tape.gradient(loss, variables);
 *   optimizer.applyGradients(variables.map((variable, i) => [slopes[i], variable]));
 *   return loss;
 * });
 * ```
 */
export function tfFunction<Args extends readonly unknown[], Result>(
  body: (...args: Args) => Result,
  options: FunctionOptions = {},
): CompiledFunction<Args, Result> {
  return new CompiledFunction(body, options);
}
