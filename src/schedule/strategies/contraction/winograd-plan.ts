import type { Shape } from "../../../graph/shape.ts";
import type { Meaning } from "../../../ops/define.ts";
import { type ConvolutionAxis, forwardAxis, inputGradientAxes, spatialAxes } from "./convolution-axis.ts";
import type { TapConvolution } from "./tap-task.ts";
import { balancedStrips, chooseTile, rowLimit } from "./tile.ts";
import { frequencies, tileSize } from "./winograd-transforms.ts";

type Convolution = Extract<Meaning, { kind: "conv2d" }>;

/** How a Winograd convolution is cut into blocks of tiles. None of this changes a result. */
export interface WinogradPlan {
  readonly tileRows: number;
  readonly tileColumns: number;
  /** A block is so many rows of so many tiles, whose transformed patches and products fit the second-level cache. */
  readonly blockRows: number;
  readonly blockColumns: number;
  readonly tiles: number;
  /** Reduced channels rounded up to whole vectors, and vectors of produced channels. */
  readonly channels: number;
  readonly vectors: number;
  /** Vectors of a panel of weights, panels, and panels whose products are held at a time. */
  readonly panelVectors: number;
  readonly panels: number;
  readonly panelsPerGroup: number;
  /** Groups of panels of one task: all of them, or fewer where an image has too few blocks to share. */
  readonly groupsPerTask: number;
  /** Transformed weights come from further away than the second-level cache, and are fetched ahead. */
  readonly largeFilters: boolean;
}

/** Fewer blocks than this are shared by panels as well. */
const leastTasks = 4;

const floatsOf = (tiles: number): number => frequencies * tiles;

/** What the choice of an algorithm may depend on where examples have results of their own: nothing but the shape of one. */
export interface ConvolutionShape {
  readonly rows: ConvolutionAxis;
  readonly columns: ConvolutionAxis;
  readonly groups: number;
  readonly inputChannels: number;
  readonly outputChannels: number;
}

/** Three taps side by side for every output, at least one of them inside the input. */
const hasThreeTaps = (axis: ConvolutionAxis): boolean =>
  axis.taps === 3 &&
  axis.inputStep === 1 &&
  axis.step === 1 &&
  axis.offsetStep === 1 &&
  axis.offset >= -2 &&
  axis.offset + axis.count <= axis.inputSize;

/** Such taps each way, outputs enough to fill tiles, and channels enough that the products outweigh the transforms. */
const suits = ({ rows, columns, groups, inputChannels, outputChannels }: ConvolutionShape): boolean =>
  groups === 1 &&
  hasThreeTaps(rows) &&
  hasThreeTaps(columns) &&
  rows.count * columns.count >= 64 &&
  Math.min(rows.count, columns.count) >= tileSize &&
  Math.min(inputChannels, outputChannels) >= 16;

/**
 * Whether a convolution or its input gradient goes by Winograd's transforms: larger kernels are four times as many bytes when transformed, which
 * pays where an image has outputs enough.
 */
export const takesWinograd = (shape: ConvolutionShape): boolean =>
  suits(shape) &&
  shape.inputChannels * shape.outputChannels <= (shape.rows.count * shape.columns.count < 196 ? 256 * 512 : 512 * 512);

/** Rows of this many tiles are held whole by `emitWinogradAdjoint`. */
const mostTilesInRow = 16;

/**
 * Whether an input gradient that goes by Winograd's transforms has no more tiles in the gradient that it reads than in the one that it gives. With as many,
 * either way takes as long, but tiles that are read may be spread from a pooled gradient.
 */
export function takesAdjoint(rows: ConvolutionAxis, columns: ConvolutionAxis): boolean {
  const tiles = (size: number): number => Math.ceil(size / tileSize);
  const read = tiles(rows.inputSize) * tiles(columns.inputSize);
  return read <= tiles(rows.count) * tiles(columns.count) && tiles(columns.inputSize) <= mostTilesInRow;
}

/**
 * What the windows of a pooling in a forward convolution's kernel have to divide: 0 (anything does) where rows are pooled as they come, else the
 * size of a tile.
 */
export function outputTile(meaning: Convolution, inputs: readonly Shape[], output: Shape): number {
  const [rows, columns] = spatialAxes(meaning, inputs[0], output).map(forwardAxis);
  const shape = { rows, columns, groups: meaning.groups, inputChannels: inputs[0][3], outputChannels: output[3] };
  return takesWinograd(shape) ? tileSize : 0;
}

/** The same for the gradient of its weights, where the sums are 36 matrices of that size: larger ones pay where many pixels share them. */
export function takesWinogradWeightGradient(shape: ConvolutionShape, images: number): boolean {
  const pixels = images * shape.rows.count * shape.columns.count;
  return suits(shape) && shape.inputChannels * shape.outputChannels <= (pixels < 6144 ? 128 * 256 : 256 * 256);
}

/**
 * What the windows over which a convolution's gradient spreads the gradient that it reads have to divide: the size of a tile where that is read by
 * tiles, else 0.
 */
export function spreadsGradient(meaning: Convolution, inputs: readonly Shape[], output: Shape): number {
  const { direction, groups } = meaning;
  if (direction === "inputGradient") {
    const [rows, columns] = spatialAxes(meaning, output, inputs[0]).map(inputGradientAxes);
    if (rows.length * columns.length !== 1 || !takesAdjoint(rows[0], columns[0])) return 0;
    const channels = { inputChannels: inputs[0][3], outputChannels: output[3] };
    return takesWinograd({ rows: rows[0], columns: columns[0], groups, ...channels }) ? tileSize : 0;
  }
  const [rows, columns] = spatialAxes(meaning, inputs[0], inputs[1]).map(forwardAxis);
  const shape = { rows, columns, groups, inputChannels: inputs[0][3], outputChannels: inputs[1][3] };
  return direction === "weightGradient" && takesWinogradWeightGradient(shape, inputs[1][0]) ? tileSize : 0;
}

/** Bytes of the transformed weights. */
const filterBytes = (channels: number, vectors: number): number => 64 * frequencies * channels * vectors;

/** Whether they come from further away than the second-level cache. */
const areLarge = (bytes: number, l2Bytes: number): boolean => 2 * bytes > l2Bytes;

/**
 * Panel width for the products: the register tile's, over a block of tiles. One image that is one block is shared by panels alone, so there are two at least
 * where weights are large.
 */
export function winogradWidth(
  c: Pick<TapConvolution, "request" | "inputChannels" | "outputChannels" | "rows" | "columns">,
): number {
  const { machine, output } = c.request;
  const tiles = Math.ceil(c.rows.count / tileSize) * Math.ceil(c.columns.count / tileSize);
  const vectors = Math.ceil(c.outputChannels / 16);
  const fitting = chooseTile(machine, Math.min(tiles, 14), vectors).vectors;
  const alone = output.shape[0] === 1 && tiles <= 16;
  const shared = alone && vectors > 1 && areLarge(filterBytes(c.inputChannels, vectors), machine.l2Bytes);
  return 16 * (shared ? Math.min(fitting, Math.ceil(vectors / 2)) : fitting);
}

/** Decides the blocks. */
export function planWinograd(c: TapConvolution): WinogradPlan {
  const { machine } = c.request;
  const panelVectors = c.width / 16;
  const vectors = Math.ceil(c.outputChannels / 16);
  const panels = Math.ceil(vectors / panelVectors);
  const channels = 16 * Math.ceil(c.inputChannels / 16);
  const tileRows = Math.ceil(c.rows.count / tileSize);
  const tileColumns = Math.ceil(c.columns.count / tileSize);
  const strip = rowLimit(machine, panelVectors);
  const wanted = Math.max(strip, 12);
  const panelBytes = 4 * floatsOf(wanted) * c.width;
  const panelGroups = Math.ceil(panels / Math.max(1, Math.floor(machine.l2Bytes / 4 / panelBytes)));
  const largeFilters = areLarge(filterBytes(channels, panels * panelVectors), machine.l2Bytes);
  const perTile = (panelsHeld: number): number => 4 * frequencies * (channels + panelsHeld * c.width);
  const imageFits = (panelsHeld: number): boolean =>
    tileRows * tileColumns * perTile(panelsHeld) <= 0.75 * machine.l2Bytes;
  let panelsPerGroup = Math.ceil(panels / panelGroups);
  const fewer = Math.ceil(panelsPerGroup / 2);
  if (largeFilters && !imageFits(panelsPerGroup) && imageFits(fewer)) panelsPerGroup = fewer;
  // Weights that stay in the second-level cache are read again for every strip; others are to serve as many tiles as fit, an image at best.
  const most = !largeFilters
    ? wanted
    : imageFits(panelsPerGroup)
      ? tileRows * tileColumns
      : Math.floor((0.45 * machine.l2Bytes) / perTile(panelsPerGroup));
  const tiles = Math.max(wanted, most);
  const blockColumns = balancedStrips(tileColumns, tiles).big;
  const rowsThatFit = Math.min(tileRows, Math.max(1, Math.floor(tiles / blockColumns)));
  const blockRows = Math.ceil(tileRows / Math.ceil(tileRows / rowsThatFit));
  // Every task transforms the patches that it multiplies, which is little beside products with 64 channels or more.
  const blocks = c.images * Math.ceil(tileRows / blockRows);
  if (largeFilters && blocks === 1) panelsPerGroup = Math.min(panelsPerGroup, Math.ceil(panels / 2));
  const groups = Math.ceil(panels / panelsPerGroup);
  const parts = largeFilters ? Math.max(1, Math.min(groups, Math.floor(leastTasks / blocks))) : 1;
  const groupsPerTask = Math.ceil(groups / parts);
  return {
    tileRows,
    tileColumns,
    blockRows,
    blockColumns,
    tiles: blockRows * blockColumns,
    channels,
    vectors,
    panelVectors,
    panels,
    panelsPerGroup,
    groupsPerTask,
    largeFilters,
  };
}
