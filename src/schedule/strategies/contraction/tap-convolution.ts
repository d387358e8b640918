import type { KernelBuilder } from "../../../kernel/builder.ts";
import type { IntOperand, IntRegister } from "../../../kernel/ir.ts";
import type { StrategyRequest } from "../../strategy.ts";
import { allInside, type ConvolutionAxis } from "./convolution-axis.ts";
import { epilogueArguments, type LoweringBuilder, operand, splitTask } from "./lowering.ts";
import { isPixelRun } from "./pointwise.ts";
import { emitPooling, type WaitingRows, waitingBytes, withWaitingAddress, withWaitingStore } from "./pooled-rows.ts";
import { planTapTasks, type TapTasks } from "./tap-plan.ts";
import { nextWeights } from "./tap-prefetch.ts";
import { emitStrip } from "./tap-strip.ts";
import { channelOf, pixelStrips, rowTapBytes, type TapConvolution, type TaskState } from "./tap-task.ts";
import { balancedStrips, chooseTile, rowLimit, stripAt } from "./tile.ts";

/** The panel width of a convolution's packed weights: the register tile's. */
export function panelWidth(request: StrategyRequest, columns: ConvolutionAxis, outputChannels: number): number {
  return 16 * chooseTile(request.machine, columns.count, Math.ceil(outputChannels / 16)).vectors;
}

/** Units of work: rows of an image, or the strips of a single row in which every output reads one input. */
const unitsOf = (c: TapConvolution): number => (isPixelRun(c) ? pixelStrips(c).count : c.rows.count);

function planTasks(c: TapConvolution): TapTasks {
  const { rows, columns, request } = c;
  const units = unitsOf(c);
  const panels = Math.ceil(c.outputChannels / c.width);
  const flops = 2 * rows.count * columns.count * rows.taps * columns.taps * c.inputChannels * c.outputChannels;
  const read = (axis: ConvolutionAxis): number => axis.count * Math.min(axis.inputStep, axis.taps);
  return planTapTasks({
    machine: request.machine,
    outer: c.images * c.groups,
    units,
    panels,
    unitFlops: flops / units,
    unitBytes: (4 * read(rows) * read(columns) * c.inputChannels) / units,
    weightBytes: panels * rows.taps * rowTapBytes(c),
    // Windows that are pooled belong to one task.
    together: request.pooling?.window[0] ?? 1,
  });
}

/** Emits the convolution as one step. */
export function emitTapConvolution(lowering: LoweringBuilder, c: TapConvolution): void {
  const { rows, columns, request } = c;
  if (rows.count === 0 || columns.count === 0) return;
  const panels = Math.ceil(c.outputChannels / c.width);
  const tasks = planTasks(c);
  const { unitTasks, panelTasks } = tasks;
  const pixels = c.images * c.groups * rows.count * columns.count;
  const work = {
    tasks: c.images * c.groups * unitTasks * panelTasks,
    flops: 2 * pixels * rows.taps * columns.taps * c.inputChannels * c.outputChannels,
    bytes:
      4 *
      c.images *
      c.groups *
      (rows.inputSize * columns.inputSize * c.inputChannels + rows.count * columns.count * c.outputChannels),
  };
  const { pooling } = request;
  const pooled = pooling ? [...pooling.largest, ...pooling.taps].map((view) => operand(view.operand)) : [];
  const sources = [c.input.argument, c.weights, ...epilogueArguments(request), ...pooled];
  lowering.step(c.name, sources, work, (k, address) => {
    const [image, group, unitTask, panelTask] = splitTasks(k, c, tasks);
    const state: TaskState = { k, c, address, image, group, request, weightsAhead: undefined };
    const waiting: WaitingRows | undefined = pooling && {
      pooling,
      scratch: k.scratch(waitingBytes(pooling, columns.count, c.width)),
      columns: columns.count,
      width: c.width,
    };
    const [firstUnit, endUnit] = rangeOf(k, unitTask, tasks.unitsPerTask, unitsOf(c));
    const [firstPanel, endPanel] = rangeOf(k, panelTask, tasks.panelsPerTask, panels);
    const whole = Math.floor(c.outputChannels / c.width);
    const panelUnits = (panel: IntOperand, outputs: number): void => {
      const weightsAhead = nextWeights(state, tasks, unitTask, panel, endPanel);
      const inner = { ...state, weightsAhead };
      if (waiting) emitPooledRows(inner, waiting, panel, outputs, firstUnit, endUnit);
      else if (isPixelRun(c)) k.loop(firstUnit, endUnit, 1, (strip) => emitPixelStrip(inner, panel, outputs, strip));
      else k.loop(firstUnit, endUnit, 1, (row) => emitRow(inner, panel, outputs, row));
    };
    if (panels === 1) {
      panelUnits(0, c.outputChannels);
      return;
    }
    const endWhole = panels === whole ? endPanel : k.intBinary("min", endPanel, whole);
    k.loop(firstPanel, endWhole, 1, (panel) => panelUnits(panel, c.width));
    if (panels === whole) return;
    const last = (): void => panelUnits(whole, c.outputChannels - whole * c.width);
    if (panelTasks === 1) last();
    else k.if(k.compare("eq", endPanel, panels), last);
  });
}

/** The parts of a task's number; those that change fastest share what is dear to fetch. */
function splitTasks(k: KernelBuilder, c: TapConvolution, tasks: TapTasks): IntOperand[] {
  const { unitTasks, panelTasks } = tasks;
  if (!tasks.weightsOutside) return splitTask(k, k.task(), [c.images, c.groups, unitTasks, panelTasks]);
  const [group, panelTask, image, unitTask] = splitTask(k, k.task(), [c.groups, panelTasks, c.images, unitTasks]);
  return [image, group, unitTask, panelTask];
}

/** First and end of a task's share of `total`. */
function rangeOf(k: KernelBuilder, task: IntOperand, share: number, total: number): [IntRegister, IntRegister] {
  if (typeof task === "number") return [k.intConstant(0), k.intConstant(total)];
  const first = k.mul(task, share);
  const end = k.add(first, share);
  return [first, total % share === 0 ? end : k.intBinary("min", end, total)];
}

/** Rows of outputs whose result is pooled, a row of windows at a time. */
function emitPooledRows(
  state: TaskState,
  waiting: WaitingRows,
  panel: IntOperand,
  outputs: number,
  firstRow: IntRegister,
  endRow: IntRegister,
): void {
  const { k, c, image } = state;
  const height = waiting.pooling.window[0];
  const first = channelOf(k, 0, c.outputChannels, panel, c.width);
  const request = withWaitingStore(state.request, waiting);
  k.loop(firstRow, endRow, height, (top) => {
    k.loop(0, height, 1, (inWindow) => {
      const address = withWaitingAddress(k, state.address, waiting, inWindow, first);
      emitRow({ ...state, request, address }, panel, outputs, k.add(top, inWindow));
    });
    const pooledRow = k.intBinary("div", top, height);
    emitPooling(k, state.address, waiting, { image, pooledRow, first }, outputs);
  });
}

/** One strip of a run of pixels. */
function emitPixelStrip(state: TaskState, panel: IntOperand, outputs: number, strip: IntRegister): void {
  const { k } = state;
  const strips = pixelStrips(state.c);
  const pixels = (size: number, before: number) => (): void =>
    emitStrip(state, panel, outputs, 0, offsetOf(k, strip, size, before), size);
  const big = pixels(strips.big, 0);
  if (strips.bigCount === strips.count) big();
  else k.if(k.compare("lt", strip, strips.bigCount), big, pixels(strips.big - 1, strips.bigCount));
}

const offsetOf = (k: KernelBuilder, index: IntRegister, size: number, before: number): IntRegister =>
  before === 0 ? k.mul(index, size) : k.add(k.mul(index, size), before);

/** One row of outputs for one panel: strips of pixels, those whose taps all lie inside in loops, the edges each in its own code. */
function emitRow(state: TaskState, panel: IntOperand, outputs: number, row: IntRegister): void {
  const { k, c } = state;
  const { columns } = c;
  const strips = balancedStrips(columns.count, rowLimit(c.request.machine, Math.ceil(outputs / 16)));
  let index = 0;
  while (index < strips.count) {
    const { start, size } = stripAt(strips, index);
    let run = 1;
    if (allInside(columns, start, size)) {
      for (let next = index + 1; next < strips.count; next++) {
        const other = stripAt(strips, next);
        if (other.size !== size || !allInside(columns, other.start, size)) break;
        run++;
      }
    }
    if (run === 1) emitStrip(state, panel, outputs, row, start, size);
    else k.loop(start, start + run * size, size, (first) => emitStrip(state, panel, outputs, row, first, size));
    index += run;
  }
}
