/** Tensors that can be assigned. */
import { defaultEngine } from "../engine/default-engine.ts";
import { variableLeaf } from "../engine/engine.ts";
import { ArgumentError, ShapeError } from "../errors.ts";
import type { DType } from "../graph/dtype.ts";
import type { GradientHook, Node, TensorType, VariableCell } from "../graph/node.ts";
import { formatShape, type Shape, sameShape } from "../graph/shape.ts";
import { add, sub } from "./functions.ts";
import { atEntry, type Operand } from "./lift.ts";
import { type TensorLike, tensorNode } from "./literal.ts";
import { Tensor } from "./tensor.ts";

let unnamed = 0;
let created = 0;

/** How many variables were made so far: a traced function that makes some tells by it. */
export function variableCount(): number {
  return created;
}

export interface VariableOptions {
  readonly name?: string;
  /** Whether gradients flow to it. */
  readonly trainable?: boolean;
  readonly dtype?: DType;
  /**
   * How memory holds the axes: axis i there is axis order[i] of the shape. Nothing but speed depends on it: weights that a door shows transposed lie
   * as the kernels read them, and what belongs to them (an optimizer's slots) should lie alike.
   */
  readonly order?: readonly number[];
}

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
  private hooks: GradientHook[] | undefined;

  constructor(initial: TensorLike, options: VariableOptions = {}) {
    // the value another variable has now, not what it will have when this one is first used
    const source = initial instanceof Variable ? initial.dataSync() : initial;
    const node =
      source instanceof Tensor
        ? source.node
        : tensorNode(source, { ...options, shape: (initial as Partial<Tensor>).shape });
    super(node);
    created++;
    this.name = options.name ?? `variable_${unnamed++}`;
    this.isTrainable = (options.trainable ?? true) && node.dtype === "f32";
    const type: TensorType = { shape: node.shape, dtype: node.dtype };
    const { order } = options;
    if (order && [...order].sort((a, b) => a - b).join() !== node.shape.map((_, axis) => axis).join()) {
      throw new ArgumentError(
        `Variable: order [${order.join(", ")}] must name each axis of ${formatShape(node.shape)} once.`,
      );
    }
    const moves = order?.some((axis, index) => axis !== index);
    const state = { version: 0, value: undefined, initial: node, pending: undefined, prepared: undefined };
    this.cell = {
      name: this.name,
      serial: created,
      type,
      ...(order && moves && { order }),
      ...state,
      mark: 0,
      position: 0,
    };
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
      this.readNode.hooks = this.hooks;
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
  override get isLeaf(): boolean {
    return true;
  }
  /** @internal */
  override gradientHooks(): GradientHook[] {
    this.hooks ??= [];
    this.node.hooks = this.hooks;
    return this.hooks;
  }
  /** @internal */
  override rebind(node: Node): void {
    defaultEngine.assign(this.cell, node);
  }
  /** Order of the axes in memory: axis i there is axis order[i] here. `undefined` where they are in order. */
  get order(): readonly number[] | undefined {
    return this.cell.order;
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
  /** Makes value + `delta` the next value. */
  assignAdd(delta: TensorLike): void {
    atEntry(this.assignAdd, () => this.assign(add(this, this.operand(delta))));
  }
  /** Makes value − `delta` the next value. */
  assignSub(delta: TensorLike): void {
    atEntry(this.assignSub, () => this.assign(sub(this, this.operand(delta))));
  }
  private operand(value: TensorLike): Operand {
    if (value instanceof Tensor || typeof value === "number") return value;
    return new Tensor(tensorNode(value, { dtype: this.dtype }));
  }
}
