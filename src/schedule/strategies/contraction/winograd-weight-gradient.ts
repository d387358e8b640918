import type { KernelBuilder } from "../../../kernel/builder.ts";
import type { IntOperand, IntRegister, VectorRegister } from "../../../kernel/ir.ts";
import { type AddressOf, asRegister, type LoweringBuilder, offsetAddress, operand, splitTask } from "./lowering.ts";
import { fetchAhead } from "./prefetch.ts";
import { emitReduction, zeroAccumulators } from "./reduction.ts";
import { balancedStrips, rowLimit } from "./tile.ts";
import { type Block, eachStrip, emitBlockPatches } from "./winograd-blocks.ts";
import { emitGradientTiles, gradientFloats } from "./winograd-gradient-tiles.ts";
import { frequencyBytes, patchRowBytes } from "./winograd-patches.ts";
import { type Run, rowsOfSource, tilesAfter } from "./winograd-prefetch.ts";
import { tileBytes } from "./winograd-tile.ts";
import { frequencies, tileSize } from "./winograd-transforms.ts";
import { planBlocks, type WeightGradientBlocks, type WinogradWeightGradient } from "./winograd-weight-gradient-plan.ts";
import { sumWeightGradients } from "./winograd-weight-gradient-sum.ts";

/** A kernel under construction. */
interface TaskState {
  readonly k: KernelBuilder;
  readonly c: WinogradWeightGradient;
  readonly plan: WeightGradientBlocks;
  readonly firstPanel: IntOperand;
  readonly endPanel: IntOperand;
  readonly partial: IntRegister;
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
    bytes:
      4 *
      (gradientFloats(c.request, pixels * c.outputChannels) +
        c.images * c.rows.inputSize * c.columns.inputSize * c.inputChannels),
  };
  const taps = c.request.spread ? [operand(c.request.spread.taps.operand)] : [];
  lowering.step(c.name, [c.x.argument, c.g.argument, ...taps, partials], work, (k, address) => {
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
      const state: TaskState = { k, c, plan, firstPanel, endPanel, partial, patches, gradients };
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
          emitGradientTiles(k, address, block, {
            gradient: c.g,
            spread: c.request.spread,
            image,
            outputs: [c.rows.count, c.columns.count],
            channels: c.outputChannels,
            firstChannel: typeof firstPanel === "number" ? 0 : k.mul(firstPanel, plan.width),
            endChannel: typeof endPanel === "number" ? undefined : k.mul(endPanel, plan.width),
            destination: gradients,
            paddedChannels: plan.panelsPerTask * plan.width,
            tiles: plan.tiles,
            blockColumns: plan.blockColumns,
            scratch: row,
          });
          const at = { image, row: blockRow, rows: plan.blockRows };
          emitProducts(state, block, progress, nextRows(k, address, c, plan, at, [firstRow, endRow]));
          k.intConstant(1, progress);
        });
      });
    });
  });
  sumWeightGradients(lowering, c, plan, partials);
}

/** What is read after a block of whole rows: the rows of x and of the gradient below it, or those of the next image. */
function nextRows(
  k: KernelBuilder,
  address: AddressOf,
  c: WinogradWeightGradient,
  plan: WeightGradientBlocks,
  block: { readonly image: IntRegister; readonly row: IntRegister; readonly rows: number },
  range: readonly [IntRegister, IntRegister],
): Run[] {
  if (plan.blockColumns < plan.tileColumns) return [];
  const next = tilesAfter(k, block, range);
  const row = k.mul(next.row, tileSize);
  const rows = plan.blockRows * tileSize;
  const x = { image: next.image, row: k.add(row, c.rows.offset), rows };
  const g = { image: next.image, row, rows };
  return [
    ...rowsOfSource(k, address, c.x, [c.columns.inputSize, c.inputChannels], x),
    ...rowsOfSource(k, address, c.g, [c.columns.count, c.outputChannels], g, c.request.spread),
  ];
}

/** Adds a block's products over its tiles to the partial sum; `progress` is 0 before the first block. */
function emitProducts(state: TaskState, block: Block, progress: IntRegister, runs: readonly Run[]): void {
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
  const iterations = frequencies * plan.panelsPerTask * strips.count * Math.floor(plan.tiles / 4);
  const eachIteration = fetchAhead(
    k,
    runs.map((run) => ({ ...run, iterations })),
  );
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
          eachIteration,
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
