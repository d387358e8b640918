import type { KernelBuilder } from "../../../kernel/builder.ts";
import type { IntOperand, IntRegister } from "../../../kernel/ir.ts";
import type { Meaning } from "../../../ops/define.ts";
import type { StepArgument, StrategyRequest } from "../../strategy.ts";
import { type AddressOf, asRegister, type LoweringBuilder, offsetAddress, splitTask } from "./lowering.ts";
import { emitPaddedRows } from "./padded-rows.ts";
import { emitPartialSum } from "./partial-sum.ts";
import { fetchAhead } from "./prefetch.ts";
import { emitReduction, zeroAccumulators } from "./reduction.ts";
import { balancedStrips, rowLimit, stripAt } from "./tile.ts";
import {
  copiedChannels,
  paddedColumns,
  paddedFloats,
  paddedRowCount,
  planWeightGradient,
  type WeightGradientPlan,
} from "./weight-gradient-plan.ts";

type Convolution = Extract<Meaning, { kind: "conv2d" }>;

/** Strides in bytes of x as the tiles read it. */
type RowColumnChannel = readonly [row: number, column: number, channel: number];

/**
 * dw[kh, kw, c, k] = Σ_{n, oh, ow} x[n, oh·s + kh·d − p, …, c] · g[n, oh, ow, k]. Register tiles of (kh, kw, c) x k run over the pixels of a
 * fixed group of images: one fma chain per output and group, in the order n, oh, ow; the groups are then summed in a fixed tree.
 */
export function lowerWeightGradient(request: StrategyRequest, meaning: Convolution, lowering: LoweringBuilder): void {
  const plan = planWeightGradient(request, meaning, lowering);
  const { groups, resultRows, panels, width, imageGroups, bands } = plan;
  const partials = lowering.temporary(imageGroups * bands * groups * resultRows * panels * width);
  emitPartials(plan, lowering, partials);
  emitPartialSum(lowering, {
    request,
    partials,
    count: imageGroups * bands,
    groups,
    rowTaps: plan.rows.taps,
    columnTaps: plan.columns.taps,
    inputChannels: plan.inputChannels,
    outputChannels: plan.outputChannels,
    rowFloats: panels * width,
  });
}

interface TaskState {
  readonly k: KernelBuilder;
  readonly plan: WeightGradientPlan;
  readonly address: AddressOf;
  readonly group: IntOperand;
  readonly rowTap: IntOperand;
  readonly firstPanel: IntOperand;
  readonly endPanel: IntOperand;
  readonly partial: IntRegister;
  readonly scratch: IntRegister | undefined;
}

function emitPartials(plan: WeightGradientPlan, lowering: LoweringBuilder, partials: StepArgument): void {
  const { rows, columns, panels, panelsPerTask, groups, imageGroups, imagesPerGroup, images, resultRows, width } = plan;
  const { bands, rowsPerBand, outputRowsPerBlock: block } = plan;
  const panelTasks = Math.ceil(panels / panelsPerTask);
  const tapTasks = plan.oneTap ? rows.taps : 1;
  const pixels = images * rows.count * columns.count;
  const work = {
    tasks: imageGroups * bands * groups * tapTasks * panelTasks,
    flops: 2 * pixels * groups * resultRows * plan.outputChannels,
    bytes:
      4 *
      (pixels * groups * plan.outputChannels +
        images * rows.inputSize * columns.inputSize * groups * plan.inputChannels),
  };
  const name = `conv2d_weight_gradient_${rows.inputSize}x${columns.inputSize}x${groups * plan.inputChannels}_${groups * plan.outputChannels}`;
  lowering.step(name, [plan.x.argument, plan.g.argument, partials], work, (k, address) => {
    const extents = [imageGroups, bands, groups, tapTasks, panelTasks];
    const [imageGroup, band, group, rowTap, panelTask] = splitTask(k, k.task(), extents);
    const first = asRegister(k, typeof imageGroup === "number" ? 0 : k.mul(imageGroup, imagesPerGroup));
    const end = k.intBinary("min", k.add(first, imagesPerGroup), images);
    const firstPanel = typeof panelTask === "number" ? 0 : k.mul(panelTask, panelsPerTask);
    const endPanel =
      typeof firstPanel === "number" ? panels : k.intBinary("min", k.add(firstPanel, panelsPerTask), panels);
    const state: TaskState = {
      k,
      plan,
      address,
      group,
      rowTap,
      firstPanel,
      endPanel,
      partial: offsetAddress(k, address(partials), [
        [imageGroup, 4 * bands * groups * resultRows * panels * width],
        [band, 4 * groups * resultRows * panels * width],
        [group, 4 * resultRows * panels * width],
      ]),
      scratch: plan.padded ? k.scratch(4 * paddedFloats(plan)) : undefined,
    };
    const firstRow = typeof band === "number" ? 0 : k.mul(band, rowsPerBand);
    const endRow =
      typeof firstRow === "number" ? rows.count : k.intBinary("min", k.add(firstRow, rowsPerBand), rows.count);
    k.loop(first, end, 1, (image) => {
      const images = k.intBinary("sub", image, first);
      k.loop(firstRow, endRow, block, (row) => {
        const exact = rows.count % block === 0;
        const count = exact ? block : k.intBinary("min", k.intBinary("sub", k.intConstant(rows.count), row), block);
        const rowsDone = firstRow === 0 ? row : k.intBinary("sub", row, firstRow);
        emitRowBlock(state, image, row, count, k.add(images, rowsDone));
      });
    });
  });
}

/** All tiles of a task over `count` rows of g; `progress` is 0 when nothing has been accumulated yet. */
function emitRowBlock(
  state: TaskState,
  image: IntRegister,
  row: IntRegister,
  count: IntOperand,
  progress: IntRegister,
): void {
  const { k, plan, address, group, rowTap } = state;
  const { rows, columns, x, g, width } = plan;
  const [sn, sh, sw, sc] = x.strides.map((stride) => 4 * stride);
  const groupBytes = copiedChannels(plan) * sc;
  let pointer: IntRegister;
  let strides: RowColumnChannel;
  if (state.scratch) {
    const channels = copiedChannels(plan);
    strides = [4 * paddedColumns(plan) * channels, 4 * channels, 4];
    const top = k.add(k.mul(row, rows.inputStep), rows.offset);
    if (typeof rowTap !== "number") k.add(top, k.mul(rowTap, rows.offsetStep), top);
    emitPaddedRows(k, {
      source: offsetAddress(
        k,
        address(x.argument),
        [
          [image, sn],
          [group, groupBytes],
        ],
        4 * x.offset,
      ),
      strides: [sh, sw, sc],
      inputRows: rows.inputSize,
      inputColumns: columns.inputSize,
      channels,
      top,
      left: columns.offset,
      rows: paddedRowCount(plan),
      columns: paddedColumns(plan),
      destination: state.scratch,
    });
    pointer = state.scratch;
  } else {
    strides = [sh, sw, sc];
    pointer = offsetAddress(
      k,
      address(x.argument),
      [
        [image, sn],
        [row, rows.inputStep * sh],
        [rowTap, rows.offsetStep * sh],
        [group, groupBytes],
      ],
      4 * x.offset + rows.offset * sh + columns.offset * sw,
    );
  }
  const [gn, gh] = g.strides.map((stride) => 4 * stride);
  const gPointer = offsetAddress(
    k,
    address(g.argument),
    [
      [image, gn],
      [row, gh],
      [group, 4 * plan.outputChannels],
    ],
    4 * g.offset,
  );
  const next = nextBlock(state, image, row, gPointer);
  const rowsOfTask = plan.oneTap ? plan.resultRows / plan.rows.taps : plan.resultRows;
  const whole = Math.floor(plan.outputChannels / width);
  const rest = plan.outputChannels - whole * width;
  const panelTiles = (panel: IntOperand, outputs: number): void => {
    const xPanel = plan.laneWise ? offsetAddress(k, pointer, [[panel, 4 * width]]) : pointer;
    const gPanel = offsetAddress(k, gPointer, [[panel, 4 * width]]);
    const partial = offsetAddress(k, state.partial, [[panel, 4 * width]]);
    const ahead = next.map(({ start, bytes }) => ({
      start: offsetAddress(k, start, [[panel, Math.floor(bytes / plan.panels)]]),
      bytes: bytes / plan.panels / rowsOfTask,
    }));
    emitTiles(state, { x: xPanel, g: gPanel, partial, strides, count, progress, outputs, next: ahead });
  };
  if (rest === 0) k.loop(state.firstPanel, state.endPanel, 1, (panel) => panelTiles(panel, width));
  else if (whole === 0) panelTiles(0, rest);
  else
    k.loop(state.firstPanel, state.endPanel, 1, (panel) =>
      k.if(
        k.compare("lt", panel, whole),
        () => panelTiles(panel, width),
        () => panelTiles(panel, rest),
      ),
    );
}

/** The rows of g and x that follow a block, where they are whole runs of memory. */
function nextBlock(
  state: TaskState,
  image: IntRegister,
  row: IntRegister,
  gPointer: IntRegister,
): { readonly start: IntRegister; readonly bytes: number }[] {
  const { k, plan, address } = state;
  const { rows, columns, x, g, outputRowsPerBlock: block } = plan;
  if (plan.groups > 1) return [];
  const runs: { start: IntRegister; bytes: number }[] = [];
  const gRow = 4 * columns.count * plan.outputChannels;
  if (4 * g.strides[1] === gRow) runs.push({ start: k.address(k.at(gPointer, block * gRow)), bytes: block * gRow });
  const [sn, sh] = x.strides.map((stride) => 4 * stride);
  const xRow = 4 * columns.inputSize * copiedChannels(plan);
  if (sh === xRow) {
    const advance = block * rows.inputStep * xRow;
    const start = offsetAddress(
      k,
      address(x.argument),
      [
        [image, sn],
        [row, rows.inputStep * sh],
        [state.rowTap, rows.offsetStep * sh],
      ],
      4 * x.offset + advance + rows.offset * sh,
    );
    runs.push({ start, bytes: advance });
  }
  return runs;
}

interface TileRun {
  readonly x: IntRegister;
  readonly g: IntRegister;
  readonly partial: IntRegister;
  readonly strides: RowColumnChannel;
  readonly count: IntOperand;
  readonly progress: IntRegister;
  readonly outputs: number;
  /** What the next block of rows reads: each result row of this one fetches its share, `bytes` long. */
  readonly next: readonly { readonly start: IntRegister; readonly bytes: number }[];
}

/** Every strip of result rows for one panel. */
function emitTiles(state: TaskState, run: TileRun): void {
  const { k, plan } = state;
  const { rows, columns, inputChannels } = plan;
  const [rowBytes, columnBytes, channelBytes] = run.strides;
  const vectors = Math.ceil(run.outputs / 16);
  const limit = rowLimit(plan.request.machine, vectors);
  const resultRowBytes = 4 * plan.panels * plan.width;
  if (!plan.oneTap) {
    const displacements: number[] = [];
    for (let i = 0; i < rows.taps; i++)
      for (let j = 0; j < columns.taps; j++)
        for (let c = 0; c < inputChannels; c++)
          displacements.push(i * rows.offsetStep * rowBytes + j * columns.offsetStep * columnBytes + c * channelBytes);
    const strips = balancedStrips(displacements.length, limit);
    for (let index = 0; index < strips.count; index++) {
      const { start, size } = stripAt(strips, index);
      emitTile(
        state,
        run,
        start,
        run.x,
        k.address(k.at(run.partial, start * resultRowBytes)),
        displacements.slice(start, start + size),
      );
    }
    return;
  }
  // One row tap: its result rows (column tap, channel) are one run of addresses where x is contiguous, else one run per column tap.
  const merged = columns.offsetStep * columnBytes === inputChannels * channelBytes;
  const length = merged ? columns.taps * inputChannels : inputChannels;
  const strips = balancedStrips(length, limit);
  const partial = offsetAddress(k, run.partial, [[state.rowTap, columns.taps * inputChannels * resultRowBytes]]);
  const runOf = (x: IntRegister, result: IntRegister): void => {
    const tile =
      (size: number) =>
      (first: IntRegister): void =>
        emitTile(
          state,
          run,
          first,
          offsetAddress(k, x, [[first, channelBytes]]),
          offsetAddress(k, result, [[first, resultRowBytes]]),
          Array.from({ length: size }, (_, r) => r * channelBytes),
        );
    const middle = strips.bigCount * strips.big;
    k.loop(0, middle, strips.big, tile(strips.big));
    if (middle < length) k.loop(middle, length, strips.big - 1, tile(strips.big - 1));
  };
  if (merged || columns.taps === 1) runOf(run.x, partial);
  else
    k.loop(0, columns.taps, 1, (tap) =>
      runOf(
        offsetAddress(k, run.x, [[tap, columns.offsetStep * columnBytes]]),
        offsetAddress(k, partial, [[tap, inputChannels * resultRowBytes]]),
      ),
    );
}

function emitTile(
  state: TaskState,
  run: TileRun,
  first: IntOperand,
  x: IntRegister,
  partial: IntRegister,
  displacements: readonly number[],
): void {
  const { k, plan } = state;
  const { rows, columns, g } = plan;
  const vectors = Math.ceil(run.outputs / 16);
  const resultRowBytes = 4 * plan.panels * plan.width;
  const accumulators = zeroAccumulators(k, displacements.length, vectors);
  const each = (visit: (register: (typeof accumulators)[0][0], displacement: number) => void): void =>
    accumulators.forEach((list, r) => {
      list.forEach((register, v) => {
        visit(register, r * resultRowBytes + 64 * v);
      });
    });
  k.if(k.compare("gt", run.progress, 0), () =>
    each((register, displacement) => k.load(k.at(partial, displacement), "f32", {}, register)),
  );
  const unroll = columns.count <= 8 ? columns.count : 4;
  const ahead = fetchAhead(
    k,
    run.next.map(({ start, bytes }) => ({
      start: offsetAddress(k, start, [
        [typeof first === "number" ? Math.floor(first * bytes) : k.mul(first, Math.floor(bytes)), 1],
      ]),
      bytes: Math.ceil(displacements.length * bytes),
      iterations: plan.outputRowsPerBlock * Math.floor(columns.count / unroll),
    })),
  );
  const xRow = k.intMove(x);
  const gRow = k.intMove(run.g);
  k.loop(0, run.count, 1, () => {
    emitReduction(k, {
      rows: accumulators.map((list, r) => ({ accumulators: list, displacement: displacements[r] })),
      vectors,
      lastLanes: run.outputs - 16 * (vectors - 1),
      a: k.intMove(xRow),
      aStep: columns.inputStep * run.strides[1],
      b: k.intMove(gRow),
      bStep: 4 * g.strides[2],
      count: columns.count,
      unroll,
      eachIteration: ahead,
      laneWise: plan.laneWise,
    });
    k.add(xRow, rows.inputStep * run.strides[0], xRow);
    k.add(gRow, 4 * g.strides[1], gRow);
  });
  each((register, displacement) => k.store(register, k.at(partial, displacement)));
}
