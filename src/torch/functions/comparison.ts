/** Comparison, logic and choice, as free functions. */
import { ArgumentError } from "../../errors.ts";
import { nonzeroPositions } from "../../tensor/dynamic.ts";
import * as F from "../../tensor/functions.ts";
import { atEntry, type Operand } from "../../tensor/lift.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { free } from "./free.ts";

/** Mask of left < right. */
export const lt = F.lt;
/** Mask of left ≤ right. */
export const le = F.le;
/** Mask of left > right. */
export const gt = F.gt;
/** Mask of left ≥ right. */
export const ge = F.ge;
/** Mask of left = right. */
export const eq = F.eq;
/** Mask of left ≠ right. */
export const ne = F.ne;
/** Mask of left < right. */
export const less = free("less");
/** Mask of left ≤ right. */
export const lessEqual = free("lessEqual");
/** Mask of left > right. */
export const greater = free("greater");
/** Mask of left ≥ right. */
export const greaterEqual = free("greaterEqual");
/** Mask of left ≠ right. */
export const notEqual = free("notEqual");
/** Both are true. */
export const logicalAnd = F.logicalAnd;
/** One is true. */
export const logicalOr = F.logicalOr;
/** Exactly one is true. */
export const logicalXor = F.logicalXor;
/** And of bits. */
export const bitwiseAnd = F.bitwiseAnd;
/** Or of bits. */
export const bitwiseOr = F.bitwiseOr;
/** Exclusive or of bits. */
export const bitwiseXor = F.bitwiseXor;
/** Not true. */
export const logicalNot = free("logicalNot");
/** Mask of NaN. */
export const isnan = free("isnan");
/** Mask of infinities. */
export const isinf = free("isinf");
/** Mask of finite numbers. */
export const isfinite = free("isfinite");
/** Mask of close pairs. */
export const isclose = free("isclose");
/** Whether all pairs are close; reads them. */
export const allclose = free("allclose");
/** Whether shapes and elements are equal; reads them. */
export const equal = free("equal");
/** Mask of what is among others. */
export const isin = free("isin");
/** Elements of `input` where the condition holds, else of `other`; with the condition alone its positions, which are read. */
export function where(condition: Tensor): Tensor[];
export function where(condition: Tensor, input: Operand, other: Operand): Tensor;
export function where(condition: Tensor, input?: Operand, other?: Operand): Tensor | Tensor[] {
  return atEntry(where, () => {
    if (input === undefined && other === undefined) return nonzeroPositions(condition);
    if (input === undefined || other === undefined)
      throw new ArgumentError("torch.where: give both values, or the condition alone.");
    return F.where(condition, input, other);
  });
}
