import type { KernelBuilder } from "../../../kernel/builder.ts";
import type { IntRegister } from "../../../kernel/ir.ts";
import type { ConvolutionAxis } from "./convolution-axis.ts";
import { asRegister, epilogueArguments, type LoweringBuilder, operand, splitTask } from "./lowering.ts";
import type { TapConvolution } from "./tap-task.ts";
import { type Block, eachVector } from "./winograd-blocks.ts";
import { emitGradientTiles, gradientFloats } from "./winograd-gradient-tiles.ts";
import { emitOverlappingRow, lineBytes, type OverlapState, shared } from "./winograd-overlap.ts";
import { frequencyBytes } from "./winograd-patches.ts";
import { planWinograd, type WinogradPlan } from "./winograd-plan.ts";
import { type Run, rowsOfEpilogue, rowsOfSource, tilesAfter } from "./winograd-prefetch.ts";
import { emitProducts, type ProductState, productBytes, vectorBytes } from "./winograd-products.ts";
import { tileBytes } from "./winograd-tile.ts";
import { frequencies, patchSize, tileSize } from "./winograd-transforms.ts";
import { transformFilters } from "./winograd-weights.ts";

/** Tasks of a batch of few images: bands of rows of tiles, of which each computes the row above once more. */
const leastTasks = 8;

/** A kernel under construction. */
interface TaskState extends ProductState, OverlapState {
  /** Room for the outputs of a tile at an edge. */
  readonly edge: IntRegister;
  /** Panels of the task. */
  readonly firstPanel: IntRegister;
  readonly endPanel: IntRegister;
}

/** Blocks are whole rows of the gradient's tiles, as many as the products of an ordinary convolution have. */
function planAdjoint(c: TapConvolution): WinogradPlan {
  const tiled = (axis: ConvolutionAxis): ConvolutionAxis => ({ ...axis, count: axis.inputSize });
  const plan = planWinograd({ ...c, rows: tiled(c.rows), columns: tiled(c.columns) });
  const { tileRows, tileColumns } = plan;
  const blockRows = Math.min(tileRows, Math.max(1, Math.floor(Math.max(plan.tiles, 12) / tileColumns)));
  return { ...plan, blockRows, blockColumns: tileColumns, tiles: blockRows * tileColumns };
}

/**
 * The input gradient of a convolution by the transpose of F(4x4, 3x3): dx = Σ over tiles of B[(G g Gᵀ) ∘ (A y Aᵀ)]Bᵀ, where y is a tile of 4 x 4 of
 * the gradient and its result a patch of 6 x 6, which overlaps its neighbours by two rows and columns. The gradient of a convolution without
 * padding is smaller than its input: so it has fewer tiles than `emitWinograd` would need for the same. Overlaps are added from the left and from
 * above, so that an element is a fixed expression of the tiles around it. `weights` are packed in the forward order of their taps.
 */
export function emitWinogradAdjoint(lowering: LoweringBuilder, c: TapConvolution): void {
  const { rows, columns, request } = c;
  const plan = planAdjoint(c);
  const { panels, blockRows, tileRows } = plan;
  const filters = transformFilters(lowering, c, panels);
  const blocks = Math.ceil(tileRows / blockRows);
  const blocksPerTask = Math.ceil(blocks / Math.max(1, Math.floor(leastTasks / c.images)));
  const bandTasks = Math.ceil(blocks / blocksPerTask);
  const panelsPerTask = plan.groupsPerTask * plan.panelsPerGroup;
  const panelTasks = Math.ceil(panels / panelsPerTask);
  const elements =
    gradientFloats(request, rows.inputSize * columns.inputSize * c.inputChannels) +
    rows.count * columns.count * c.outputChannels;
  const work = {
    tasks: c.images * bandTasks * panelTasks,
    flops: 2 * c.images * rows.inputSize * columns.inputSize * 9 * c.inputChannels * c.outputChannels,
    bytes: 4 * c.images * elements,
  };
  const taps = request.spread ? [operand(request.spread.taps.operand)] : [];
  lowering.step(c.name, [c.input.argument, filters, ...taps, ...epilogueArguments(request)], work, (k, address) => {
    const [panelTask, image, band] = splitTask(k, k.task(), [panelTasks, c.images, bandTasks]);
    const firstPanel = asRegister(k, typeof panelTask === "number" ? 0 : k.mul(panelTask, panelsPerTask));
    const first = asRegister(k, typeof band === "number" ? 0 : k.mul(band, blocksPerTask * blockRows));
    const end = k.intBinary("min", k.add(first, blocksPerTask * blockRows), tileRows);
    const state: TaskState = {
      k,
      c,
      plan,
      address,
      image,
      filters,
      edge: k.scratch(tileBytes),
      patches: k.scratch(frequencies * frequencyBytes(plan.tiles, plan.channels)),
      products: k.scratch(plan.tiles * productBytes(plan)),
      firstRow: first,
      firstPanel,
      endPanel: k.intBinary("min", k.add(firstPanel, panelsPerTask), panels),
      banded: bandTasks > 1,
      line: k.scratch(patchSize * lineBytes(plan)),
      carry: k.scratch(panelsPerTask * plan.panelVectors * 2 * lineBytes(plan)),
    };
    const carryEnd = k.address(k.at(state.carry, panelsPerTask * plan.panelVectors * 2 * lineBytes(plan)));
    k.loop(state.carry, carryEnd, 64, (at) => k.store(k.constant(0), k.at(at)));
    if (bandTasks > 1) k.if(k.compare("gt", first, 0), () => emitBlock(state, rowsOf(k, plan, k.add(first, -1), 1), 1));
    const lastRows = tileRows % blockRows;
    const wholeEnd = lastRows === 0 ? end : k.intBinary("min", end, tileRows - lastRows);
    k.loop(first, wholeEnd, blockRows, (row) => emitBlock(state, rowsOf(k, plan, row, blockRows), blockRows));
    if (lastRows > 0)
      k.if(k.compare("eq", end, tileRows), () => {
        emitBlock(state, rowsOf(k, plan, k.intConstant(tileRows - lastRows), lastRows), lastRows);
      });
  });
}

const rowsOf = (k: KernelBuilder, { tileColumns }: WinogradPlan, row: IntRegister, rows: number): Block => ({
  row,
  rows: k.intConstant(rows),
  column: k.intConstant(0),
  columns: k.intConstant(tileColumns),
});

/** Products of `rows` rows of tiles, and what they make of the input's gradient. */
function emitBlock(state: TaskState, block: Block, rows: number): void {
  const { k, c, plan, address, image, firstPanel, endPanel } = state;
  const { panelsPerGroup, panelVectors, tileColumns } = plan;
  emitGradientTiles(k, address, block, {
    gradient: c.input,
    spread: c.request.spread,
    image,
    outputs: [c.rows.inputSize, c.columns.inputSize],
    channels: c.inputChannels,
    destination: state.patches,
    paddedChannels: plan.channels,
    tiles: plan.tiles,
    blockColumns: tileColumns,
    scratch: state.edge,
  });
  const nextRows = (): Run[] => {
    const next = tilesAfter(k, { image, row: block.row, rows }, [0, plan.tileRows]);
    const at = { image: next.image, row: k.mul(next.row, tileSize), rows: plan.blockRows * tileSize };
    return rowsOfSource(k, address, c.input, [c.columns.inputSize, c.inputChannels], at, c.request.spread);
  };
  const carryBytes = 2 * lineBytes(plan);
  k.loop(firstPanel, endPanel, panelsPerGroup, (group) => {
    const end = k.intBinary("min", k.add(group, panelsPerGroup), endPanel);
    const at = { image, row: k.add(k.mul(block.row, tileSize), -(c.rows.offset + shared)), rows: rows * tileSize };
    const runs = plan.panels > panelsPerGroup ? [] : [...rowsOfEpilogue(k, c.request, address, at), ...nextRows()];
    emitProducts(state, group, end, rows * tileColumns, runs);
    const first = k.mul(group, c.width);
    const last = k.intBinary("min", k.mul(end, c.width), c.outputChannels);
    const firstCarry = k.add(state.carry, k.mul(k.intBinary("sub", group, firstPanel), panelVectors * carryBytes));
    k.loop(0, rows, 1, (row) => {
      const tileRow = k.add(block.row, row);
      const products = k.add(state.products, k.mul(row, tileColumns * productBytes(plan)));
      const carry = k.intMove(firstCarry);
      const vector = (channel: IntRegister, lanes: number): void => {
        emitOverlappingRow(state, { tileRow, channel, lanes, products, carry });
        k.add(products, vectorBytes, products);
        k.add(carry, carryBytes, carry);
      };
      eachVector(k, c.outputChannels, [first, last], vector);
    });
  });
}
