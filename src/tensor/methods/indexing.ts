/** Methods that choose elements by position. */
import * as F from "../functions.ts";
import type { Tensor } from "../tensor.ts";
import { ShapeMethods } from "./shape.ts";

/** Methods that choose elements. */
export abstract class IndexingMethods extends ShapeMethods {
  /** Elements from `starts` to `ends` (exclusive; negative counts from the end) by `steps` along each axis. */
  slice(this: Tensor, starts: readonly number[], ends?: readonly number[], steps?: readonly number[]): Tensor {
    return F.slice(this, starts, ends, steps);
  }
  /** Rows along `axis` at positions `indices`. */
  gather(this: Tensor, indices: Tensor, axis = 0): Tensor {
    return F.gather(this, indices, axis);
  }
}
