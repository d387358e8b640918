/** Inputs of the table of expressions; tools/goldens/torch_tensor.py makes the same ones under the same names. */
import { hashUniform } from "../../../src/testing/hash-uniform.ts";
import * as torch from "../../../src/torch/index.ts";

const random = (stream: number, shape: readonly number[], low = -1, high = 1): torch.Tensor =>
  torch.tensor(
    hashUniform(
      stream,
      shape.reduce((a, b) => a * b, 1),
      low,
      high,
    ),
    { shape },
  );
const long = { dtype: torch.long };

/** All inputs anew. */
export function inputs() {
  return {
    x: random(1, [3, 4]),
    y: random(2, [3, 4]),
    row: random(3, [4]),
    col: random(4, [3, 1]),
    /** Positive numbers. */
    p: random(5, [3, 4], 0.5, 2),
    b: random(6, [2, 3, 4]),
    m: random(7, [4, 5]),
    s: random(8, []),
    e: torch.zeros(0, 4),
    v: random(9, [3]),
    sq: random(10, [4, 4]),
    bm: random(11, [2, 4, 3]),
    w: random(12, [4]),
    r5: random(13, [2, 1, 3, 1, 2]),
    i: torch.tensor(
      [
        [3, -2, 0, 1],
        [-3, 2, 5, -1],
        [7, -7, 4, 4],
      ],
      long,
    ),
    j: torch.tensor(
      [
        [2, 3, -2, 1],
        [-2, -3, 2, 3],
        [3, 2, -3, 5],
      ],
      long,
    ),
    /** Many equal elements. */
    ties: torch.tensor([
      [1, 3, 2, 3, 1],
      [0, 0, 0, 0, 0],
      [2, 1, 2, 1, 2],
    ]),
    n: torch.tensor([
      [1, torch.nan, 2, -1],
      [torch.inf, 0, -torch.inf, 0.5],
    ]),
    u: torch.tensor([1, 200, 255, 0], { dtype: torch.uint8 }),
    mask: torch.tensor([
      [true, false, true, false],
      [false, false, true, true],
      [true, true, true, false],
    ]),
    rows: torch.tensor([2, 0, 2], long),
    columns: torch.tensor([1, 3, -1], long),
    grid: torch.tensor(
      [
        [0, 2, 1, 0],
        [2, 2, 0, 1],
      ],
      long,
    ),
    k: torch.tensor([3, 1, 3, 0, 1, 3], long),
  };
}
export type Inputs = ReturnType<typeof inputs>;
