import type { MachineDescription } from "../../../kernel/ir.ts";
import type { OperandView } from "../../strategy.ts";
import { balancedStrips, chooseTile, rowLimit, type Strips } from "./tile.ts";

/** Where a matrix is read from: as it lies, packed by each task into its scratch, or packed once by a step of its own. */
export type Packing = "direct" | "task" | "step";

/** C[batch, m, n] = A[batch, m, k] · B[batch, k, n]; strides of views are [batch…, m, k] and [batch…, k, n]. */
export interface MatmulProblem {
  readonly batch: readonly number[];
  readonly m: number;
  readonly n: number;
  readonly k: number;
  readonly a: OperandView;
  readonly b: OperandView;
}

/** Every decision of a matrix product; none of them changes the arithmetic of an output. */
export interface MatmulPlan extends MatmulProblem {
  readonly batches: number;
  readonly strips: Strips;
  readonly vectors: number;
  /** Columns of a full panel, number of panels, columns of the last. */
  readonly width: number;
  readonly panels: number;
  readonly lastColumns: number;
  readonly packA: Packing;
  readonly packB: Packing;
  /** A packed by a step of its own keeps the rows' runs (`packStripsInTurn`). */
  readonly packedAsRows: boolean;
  /** Reduction steps between two visits to the accumulators. */
  readonly block: number;
  readonly blocks: number;
  readonly stripsPerTask: number;
  readonly panelsPerTask: number;
  /** Strips are the outer loop of a task, panels the inner. */
  readonly stripsOutside: boolean;
}

/** Reduction steps per iteration of the inner loop. */
export const unroll = 4;

const smallBytes = 16 * 1024;

/** Where B is read once, as it lies, while A passes through for every panel; see `chooseTile`. */
const streamCosts = { wait: 4, broadcast: 0.05 };

/**
 * Most steps of a block where B is read as it lies. Its rows are often a power of two apart, so that those of a panel share few sets of the second-level
 * cache, which must hold this block and the next; where few strips follow the one that packs, shorter blocks leave more room to its neighbours.
 */
const streamedSteps = { few: 80, many: 144 };
const fewStrips = 32;

/** Rows this far apart compete for the same few cache lines. */
function aliases(strideElements: number): boolean {
  const remainder = (Math.abs(strideElements) * 4) % 4096;
  return strideElements !== 0 && (remainder < 64 || remainder > 4032);
}

/** The greatest power of two up to `limit` that divides `value`. */
function greatestPowerOfTwo(value: number, limit: number): number {
  return Math.min(limit, value & -value);
}

/** Decides tile, packing, blocking and tasks from the shape. */
export function planMatmul(problem: MatmulProblem, machine: MachineDescription): MatmulPlan {
  const { m, n, k, batch } = problem;
  const [aRow, aStep] = problem.a.strides.slice(-2);
  const [bStep, bColumn] = problem.b.strides.slice(-2);
  const batches = batch.reduce((product, extent) => product * extent, 1);
  const streamsRows = n >= m && m > rowLimit(machine, 2) && bColumn === 1 && 4 * k * n > machine.l2Bytes;
  const tile = chooseTile(
    machine,
    m,
    Math.ceil(n / 16),
    streamsRows && machine.vectorRegisters >= 32 ? streamCosts : undefined,
  );
  const strips = balancedStrips(m, tile.rows);
  const width = tile.vectors * 16;
  const panels = Math.ceil(n / width);

  const taskFlops = 4e6;
  const stripFlops = 2 * strips.big * k * width;
  let stripsPerTask = strips.count;
  let panelsPerTask = panels;
  const tasks = (): number => batches * Math.ceil(strips.count / stripsPerTask) * Math.ceil(panels / panelsPerTask);
  const limit = (limitM: number, limitN: number): void => {
    stripsPerTask = Math.min(strips.count, Math.max(1, limitM));
    panelsPerTask = Math.min(panels, Math.max(1, limitN));
  };
  // The larger matrix is cut into tasks and passes through once; the smaller is shared by all of them.
  if (n >= m) {
    // Only within a task is it known which panel comes next; transposed ones are fetched whole, and the first of a task is missed.
    // Streamed rows are packed on the way, by the first of many strips, and run over whole lines.
    if (streamsRows) limit(Math.ceil(512 / strips.big), Math.max(1, Math.floor(64 / width)));
    else limit(Math.ceil(256 / strips.big), bStep === 1 ? 8 : 4);
    // Small tasks end together; but every task reads all of A, which must not fall out of the last-level cache.
    const enough = 4 * m * k > 8 * 1024 * 1024 ? 16 : 24;
    while (panelsPerTask > 1 && tasks() < enough) panelsPerTask = Math.ceil(panelsPerTask / 2);
    while (stripsPerTask > 1 && tasks() < 8 && stripsPerTask * stripFlops > taskFlops / 8)
      stripsPerTask = Math.ceil(stripsPerTask / 2);
  } else {
    limit(8, Math.ceil(1024 / width));
    // Strips that lie side by side in memory are packed together, a run of whole lines at a time.
    const fewest = aRow === 1 ? 16 / greatestPowerOfTwo(strips.big, 16) : 1;
    while (
      stripsPerTask > 1 &&
      (tasks() < 32 || (stripsPerTask > fewest && stripsPerTask * panelsPerTask * stripFlops > 4 * taskFlops))
    )
      stripsPerTask = Math.ceil(stripsPerTask / 2);
    while (panelsPerTask > 1 && tasks() < 8 && panelsPerTask * stripFlops > taskFlops / 8)
      panelsPerTask = Math.ceil(panelsPerTask / 2);
  }

  // A panel of B and two strips of A (this one and the next) share the first-level cache.
  const firstLevelSteps = 16 * Math.max(4, Math.floor((0.95 * machine.l1Bytes) / (16 * 4 * (width + 2 * strips.big))));
  const streamed = streamedSteps[strips.count < fewStrips ? "few" : "many"];
  const blockLimit = streamsRows
    ? Math.min(firstLevelSteps, streamed)
    : k * width <= (bStep === 1 ? 32 : 16) * 1024
      ? k
      : firstLevelSteps;
  const blocks = Math.max(1, Math.ceil(k / Math.max(1, blockLimit)));
  const evenBlock = blocks === 1 ? k : Math.ceil(Math.ceil(k / blocks) / 16) * 16;

  const smallA = panels === 1 || 4 * m * k <= smallBytes;
  const packA: Packing =
    strips.count * strips.big <= 4 || (smallA && !(aliases(aRow) && strips.big > 8) && !(aliases(aStep) && k > 8))
      ? "direct"
      : panelsPerTask === panels
        ? "task"
        : "step";
  // An odd number of lines in a row of a block, and the rows of a strip lie in different cache sets.
  const packedAsRows = packA === "step" && blocks > 1 && aStep === 1 && aRow !== 1 && k % 16 === 0;
  const block = packedAsRows && evenBlock % 32 === 0 && evenBlock > 32 ? evenBlock - 16 : evenBlock;

  const smallB = 4 * k * n <= smallBytes || (strips.count <= 2 && 4 * Math.min(k, block) * 64 <= smallBytes);
  const packB: Packing =
    bColumn === 1 && (strips.count === 1 || (smallB && !aliases(bStep)))
      ? "direct"
      : strips.count <= 2 * stripsPerTask || k * n * 4 <= smallBytes
        ? "task"
        : "step";
  return {
    ...problem,
    batches,
    strips,
    vectors: tile.vectors,
    width,
    panels,
    lastColumns: n - (panels - 1) * width,
    packA,
    packB,
    packedAsRows,
    block,
    blocks: block === 0 ? 1 : Math.ceil(k / block),
    stripsPerTask,
    panelsPerTask,
    stripsOutside: n < m,
  };
}
