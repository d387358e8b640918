/** The program as the schedule sees it: live values only, equal ones merged, lossless simplifications applied, meanings at hand. */
import { InternalError } from "../errors.ts";
import { bytesPerElement } from "../graph/dtype.ts";
import type { Attributes, TensorType } from "../graph/node.ts";
import type { GraphProgram } from "../graph/program.ts";
import { sameShape, sizeOf } from "../graph/shape.ts";
import { type ScalarExpression, scalarCall, scalarConstant, scalarInput } from "../kernel/scalar.ts";
import type { Meaning } from "../ops/define.ts";
import { findMaskedPick } from "./masked-pick.ts";
import { neverPositive } from "./never-positive.ts";
import type { Spread } from "./spread.ts";

/** One value. Inputs are ids, that is positions in `TensorGraph.values`, all smaller than its own. */
export interface Value {
  readonly id: number;
  readonly opName: string;
  /** `undefined` for an input of the program. */
  readonly meaning: Meaning | undefined;
  readonly inputs: readonly number[];
  readonly type: TensorType;
  readonly size: number;
  readonly bytes: number;
  /** Position in `GraphProgram.inputs`, or -1. */
  readonly programInput: number;
  /** For elementwise values: the expression over `scalarInput(i)` and positions of its own axes. */
  readonly expression: ScalarExpression | undefined;
  /** A convolution's gradient that spreads one of its inputs over pooling windows as it loads it; the taps are one more input. */
  readonly spread?: Spread;
}

export interface GraphOutput {
  readonly value: number;
  /** Id of the input value whose storage is overwritten. */
  readonly overwrites: number | undefined;
}

/** Indices that are checked before anything is overwritten. */
export interface GraphGuard {
  readonly value: number;
  readonly limit: number;
  readonly opName: string;
}

export interface TensorGraph {
  readonly values: readonly Value[];
  readonly outputs: readonly GraphOutput[];
  readonly guards: readonly GraphGuard[];
}

/** The value whose elements, in the same row-major order, a value has: reshapes are looked through. */
export function withoutReshape(graph: TensorGraph, id: number): number {
  let value = graph.values[id];
  while (value.meaning?.kind === "reshape") value = graph.values[value.inputs[0]];
  return value.id;
}

/** Builds the graph: dead code goes, equal values merge, values that equal one of their inputs are replaced by it. */
export function buildTensorGraph(program: GraphProgram): TensorGraph {
  const live = new Uint8Array(program.nodes.length);
  for (const { node } of program.outputs) live[node] = 1;
  for (const node of program.inputs) live[node] = 1;
  for (let index = program.nodes.length - 1; index >= 0; index--) {
    if (live[index]) for (const input of program.nodes[index].inputs) live[input] = 1;
  }
  const inputPosition = new Map(program.inputs.map((node, position) => [node, position]));
  const builder = new Builder();
  const ids = new Int32Array(program.nodes.length).fill(-1);
  program.nodes.forEach((node, index) => {
    if (!live[index]) return;
    const { op, type, attributes } = node;
    if (!op) {
      ids[index] = builder.input(type, inputPosition.get(index) ?? -1);
      return;
    }
    const inputs = node.inputs.map((input) => ids[input]);
    const meaning = op.meaning(
      inputs.map((input) => builder.values[input].type),
      attributes,
      type,
    );
    ids[index] = builder.add(op.opName, meaning, inputs, type, attributes);
  });
  const outputs = program.outputs.map(({ node, overwrites }) => ({
    value: ids[node],
    overwrites: overwrites === undefined ? undefined : ids[program.inputs[overwrites]],
  }));
  return prune({ values: builder.values, outputs: builder.copyInputs(outputs), guards: builder.guards });
}

class Builder {
  readonly values: Value[] = [];
  readonly guards: GraphGuard[] = [];
  private readonly byStructure = new Map<string, { readonly id: number; readonly attributes: Attributes }[]>();

  input(type: TensorType, programInput: number): number {
    if (programInput < 0) throw new InternalError("a node without an op must be an input of the program");
    return this.push("input", undefined, [], type, programInput);
  }

  add(opName: string, meaning: Meaning, inputs: readonly number[], type: TensorType, attributes: Attributes): number {
    if (meaning.kind === "indexed") this.guard(opName, meaning.guards ?? [], inputs);
    // It only guards.
    if (opName === "checkIndices") return inputs[0];
    const equal = this.equalInput(meaning, inputs, type);
    if (equal !== undefined) return equal;
    if (
      (meaning.kind === "matmul" || meaning.kind === "conv2d") &&
      inputs.some((input) => this.values[input].size === 0)
    ) {
      // A sum over nothing.
      const zero: Meaning = { kind: "elementwise", expression: () => scalarConstant(0, type.dtype) };
      return this.push(opName, zero, [], type, -1);
    }
    if (meaning.kind === "reshape") {
      // A reshape of a reshape is one reshape.
      const source = this.values[inputs[0]];
      if (source.meaning?.kind === "reshape") return this.add(opName, meaning, source.inputs, type, attributes);
    }
    // Attributes are compared only where all else is equal.
    const key = `${opName} ${inputs.join()} ${type.dtype} ${type.shape.join()}`;
    const alike = this.byStructure.get(key);
    if (alike) {
      const own = attributeKey(attributes);
      const known = alike.find((other) => attributeKey(other.attributes) === own);
      if (known) return known.id;
    }
    const id =
      this.maskedPick(opName, meaning, inputs, type) ??
      this.push(opName, this.narrowed(opName, meaning, inputs), inputs, type, -1);
    if (alike) alike.push({ id, attributes });
    else this.byStructure.set(key, [{ id, attributes }]);
    return id;
  }

  private guard(opName: string, guards: readonly { input: number; limit: number }[], inputs: readonly number[]): void {
    for (const { input, limit } of guards) {
      const value = inputs[input];
      const known = this.guards.some(
        (guard) => guard.value === value && guard.limit === limit && guard.opName === opName,
      );
      if (!known && this.values[value].size > 0) this.guards.push({ value, limit, opName });
    }
  }

  /** An output that is an input of the program becomes an explicit copy, unless it would overwrite itself. */
  copyInputs(outputs: readonly GraphOutput[]): GraphOutput[] {
    return outputs.map((output) => {
      let source = this.values[output.value];
      while (source.meaning?.kind === "reshape") source = this.values[source.inputs[0]];
      if (source.programInput < 0 || source.id === output.overwrites) return output;
      const copy: Meaning = { kind: "elementwise", expression: ([input]) => input };
      return { ...output, value: this.push("copy", copy, [source.id], source.type, -1) };
    });
  }

  /** The input that a value is equal to, element for element, if there is one. */
  private equalInput(meaning: Meaning, inputs: readonly number[], type: TensorType): number | undefined {
    const [first] = inputs;
    if (inputs.length === 0) return undefined;
    const source = this.values[first];
    if (meaning.kind === "reshape") {
      return sameShape(source.type.shape, type.shape)
        ? first
        : source.meaning?.kind === "reshape" && sameShape(this.values[source.inputs[0]].type.shape, type.shape)
          ? source.inputs[0]
          : undefined;
    }
    if (meaning.kind === "movement") {
      const [piece] = meaning.pieces;
      if (meaning.pieces.length !== 1) return undefined;
      const moved = this.values[inputs[piece.input]];
      const identity = piece.index.every(
        ({ constant, terms }, axis) =>
          constant === 0 &&
          (terms.length === 1
            ? terms[0].axis === axis && terms[0].coefficient === 1
            : terms.length === 0 && type.shape[axis] === 1),
      );
      return identity && sameShape(moved.type.shape, type.shape) ? moved.id : undefined;
    }
    if (meaning.kind === "elementwise") {
      const expression = meaning.expression(
        inputs.map((input, index) => scalarInput(index, this.values[input].type.dtype)),
      );
      if (expression.kind === "input") return inputs[expression.index];
      if (isInvolution(expression) && source.expression && isInvolution(source.expression)) {
        // −(−x) and not(not x).
        if (expression.function === source.expression.function) return source.inputs[0];
      }
    }
    return undefined;
  }

  /** The same function where what is known of its input makes it cheaper. */
  private narrowed(opName: string, meaning: Meaning, inputs: readonly number[]): Meaning {
    if (opName !== "exp" || !neverPositive(this.values, inputs[0])) return meaning;
    return { kind: "elementwise", expression: ([x]) => scalarCall("expOfNonPositive", x) };
  }

  /** A mask in front of max pooling, moved behind it. */
  private maskedPick(opName: string, meaning: Meaning, inputs: readonly number[], type: TensorType) {
    const found = findMaskedPick(this.values, meaning, inputs, type);
    if (!found) return undefined;
    const { comparison, zero, pooled, gradient, taps, pick } = found;
    const { shape } = this.values[pooled].type;
    const constant = this.push(zero.opName, zero.meaning, [], { ...zero.type, shape }, -1);
    const mask = this.push(comparison.opName, comparison.meaning, [pooled, constant], { shape, dtype: "bool" }, -1);
    const masked = this.push(opName, meaning, [mask, gradient, constant], { ...type, shape }, -1);
    return this.push(pick.opName, pick.meaning, [masked, taps], type, -1);
  }

  private push(
    opName: string,
    meaning: Meaning | undefined,
    inputs: readonly number[],
    type: TensorType,
    programInput: number,
  ): number {
    const size = sizeOf(type.shape);
    const expression =
      meaning?.kind === "elementwise"
        ? meaning.expression(inputs.map((input, index) => scalarInput(index, this.values[input].type.dtype)))
        : undefined;
    const id = this.values.length;
    const bytes = size * bytesPerElement[type.dtype];
    this.values.push({ id, opName, meaning, inputs, type, size, bytes, programInput, expression });
    return id;
  }
}

function isInvolution(
  expression: ScalarExpression,
): expression is Extract<ScalarExpression, { kind: "call" }> & { function: "neg" | "not" } {
  return (
    expression.kind === "call" &&
    (expression.function === "neg" || expression.function === "not") &&
    expression.inputs[0].kind === "input"
  );
}

/** Attributes as text; NaN, infinities and -0 are kept apart, which JSON alone would not do. */
function attributeKey(attributes: Attributes): string {
  return JSON.stringify(attributes, (_, value) =>
    typeof value === "number" && (!Number.isFinite(value) || Object.is(value, -0))
      ? `#${Object.is(value, -0) ? "-0" : value}`
      : value,
  );
}

/** Drops what simplification left unused and renumbers; inputs of the program stay. */
export function prune(graph: TensorGraph): TensorGraph {
  const live = new Uint8Array(graph.values.length);
  for (const { value, overwrites } of graph.outputs) {
    live[value] = 1;
    if (overwrites !== undefined) live[overwrites] = 1;
  }
  for (const { value } of graph.guards) live[value] = 1;
  for (let id = graph.values.length - 1; id >= 0; id--) {
    if (live[id]) for (const input of graph.values[id].inputs) live[input] = 1;
  }
  const renumbered = new Int32Array(graph.values.length).fill(-1);
  const values: Value[] = [];
  for (const value of graph.values) {
    if (!live[value.id]) continue;
    renumbered[value.id] = values.length;
    values.push({ ...value, id: values.length, inputs: value.inputs.map((input) => renumbered[input]) });
  }
  const outputs = graph.outputs.map(({ value, overwrites }) => ({
    value: renumbered[value],
    overwrites: overwrites === undefined ? undefined : renumbered[overwrites],
  }));
  const guards = graph.guards.map((guard) => ({ ...guard, value: renumbered[guard.value] }));
  return { values, outputs, guards };
}
