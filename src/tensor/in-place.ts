/** What every in-place method does: checks, then gives the tensor another value. Tensors are values, so what was computed from the old one keeps it. */
import { defaultEngine } from "../engine/default-engine.ts";
import { ArgumentError, DTypeError, GradientError, ShapeError } from "../errors.ts";
import { gradEnabled } from "../graph/grad-mode.ts";
import type { Node } from "../graph/node.ts";
import { formatShape, sameShape } from "../graph/shape.ts";
import { cast } from "../ops/index.ts";
import { atEntry } from "./lift.ts";
import type { Tensor } from "./tensor.ts";

/** Whether the tensor is a variable, whose in-place methods assign. */
const isAssignable = (x: Tensor): boolean => "cell" in x;

/** Throws where PyTorch would, or where writing would be seen through another tensor there. */
export function checkWritable(x: Tensor, operation: string): void {
  if (x.viewOperation) {
    const outOfPlace = operation.replace(/_$/, "");
    throw new ArgumentError(
      `${operation}: this tensor is a view, made by ${x.viewOperation}(), and tensors here never share their values, so writing to it would not reach the ` +
        `tensor it came from. Use ${outOfPlace}() and its result, setAt_() on the other tensor, or clone() first.`,
    );
  }
  if (defaultEngine.tracing && !x.madeInTrace && !isAssignable(x)) {
    throw new ArgumentError(
      `${operation}: a compiled function can assign variables, but not change a tensor from outside, since its program would not repeat that. Make the ` +
        "tensor a Variable (a parameter or a buffer of a module), or return the new value.",
    );
  }
  if (gradEnabled() && x.requiresGrad && x.isLeaf) {
    throw new GradientError(
      `${operation}: a leaf Variable that requires grad is being used in an in-place operation. Put it into noGrad(() => …), or use ${operation.replace(/_$/, "")}().`,
    );
  }
}

/** What a tensor of one dtype can hold: no fractions in integers, no numbers in masks. */
function converted(x: Tensor, result: Node, operation: string): Node {
  if (result.dtype === x.dtype) return result;
  const narrows = x.dtype === "bool" || (result.dtype === "f32" && x.dtype !== "f32");
  if (narrows)
    throw new DTypeError(
      `${operation}: the result has dtype ${result.dtype}, which a tensor of dtype ${x.dtype} cannot hold. Convert first with .cast("${result.dtype}").`,
    );
  return cast(result, x.dtype);
}

/** Gives x the value that `compute` makes of it. */
export function inPlace<T extends Tensor>(x: T, entry: (...args: never[]) => unknown, compute: (x: T) => Tensor): T {
  return atEntry(entry, () => {
    const operation = entry.name;
    checkWritable(x, operation);
    const result = compute(x).node;
    if (!sameShape(result.shape, x.shape))
      throw new ShapeError(
        `${operation}: the result has shape ${formatShape(result.shape)}, the tensor ${formatShape(x.shape)}; in place the shape must stay.`,
      );
    x.rebind(converted(x, result, operation));
    return x;
  });
}

/** Gives x the same elements in another shape. */
export function reshapeInPlace<T extends Tensor>(
  x: T,
  entry: (...args: never[]) => unknown,
  compute: (x: T) => Tensor,
): T {
  return atEntry(entry, () => {
    checkWritable(x, entry.name);
    const result = compute(x).node;
    if (!sameShape(result.shape, x.shape) && isAssignable(x))
      throw new ShapeError(`${entry.name}: the shape of a variable is fixed, ${formatShape(x.shape)}.`);
    x.rebind(result);
    return x;
  });
}
