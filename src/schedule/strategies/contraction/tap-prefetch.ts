import type { IntOperand, IntRegister } from "../../../kernel/ir.ts";
import { offsetAddress, operand, touchedViews } from "./lowering.ts";
import { isPixelRun } from "./pointwise.ts";
import { fetchAhead } from "./prefetch.ts";
import type { TapTasks } from "./tap-plan.ts";
import { rowTapBytes, type TaskState } from "./tap-task.ts";
import { balancedStrips, rowLimit } from "./tile.ts";

/**
 * Fetches the panel of weights that follows while this one is used: large weights come from memory, and every panel is needed once. The last
 * panel of a task fetches what this thread needs next if two threads take tasks in turns.
 */
export function nextWeights(
  state: TaskState,
  tasks: TapTasks,
  unitTask: IntOperand,
  panel: IntOperand,
  endPanel: IntRegister,
): (() => void) | undefined {
  const { k, c, address, group } = state;
  const { rows, columns } = c;
  const panels = Math.ceil(c.outputChannels / c.width);
  const strips = isPixelRun(c) ? 1 : balancedStrips(columns.count, rowLimit(c.request.machine, c.width / 16)).count;
  const iterations = tasks.unitsPerTask * strips * rows.taps * Math.floor((columns.taps * c.inputChannels) / 4);
  if (!tasks.weightsOutside || c.images > 1 || typeof panel === "number" || iterations === 0) return undefined;
  const next = k.add(panel, 1);
  if (tasks.unitTasks === 1) k.if(k.compare("eq", next, endPanel), () => k.add(next, tasks.panelsPerTask, next));
  k.intBinary("min", next, panels - 1, next);
  const bytes = rows.taps * rowTapBytes(c);
  // Tasks that use the same panel fetch a share of the next one each.
  const share = 64 * Math.ceil(bytes / tasks.unitTasks / 64);
  const start = offsetAddress(
    k,
    address(c.weights),
    [
      [group, panels * bytes],
      [next, bytes],
      [unitTask, share],
    ],
    4 * c.weightOffset,
  );
  return fetchAhead(k, [{ start, bytes: share, iterations }]);
}

/** Fetches what the epilogue touches of this strip (the activation whose gradient this is, the result's lines): one pixel per iteration. */
export function epilogueRows(
  state: TaskState,
  pixels: number,
  vectors: number,
  position: readonly IntOperand[],
): (() => void) | undefined {
  const { k, c, address } = state;
  const { rows, columns, request } = c;
  if (rows.taps * Math.floor((columns.taps * c.inputChannels) / 4) < pixels) return undefined;
  const moving = touchedViews(request.epilogue, 2).map((view) => {
    const terms = position.map((index, axis) => [index, 4 * view.strides[axis]] as const);
    const pointer = k.intMove(offsetAddress(k, address(operand(view.operand)), terms, 4 * view.offset));
    const step = 4 * columns.step * view.strides[2];
    return { pointer, step, end: k.address(k.at(pointer, pixels * step)) };
  });
  return () => {
    for (const { pointer, step, end } of moving) {
      for (let v = 0; v < vectors; v++) k.prefetch(k.at(pointer, 64 * v), 2);
      k.intBinary("min", k.add(pointer, step), end, pointer);
    }
  };
}

/** Fetches the input rows that the strip below this one reads first, where a row is one run of memory. */
export function nextRow(state: TaskState, pixels: number, x: IntRegister): (() => void) | undefined {
  const { k, c } = state;
  const { rows, columns, input } = c;
  const [, sh, sw, sc] = input.strides.map((stride) => 4 * stride);
  const channels = c.inputChannels * c.groups;
  if (isPixelRun(c) && sw === channels * sc) {
    const iterations = Math.floor(c.inputChannels / 4);
    return fetchAhead(k, [{ start: k.address(k.at(x, pixels * sw)), bytes: pixels * sw, iterations }]);
  }
  if (c.laneWise || sw !== channels * sc || sh !== columns.inputSize * sw) return undefined;
  const iterations = rows.taps * Math.floor((columns.taps * c.inputChannels) / 4);
  if (iterations < 16) return undefined;
  const start = k.address(k.at(x, rows.taps * rows.offsetStep * sh));
  return fetchAhead(k, [{ start, bytes: pixels * columns.inputStep * sw, iterations }]);
}
