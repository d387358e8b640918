/** Layers that make one tensor of several: `new Add()([x, y])`. */
import { ArgumentError } from "../../errors.ts";
import * as merge from "../../nn/merge.ts";
import { concat, type Tensor } from "../../tensor/index.ts";
import type { BatchShape, Config } from "../config.ts";
import { type CallOptions, formatBatchShape, inputError, Layer, type LayerOptions } from "../layer.ts";
import { maskOf } from "../mask.ts";

type Inputs = readonly Tensor[];
type Shapes = readonly BatchShape[];
type Masks = readonly (Tensor | undefined)[];

/** Base of layers over a list of tensors. */
abstract class MergeLayer extends Layer<Inputs, Tensor> {
  constructor(options: LayerOptions, ownOptions: readonly string[] = []) {
    super(options, ownOptions);
    this.supportsMasking = true;
  }
  protected checkList(shapes: Shapes, count?: number): void {
    const isList = Array.isArray(shapes) && shapes.length > 0 && shapes.every(Array.isArray);
    if (isList && (count === undefined || shapes.length === count)) return;
    throw new ArgumentError(
      `${this.className} "${this.name}": expected a list of ${count === undefined ? "tensors" : `${count} tensors`}, received ${
        isList ? `${shapes.length} of them` : "one tensor"
      }.`,
    );
  }
  override computeMask(_inputs: Inputs, previousMask?: Masks): Tensor | undefined {
    return previousMask && merge.mergedMask(previousMask);
  }
}

/** Base of layers that combine number with number; sizes of 1, and missing axes after the first, are repeated. */
abstract class ElementwiseMerge extends MergeLayer {
  constructor(options: LayerOptions = {}) {
    super(options);
  }
  override build(inputShape: Shapes): void {
    this.checkList(inputShape);
    this.computeOutputShape(inputShape);
  }
  override computeOutputShape(inputShape: Shapes): BatchShape {
    this.checkList(inputShape);
    const rank = Math.max(...inputShape.map((shape) => shape.length));
    const batch = inputShape.map(([size]) => size).find((size) => size !== null) ?? null;
    const aligned = inputShape.map(([, ...sizes]) => [...new Array<number>(rank - 1 - sizes.length).fill(1), ...sizes]);
    const sizes = aligned.reduce((left, right) =>
      left.map((size, axis) => {
        const other = right[axis];
        if (size === other || other === 1) return size;
        if (size === 1) return other;
        if (size === null || other === null) return null;
        throw inputError(
          this,
          inputShape[0],
          `shapes that fit each other, received ${inputShape.map(formatBatchShape).join(", ")}; the first is`,
        );
      }),
    );
    return [batch, ...sizes];
  }
  override call(inputs: Inputs): Tensor {
    return this.merge(merge.alignMergeRanks(inputs), inputs);
  }
  protected abstract merge(inputs: Inputs, given: Inputs): Tensor;
}

/** x + y + … */
export class Add extends ElementwiseMerge {
  protected override merge(inputs: Inputs): Tensor {
    return inputs.reduce(merge.combineSum);
  }
}
/** x − y of two tensors. */
export class Subtract extends ElementwiseMerge {
  override build(inputShape: Shapes): void {
    this.checkList(inputShape, 2);
    super.build(inputShape);
  }
  protected override merge([left, right]: Inputs): Tensor {
    return merge.combineDifference(left, right);
  }
}
/** x · y · … */
export class Multiply extends ElementwiseMerge {
  protected override merge(inputs: Inputs): Tensor {
    return inputs.reduce(merge.combineProduct);
  }
}
/** The mean of the tensors. */
export class Average extends ElementwiseMerge {
  protected override merge(inputs: Inputs): Tensor {
    return merge.meanOfTensors(inputs);
  }
}
/** The largest of the numbers; masked steps do not count. */
export class Maximum extends ElementwiseMerge {
  protected override merge(inputs: Inputs, given: Inputs): Tensor {
    return merge.combineMasked(inputs, given.map(maskOf), merge.combineMaximum);
  }
}
/** The smallest of the numbers; masked steps do not count. */
export class Minimum extends ElementwiseMerge {
  protected override merge(inputs: Inputs, given: Inputs): Tensor {
    return merge.combineMasked(inputs, given.map(maskOf), merge.combineMinimum);
  }
}

export interface ConcatenateOptions extends LayerOptions {
  /** The axis along which tensors are joined; the last by default. */
  readonly axis?: number;
}

/** Tensors joined along an axis. */
export class Concatenate extends MergeLayer {
  readonly axis: number;

  constructor(options: ConcatenateOptions = {}) {
    super(options, ["axis"]);
    this.axis = options.axis ?? -1;
    if (!Number.isInteger(this.axis)) {
      throw new ArgumentError(`Concatenate "${this.name}": axis must be an integer, received ${String(this.axis)}.`);
    }
  }
  override build(inputShape: Shapes): void {
    this.computeOutputShape(inputShape);
  }
  override computeOutputShape(inputShape: Shapes): BatchShape {
    this.checkList(inputShape);
    const [first] = inputShape;
    const axis = this.axis < 0 ? this.axis + first.length : this.axis;
    const fits = (shape: BatchShape): boolean =>
      shape.length === first.length &&
      axis >= 0 &&
      axis < first.length &&
      shape.every((size, at) => at === axis || size === first[at] || size === null || first[at] === null);
    if (!inputShape.every(fits)) {
      throw inputError(
        this,
        first,
        `shapes that differ in axis ${this.axis} only, received ${inputShape.map(formatBatchShape).join(", ")}; the first is`,
      );
    }
    const sizes = inputShape.map((shape) => shape[axis]);
    const total = sizes.includes(null) ? null : (sizes as readonly number[]).reduce((sum, size) => sum + size, 0);
    return first.map((size, at) => (at === axis ? total : size));
  }
  override call(inputs: Inputs): Tensor {
    return concat([...inputs], this.axis);
  }
  override computeMask(inputs: Inputs, previousMask?: Masks): Tensor | undefined {
    return previousMask && merge.concatenatedMask(inputs, previousMask, this.axis);
  }
  override getConfig(): Config {
    return { ...super.getConfig(), axis: this.axis };
  }
}

export interface DotOptions extends LayerOptions {
  /** Scale vectors along the axes to length 1 first: the cosine. */
  readonly normalize?: boolean;
}

/** The product of two tensors over one axis of each, example by example. */
export class Dot extends MergeLayer {
  readonly axes: number | readonly [number, number];
  readonly normalize: boolean;

  constructor(axes: number | readonly [number, number], options: DotOptions = {}) {
    super(options, ["normalize"]);
    const list = typeof axes === "number" ? [axes] : axes;
    if (!Array.isArray(list) || list.length > 2 || !list.every((axis) => Number.isInteger(axis) && axis !== 0)) {
      throw new ArgumentError(
        `Dot "${this.name}": axes must be an axis or a pair of axes, not the batch axis, received ${JSON.stringify(axes)}.`,
      );
    }
    this.axes = axes;
    this.normalize = options.normalize ?? false;
  }
  private axesFor(ranks: readonly number[]): readonly [number, number] {
    const pair = typeof this.axes === "number" ? [this.axes, this.axes] : this.axes;
    const [left, right] = pair.map((axis, index) => (axis < 0 ? axis + ranks[index] : axis));
    return [left, right];
  }
  override build(inputShape: Shapes): void {
    this.computeOutputShape(inputShape);
  }
  override computeOutputShape(inputShape: Shapes): BatchShape {
    this.checkList(inputShape, 2);
    const [left, right] = inputShape;
    const [first, second] = this.axesFor(inputShape.map((shape) => shape.length));
    const [a, b] = [left[first], right[second]];
    if (a === undefined || b === undefined || (a !== b && a !== null && b !== null)) {
      throw inputError(
        this,
        left,
        `sizes that agree along axes ${first} and ${second}, received ${inputShape.map(formatBatchShape).join(", ")}; the first is`,
      );
    }
    const kept = left.filter((_, axis) => axis !== first);
    const shape = [...kept, ...right.filter((_, axis) => axis !== 0 && axis !== second)];
    return shape.length === 1 ? [...shape, 1] : shape;
  }
  override call([left, right]: Inputs, _options: CallOptions<Inputs>): Tensor {
    const axes = this.axesFor([left.rank, right.rank]);
    const [a, b] = this.normalize ? [merge.normalized(left, axes[0]), merge.normalized(right, axes[1])] : [left, right];
    return merge.batchDot(a, b, axes);
  }
  override computeMask(): undefined {
    return undefined;
  }
  override getConfig(): Config {
    return { ...super.getConfig(), axes: this.axes, normalize: this.normalize };
  }
}
