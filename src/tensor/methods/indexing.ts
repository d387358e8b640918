/** Methods that choose elements by position. */
import { ShapeError } from "../../errors.ts";
import type { IndexItem } from "../../functions/indexing.ts";
import { formatShape } from "../../graph/shape.ts";
import {
  maskedSelect,
  nonzero,
  nonzeroPositions,
  type UniqueValues,
  uniqueConsecutive,
  uniqueValues,
} from "../dynamic.ts";
import * as F from "../functions.ts";
import { indexTensor } from "../indexing.ts";
import { atEntry, type Operand } from "../lift.ts";
import type { Tensor } from "../tensor.ts";
import { ConversionMethods } from "./conversion.ts";
import type { ValuesAndIndices } from "./reductions.ts";

/**
 * What stands between the brackets of Python's `x[…]`: an integer; a slice as `[start, stop, step]`, as "start:stop:step" or from `slice()`; `null` for a
 * new axis; "..." ; `undefined` or ":" for everything; a tensor of positions; a mask.
 */
export type Index = IndexItem<Tensor>;

/** Keyword arguments of `sort` and `argsort`. */
export interface SortingOptions {
  readonly dim?: number;
  readonly descending?: boolean;
  /** Sorting is always stable. */
  readonly stable?: boolean;
}

/** Keyword arguments of `topk`. */
export interface TopkOptions {
  readonly dim?: number;
  /** False for the smallest. */
  readonly largest?: boolean;
  /** The result is always in order. */
  readonly sorted?: boolean;
}

/** Keyword arguments of `unique`. */
export interface UniqueOptions {
  /** The values are always in order. */
  readonly sorted?: boolean;
  readonly returnInverse?: boolean;
  readonly returnCounts?: boolean;
}

/** Methods that choose elements. */
export abstract class IndexingMethods extends ConversionMethods {
  /**
   * Python's `x[…]`. Masks are read at once, since the number of elements depends on them; everything else stays pending.
   *
   * @example
   * ```ts
   * x.at(0); // x[0]
   * x.at(":", [1, 3]); // x[:, 1:3]
   * x.at("...", -1); // x[..., -1]
   * x.at(tensor(new Int32Array([0, 2])), tensor(new Int32Array([1, 1]))); // x[rows, columns]
   * x.at(x.gt(0)); // x[x > 0]
   * ```
   */
  at(this: Tensor, ...items: readonly Index[]): Tensor {
    return indexTensor(this, items);
  }
  /** Elements from `starts` to `ends` (exclusive; negative counts from the end) by `steps` along each axis. */
  slice(this: Tensor, starts: readonly number[], ends?: readonly number[], steps?: readonly number[]): Tensor {
    return F.slice(this, starts, ends, steps).asView("slice");
  }
  /** Elements at positions of the flattened tensor; with an axis rows along it: y[…, i…, …] = x[…, indices[i…], …]. */
  take(this: Tensor, indices: Tensor, axis?: number): Tensor {
    return axis === undefined ? F.gather(F.reshape(this, [this.size]), indices, 0) : F.gather(this, indices, axis);
  }
  /** PyTorch's gather: y[…, i, …] = x[…, index[…, i, …], …] along one axis. For rows at positions use `take` or `indexSelect`. */
  gather(this: Tensor, dim: number, index: Tensor): Tensor {
    return F.takeAlongAxis(this, index, dim);
  }
  takeAlongDim(this: Tensor, indices: Tensor, dim: number): Tensor {
    return F.takeAlongAxis(this, indices, dim);
  }
  /** Rows along an axis at a vector of positions. */
  indexSelect(this: Tensor, dim: number, index: Tensor): Tensor {
    return atEntry(this.indexSelect, () => {
      if (index.rank > 1)
        throw new ShapeError(`indexSelect: the index must be a vector, received shape ${formatShape(index.shape)}.`);
      return F.gather(this, F.reshape(index, [index.size]), dim);
    });
  }
  /** y = x, then y[…, index[…, i, …], …] = source[…, i, …]; of repeated positions the last holds. */
  scatter(this: Tensor, dim: number, index: Tensor, source: Operand): Tensor {
    return F.scatter(this, dim, index, source);
  }
  /** y = x, then y[…, index[…, i, …], …] += source[…, i, …]. */
  scatterAdd(this: Tensor, dim: number, index: Tensor, source: Tensor): Tensor {
    return F.addScattered(this, dim, index, source);
  }
  /** Rows along an axis increased by others. */
  indexAdd(
    this: Tensor,
    dim: number,
    index: Tensor,
    source: Tensor,
    options: { readonly alpha?: number } = {},
  ): Tensor {
    const rows = options.alpha === undefined ? source : F.mul(source, options.alpha);
    return F.writeRows(this, index, rows, dim, true);
  }
  /** Rows along an axis replaced by others. */
  indexCopy(this: Tensor, dim: number, index: Tensor, source: Tensor): Tensor {
    return F.writeRows(this, index, source, dim);
  }
  /** Rows along an axis filled with a number. */
  indexFill(this: Tensor, dim: number, index: Tensor, value: Operand): Tensor {
    return F.writeRows(this, index, value, dim);
  }
  /** The elements where a mask holds, as a vector; reads the mask. */
  maskedSelect(this: Tensor, mask: Tensor): Tensor {
    return maskedSelect(this, mask);
  }
  /** Coordinates of elements that are not 0, [count, rank], or as one vector for each axis; reads the tensor. */
  nonzero(this: Tensor): Tensor;
  nonzero(this: Tensor, options: { readonly asTuple: true }): Tensor[];
  nonzero(this: Tensor, options: { readonly asTuple?: boolean } = {}): Tensor | Tensor[] {
    return options.asTuple ? nonzeroPositions(this) : nonzero(this);
  }
  argwhere(this: Tensor): Tensor {
    return nonzero(this);
  }

  // ---- order ----
  /** Elements along an axis in order, with their former positions; stable, NaN counts as the largest. */
  sort(this: Tensor, dim: number | SortingOptions = -1, descending?: boolean): ValuesAndIndices {
    const options = sortingOptions(dim, descending);
    return F.sortWithIndex(this, options.dim, options.descending);
  }
  /** The positions that put elements along an axis in order. */
  argsort(this: Tensor, dim: number | SortingOptions = -1, descending?: boolean): Tensor {
    const options = sortingOptions(dim, descending);
    return F.sortWithIndex(this, options.dim, options.descending).indices;
  }
  /** The k largest elements along an axis, in order, with their positions; of equals the first. */
  topk(this: Tensor, k: number, dim: number | TopkOptions = -1, largest = true): ValuesAndIndices {
    const options = typeof dim === "object" ? dim : { dim, largest };
    return F.topK(this, k, { axis: options.dim, largest: options.largest });
  }
  /** The different values in ascending order, if asked for with the place of each element among them and their counts; reads the tensor. */
  unique(this: Tensor): Tensor;
  unique(this: Tensor, options: UniqueOptions): UniqueValues;
  unique(this: Tensor, options?: UniqueOptions): Tensor | UniqueValues {
    const result = uniqueValues(this);
    return options === undefined ? result.values : result;
  }
  /** As `unique`, of runs of equal elements; reads the tensor. */
  uniqueConsecutive(this: Tensor): Tensor;
  uniqueConsecutive(this: Tensor, options: UniqueOptions): UniqueValues;
  uniqueConsecutive(this: Tensor, options?: UniqueOptions): Tensor | UniqueValues {
    const result = uniqueConsecutive(this);
    return options === undefined ? result.values : result;
  }
  /** Whether each element is among others. */
  isin(this: Tensor, others: Tensor): Tensor {
    const flat = F.reshape(others, [others.size]);
    return F.any(F.eq(F.unsqueeze(this, -1), flat), -1);
  }
}

function sortingOptions(dim: number | SortingOptions, descending: boolean | undefined): SortingOptions {
  return typeof dim === "object" ? dim : { dim, descending };
}
