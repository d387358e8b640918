import type { Attributes, AttributeValue, TensorType } from "./node.ts";
import { sameShape } from "./shape.ts";

/** Whether two types are equal. Most are the same object, since ops share them (`applyOp`). */
export function sameType(left: TensorType, right: TensorType): boolean {
  if (left === right) return true;
  return left.dtype === right.dtype && sameShape(left.shape, right.shape);
}

/** Whether attributes are equal as a program's key sees them: NaN equals NaN, −0 is not 0. */
export function sameAttributes(left: Attributes, right: Attributes): boolean {
  return left === right || sameEntries(left, right);
}

function sameValue(left: AttributeValue, right: AttributeValue): boolean {
  if (typeof left !== "object" || typeof right !== "object") return Object.is(left, right);
  if (left === right) return true;
  if (Array.isArray(left)) {
    if (!Array.isArray(right) || left.length !== right.length) return false;
    for (let i = 0; i < left.length; i++) if (!sameValue(left[i], right[i])) return false;
    return true;
  }
  return !Array.isArray(right) && sameEntries(left as Attributes, right as Attributes);
}

function sameEntries(left: Attributes, right: Attributes): boolean {
  let count = 0;
  for (const name in left) {
    if (!(name in right) || !sameValue(left[name], right[name])) return false;
    count++;
  }
  for (const _ in right) count--;
  return count === 0;
}
