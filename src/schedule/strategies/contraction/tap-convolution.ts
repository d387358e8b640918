import type { KernelBuilder } from "../../../kernel/builder.ts";
import type { IntOperand, IntRegister } from "../../../kernel/ir.ts";
import type { StepArgument, StrategyRequest } from "../../strategy.ts";
import { allInside, type ConvolutionAxis, tapInside } from "./convolution-axis.ts";
import {
  type AddressOf,
  asRegister,
  epilogueArguments,
  finishTile,
  type LoweringBuilder,
  offsetAddress,
  operand,
  splitTask,
  touchedViews,
} from "./lowering.ts";
import type { ImageSource } from "./materialize.ts";
import { emitPooling, type WaitingRows, waitingBytes, withWaitingAddress, withWaitingStore } from "./pooled-rows.ts";
import { fetchAhead } from "./prefetch.ts";
import { emitReduction, type TileRow, zeroAccumulators } from "./reduction.ts";
import { balancedStrips, chooseTile, rowLimit, stripAt } from "./tile.ts";

/**
 * A direct convolution along `rows` and `columns`: each output is one fma chain over (row tap, column tap, channel). Pixels of a row times
 * vectors of output channels form the register tile; inputs are broadcast from where they lie, and taps outside the input are left out.
 */
export interface TapConvolution {
  readonly name: string;
  readonly request: StrategyRequest;
  readonly input: ImageSource;
  readonly images: number;
  readonly groups: number;
  /** Reduced channels and produced channels of one group. */
  readonly inputChannels: number;
  readonly outputChannels: number;
  readonly rows: ConvolutionAxis;
  readonly columns: ConvolutionAxis;
  /** Lanes of input and output are the same channels (depthwise); then `groups` and `inputChannels` are 1. */
  readonly laneWise: boolean;
  /** Packed as [group][panel][row tap][column tap][channel][width]. */
  readonly weights: StepArgument;
  readonly weightOffset: number;
  readonly width: number;
}

/** Bytes of one (panel, row tap) of packed weights. */
export const rowTapBytes = (c: TapConvolution): number => c.columns.taps * c.inputChannels * c.width * 4;

/** The panel width of a convolution's packed weights: the register tile's. */
export function panelWidth(request: StrategyRequest, columns: ConvolutionAxis, outputChannels: number): number {
  return 16 * chooseTile(request.machine, columns.count, Math.ceil(outputChannels / 16)).vectors;
}

interface TaskState {
  readonly k: KernelBuilder;
  readonly c: TapConvolution;
  readonly address: AddressOf;
  readonly image: IntOperand;
  readonly group: IntOperand;
  /** What the epilogue of a tile writes, and where: more than the request says where rows wait to be pooled. */
  readonly request: StrategyRequest;
}

/** Emits the convolution as one step. */
export function emitTapConvolution(lowering: LoweringBuilder, c: TapConvolution): void {
  const { rows, columns, request } = c;
  if (rows.count === 0 || columns.count === 0) return;
  const panels = Math.ceil(c.outputChannels / c.width);
  const rowFlops = 2 * columns.count * rows.taps * columns.taps * c.inputChannels * c.outputChannels;
  let rowsPerTask = Math.min(rows.count, Math.max(1, Math.round(4e6 / Math.max(rowFlops, 1))));
  if (c.images * c.groups >= 64) rowsPerTask = Math.min(rows.count, 4 * rowsPerTask);
  while (rowsPerTask > 1 && c.images * c.groups * Math.ceil(rows.count / rowsPerTask) < 16)
    rowsPerTask = Math.ceil(rowsPerTask / 2);
  let rowTasks = Math.ceil(rows.count / rowsPerTask);
  // Windows that are pooled belong to one task.
  const together = request.pooling?.window[0] ?? 1;
  rowsPerTask = together * Math.ceil(rows.count / rowTasks / together);
  rowTasks = Math.ceil(rows.count / rowsPerTask);
  const work = {
    tasks: c.images * c.groups * rowTasks,
    flops: c.images * c.groups * rows.count * rowFlops,
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
    const [image, group, block] = splitTask(k, k.task(), [c.images, c.groups, rowTasks]);
    const state: TaskState = { k, c, address, image, group, request };
    const waiting: WaitingRows | undefined = pooling && {
      pooling,
      scratch: k.scratch(waitingBytes(pooling, columns.count, c.width)),
      columns: columns.count,
      width: c.width,
    };
    const firstRow = asRegister(k, typeof block === "number" ? 0 : k.mul(block, rowsPerTask));
    const endRow =
      rows.count % rowsPerTask === 0
        ? k.add(firstRow, rowsPerTask)
        : k.intBinary("min", k.add(firstRow, rowsPerTask), rows.count);
    const whole = Math.floor(c.outputChannels / c.width);
    const panelRows = (panel: IntOperand, outputs: number): void => {
      if (waiting) emitPooledRows(state, waiting, panel, outputs, firstRow, endRow);
      else k.loop(firstRow, endRow, 1, (row) => emitRow(state, panel, outputs, row));
    };
    if (whole > 1) k.loop(0, whole, 1, (panel) => panelRows(panel, c.width));
    else if (whole === 1) panelRows(0, c.width);
    if (panels > whole) panelRows(whole, c.outputChannels - whole * c.width);
  });
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

function emitStrip(
  state: TaskState,
  panel: IntOperand,
  outputs: number,
  row: IntRegister,
  first: IntOperand,
  pixels: number,
): void {
  const { k, c, address, image, group } = state;
  const { rows, columns, input, width } = c;
  const vectors = Math.ceil(outputs / 16);
  const lastLanes = outputs - 16 * (vectors - 1);
  const accumulators = zeroAccumulators(k, pixels, vectors);
  const outputRow = rows.step === 1 && rows.start === 0 ? row : k.add(k.mul(row, rows.step), rows.start);
  const outputColumn =
    typeof first === "number"
      ? columns.start + columns.step * first
      : columns.step === 1 && columns.start === 0
        ? first
        : k.add(k.mul(first, columns.step), columns.start);
  const channel = channelOf(k, group, c.outputChannels, panel, width);
  const position = [image, outputRow, outputColumn, channel];
  if (rows.taps > 0 && columns.taps > 0) {
    const [sn, sh, sw, sc] = input.strides.map((stride) => 4 * stride);
    const x = offsetAddress(
      k,
      address(input.argument),
      [
        [image, sn],
        [group, c.inputChannels * sc],
        [row, rows.inputStep * sh],
        [first, columns.inputStep * sw],
        ...(c.laneWise ? [[panel, 4 * width] as const] : []),
      ],
      4 * input.offset + rows.offset * sh + columns.offset * sw,
    );
    const panels = Math.ceil(c.outputChannels / width);
    const w = offsetAddress(
      k,
      address(c.weights),
      [
        [group, panels * rows.taps * rowTapBytes(c)],
        [panel, rows.taps * rowTapBytes(c)],
      ],
      4 * c.weightOffset,
    );
    const ahead = [nextRow(state, pixels, x), epilogueRows(state, pixels, vectors, position)];
    emitTaps(state, accumulators, first, lastLanes, row, k.intMove(x), k.intMove(w), () => {
      for (const fetch of ahead) fetch?.();
    });
  }
  finishTile(
    k,
    state.request,
    address,
    { outer: position.slice(0, 3), last: channel },
    accumulators,
    (pixel) => [0, 0, columns.step * pixel],
    lastLanes,
  );
}

/** First output channel of a panel. */
function channelOf(
  k: KernelBuilder,
  group: IntOperand,
  channels: number,
  panel: IntOperand,
  width: number,
): IntOperand {
  if (typeof group === "number" && typeof panel === "number") return group * channels + panel * width;
  if (typeof group === "number")
    return group === 0
      ? k.mul(panel as IntRegister, width)
      : k.add(k.mul(panel as IntRegister, width), group * channels);
  const base = k.mul(group, channels);
  return typeof panel === "number" ? k.add(base, panel * width) : k.add(base, k.mul(panel, width));
}

/** All taps of a strip: row taps in a loop (or unrolled where there are few), those above or below the input skipped. */
function emitTaps(
  state: TaskState,
  accumulators: ReturnType<typeof zeroAccumulators>,
  first: IntOperand,
  lastLanes: number,
  row: IntRegister,
  x: IntRegister,
  w: IntRegister,
  ahead: () => void,
): void {
  const { k, c } = state;
  const { rows, columns, input } = c;
  const rowStep = rows.offsetStep * input.strides[1] * 4;
  const inside = allInside(rows, 0, rows.count);
  const steps = columns.taps * c.inputChannels;
  const body = (): void => emitColumnTaps(state, accumulators, first, lastLanes, x, w, ahead);
  if (inside && rows.taps * steps * accumulators.length <= 200) {
    for (let tap = 0; tap < rows.taps; tap++) {
      body();
      k.add(x, rowStep, x);
      k.add(w, rowTapBytes(c), w);
    }
    return;
  }
  const position = inside ? undefined : k.add(k.mul(row, rows.inputStep), rows.offset);
  k.loop(0, rows.taps, 1, () => {
    if (position) {
      k.if(k.compare("ge", position, 0), () => k.if(k.compare("lt", position, rows.inputSize), body));
      k.add(position, rows.offsetStep, position);
    } else body();
    k.add(x, rowStep, x);
    k.add(w, rowTapBytes(c), w);
  });
}

/** Fetches what the epilogue touches of this strip (the activation whose gradient this is, the result's lines): one pixel per iteration. */
function epilogueRows(
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
function nextRow(state: TaskState, pixels: number, x: IntRegister): (() => void) | undefined {
  const { k, c } = state;
  const { rows, columns, input } = c;
  const [, sh, sw, sc] = input.strides.map((stride) => 4 * stride);
  const channels = c.inputChannels * c.groups;
  if (c.laneWise || sw !== channels * sc || sh !== columns.inputSize * sw) return undefined;
  const iterations = rows.taps * Math.floor((columns.taps * c.inputChannels) / 4);
  if (iterations < 16) return undefined;
  const start = k.address(k.at(x, rows.taps * rows.offsetStep * sh));
  return fetchAhead(k, [{ start, bytes: pixels * columns.inputStep * sw, iterations }]);
}

function emitColumnTaps(
  state: TaskState,
  accumulators: ReturnType<typeof zeroAccumulators>,
  first: IntOperand,
  lastLanes: number,
  x: IntRegister,
  w: IntRegister,
  ahead: () => void,
): void {
  const { k, c } = state;
  const { columns, input, inputChannels } = c;
  const [, , sw, sc] = input.strides.map((stride) => 4 * stride);
  const pixels = accumulators.length;
  const vectors = accumulators[0].length;
  const reduce = (tap: number, rowsOf: readonly TileRow[], count: number): void =>
    emitReduction(k, {
      rows: rowsOf,
      vectors,
      lastLanes: c.laneWise ? lastLanes : 16,
      a: k.address(k.at(x, tap * columns.offsetStep * sw)),
      aStep: c.laneWise ? columns.offsetStep * sw : sc,
      b: k.address(k.at(w, tap * inputChannels * c.width * 4)),
      bStep: c.width * 4,
      count,
      unroll: count <= 12 ? Math.max(count, 1) : 4,
      laneWise: c.laneWise,
      eachIteration: ahead,
    });
  const row = (pixel: number): TileRow => ({
    accumulators: accumulators[pixel],
    displacement: pixel * columns.inputStep * sw,
  });
  const interior = typeof first !== "number" || allInside(columns, first, pixels);
  const all = accumulators.map((_, pixel) => row(pixel));
  // Where the taps of a row lie one after the other, as in NHWC without dilation, they are one run.
  const oneRun = columns.taps === 1 || (c.laneWise ? true : columns.offsetStep * sw === inputChannels * sc);
  if (interior && oneRun) {
    reduce(0, all, columns.taps * inputChannels);
    return;
  }
  for (let tap = 0; tap < columns.taps; tap++) {
    const valid = interior ? all : all.filter((_, pixel) => tapInside(columns, (first as number) + pixel, tap));
    if (valid.length > 0) reduce(tap, valid, inputChannels);
  }
}
