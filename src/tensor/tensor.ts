/** Tensors and variables: immutable values over lazily computed nodes, with the methods that users type. */
import { defaultEngine } from "../engine/default-engine.ts";
import { variableLeaf } from "../engine/engine.ts";
import { ArgumentError, ShapeError } from "../errors.ts";
import { type DType, parseDType, type TensorData, viewOf } from "../graph/dtype.ts";
import { gradEnabled } from "../graph/grad-mode.ts";
import type { Node, NodeValue, TensorType, VariableCell } from "../graph/node.ts";
import { formatShape, type Shape, sameShape, sizeOf } from "../graph/shape.ts";
import { type BackwardOptions, backward } from "./autograd.ts";
import * as F from "./functions.ts";
import { Handle, provideTensors } from "./handle.ts";
import { atEntry, type Operand } from "./lift.ts";
import { type NestedArray, nestedArray, type TensorLike, tensorNode } from "./literal.ts";
import { formatTensor } from "./print.ts";

type Axes = number | readonly number[];

/**
 * A value of a shape and dtype. Operations build a graph and return at once; values are computed when they are read, when an optimizer
 * steps, or on `evaluate`.
 *
 * @example
 * ```ts
 * const x = tensor([[1, 2], [3, 4]]);
 * console.log(x.matmul(x).sum().item()); // 54
 * ```
 */
export class Tensor extends Handle {
  /** @internal */
  protected current: Node;
  /** The gradient accumulated by `backward()`; undefined before, and after an optimizer's `zeroGrad()`. */
  grad: Tensor | undefined;

  /** @internal Use `tensor(…)` and the creation functions. */
  constructor(node: Node) {
    super();
    this.current = node;
  }

  /** @internal */
  override get node(): Node {
    return this.current;
  }
  /** Size of each axis. */
  get shape(): Shape {
    return this.node.shape;
  }
  get dtype(): DType {
    return this.node.dtype;
  }
  /** Number of axes. */
  get rank(): number {
    return this.node.shape.length;
  }
  /** Number of elements. */
  get size(): number {
    return sizeOf(this.node.shape);
  }
  /** Whether operations on this tensor record a gradient path. Set it on a tensor you made to differentiate with respect to it. */
  get requiresGrad(): boolean {
    return this.node.requiresGrad;
  }
  set requiresGrad(value: boolean) {
    if (this.node.inputs.length > 0)
      throw new ArgumentError("requiresGrad: only on a tensor that no operation made; use detach() first.");
    if (value && this.dtype !== "f32")
      throw new ArgumentError(`requiresGrad: only f32 tensors have gradients, not ${this.dtype}.`);
    this.node.requiresGrad = value;
    this.node.owner = this;
  }

  // ---- reading ----

  /** A copy of the values in row-major order. Works on every target. */
  async data(): Promise<TensorData> {
    return this.dataSync();
  }
  /** A copy of the values in row-major order, at once (targets with local memory). */
  dataSync(): TensorData {
    return atEntry(this.dataSync, () => this.view().slice() as TensorData);
  }
  /** The value of a tensor with one element. */
  item(): number {
    return atEntry(this.item, () => {
      if (this.size !== 1)
        throw new ShapeError(
          `item: the tensor has ${this.size} elements, shape ${formatShape(this.shape)}; use data() or toArray().`,
        );
      return this.view()[0];
    });
  }
  /** Nested arrays of numbers (booleans for bool). */
  toArray(): NestedArray {
    return atEntry(this.toArray, () => nestedArray(this.view(), this.shape, this.dtype));
  }
  /** As NumPy prints it; computes the value. */
  override toString(): string {
    return formatTensor(this.view(), this.shape, this.dtype);
  }
  [Symbol.for("nodejs.util.inspect.custom")](): string {
    return this.node.leaf?.kind === "placeholder"
      ? `tensor(<argument>, shape=${formatShape(this.shape)})`
      : this.toString();
  }
  private view(): TensorData {
    const value = defaultEngine.read(this.node);
    return viewOf(this.dtype, value.buffer, value.byteOffset, this.size);
  }
  /** Marks this tensor to be computed by the next optimizer step, so that it can be read after it. */
  keep(): this {
    defaultEngine.keep(this.node);
    return this;
  }

  // ---- gradients ----

  /** Accumulates d(this)/d(leaf) into `grad` of every variable and `requiresGrad` tensor upstream. */
  backward(gradient?: Tensor, options?: BackwardOptions): void {
    atEntry(this.backward, () => backward(this, gradient, options));
  }
  /** The same value without a gradient path. */
  detach(): Tensor {
    return F.detach(this);
  }

  // ---- arithmetic (broadcasts; numbers are run-time arguments) ----
  add(other: Operand): Tensor {
    return F.add(this, other);
  }
  sub(other: Operand): Tensor {
    return F.sub(this, other);
  }
  mul(other: Operand): Tensor {
    return F.mul(this, other);
  }
  div(other: Operand): Tensor {
    return F.div(this, other);
  }
  pow(exponent: Operand): Tensor {
    return F.pow(this, exponent);
  }
  minimum(other: Operand): Tensor {
    return F.minimum(this, other);
  }
  maximum(other: Operand): Tensor {
    return F.maximum(this, other);
  }
  floorDivide(other: Operand): Tensor {
    return F.floorDivide(this, other);
  }
  remainder(other: Operand): Tensor {
    return F.remainder(this, other);
  }
  neg(): Tensor {
    return F.neg(this);
  }
  abs(): Tensor {
    return F.abs(this);
  }
  sign(): Tensor {
    return F.sign(this);
  }
  floor(): Tensor {
    return F.floor(this);
  }
  ceil(): Tensor {
    return F.ceil(this);
  }
  round(): Tensor {
    return F.round(this);
  }
  trunc(): Tensor {
    return F.trunc(this);
  }
  sqrt(): Tensor {
    return F.sqrt(this);
  }
  rsqrt(): Tensor {
    return F.rsqrt(this);
  }
  square(): Tensor {
    return F.square(this);
  }
  reciprocal(): Tensor {
    return F.reciprocal(this);
  }
  exp(): Tensor {
    return F.exp(this);
  }
  expm1(): Tensor {
    return F.expm1(this);
  }
  log(): Tensor {
    return F.log(this);
  }
  log1p(): Tensor {
    return F.log1p(this);
  }
  tanh(): Tensor {
    return F.tanh(this);
  }
  sigmoid(): Tensor {
    return F.sigmoid(this);
  }
  erf(): Tensor {
    return F.erf(this);
  }
  sin(): Tensor {
    return F.sin(this);
  }
  cos(): Tensor {
    return F.cos(this);
  }
  relu(): Tensor {
    return F.relu(this);
  }
  clip(minimum?: number, maximum?: number): Tensor {
    return F.clip(this, minimum, maximum);
  }

  // ---- comparison and logic (bool) ----
  lt(other: Operand): Tensor {
    return F.lt(this, other);
  }
  le(other: Operand): Tensor {
    return F.le(this, other);
  }
  gt(other: Operand): Tensor {
    return F.gt(this, other);
  }
  ge(other: Operand): Tensor {
    return F.ge(this, other);
  }
  eq(other: Operand): Tensor {
    return F.eq(this, other);
  }
  ne(other: Operand): Tensor {
    return F.ne(this, other);
  }
  logicalAnd(other: Operand): Tensor {
    return F.logicalAnd(this, other);
  }
  logicalOr(other: Operand): Tensor {
    return F.logicalOr(this, other);
  }
  logicalXor(other: Operand): Tensor {
    return F.logicalXor(this, other);
  }
  logicalNot(): Tensor {
    return F.logicalNot(this);
  }

  // ---- reductions (all axes by default) ----
  sum(axes?: Axes, keepDims?: boolean): Tensor {
    return F.sum(this, axes, keepDims);
  }
  mean(axes?: Axes, keepDims?: boolean): Tensor {
    return F.mean(this, axes, keepDims);
  }
  prod(axes?: Axes, keepDims?: boolean): Tensor {
    return F.prod(this, axes, keepDims);
  }
  amax(axes?: Axes, keepDims?: boolean): Tensor {
    return F.amax(this, axes, keepDims);
  }
  amin(axes?: Axes, keepDims?: boolean): Tensor {
    return F.amin(this, axes, keepDims);
  }
  any(axes?: Axes, keepDims?: boolean): Tensor {
    return F.any(this, axes, keepDims);
  }
  all(axes?: Axes, keepDims?: boolean): Tensor {
    return F.all(this, axes, keepDims);
  }
  /** Position of the first maximum along an axis, or in the flattened tensor. */
  argmax(axis?: number, keepDims?: boolean): Tensor {
    return F.argmax(this, axis, keepDims);
  }
  argmin(axis?: number, keepDims?: boolean): Tensor {
    return F.argmin(this, axis, keepDims);
  }
  /** Euclidean norm of all elements. */
  norm(): Tensor {
    return F.sqrt(F.sum(F.square(this)));
  }
  softmax(axis = -1): Tensor {
    return F.softmax(this, axis);
  }
  logSoftmax(axis = -1): Tensor {
    return F.logSoftmax(this, axis);
  }

  // ---- linear algebra ----
  matmul(other: Tensor): Tensor {
    return F.matmul(this, other);
  }

  // ---- shape ----
  /** Same elements in another shape; one size may be -1. */
  reshape(...shape: readonly number[] | [Shape]): Tensor {
    return F.reshape(this, sizes(shape));
  }
  /** Flattens the axes from `start` to the last. */
  flatten(start = 0): Tensor {
    return F.reshape(this, [...this.shape.slice(0, start), sizeOf(this.shape.slice(start))]);
  }
  permute(...axes: readonly number[] | [readonly number[]]): Tensor {
    return F.permute(this, sizes(axes));
  }
  /** Swaps two axes (the last two by default). */
  transpose(first = -2, second = -1): Tensor {
    return F.transpose(this, first, second);
  }
  expand(...shape: readonly number[] | [Shape]): Tensor {
    return F.expand(this, sizes(shape));
  }
  /** Removes axes of size 1 (all of them, or the one named). */
  squeeze(axis?: number): Tensor {
    return F.squeeze(this, axis);
  }
  /** Inserts an axis of size 1. */
  unsqueeze(axis: number): Tensor {
    return F.unsqueeze(this, axis);
  }
  /** Elements from `starts` to `ends` (exclusive; negative counts from the end) by `steps` along each axis. */
  slice(starts: readonly number[], ends?: readonly number[], steps?: readonly number[]): Tensor {
    return F.slice(this, starts, ends, steps);
  }
  pad(paddings: readonly (readonly [number, number])[], value?: number): Tensor {
    return F.pad(this, paddings, value);
  }
  flip(axes?: Axes): Tensor {
    return F.flip(this, axes);
  }
  /** Rows along `axis` at positions `indices`. */
  gather(indices: Tensor, axis = 0): Tensor {
    return F.gather(this, indices, axis);
  }
  /** Converts; a dtype that does not exist is an error that names the nearest. */
  cast(dtype: DType | (string & {})): Tensor {
    return atEntry(this.cast, () => F.cast(this, parseDType(dtype)));
  }
  /** NumPy's name for `cast`. */
  astype(dtype: DType | (string & {})): Tensor {
    return atEntry(this.astype, () => F.cast(this, parseDType(dtype)));
  }
}

provideTensors((node) => new Tensor(node));

function sizes(list: readonly number[] | readonly [Shape]): Shape {
  return typeof list[0] === "object" ? (list[0] as Shape) : (list as readonly number[]);
}

let unnamed = 0;

/**
 * A tensor that can be assigned: a cell with a version. Operations capture the version they read; an assignment makes a new one and may
 * overwrite the old storage.
 */
export class Variable extends Tensor {
  readonly name: string;
  /** @internal */
  readonly cell: VariableCell;
  private readNode: Node | undefined;
  private isTrainable: boolean;

  constructor(initial: TensorLike, options: { name?: string; trainable?: boolean; dtype?: DType } = {}) {
    // the value another variable has now, not what it will have when this one is first used
    const source = initial instanceof Variable ? initial.dataSync() : initial;
    const node =
      source instanceof Tensor
        ? source.node
        : tensorNode(source, { ...options, shape: (initial as Partial<Tensor>).shape });
    super(node);
    this.name = options.name ?? `variable_${unnamed++}`;
    this.isTrainable = (options.trainable ?? true) && node.dtype === "f32";
    const type: TensorType = { shape: node.shape, dtype: node.dtype };
    this.cell = { name: this.name, type, version: 0, value: undefined, initial: node, pending: undefined };
  }

  /** @internal The value at this moment: the assigned one that waits, or a leaf for the current version. */
  override get node(): Node {
    const { cell } = this;
    if (cell.pending) {
      // a waiting value is read as the node it is, so that a statistic updated in the forward stays part of the same program
      if (!this.isTrainable || defaultEngine.tracing) return cell.pending;
      defaultEngine.commit();
    }
    const leaf = this.readNode?.leaf;
    if (
      leaf?.kind !== "variable" ||
      leaf.version !== cell.version ||
      this.readNode?.requiresGrad !== this.isTrainable
    ) {
      this.readNode = variableLeaf(cell, this.isTrainable);
      this.readNode.owner = this;
    }
    return this.readNode as Node;
  }
  /** Whether gradients flow to it. Freezing changes the graph: one compilation per state. */
  get trainable(): boolean {
    return this.isTrainable;
  }
  set trainable(value: boolean) {
    if (value && this.dtype !== "f32")
      throw new ArgumentError(`trainable: only f32 variables can be trained, ${this.name} is ${this.dtype}.`);
    this.isTrainable = value;
    if (!value) this.grad = undefined;
  }
  override get shape(): Shape {
    return this.cell.type.shape;
  }
  override get dtype(): DType {
    return this.cell.type.dtype;
  }
  override get requiresGrad(): boolean {
    return this.isTrainable;
  }
  override set requiresGrad(value: boolean) {
    this.trainable = value;
  }
  /** Number of assignments so far. */
  get version(): number {
    return this.cell.version;
  }

  /** Makes `value` the next value; it is computed with whatever is computed next. */
  assign(value: TensorLike): void {
    atEntry(this.assign, () => {
      const node = value instanceof Tensor ? value.node : tensorNode(value, { dtype: this.dtype, shape: this.shape });
      if (!sameShape(node.shape, this.shape) || node.dtype !== this.dtype) {
        throw new ShapeError(
          `assign: ${this.name} has shape ${formatShape(this.shape)} and dtype ${this.dtype}, the value ${formatShape(node.shape)} and ${node.dtype}.`,
        );
      }
      defaultEngine.assign(this.cell, node);
    });
  }
}

/** Whether operations record gradient paths at this moment. */
export const isGradEnabled = gradEnabled;
export type { NodeValue };
