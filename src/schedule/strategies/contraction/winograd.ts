import type { KernelBuilder } from "../../../kernel/builder.ts";
import type { IntOperand, IntRegister } from "../../../kernel/ir.ts";
import type { StepArgument } from "../../strategy.ts";
import {
  type AddressOf,
  asRegister,
  epilogueArguments,
  type LoweringBuilder,
  offsetAddress,
  operand,
  splitTask,
} from "./lowering.ts";
import { emitReduction, zeroAccumulators } from "./reduction.ts";
import type { TapConvolution } from "./tap-convolution.ts";
import { balancedStrips, rowLimit, stripAt } from "./tile.ts";
import { type Block, eachTile } from "./winograd-blocks.ts";
import { emitPatchRow, frequencyBytes, patchColumns, patchRowBytes } from "./winograd-patches.ts";
import { planWinograd, type WinogradPlan } from "./winograd-plan.ts";
import { emitTile } from "./winograd-tile.ts";
import { frequencies, tileSize } from "./winograd-transforms.ts";
import { transformFilters } from "./winograd-weights.ts";

/** Bytes of the products of one tile and one vector of channels, and of one tile: odd numbers of cache lines, as for the patches. */
const vectorBytes = 64 * (frequencies | 1);
const productBytes = ({ panelsPerGroup, panelVectors }: WinogradPlan): number =>
  64 * (((vectorBytes / 64) * panelsPerGroup * panelVectors) | 1);

/** A kernel under construction. */
interface TaskState {
  readonly k: KernelBuilder;
  readonly c: TapConvolution;
  readonly plan: WinogradPlan;
  readonly address: AddressOf;
  readonly image: IntOperand;
  readonly filters: StepArgument;
  readonly row: IntRegister;
  readonly patches: IntRegister;
  readonly products: IntRegister;
}

/**
 * A convolution with 3 x 3 taps by F(4x4, 3x3): per block of tiles the patches are transformed, multiplied for each of 36 frequencies as a small
 * matrix product over the channels, and transformed back; a quarter of the direct multiplications. Every output is a fixed expression of its
 * tile's patch, whatever block or task the tile belongs to. `weights` are packed as for the direct convolution.
 */
export function emitWinograd(lowering: LoweringBuilder, c: TapConvolution): void {
  const { rows, columns, request } = c;
  const plan = planWinograd(c);
  const { panels, blockRows, blockColumns, tileRows, tileColumns } = plan;
  const filters = transformFilters(lowering, {
    argument: c.weights,
    offset: c.weightOffset,
    panels,
    channels: c.inputChannels,
    width: c.width,
  });
  const bands = Math.ceil(tileRows / blockRows);
  const bandsPerTask = c.images >= 32 ? bands : 1;
  const bandTasks = Math.ceil(bands / bandsPerTask);
  const work = {
    tasks: c.images * bandTasks,
    flops: 2 * c.images * rows.count * columns.count * 9 * c.inputChannels * c.outputChannels,
    bytes:
      4 *
      c.images *
      (rows.inputSize * columns.inputSize * c.inputChannels + rows.count * columns.count * c.outputChannels),
  };
  const { pooling } = request;
  const pooled = pooling ? [...pooling.largest, ...pooling.taps].map((view) => operand(view.operand)) : [];
  lowering.step(c.name, [c.input.argument, filters, ...epilogueArguments(request), ...pooled], work, (k, address) => {
    const [image, band] = splitTask(k, k.task(), [c.images, bandTasks]);
    const state: TaskState = {
      k,
      c,
      plan,
      address,
      image,
      filters,
      row: k.scratch(patchRowBytes(blockColumns)),
      patches: k.scratch(frequencies * frequencyBytes(plan.tiles, plan.channels)),
      products: k.scratch(plan.tiles * productBytes(plan)),
    };
    const first = asRegister(k, typeof band === "number" ? 0 : k.mul(band, bandsPerTask * blockRows));
    const end = k.intBinary("min", k.add(first, bandsPerTask * blockRows), tileRows);
    k.loop(first, end, blockRows, (row) => {
      const rowsHere = k.intBinary("min", k.intBinary("sub", end, row), blockRows);
      k.loop(0, tileColumns, blockColumns, (column) => {
        const columnsHere = k.intBinary("min", k.intBinary("sub", k.intConstant(tileColumns), column), blockColumns);
        emitBlock(state, { row, rows: rowsHere, column, columns: columnsHere });
      });
    });
  });
}

function emitBlock(state: TaskState, block: Block): void {
  const { k, plan } = state;
  emitPatches(state, block);
  const { panels, panelsPerGroup, blockRows, blockColumns, tileRows } = plan;
  const lastRows = tileRows % blockRows;
  k.loop(0, panels, panelsPerGroup, (group) => {
    const end = k.intBinary("min", k.add(group, panelsPerGroup), panels);
    const products = (rows: number) => (): void => emitProducts(state, group, end, rows * blockColumns);
    if (lastRows === 0) products(blockRows)();
    else k.if(k.compare("eq", block.rows, blockRows), products(blockRows), products(lastRows));
    emitTiles(state, block, group, end);
  });
}

/** Transforms the patches of a block to `[frequency][tile][channel]`. */
function emitPatches(state: TaskState, block: Block): void {
  const { k, c, plan, address, image } = state;
  const [sn, sh, sw] = c.input.strides.map((stride) => 4 * stride);
  const source = offsetAddress(k, address(c.input.argument), [[image, sn]], 4 * c.input.offset);
  const left = k.add(k.mul(block.column, tileSize), c.columns.offset);
  const top = k.add(k.mul(block.row, tileSize), c.rows.offset);
  const destination = k.intMove(state.patches);
  k.loop(0, block.rows, 1, () => {
    emitPatchRow(k, {
      source,
      strides: [sh, sw],
      inputRows: c.rows.inputSize,
      inputColumns: c.columns.inputSize,
      channels: c.inputChannels,
      top,
      left,
      tiles: block.columns,
      destination,
      frequencyStride: frequencyBytes(plan.tiles, plan.channels),
      tileStride: 4 * plan.channels,
      scratch: state.row,
      scratchColumns: patchColumns(plan.blockColumns),
    });
    k.add(top, tileSize, top);
    k.add(destination, 4 * plan.blockColumns * plan.channels, destination);
  });
}

/** Products of a group of panels, `[tile][vector][frequency][16]`: one fma chain over the channels for each. */
function emitProducts(state: TaskState, group: IntRegister, end: IntRegister, tiles: number): void {
  const { k, c, plan, address } = state;
  const panelBytes = 4 * c.inputChannels * c.width;
  const filterBytes = plan.panels * panelBytes;
  const tileBytes = productBytes(plan);
  const strips = balancedStrips(tiles, rowLimit(c.request.machine, plan.panelVectors));
  const patches = k.intMove(state.patches);
  const filters = k.add(address(state.filters), k.mul(group, panelBytes));
  const products = k.intMove(state.products);
  k.loop(0, frequencies, 1, () => {
    const w = k.intMove(filters);
    const target = k.intMove(products);
    k.loop(group, end, 1, () => {
      const strip =
        (size: number) =>
        (first: IntOperand): void => {
          const accumulators = zeroAccumulators(k, size, plan.panelVectors);
          emitReduction(k, {
            rows: accumulators.map((list, r) => ({ accumulators: list, displacement: r * 4 * plan.channels })),
            vectors: plan.panelVectors,
            a: offsetAddress(k, patches, [[first, 4 * plan.channels]]),
            aStep: 4,
            b: k.intMove(w),
            bStep: 4 * c.width,
            count: c.inputChannels,
            unroll: c.inputChannels <= 12 ? c.inputChannels : 4,
          });
          const to = offsetAddress(k, target, [[first, tileBytes]]);
          accumulators.forEach((list, r) => {
            list.forEach((register, v) => {
              k.store(register, k.at(to, r * tileBytes + v * vectorBytes));
            });
          });
        };
      const middle = strips.bigCount * strips.big;
      if (strips.bigCount === 1) strip(strips.big)(0);
      else k.loop(0, middle, strips.big, strip(strips.big));
      const small = strips.count - strips.bigCount;
      if (small === 1) strip(strips.big - 1)(stripAt(strips, strips.bigCount).start);
      else if (small > 1) k.loop(middle, tiles, strips.big - 1, strip(strips.big - 1));
      k.add(w, panelBytes, w);
      k.add(target, vectorBytes * plan.panelVectors, target);
    });
    k.add(patches, frequencyBytes(plan.tiles, plan.channels), patches);
    k.add(filters, filterBytes, filters);
    k.add(products, 64, products);
  });
}

/** Transforms the products of a group of panels back and finishes the outputs. */
function emitTiles(state: TaskState, block: Block, group: IntRegister, end: IntRegister): void {
  const { k, c, plan, address, image } = state;
  const first = k.mul(group, c.width);
  const last = k.intBinary("min", k.mul(end, c.width), c.outputChannels);
  const wholeChannels = c.outputChannels - (c.outputChannels % 16);
  const tile = (row: IntRegister, column: IntRegister, height: number, width: number): void => {
    const inBlock = k.add(
      k.mul(k.intBinary("sub", row, block.row), plan.blockColumns),
      k.intBinary("sub", column, block.column),
    );
    const from = k.add(state.products, k.mul(inBlock, productBytes(plan)));
    const outputs = { row: k.mul(row, tileSize), column: k.mul(column, tileSize), height, width };
    const vector = (channel: IntRegister, lanes: number): void => {
      emitTile(k, c.request, address, { image, ...outputs, channel, lanes, products: from });
      k.add(from, vectorBytes, from);
    };
    const whole = k.intBinary("min", last, wholeChannels);
    k.loop(first, whole, 16, (channel) => vector(channel, 16));
    if (wholeChannels < c.outputChannels)
      k.if(k.compare("eq", last, c.outputChannels), () =>
        vector(k.intConstant(wholeChannels), c.outputChannels - wholeChannels),
      );
  };
  eachTile(k, block, [c.rows.count, c.columns.count], tile);
}
