import type { KernelBuilder } from "../../../kernel/builder.ts";
import type { IntOperand, IntRegister } from "../../../kernel/ir.ts";
import { allInside, type ConvolutionAxis, tapInside } from "./convolution-axis.ts";
import { asRegister, finishTile, offsetAddress } from "./lowering.ts";
import { emitReduction, type TileRow, zeroAccumulators } from "./reduction.ts";
import { epilogueRows, nextRow } from "./tap-prefetch.ts";
import { channelOf, rowTapBytes, type TaskState } from "./tap-task.ts";

/** A register tile: neighbouring pixels of a row, or of a run, for one panel. */
export function emitStrip(
  state: TaskState,
  panel: IntOperand,
  outputs: number,
  row: IntOperand,
  first: IntOperand,
  pixels: number,
): void {
  const { k, c, address, image, group } = state;
  const { rows, columns, input, width } = c;
  const vectors = Math.ceil(outputs / 16);
  const lastLanes = outputs - 16 * (vectors - 1);
  const accumulators = zeroAccumulators(k, pixels, vectors);
  const outputRow = outputPosition(k, rows, row);
  const outputColumn = outputPosition(k, columns, first);
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
    const ahead = [nextRow(state, pixels, x), epilogueRows(state, pixels, vectors, position), state.weightsAhead];
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

/** Where output `index` of an axis lies. */
function outputPosition(k: KernelBuilder, { start, step }: ConvolutionAxis, index: IntOperand): IntOperand {
  if (typeof index === "number") return start + step * index;
  return step === 1 && start === 0 ? index : k.add(k.mul(index, step), start);
}

/** All taps of a strip: row taps in a loop (or unrolled where there are few), those above or below the input skipped. */
function emitTaps(
  state: TaskState,
  accumulators: ReturnType<typeof zeroAccumulators>,
  first: IntOperand,
  lastLanes: number,
  row: IntOperand,
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
  const position = inside ? undefined : k.add(k.mul(asRegister(k, row), rows.inputStep), rows.offset);
  k.loop(0, rows.taps, 1, () => {
    if (position) {
      k.if(k.compare("ge", position, 0), () => k.if(k.compare("lt", position, rows.inputSize), body));
      k.add(position, rows.offsetStep, position);
    } else body();
    k.add(x, rowStep, x);
    k.add(w, rowTapBytes(c), w);
  });
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
