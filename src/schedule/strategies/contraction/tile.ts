import type { MachineDescription } from "../../../kernel/ir.ts";

/** A register tile: `rows` broadcast values times `vectors` vectors of 16 lanes. */
export interface TileShape {
  readonly rows: number;
  readonly vectors: number;
}

/** A length cut into `count` strips whose sizes differ by at most one: the first `bigCount` hold `big`, the others `big - 1`. */
export interface Strips {
  readonly count: number;
  readonly big: number;
  readonly bigCount: number;
}

/**
 * Cuts `total` into as few strips of at most `limit` as possible, evenly, so that no strip is a slow leftover. A size a little under the limit
 * is taken where it leaves no remainder, for then one tile does for all.
 */
export function balancedStrips(total: number, limit: number): Strips {
  for (let size = Math.min(limit, total); size > 0.75 * limit; size--)
    if (total % size === 0) return { count: total / size, big: size, bigCount: total / size };
  const count = Math.max(1, Math.ceil(total / limit));
  const big = Math.ceil(total / count);
  return { count, big, bigCount: total - count * (big - 1) };
}

/** First element and size of strip `index`. */
export function stripAt(strips: Strips, index: number): { readonly start: number; readonly size: number } {
  const small = Math.max(0, index - strips.bigCount);
  return { start: index * strips.big - small, size: index < strips.bigCount ? strips.big : strips.big - 1 };
}

/** Most rows of a tile of `vectors` vectors: accumulators, one row of vectors and one broadcast fit the registers. */
export function rowLimit(machine: MachineDescription, vectors: number): number {
  const spare = machine.vectorRegisters >= 32 ? 1 : 0;
  return Math.max(1, Math.floor((machine.vectorRegisters - 1 - spare - vectors) / vectors));
}

/** What a product loses per step to matrices that no near cache holds, in cycles. */
export interface StreamCosts {
  /** The first strip of each column of tiles, for a row of vectors: it arrives almost as fast whether it is two lines long or four. */
  readonly wait: number;
  /** Every broadcast value: the strips come from the last-level cache once for each column of tiles. */
  readonly broadcast: number;
}

/**
 * The tile that covers a `rows` x `vectors` result in the fewest cycles, by the three limits of one reduction step: two fused multiply-adds
 * and two loads a cycle, and a latency of four cycles. Which tile is taken never changes a result: every output is one chain.
 *
 * `stream` is what else is lost where the vectors are rows of a large matrix, read as they lie.
 */
export function chooseTile(
  machine: MachineDescription,
  rows: number,
  vectors: number,
  stream: StreamCosts = { wait: 0, broadcast: 0 },
): TileShape {
  const half = machine.vectorRegisters < 32 ? 2 : 1;
  const cycles = (r: number, v: number): number =>
    Math.max((r * v * half) / 2, (r + v * half) / 2, 4) + 0.05 * v + stream.broadcast * r;
  let best: TileShape = { rows: 1, vectors: 1 };
  let bestCost = Number.POSITIVE_INFINITY;
  for (const v of [2, 1, 3, 4]) {
    const limit = rowLimit(machine, v);
    if (v > Math.max(1, vectors) || (v > 1 && limit < 2)) continue;
    const strips = balancedStrips(rows, limit);
    const column = (width: number): number =>
      strips.bigCount * cycles(strips.big, width) +
      (strips.count - strips.bigCount) * cycles(strips.big - 1, width) +
      stream.wait;
    const tail = vectors % v;
    const cost = Math.floor(vectors / v) * column(v) + (tail ? column(tail) : 0);
    if (cost < bestCost) {
      bestCost = cost;
      best = { rows: strips.big, vectors: v };
    }
  }
  return best;
}
