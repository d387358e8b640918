import type { IntOperand, IntRegister } from "../../../kernel/ir.ts";
import { asRegister, epilogueArguments, type LoweringBuilder, operand, splitTask } from "./lowering.ts";
import type { TapConvolution } from "./tap-task.ts";
import { blankBytes, emitBlankTiles } from "./winograd-blank.ts";
import { type Block, eachTile, eachVector, emitBlockPatches } from "./winograd-blocks.ts";
import { frequencyBytes, patchRowBytes } from "./winograd-patches.ts";
import { planWinograd } from "./winograd-plan.ts";
import { type Run, rowsOfSource, tilesAfter } from "./winograd-prefetch.ts";
import { emitProducts, type ProductState, productBytes, vectorBytes } from "./winograd-products.ts";
import { emitTile, tileBytes } from "./winograd-tile.ts";
import { frequencies, tileSize } from "./winograd-transforms.ts";
import { transformFilters } from "./winograd-weights.ts";

/** A kernel under construction. */
interface TaskState extends ProductState {
  readonly image: IntOperand;
  /** A row of patches transformed one way, or the outputs of a tile. */
  readonly row: IntRegister;
  /** What is known of outputs that see only zeros; a gradient is not followed by anything that would tell 0 from almost 0. */
  readonly blank: IntRegister | undefined;
  /** Panels of the task. */
  readonly firstPanel: IntRegister;
  readonly endPanel: IntRegister;
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
  const filters = transformFilters(lowering, c, panels);
  const bands = Math.ceil(tileRows / blockRows);
  const bandsPerTask = c.images >= 32 ? bands : 1;
  const bandTasks = Math.ceil(bands / bandsPerTask);
  const panelsPerTask = plan.groupsPerTask * plan.panelsPerGroup;
  const panelTasks = Math.ceil(panels / panelsPerTask);
  const work = {
    tasks: c.images * bandTasks * panelTasks,
    flops: 2 * c.images * rows.count * columns.count * 9 * c.inputChannels * c.outputChannels,
    bytes:
      4 *
      c.images *
      (rows.inputSize * columns.inputSize * c.inputChannels + rows.count * columns.count * c.outputChannels),
  };
  const { pooling, meaning } = request;
  const forward = meaning.kind === "conv2d" && meaning.direction === "forward";
  const pooled = pooling ? [...pooling.largest, ...pooling.taps].map((view) => operand(view.operand)) : [];
  lowering.step(c.name, [c.input.argument, filters, ...epilogueArguments(request), ...pooled], work, (k, address) => {
    const [panelTask, image, band] = splitTask(k, k.task(), [panelTasks, c.images, bandTasks]);
    const firstPanel = asRegister(k, typeof panelTask === "number" ? 0 : k.mul(panelTask, panelsPerTask));
    const state: TaskState = {
      k,
      c,
      plan,
      address,
      image,
      filters,
      row: k.scratch(Math.max(patchRowBytes(blockColumns), tileBytes)),
      patches: k.scratch(frequencies * frequencyBytes(plan.tiles, plan.channels)),
      products: k.scratch(plan.tiles * productBytes(plan)),
      blank: forward ? k.scratch(plan.tiles * blankBytes) : undefined,
      firstPanel,
      endPanel: k.intBinary("min", k.add(firstPanel, panelsPerTask), panels),
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
  const { k, c, plan } = state;
  const source = {
    input: c.input,
    image: state.image,
    rows: c.rows,
    columns: c.columns,
    channels: c.inputChannels,
    paddedChannels: plan.channels,
    tiles: plan.tiles,
    blockColumns: plan.blockColumns,
    scratch: state.row,
  };
  emitBlockPatches(k, state.address, block, { ...source, destination: state.patches });
  if (state.blank) emitBlankTiles(k, state.address, block, source, state.blank);
  const { panelsPerGroup, blockRows, blockColumns, tileRows } = plan;
  const nextRows = (rows: number): Run[] => {
    if (plan.panels > panelsPerGroup) return [];
    const next = tilesAfter(k, { image: state.image, row: block.row, rows }, [0, tileRows]);
    const at = { image: next.image, row: k.add(k.mul(next.row, tileSize), c.rows.offset), rows: blockRows * tileSize };
    return rowsOfSource(k, state.address, c.input, [c.columns.inputSize, c.inputChannels], at);
  };
  const lastRows = tileRows % blockRows;
  k.loop(state.firstPanel, state.endPanel, panelsPerGroup, (group) => {
    const end = k.intBinary("min", k.add(group, panelsPerGroup), state.endPanel);
    const products = (rows: number) => (): void => emitProducts(state, group, end, rows * blockColumns, nextRows(rows));
    if (lastRows === 0) products(blockRows)();
    else k.if(k.compare("eq", block.rows, blockRows), products(blockRows), products(lastRows));
    emitTiles(state, block, group, end);
  });
}

/** Transforms the products of a group of panels back and finishes the outputs. */
function emitTiles(state: TaskState, block: Block, group: IntRegister, end: IntRegister): void {
  const { k, c, plan, address, image } = state;
  const first = k.mul(group, c.width);
  const last = k.intBinary("min", k.mul(end, c.width), c.outputChannels);
  const outputs = [c.rows.count, c.columns.count] as const;
  eachTile(k, block, plan.blockColumns, outputs, (tile) => {
    const products = k.add(state.products, k.mul(tile.index, productBytes(plan)));
    const blank = state.blank && k.add(state.blank, k.mul(tile.index, blankBytes));
    const vector = (channel: IntRegister, lanes: number): void => {
      emitTile(k, c.request, address, { image, tile, channel, lanes, products, blank, scratch: state.row });
      k.add(products, vectorBytes, products);
    };
    eachVector(k, c.outputChannels, [first, last], vector);
  });
}
