/**
 * Inlining: turns a value into one scalar expression over an iteration space, down to values that lie in memory. Movement folds into the
 * accesses of loads, pads and concatenations into guards, elementwise work into the expression.
 */
import type { DType } from "../graph/dtype.ts";
import { type Shape, stridesOf } from "../graph/shape.ts";
import { decompose } from "../kernel/decompositions/index.ts";
import { type ScalarExpression, scalarCall, scalarConstant, scalarInput, scalarPosition } from "../kernel/scalar.ts";
import type { MovementPiece } from "../ops/define.ts";
import { type Access, type AffinePosition, accessAt, composeIndex, rangeOf, unravel } from "./access.ts";
import type { TensorGraph, Value } from "./tensor-graph.ts";

/** One read of a value in memory from every point of the iteration space. */
export interface Load {
  readonly value: number;
  readonly dtype: DType;
  readonly access: Access;
  /** Where false the element does not exist: it must not be read, and reads as 0. */
  readonly guard: ScalarExpression | undefined;
}

/** What a value is to the kernel being built. */
export type Resolution =
  /** Read it from memory. */
  | "load"
  /** Compute it here from its inputs. */
  | "inline"
  /** This expression holds it. */
  | ScalarExpression
  /** It cannot be had here. */
  | undefined;

/** Decides per value and access. Called for elementwise and movement values too, before they are inlined. */
export type Resolver = (value: Value, access: Access) => Resolution;

/** An access that may also know its position per axis (inside guards, where positions may lie outside). */
interface PlacedAccess extends Access {
  readonly positions?: readonly AffinePosition[];
}

/** Builds the expressions of one kernel; loads are numbered from 0 and shared. */
export class Inliner {
  readonly loads: Load[] = [];
  readonly extents: Shape;
  /** The value at which `inline` gave up: it can only be read from memory. */
  failedAt: number | undefined;
  private readonly graph: TensorGraph;
  private readonly resolve: Resolver;
  private readonly firstLoad: number;
  private readonly memo = new Map<string, ScalarExpression | undefined>();
  private readonly loadNumbers = new Map<string, number>();
  private readonly guards = new Map<string, ScalarExpression>();
  private readonly guardNumbers = new Map<ScalarExpression, number>();
  private readonly positionExpressions: ScalarExpression[];

  /** Load i is `scalarInput(firstLoad + i)`. */
  constructor(graph: TensorGraph, extents: Shape, resolve: Resolver, firstLoad: number) {
    this.graph = graph;
    this.extents = extents;
    this.resolve = resolve;
    this.firstLoad = firstLoad;
    this.positionExpressions = extents.map((_, axis) => scalarPosition(axis));
  }

  /** The expression of a value under an access, or `undefined` where it cannot be computed point by point. */
  inline(id: number, access: PlacedAccess, guard?: ScalarExpression): ScalarExpression | undefined {
    const placed = access.positions ? "p" : "";
    const key = `${id} ${access.offset} ${access.strides.join()} ${guard ? this.guardNumbers.get(guard) : ""}${placed}`;
    if (this.memo.has(key)) return this.memo.get(key);
    const result = this.compute(this.graph.values[id], access, guard);
    this.memo.set(key, result);
    return result;
  }

  private compute(
    value: Value,
    access: PlacedAccess,
    guard: ScalarExpression | undefined,
  ): ScalarExpression | undefined {
    if (value.meaning?.kind === "reshape") {
      return this.inline(value.inputs[0], { offset: access.offset, strides: access.strides }, guard);
    }
    const resolution = this.resolve(value, access);
    if (resolution === "load") return this.load(value, access, guard);
    if (resolution !== "inline") return resolution;
    if (value.meaning?.kind === "elementwise") return this.elementwise(value, access, guard);
    if (value.meaning?.kind === "movement") return this.movement(value, access, guard);
    return undefined;
  }

  private load(value: Value, access: Access, guard: ScalarExpression | undefined): ScalarExpression {
    const key = `${value.id} ${access.offset} ${access.strides.join()} ${guard ? this.guardNumbers.get(guard) : ""}`;
    let number = this.loadNumbers.get(key);
    if (number === undefined) {
      number = this.loads.length;
      this.loadNumbers.set(key, number);
      this.loads.push({
        value: value.id,
        dtype: value.type.dtype,
        access: { offset: access.offset, strides: access.strides },
        guard,
      });
    }
    return scalarInput(this.firstLoad + number, value.type.dtype);
  }

  private elementwise(
    value: Value,
    access: PlacedAccess,
    guard: ScalarExpression | undefined,
  ): ScalarExpression | undefined {
    const inputs: ScalarExpression[] = [];
    for (const input of value.inputs) {
      const expression = this.inline(input, access, guard);
      if (!expression) return undefined;
      inputs.push(expression);
    }
    const template = templateOf(value);
    let positions: readonly (AffinePosition | undefined)[] | undefined;
    return substitute(template, inputs, (axis) => {
      positions ??= this.positionsOf(value, access);
      const position = positions?.[axis];
      if (!position) this.failedAt = value.id;
      return position && this.affineExpression(position);
    });
  }

  private movement(
    value: Value,
    access: PlacedAccess,
    guard: ScalarExpression | undefined,
  ): ScalarExpression | undefined {
    const { meaning } = value;
    if (meaning?.kind !== "movement") return undefined;
    const positions = this.positionsOf(value, access);
    if (!positions) {
      this.failedAt = value.id;
      return undefined;
    }
    let result: ScalarExpression | undefined = scalarConstant(meaning.fill, value.type.dtype);
    for (let index = meaning.pieces.length - 1; index >= 0; index--) {
      const piece = meaning.pieces[index];
      const source = this.graph.values[value.inputs[piece.input]];
      const at = this.positionsIn(piece, positions);
      if (!at) {
        this.failedAt = value.id;
        return undefined;
      }
      const bounds = piece.guarded ? this.bounds(at, source.type.shape) : "inside";
      if (bounds === "outside") continue;
      const inner: PlacedAccess = { ...accessAt(at, source.type.shape, this.extents.length), positions: at };
      if (bounds === "inside") {
        result = this.inline(source.id, inner, guard);
      } else {
        const both = guard
          ? this.internGuard(scalarCall("and", guard, bounds.guard), `${this.guardNumbers.get(guard)} & ${bounds.key}`)
          : this.internGuard(bounds.guard, bounds.key);
        const moved = this.inline(source.id, inner, both);
        result = moved && result && scalarCall("select", bounds.guard, moved, result);
      }
      if (!result) return undefined;
    }
    return result;
  }

  private positionsIn(piece: MovementPiece, positions: readonly (AffinePosition | undefined)[]) {
    const result: AffinePosition[] = [];
    for (const index of piece.index) {
      const position = composeIndex(index, positions, this.extents.length);
      if (!position) return undefined;
      result.push(position);
    }
    return result;
  }

  private positionsOf(value: Value, access: PlacedAccess) {
    if (access.positions) return access.positions;
    if (value.size === 0 || this.extents.includes(0))
      return value.type.shape.map(() => ({
        constant: 0,
        coefficients: new Array<number>(this.extents.length).fill(0),
      }));
    return unravel(access, this.extents, value.type.shape);
  }

  /** The condition that positions lie inside a shape, with a key for sharing. */
  private bounds(at: readonly AffinePosition[], shape: Shape) {
    let guard: ScalarExpression | undefined;
    const keys: string[] = [];
    for (let axis = 0; axis < at.length; axis++) {
      const [low, high] = rangeOf(at[axis], this.extents);
      if (high < 0 || low >= shape[axis] || shape[axis] === 0) return "outside";
      const tests: ScalarExpression[] = [];
      const position = this.affineExpression(at[axis]);
      if (low < 0) tests.push(scalarCall("ge", position, scalarConstant(0, "i32")));
      if (high >= shape[axis]) tests.push(scalarCall("lt", position, scalarConstant(shape[axis], "i32")));
      for (const test of tests) guard = guard ? scalarCall("and", guard, test) : test;
      if (tests.length > 0) keys.push(`${at[axis].constant} ${at[axis].coefficients.join()} ${shape[axis]}`);
    }
    return guard ? { guard, key: keys.join("; ") } : ("inside" as const);
  }

  private internGuard(guard: ScalarExpression, key: string): ScalarExpression {
    const known = this.guards.get(key);
    if (known) return known;
    this.guards.set(key, guard);
    this.guardNumbers.set(guard, this.guardNumbers.size);
    return guard;
  }

  private affineExpression({ constant, coefficients }: AffinePosition): ScalarExpression {
    let sum: ScalarExpression | undefined;
    coefficients.forEach((coefficient, axis) => {
      if (coefficient === 0 || this.extents[axis] === 1) return;
      const position = this.positionExpressions[axis];
      const term = coefficient === 1 ? position : scalarCall("mul", position, scalarConstant(coefficient, "i32"));
      sum = sum ? scalarCall("add", sum, term) : term;
    });
    if (!sum) return scalarConstant(constant, "i32");
    return constant === 0 ? sum : scalarCall("add", sum, scalarConstant(constant, "i32"));
  }
}

/** Decomposed expressions by the expression they come from, so that a chain of equal ops decomposes once per value. */
const templates = new WeakMap<ScalarExpression, ScalarExpression>();

export function templateOf(value: Value): ScalarExpression {
  const source = value.expression!;
  let template = templates.get(source);
  if (!template) {
    template = decompose(source);
    templates.set(source, template);
  }
  return template;
}

/** An expression with its inputs and positions replaced; shared parts stay shared. `undefined` when a position is not available. */
export function substitute(
  template: ScalarExpression,
  inputs: readonly ScalarExpression[],
  position: (axis: number) => ScalarExpression | undefined,
): ScalarExpression | undefined {
  const done = new Map<ScalarExpression, ScalarExpression>();
  const visit = (expression: ScalarExpression): ScalarExpression | undefined => {
    const known = done.get(expression);
    if (known) return known;
    let result: ScalarExpression | undefined;
    if (expression.kind === "input") result = inputs[expression.index];
    else if (expression.kind === "position") result = position(expression.axis);
    else if (expression.kind === "constant") result = expression;
    else {
      const { function: name, inputs, dtype } = expression;
      const parts: ScalarExpression[] = [];
      for (let at = 0; at < inputs.length; at++) {
        const part = visit(inputs[at]);
        if (!part) return undefined;
        parts.push(part);
      }
      result = { kind: "call", function: name, inputs: parts, dtype };
    }
    if (result) done.set(expression, result);
    return result;
  };
  return visit(template);
}

/** Strides of a view of a buffer over a shape, when a value can be read in place: only movement and reshapes lie between. */
export function resolveView(
  graph: TensorGraph,
  id: number,
  inMemory: (value: Value) => boolean,
): { readonly value: number; readonly access: Access } | { readonly blocked: number } {
  const { shape } = graph.values[id].type;
  let access: PlacedAccess = { offset: 0, strides: stridesOf(shape) };
  let value = graph.values[id];
  for (;;) {
    if (value.meaning?.kind === "reshape") {
      access = { offset: access.offset, strides: access.strides };
      value = graph.values[value.inputs[0]];
      continue;
    }
    if (inMemory(value) || value.meaning?.kind !== "movement") break;
    const { pieces } = value.meaning;
    if (pieces.length !== 1 || pieces[0].guarded || value.size === 0) break;
    const positions = access.positions ?? unravel(access, shape, value.type.shape);
    if (!positions) break;
    const source: Value = graph.values[value.inputs[pieces[0].input]];
    const at: AffinePosition[] = [];
    for (const index of pieces[0].index) {
      const position = composeIndex(index, positions, shape.length);
      if (position) at.push(position);
    }
    if (at.length !== pieces[0].index.length) break;
    access = { ...accessAt(at, source.type.shape, shape.length), positions: at };
    value = source;
  }
  return inMemory(value) ? { value: value.id, access } : { blocked: value.id };
}
