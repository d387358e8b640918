/** What a tensor is, how its value is read, and its gradient. */
import { defaultEngine } from "../../engine/default-engine.ts";
import { ArgumentError, GradientError, ShapeError } from "../../errors.ts";
import { type DType, type TensorData, viewOf } from "../../graph/dtype.ts";
import type { GradientHook, Node } from "../../graph/node.ts";
import { formatShape, type Shape, sizeOf } from "../../graph/shape.ts";
import { type BackwardOptions, backward } from "../autograd.ts";
import * as F from "../functions.ts";
import { GradientHolder } from "../gradient-holder.ts";
import { type GradientCallback, type HookHandle, hookGradient, leafNode, retainGradient } from "../gradient-hooks.ts";
import { atEntry } from "../lift.ts";
import { type NestedArray, nestedArray } from "../literal.ts";
import { formatTensor } from "../print.ts";
import type { Tensor } from "../tensor.ts";
import { TensorShape } from "../tensor-shape.ts";

/** Methods that read a tensor or its gradient. */
export abstract class ReadingMethods extends GradientHolder {
  /** @internal */
  protected current: Node;
  /** @internal The operation that made this tensor a part or another arrangement of a tensor; in-place methods refuse it. */
  protected viewFrom: string | undefined;
  /** @internal Whether a compiled function made this tensor while it was traced. */
  readonly madeInTrace: boolean;

  /** @internal Use `tensor(…)` and the creation functions. */
  constructor(node: Node) {
    super();
    this.current = node;
    this.madeInTrace = defaultEngine.tracing;
  }

  /** @internal */
  override get node(): Node {
    return this.current;
  }
  /** Size of each axis. */
  get shape(): Shape {
    return this.node.shape;
  }
  /** TensorFlow's reading of the shape: `x.getShape().asList()[0]`. */
  getShape(): TensorShape {
    return new TensorShape(this.shape);
  }
  get dtype(): DType {
    return this.node.dtype;
  }
  /** Number of axes. */
  get rank(): number {
    return this.shape.length;
  }
  /** Number of axes: PyTorch's name for `rank`. */
  get ndim(): number {
    return this.rank;
  }
  /** Number of axes: PyTorch's name for `rank`. */
  dim(): number {
    return this.rank;
  }
  /** Number of elements. */
  get size(): number {
    return sizeOf(this.shape);
  }
  /** Number of elements: PyTorch's name for `size`. */
  numel(): number {
    return this.size;
  }
  /** Number of elements: PyTorch's name for `size`. */
  nelement(): number {
    return this.size;
  }
  /** Whether the dtype is a floating-point one (f32). */
  isFloatingPoint(): boolean {
    return this.dtype === "f32";
  }
  /** Whether operations on this tensor record a gradient path. Set it on a tensor you made to differentiate with respect to it. */
  get requiresGrad(): boolean {
    return this.node.requiresGrad;
  }
  set requiresGrad(value: boolean) {
    const { node } = this;
    if (value === node.requiresGrad) return;
    if (!value) {
      if (node.owner !== (this as unknown))
        throw new GradientError(
          "requiresGrad: can only be switched off on a leaf: this tensor was computed from tensors that require gradients; use detach().",
        );
      node.requiresGrad = false;
      return;
    }
    if (this.dtype !== "f32")
      throw new ArgumentError(`requiresGrad: only f32 tensors have gradients, not ${this.dtype}.`);
    this.current = leafNode(node, this as unknown as Tensor);
  }
  /** Sets `requiresGrad`; returns the tensor. */
  requiresGrad_(value = true): this {
    atEntry(this.requiresGrad_, () => {
      this.requiresGrad = value;
    });
    return this;
  }
  /** Whether no recorded operation made this tensor: such tensors hold gradients in `grad`. */
  get isLeaf(): boolean {
    const { node } = this;
    return !node.requiresGrad || node.owner === (this as unknown);
  }

  // ---- reading ----

  /** A copy of the values in row-major order. Works on every target. */
  async data(): Promise<TensorData> {
    return this.dataSync();
  }
  /** A copy of the values in row-major order, at once (targets with local memory). */
  dataSync(): TensorData {
    return atEntry(this.dataSync, () => this.readValues().slice() as TensorData);
  }
  /** The value of a tensor with one element. */
  item(): number {
    return atEntry(this.item, () => {
      if (this.size !== 1)
        throw new ShapeError(
          `item: the tensor has ${this.size} elements, shape ${formatShape(this.shape)}; use data() or toArray().`,
        );
      return this.readValues()[0];
    });
  }
  /** Nested arrays of numbers (booleans for bool). */
  toArray(): NestedArray {
    return atEntry(this.toArray, () => nestedArray(this.readValues(), this.shape, this.dtype));
  }
  /** Nested arrays of numbers (booleans for bool): PyTorch's name for `toArray`. */
  tolist(): NestedArray {
    return atEntry(this.tolist, () => nestedArray(this.readValues(), this.shape, this.dtype));
  }
  /** As NumPy prints it; computes the value. */
  override toString(): string {
    return formatTensor(this.readValues(), this.shape, this.dtype);
  }
  [Symbol.for("nodejs.util.inspect.custom")](): string {
    return this.node.leaf?.kind === "placeholder"
      ? `tensor(<argument>, shape=${formatShape(this.shape)})`
      : this.toString();
  }
  private readValues(): TensorData {
    const value = defaultEngine.read(this.node);
    return viewOf(this.dtype, value.buffer, value.byteOffset, this.size);
  }
  /** Marks this tensor to be computed by the next optimizer step, so that it can be read after it. */
  keep(): this {
    // what a compiled function makes lives only inside it
    if (!defaultEngine.tracing) defaultEngine.keep(this.node);
    return this;
  }

  // ---- gradients ----

  /** Accumulates d(this)/d(leaf) into `grad` of every variable and `requiresGrad` tensor upstream. */
  backward(this: Tensor, gradient?: Tensor, options?: BackwardOptions): void {
    atEntry(this.backward, () => backward(this, gradient, options));
  }
  /** The same value without a gradient path. */
  detach(this: Tensor): Tensor {
    return F.detach(this).asView("detach");
  }
  /** A tensor of its own with the same value and a gradient path to this one. */
  clone(this: Tensor): Tensor {
    return F.clone(this);
  }
  /** This tensor, or its clone where it is a view: every tensor is laid out in row-major order. */
  contiguous(this: Tensor): Tensor {
    return this.viewFrom ? F.clone(this) : this;
  }
  /** Makes `backward()` keep the gradient of this tensor in `grad` although it is no leaf. */
  retainGrad(this: Tensor): void {
    atEntry(this.retainGrad, () => retainGradient(this));
  }
  /**
   * Calls `callback` with the gradient of this tensor in every `backward()`; what it returns, if anything, takes the gradient's place. The gradient
   * is pending: reading it computes it.
   */
  registerHook(this: Tensor, callback: GradientCallback): HookHandle {
    return atEntry(this.registerHook, () => hookGradient(this, callback));
  }

  /** @internal The callbacks that see this tensor's gradient. */
  gradientHooks(): GradientHook[] {
    const { node } = this;
    node.hooks ??= [];
    return node.hooks;
  }
  /** @internal Makes another node this tensor's value. */
  rebind(node: Node): void {
    const leaf = this.node.requiresGrad && this.node.owner === (this as unknown);
    this.current = leaf ? leafNode(node, this as unknown as Tensor, this.node.hooks) : node;
  }
  /** @internal The operation that this tensor is a view by, if it is one. */
  get viewOperation(): string | undefined {
    return this.viewFrom;
  }
  /** @internal Marks the result of a shape or indexing method. */
  asView(this: Tensor, operation: string): Tensor {
    this.viewFrom = operation;
    return this;
  }
}
