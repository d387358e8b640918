import type { KernelBuilder } from "../../../kernel/builder.ts";
import type { IntOperand, IntRegister, VectorRegister } from "../../../kernel/ir.ts";
import { type AddressOf, asRegister, type LoweringBuilder, offsetAddress, splitTask } from "./lowering.ts";
import { emitReduction, zeroAccumulators } from "./reduction.ts";
import { balancedStrips, rowLimit } from "./tile.ts";
import { type Block, eachStrip, eachTile, emitBlockPatches, type TileOfBlock, wholeOrEdge } from "./winograd-blocks.ts";
import { frequencyBytes, patchRowBytes } from "./winograd-patches.ts";
import { tileBytes } from "./winograd-tile.ts";
import { frequencies, inTwoDimensions, tileSize, transformTile } from "./winograd-transforms.ts";
import { planBlocks, type WeightGradientBlocks, type WinogradWeightGradient } from "./winograd-weight-gradient-plan.ts";
import { sumWeightGradients } from "./winograd-weight-gradient-sum.ts";

/** A kernel under construction. */
interface TaskState {
  readonly k: KernelBuilder;
  readonly c: WinogradWeightGradient;
  readonly plan: WeightGradientBlocks;
  readonly address: AddressOf;
  readonly image: IntRegister;
  readonly firstPanel: IntOperand;
  readonly endPanel: IntOperand;
  readonly partial: IntRegister;
  /** A row of patches transformed one way, or the outputs of a tile. */
  readonly row: IntRegister;
  readonly patches: IntRegister;
  readonly gradients: IntRegister;
}

/**
 * The gradient of the weights of `emitWinograd`: dg = Gᵀ[Σ (Bᵀ d B) ∘ (A y Aᵀ)] G over all tiles. For each frequency it is a matrix product of
 * channels of x and channels of g over tiles, in the order image, row, column; groups of images are summed in a fixed tree.
 */
export function emitWinogradWeightGradient(lowering: LoweringBuilder, c: WinogradWeightGradient): void {
  const plan = planBlocks(c);
  const { imageGroups, imagesPerGroup, bands, rowsPerBand, panels, panelsPerTask, partialFloats } = plan;
  const partials = lowering.temporary(imageGroups * bands * partialFloats);
  const panelTasks = Math.ceil(panels / panelsPerTask);
  const pixels = c.images * c.rows.count * c.columns.count;
  const work = {
    tasks: imageGroups * bands * panelTasks,
    flops: 2 * pixels * 9 * c.inputChannels * c.outputChannels,
    bytes: 4 * (pixels * c.outputChannels + c.images * c.rows.inputSize * c.columns.inputSize * c.inputChannels),
  };
  lowering.step(c.name, [c.x.argument, c.g.argument, partials], work, (k, address) => {
    const [imageGroup, band, panelTask] = splitTask(k, k.task(), [imageGroups, bands, panelTasks]);
    const row = k.scratch(Math.max(patchRowBytes(plan.blockColumns), tileBytes));
    const patches = k.scratch(frequencies * frequencyBytes(plan.tiles, plan.patchChannels));
    const gradients = k.scratch(frequencies * frequencyBytes(plan.tiles, panelsPerTask * plan.width));
    const first = asRegister(k, typeof imageGroup === "number" ? 0 : k.mul(imageGroup, imagesPerGroup));
    const end = k.intBinary("min", k.add(first, imagesPerGroup), c.images);
    const firstPanel = typeof panelTask === "number" ? 0 : k.mul(panelTask, panelsPerTask);
    const endPanel =
      typeof firstPanel === "number" ? panels : k.intBinary("min", k.add(firstPanel, panelsPerTask), panels);
    const partial = offsetAddress(k, address(partials), [
      [imageGroup, 4 * bands * partialFloats],
      [band, 4 * partialFloats],
    ]);
    const firstRow = asRegister(k, typeof band === "number" ? 0 : k.mul(band, rowsPerBand));
    const endRow = k.intBinary("min", k.add(firstRow, rowsPerBand), plan.tileRows);
    const progress = k.intConstant(0);
    k.loop(first, end, 1, (image) => {
      const state: TaskState = { k, c, plan, address, image, firstPanel, endPanel, partial, row, patches, gradients };
      k.loop(firstRow, endRow, plan.blockRows, (blockRow) => {
        const rows = k.intBinary("min", k.intBinary("sub", endRow, blockRow), plan.blockRows);
        k.loop(0, plan.tileColumns, plan.blockColumns, (column) => {
          const rest = k.intBinary("sub", k.intConstant(plan.tileColumns), column);
          const block = { row: blockRow, rows, column, columns: k.intBinary("min", rest, plan.blockColumns) };
          emitBlockPatches(k, address, block, {
            input: c.x,
            image,
            rows: c.rows,
            columns: c.columns,
            channels: c.inputChannels,
            destination: patches,
            paddedChannels: plan.patchChannels,
            tiles: plan.tiles,
            blockColumns: plan.blockColumns,
            scratch: row,
          });
          emitGradients(state, block);
          emitProducts(state, block, progress);
          k.intConstant(1, progress);
        });
      });
    });
  });
  sumWeightGradients(lowering, c, plan, partials);
}

/** A y Aᵀ of a block for the task's panels, `[frequency][tile][channel]`. */
function emitGradients(state: TaskState, block: Block): void {
  const { k, c, plan, address, image } = state;
  const strides = c.g.strides.map((stride) => 4 * stride);
  const tileStride = 4 * plan.panelsPerTask * plan.width;
  const firstChannel = asRegister(k, typeof state.firstPanel === "number" ? 0 : k.mul(state.firstPanel, plan.width));
  const lastChannel = typeof state.endPanel === "number" ? undefined : k.mul(state.endPanel, plan.width);
  const wholeChannels = c.outputChannels - (c.outputChannels % 16);
  const stride = frequencyBytes(plan.tiles, plan.panelsPerTask * plan.width);
  eachTile(k, block, plan.blockColumns, [c.rows.count, c.columns.count], (tile) => {
    const from = offsetAddress(
      k,
      address(c.g.argument),
      [
        [image, strides[0]],
        [tile.row, tileSize * strides[1]],
        [tile.column, tileSize * strides[2]],
      ],
      4 * c.g.offset,
    );
    const to = k.add(state.gradients, k.mul(tile.index, tileStride));
    const vector = (channel: IntOperand, lanes: number): void => {
      const source = offsetAddress(k, from, [[channel, 4]]);
      const outputs = emitOutputs(k, tile, source, [strides[1], strides[2]], lanes, state.row);
      inTwoDimensions((values) => transformTile(k, values), outputs)
        .flat()
        .forEach((value, f) => {
          k.store(value, k.at(to, f * stride));
        });
      k.add(to, 64, to);
    };
    const last = lastChannel ? k.intBinary("min", lastChannel, wholeChannels) : wholeChannels;
    k.loop(firstChannel, last, 16, (channel) => vector(channel, 16));
    if (wholeChannels === c.outputChannels) return;
    const tail = (): void => vector(wholeChannels, c.outputChannels - wholeChannels);
    if (lastChannel) k.if(k.compare("ge", lastChannel, c.outputChannels), tail);
    else tail();
  });
}

/** The outputs of a tile for one vector of channels, 0 where there are none. */
function emitOutputs(
  k: KernelBuilder,
  tile: TileOfBlock,
  source: IntRegister,
  [rowBytes, columnBytes]: readonly [number, number],
  lanes: number,
  scratch: IntRegister,
): VectorRegister[][] {
  const options = lanes < 16 ? { lanes } : {};
  const outputs = Array.from({ length: tileSize }, () => Array.from({ length: tileSize }, () => k.vector()));
  const each = (visit: (output: VectorRegister, i: number, j: number) => void): void =>
    outputs.forEach((row, i) => {
      row.forEach((output, j) => {
        visit(output, i, j);
      });
    });
  wholeOrEdge(
    k,
    tile,
    () => each((output, i, j) => k.load(k.at(source, i * rowBytes + j * columnBytes), "f32", options, output)),
    () => {
      const zero = k.constant(0);
      each((_, i, j) => k.store(zero, k.at(scratch, 64 * (tileSize * i + j))));
      k.loop(0, tile.height, 1, (i) =>
        k.loop(0, tile.width, 1, (j) => {
          const value = k.load(k.at(k.add(k.add(source, k.mul(i, rowBytes)), k.mul(j, columnBytes))), "f32", options);
          k.store(value, k.at(k.add(scratch, k.mul(k.add(k.mul(i, tileSize), j), 64))));
        }),
      );
      each((output, i, j) => k.load(k.at(scratch, 64 * (tileSize * i + j)), "f32", {}, output));
    },
  );
  return outputs;
}

/** Adds a block's products over its tiles to the partial sum; `progress` is 0 before the first block. */
function emitProducts(state: TaskState, block: Block, progress: IntRegister): void {
  const { k, c, plan } = state;
  const vectors = plan.width / 16;
  const strips = balancedStrips(c.inputChannels, rowLimit(c.request.machine, vectors));
  const rowBytes = 4 * plan.width;
  const panelBytes = c.inputChannels * rowBytes;
  const tileStride = 4 * plan.panelsPerTask * plan.width;
  const fixed =
    plan.rowsPerBand % plan.blockRows === 0 &&
    plan.tileRows % plan.rowsPerBand === 0 &&
    plan.tileColumns % plan.blockColumns === 0;
  const count = fixed ? plan.tiles : k.mul(block.rows, block.columns);
  const patches = k.intMove(state.patches);
  const gradients = k.intMove(state.gradients);
  const partial = offsetAddress(k, k.intMove(state.partial), [[state.firstPanel, panelBytes]]);
  const panelCount =
    typeof state.endPanel === "number" ? state.endPanel : k.intBinary("sub", state.endPanel, state.firstPanel);
  k.loop(0, frequencies, 1, () => {
    const g = k.intMove(gradients);
    const result = k.intMove(partial);
    k.loop(0, panelCount, 1, () => {
      eachStrip(k, strips, (first, size) => {
        const accumulators = zeroAccumulators(k, size, vectors);
        const at = offsetAddress(k, result, [[first, rowBytes]]);
        const each = (visit: (register: VectorRegister, displacement: number) => void): void =>
          accumulators.forEach((list, r) => {
            list.forEach((register, v) => {
              visit(register, r * rowBytes + 64 * v);
            });
          });
        k.if(k.compare("gt", progress, 0), () =>
          each((register, displacement) => k.load(k.at(at, displacement), "f32", {}, register)),
        );
        emitReduction(k, {
          rows: accumulators.map((list, r) => ({ accumulators: list, displacement: 4 * r })),
          vectors,
          a: offsetAddress(k, patches, [[first, 4]]),
          aStep: 4 * plan.patchChannels,
          b: k.intMove(g),
          bStep: tileStride,
          count,
          unroll: 4,
        });
        each((register, displacement) => k.store(register, k.at(at, displacement)));
      });
      k.add(g, rowBytes, g);
      k.add(result, panelBytes, result);
    });
    k.add(patches, frequencyBytes(plan.tiles, plan.patchChannels), patches);
    k.add(gradients, frequencyBytes(plan.tiles, plan.panelsPerTask * plan.width), gradients);
    k.add(partial, plan.frequencyStride, partial);
  });
}
