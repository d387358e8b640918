import type { KernelBuilder } from "../../../kernel/builder.ts";
import type { IntOperand, IntRegister } from "../../../kernel/ir.ts";
import { asRegister, operand, touchedViews } from "./lowering.ts";
import { matrixAddress, stripStart } from "./matmul-address.ts";
import { unroll } from "./matmul-plan.ts";
import type { TaskState } from "./matmul-tile.ts";

/**
 * Starts to fetch what the epilogue touches of this tile (an activation, the weight that an update overwrites, the lines that the result goes
 * to) while the reduction runs: one row of the tile per iteration. Returns what each iteration does.
 */
export function emitEpiloguePrefetch(
  state: TaskState,
  row: IntRegister,
  column: IntRegister,
  rows: number,
  columns: number,
): (() => void) | undefined {
  const { k, plan, request, address, batch } = state;
  if (plan.blocks > 1 || plan.k < 4 * unroll) return undefined;
  const axis = plan.batch.length;
  const moving = touchedViews(request.epilogue, axis).map((view) => {
    const pointer = k.intMove(matrixAddress(k, address(operand(view.operand)), view, batch, row, column));
    const stride = 4 * view.strides[axis];
    return { pointer, stride, end: k.address(k.at(pointer, rows * stride)) };
  });
  return () => {
    for (const { pointer, stride, end } of moving) {
      for (let line = 0; line < columns; line += 16) k.prefetch(k.at(pointer, 4 * line), 2);
      k.intBinary("min", k.add(pointer, stride), end, pointer);
    }
  };
}

/**
 * Starts to fetch the part of B that this task packs next, spread over the tiles of the current one: rows of the next block where columns are
 * contiguous, the next panel where the reduction is.
 */
export function emitPanelPrefetch(
  state: TaskState,
  first: IntOperand,
  panel: IntRegister,
  columns: number,
  strip: IntRegister,
): (() => void) | undefined {
  const { k, plan, address, batch } = state;
  const { b, width, block, blocks } = plan;
  if (plan.packB === "step" || plan.k < 4 * unroll) return undefined;
  const [bStep, bColumn] = b.strides.slice(-2);
  const base = (row: IntOperand, column: IntOperand): IntRegister =>
    matrixAddress(k, address(operand(b.operand)), b, batch, row, column);
  const local = state.firstStrip === 0 ? strip : k.intBinary("sub", strip, state.firstStrip);
  const iterations = Math.floor(block / unroll);
  if (bColumn === 1 && blocks > 1) {
    // After the last block comes what this thread does next, as a rule: the next task.
    const row = k.add(asRegister(k, first), block);
    const column = k.mul(panel, width);
    k.if(k.compare("ge", row, plan.k), () => {
      k.intConstant(0, row);
      k.add(column, plan.panelsPerTask * width, column);
    });
    const lines = Math.ceil(columns / 16);
    return fetchRowsEvenly(k, { start: base(row, column), rowBytes: 4 * bStep, rows: block, lines }, local, {
      iterations,
      tiles: plan.stripsPerTask,
    });
  }
  if (bStep === 1 && blocks > 1) {
    // A share of the columns per strip, in step with the reduction; after the last block come the columns of the next task.
    const share = Math.ceil(width / plan.stripsPerTask);
    const row = k.add(asRegister(k, first), block);
    const column = k.add(k.mul(panel, width), k.mul(local, share));
    k.if(k.compare("ge", row, plan.k), () => {
      k.intConstant(0, row);
      k.add(column, plan.panelsPerTask * width, column);
    });
    const pointer = base(row, column);
    return () => {
      for (let c = 0; c < share; c++) k.prefetch(k.at(pointer, 4 * c * bColumn), 2);
      k.add(pointer, 4 * unroll, pointer);
    };
  }
  if (bStep === 1 && blocks === 1 && bColumn === plan.k) {
    const lines = Math.ceil((width * plan.k * 4) / 64 / (iterations * plan.stripsPerTask));
    const end = base(0, plan.n);
    const start = k.add(base(0, k.mul(k.add(panel, 1), width)), k.mul(local, iterations * lines * 64));
    const pointer = k.intBinary("min", start, end);
    return () => {
      for (let line = 0; line < lines; line++) k.prefetch(k.at(pointer, 64 * line), 2);
      k.intBinary("min", k.add(pointer, 64 * lines), end, pointer);
    };
  }
  return undefined;
}

/**
 * Fetches what this thread packs next of an A whose strips lie side by side in memory, an equal share before each tile: the strips of the
 * next task. They are short runs far apart, which no hardware expects.
 */
export function fetchStripsOfNextTask(state: TaskState, panel: IntRegister, strip: IntRegister): void {
  const { k, plan, address, batch } = state;
  const { strips, stripsPerTask, panelsPerTask, a, k: length } = plan;
  const step = 4 * a.strides[plan.batch.length + 1];
  const share = Math.ceil(length / (stripsPerTask * panelsPerTask));
  const lines = Math.ceil((stripsPerTask * strips.big) / 16);
  const local = (index: IntRegister, first: IntOperand): IntRegister =>
    first === 0 ? index : k.intBinary("sub", index, first);
  const tile = k.add(k.mul(local(strip, state.firstStrip), panelsPerTask), local(panel, state.firstPanel));
  const first = k.intBinary("min", k.mul(tile, share), Math.max(0, length - share));
  const row = stripStart(k, plan, k.add(asRegister(k, state.firstStrip), stripsPerTask));
  const start = matrixAddress(k, address(operand(a.operand)), a, batch, row, first);
  const fetchRow = (pointer: IntRegister): void => {
    for (let line = 0; line < lines; line++) k.prefetch(k.at(pointer, 64 * line), 2);
  };
  if (share === 1) fetchRow(start);
  else k.loop(start, k.address(k.at(start, share * step)), step, fetchRow);
}

interface FetchedRows {
  readonly start: IntRegister;
  readonly rowBytes: number;
  readonly rows: number;
  /** Lines of each row. */
  readonly lines: number;
}

/**
 * Fetches each line of `rows` once, or a few times where there are more iterations than lines, evenly over all iterations of all tiles: lines that
 * arrive far ahead of their use would be gone again, and many at once wait for each other. `tile` is the number of this tile.
 */
function fetchRowsEvenly(
  k: KernelBuilder,
  { start, rowBytes, rows, lines }: FetchedRows,
  tile: IntRegister,
  { iterations, tiles }: { readonly iterations: number; readonly tiles: number },
): () => void {
  const slots = iterations * tiles;
  const rowsAtOnce = Math.ceil(rows / slots);
  // A row is fetched in so many pieces, a power of two.
  let pieces = (lines & (lines - 1)) === 0 ? lines : 1;
  while (pieces > 1 && rows * pieces > slots) pieces /= 2;
  const linesAtOnce = lines / pieces;
  // The piece that is next, with so many bits of a fraction.
  const fraction = 16;
  const advance = Math.ceil((rows * pieces * 2 ** fraction) / slots / rowsAtOnce);
  const next = k.mul(tile, iterations * advance);
  return () => {
    const row = k.intBinary("shr", next, fraction + Math.log2(pieces));
    let pointer = k.add(start, k.mul(row, rowsAtOnce * rowBytes));
    if (pieces > 1) {
      const piece = k.intBinary("and", k.intBinary("shr", next, fraction), pieces - 1);
      pointer = k.add(pointer, k.mul(piece, 64 * linesAtOnce));
    }
    for (let r = 0; r < rowsAtOnce; r++)
      for (let line = 0; line < linesAtOnce; line++) k.prefetch(k.at(pointer, r * rowBytes + 64 * line));
    k.add(next, advance, next);
  };
}
