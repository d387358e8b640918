/** What a tensor is, how its value is read, and its gradient. */
import { defaultEngine } from "../../engine/default-engine.ts";
import { ArgumentError, ShapeError } from "../../errors.ts";
import { type DType, type TensorData, viewOf } from "../../graph/dtype.ts";
import type { Node } from "../../graph/node.ts";
import { formatShape, type Shape, sizeOf } from "../../graph/shape.ts";
import { type BackwardOptions, backward } from "../autograd.ts";
import * as F from "../functions.ts";
import { Handle } from "../handle.ts";
import { atEntry } from "../lift.ts";
import { type NestedArray, nestedArray } from "../literal.ts";
import { formatTensor } from "../print.ts";
import type { Tensor } from "../tensor.ts";
import { TensorShape } from "../tensor-shape.ts";

/** Methods that read a tensor or its gradient. */
export abstract class ReadingMethods extends Handle {
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
  /** TensorFlow's reading of the shape: `x.getShape().asList()[0]`. */
  getShape(): TensorShape {
    return new TensorShape(this.shape);
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
    return F.detach(this);
  }
}
