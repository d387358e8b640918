import type { Node } from "../../src/graph/node.ts";
import { sizeOf } from "../../src/graph/shape.ts";
import { ops } from "../../src/ops/index.ts";
import { hashUniform } from "../../src/testing/hash-uniform.ts";
import { leafOf } from "../../src/testing/nodes.ts";

/** Reads decisions from a list of numbers, so that fast-check can shrink a graph by shrinking its decisions. */
class Decisions {
  private readonly list: readonly number[];
  private at = 0;
  constructor(list: readonly number[]) {
    this.list = list;
  }
  get done(): boolean {
    return this.at >= this.list.length;
  }
  next(below: number): number {
    return below <= 0 ? 0 : (this.list[this.at++] ?? 0) % below;
  }
  pick<T>(choices: readonly T[]): T {
    return choices[this.next(choices.length)];
  }
}

const extents = [1, 2, 3, 5, 8, 16, 17, 33];
const largest = 1500;

/** A graph of a few ops on a few small leaves, made from a list of numbers; the nodes to compute. */
export function randomGraph(list: readonly number[]): Node[] {
  const d = new Decisions(list);
  const pool: Node[] = [];
  const leaves = 1 + d.next(3);
  for (let index = 0; index < leaves; index++) {
    const rank = d.next(4);
    const shape: number[] = [];
    for (let axis = 0; axis < rank; axis++) {
      const extent = d.pick(extents);
      if (sizeOf(shape) * extent <= largest) shape.push(extent);
    }
    pool.push(leafOf(shape, "f32", hashUniform(index + 1, sizeOf(shape), -2, 2)));
  }
  while (!d.done && pool.length < 16) {
    const made = grow(d, pool);
    if (made && sizeOf(made.shape) <= largest) pool.push(made);
  }
  const outputs = new Set<Node>([pool[pool.length - 1]]);
  for (let index = d.next(3); index > 0; index--) outputs.add(pool[d.next(pool.length)]);
  return [...outputs];
}

function grow(d: Decisions, pool: readonly Node[]): Node | undefined {
  const x = pool[pool.length - 1 - d.next(Math.min(4, pool.length))];
  const rank = x.shape.length;
  const number = x.dtype === "f32";
  const axis = d.next(rank);
  switch (d.next(16)) {
    case 0:
      return number ? d.pick([ops.neg, ops.abs, ops.relu, ops.tanh, ops.sigmoid, ops.floor])(x) : ops.cast(x, "f32");
    case 1:
    case 2: {
      const y = pool.find((other) => other !== x && other.dtype === x.dtype && broadcasts(x, other)) ?? x;
      return d.pick([ops.add, ops.sub, ops.mul, ops.maximum])(x, y);
    }
    case 3:
      return rank > 1 ? ops.permute(x, rotate(rank, 1 + d.next(rank - 1))) : undefined;
    case 4:
      return ops.reshape(x, d.pick([[sizeOf(x.shape)], [1, ...x.shape], [...x.shape, 1], merged(x.shape)]));
    case 5:
      return rank > 0 ? ops.flip(x, [axis]) : undefined;
    case 6: {
      if (rank === 0 || x.shape[axis] < 2) return undefined;
      const ranges = x.shape.map((_, at) => (at === axis ? { start: 1, step: 1 + d.next(2) } : undefined));
      return ops.slice(x, ranges);
    }
    case 7: {
      if (rank === 0) return undefined;
      const padding = x.shape.map((_, at): [number, number] => (at === axis ? [d.next(3), d.next(3)] : [0, 0]));
      return ops.pad(x, padding, d.pick([0, 0, -1]));
    }
    case 8:
      return rank > 0 ? ops.concat([x, d.pick(pool.filter((other) => joins(x, other, axis)))], axis) : undefined;
    case 9:
      return ops.expand(x, [2, ...x.shape]);
    case 10:
      return rank > 0 && number ? ops.sum(x, [axis], d.next(2) === 1) : undefined;
    case 11:
      return rank > 0 && number ? d.pick([ops.amax, ops.amin])(x, [axis], d.next(2) === 1) : undefined;
    case 12:
      return rank > 0 && number ? ops.argmax(x, axis) : undefined;
    case 13: {
      // A softmax along the last axis.
      if (rank === 0 || !number) return undefined;
      const shifted = ops.exp(ops.sub(ops.tanh(x), ops.amax(ops.tanh(x), [rank - 1], true)));
      return ops.div(shifted, ops.sum(shifted, [rank - 1], true));
    }
    case 14: {
      if (rank < 2 || !number) return undefined;
      return ops.matmul(x, ops.permute(x, [...Array(rank - 2).keys(), rank - 1, rank - 2]));
    }
    default:
      return number ? ops.where(ops.gt(x, ops.constant(0, x.shape)), x, ops.mul(x, x)) : undefined;
  }
}

const broadcasts = (x: Node, y: Node): boolean =>
  y.shape.length <= x.shape.length &&
  y.shape.every((extent, index) => {
    const other = x.shape[x.shape.length - y.shape.length + index];
    return extent === 1 || other === 1 || extent === other;
  });
const joins = (x: Node, y: Node, axis: number): boolean =>
  x.dtype === y.dtype &&
  x.shape.length === y.shape.length &&
  x.shape.every((extent, at) => at === axis || extent === y.shape[at]);
const rotate = (rank: number, by: number): number[] => Array.from({ length: rank }, (_, axis) => (axis + by) % rank);
const merged = (shape: readonly number[]): number[] =>
  shape.length < 2 ? [...shape] : [shape[0] * shape[1], ...shape.slice(2)];
