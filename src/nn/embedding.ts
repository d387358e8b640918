/** Tables of vectors, and the bilinear form of two vectors. */
import { ArgumentError, ShapeError } from "../errors.ts";
import { formatShape, sameShape } from "../graph/shape.ts";
import {
  arange,
  gather,
  norm,
  ones,
  randomNormal,
  renorm,
  scatterAdd,
  type Tensor,
  where,
  zeros,
} from "../tensor/index.ts";

/** Rows of a table by their numbers; the row `padding` gets no gradient (negative counts from the end). */
export function embed(table: Tensor, indices: Tensor, padding?: number): Tensor {
  const rows = gather(table, indices, 0);
  if (padding === undefined) return rows;
  const [count] = table.shape;
  const position = padding < 0 ? padding + count : padding;
  if (!Number.isInteger(padding) || position < 0 || position >= count) {
    throw new ArgumentError(`embedding: padding index ${padding} is outside a table of ${count} rows.`);
  }
  return where(indices.eq(position).unsqueeze(-1), rows.detach(), rows);
}

/** The table with those of its rows that indices name scaled down to a norm of at most `most`. */
export function renormalizedRows(table: Tensor, indices: Tensor, most: number, p: number): Tensor {
  const flat = indices.reshape([indices.size]);
  const named = scatterAdd(ones([flat.size]), flat, 0, table.shape[0])
    .gt(0)
    .unsqueeze(1);
  return where(named, renorm(table, p, 0, most), table);
}

/** Σᵢⱼ xᵢ·wₖᵢⱼ·yⱼ + bₖ over the last axes of x and y, whose other axes agree. */
export function bilinearForm(owner: string, x: Tensor, y: Tensor, weight: Tensor, bias?: Tensor): Tensor {
  const [outputs, left, right] = weight.shape;
  const outer = x.shape.slice(0, -1);
  if (x.shape[x.rank - 1] !== left || y.shape[y.rank - 1] !== right || !sameShape(outer, y.shape.slice(0, -1))) {
    throw new ShapeError(
      `${owner}: expected inputs of shapes (…, ${left}) and (…, ${right}), received ${formatShape(x.shape)} and ${formatShape(y.shape)}.`,
    );
  }
  const rows = x.reshape([x.size / left, left]);
  const columns = y.reshape([y.size / right, right, 1]);
  // x·w as one product: (rows, left) · (left, outputs·right)
  const partial = rows.matmul(weight.permute([1, 0, 2]).reshape([left, outputs * right]));
  const result = partial
    .reshape([rows.shape[0], outputs, right])
    .matmul(columns)
    .reshape([...outer, outputs]);
  return bias ? result.add(bias) : result;
}

/** A table of standard normal numbers, with one row of zeros if there is one for padding. */
export function normalTable(rows: number, width: number, padding?: number): Tensor {
  const values = randomNormal([rows, width]);
  return padding === undefined ? values : where(arange(rows).eq(padding).unsqueeze(1), zeros([1, 1]), values);
}

/** ‖x − y + ε‖ₚ over the last axis. */
export function pairDistance(x: Tensor, y: Tensor, p: number, epsilon: number, keepDims: boolean): Tensor {
  return norm(x.sub(y).add(epsilon), p, -1, keepDims);
}
