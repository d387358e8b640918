import { ArgumentError, ShapeError } from "../../errors.ts";
import { type DType, parseDType } from "../../graph/dtype.ts";
import { Tensor, type TensorLike, TensorShape, tensor } from "../../tensor/index.ts";
import { GraphTensor, getDefaultGraph, Operation, type PartialShape } from "./graph.ts";

/** An operation whose value comes from the feed of each run. */
export class PlaceholderOperation extends Operation {}

/**
 * A tensor of the graph that is fed at each run. Sizes that are not known are null (or undefined); without a shape any shape can be fed.
 *
 * @example
 * ```ts
 * const x = placeholder("float32", [null, 784], { name: "x" });
 * ```
 */
export function placeholder(
  dtype: DType | (string & {}) = "float32",
  shape?: readonly (number | null | undefined)[] | null,
  options: { readonly name?: string } | string = {},
): Tensor {
  const sizes = shape?.map((size) => size ?? null);
  const wrong = sizes?.find((size) => size !== null && !(Number.isInteger(size) && size >= 0));
  if (wrong !== undefined) {
    throw new ShapeError(`placeholder: sizes must be whole numbers or null, received ${JSON.stringify(sizes)}.`);
  }
  const name = (typeof options === "string" ? options : options.name) ?? "Placeholder";
  const operation = new PlaceholderOperation(getDefaultGraph(), name, []);
  return new GraphTensor(operation, { dtype: parseDType(dtype), shape: sizes });
}

function fits(shape: readonly number[], expected: PartialShape): boolean {
  return shape.length === expected.length && expected.every((size, axis) => size === null || size === shape[axis]);
}

/** What is fed for a tensor of the graph, as a tensor of its dtype; its shape must fit. */
export function fedValue(target: GraphTensor, value: TensorLike): Tensor {
  const { dtype, shape } = target.partialType;
  if (value instanceof GraphTensor) {
    throw new ArgumentError(
      `feedDict: ${target.toString()} is fed ${value.toString()}, which has no value; feed numbers or an ordinary tensor.`,
    );
  }
  const given = value instanceof Tensor ? value : tensor(value, { dtype });
  const converted = given.dtype === dtype ? given : given.cast(dtype);
  if (shape && !fits(converted.shape, shape)) {
    throw new ShapeError(
      `feedDict: cannot feed a value of shape ${new TensorShape(converted.shape)} for ${target.toString()}.`,
    );
  }
  return converted;
}
