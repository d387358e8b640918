/** `x.at(…)` and its assignment: masks are read here and become index tensors. */
import * as functions from "../functions/index.ts";
import type { IndexItem } from "../functions/indexing.ts";
import type { Node } from "../graph/node.ts";
import type { SliceRange } from "../ops/slice-range.ts";
import { withoutMasks } from "./dynamic.ts";
import { isTensor } from "./handle.ts";
import { atEntry, type Operand, operandNode, wrap } from "./lift.ts";
import type { Tensor } from "./tensor.ts";

type Index = IndexItem<Tensor>;

/** A slice by Python's arguments: `slice(stop)` or `slice(start, stop, step)`; null stands for None. */
export function sliceOf(startOrStop: number | null, stop?: number | null, step?: number | null): SliceRange {
  if (stop === undefined && step === undefined) return { stop: startOrStop ?? undefined };
  return { start: startOrStop ?? undefined, stop: stop ?? undefined, step: step ?? undefined };
}

function nodesOf(x: Tensor, items: readonly Index[]): IndexItem<Node>[] {
  return withoutMasks<Index>(x.shape, items).map((item) => (isTensor(item) ? item.node : item) as IndexItem<Node>);
}

/** Python's `x[items]`. */
export function indexTensor(x: Tensor, items: readonly Index[]): Tensor {
  return atEntry(indexTensor, () => {
    const result = wrap(functions.indexed(x.node, nodesOf(x, items)));
    return items.some(isTensor) ? result : result.asView("at");
  });
}

/** A copy of x with `x[items] = value`, or `+=` with `accumulate`. A mask of the whole tensor with a number is not read. */
export function withValueAt(x: Tensor, items: readonly Index[], value: Operand, accumulate = false): Tensor {
  return atEntry(withValueAt, () => {
    const given = operandNode(value, x.dtype);
    const [mask] = items;
    if (items.length === 1 && isTensor(mask) && mask.dtype === "bool" && given.shape.length === 0 && !accumulate) {
      const lead = x.rank - mask.rank;
      if (lead >= 0) {
        const shape = [...mask.shape, ...new Array<number>(lead).fill(1)];
        return wrap(functions.maskedFill(x.node, mask.reshape(shape).node, given));
      }
    }
    return wrap(functions.withIndexed(x.node, nodesOf(x, items), given, accumulate));
  });
}
