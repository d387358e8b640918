import type { StrategyRequest } from "../../strategy.ts";
import type { ConvolutionAxis } from "./convolution-axis.ts";
import type { ImageSource } from "./materialize.ts";
import { balancedStrips, chooseTile } from "./tile.ts";
import { frequencyBytes } from "./winograd-patches.ts";
import { frequencies, tileSize } from "./winograd-transforms.ts";

/** The gradient of 3 x 3 weights: `x` and `g` with contiguous channels, the axes those of the forward direction. */
export interface WinogradWeightGradient {
  readonly name: string;
  readonly request: StrategyRequest;
  readonly x: ImageSource;
  readonly g: ImageSource;
  readonly images: number;
  readonly inputChannels: number;
  readonly outputChannels: number;
  readonly rows: ConvolutionAxis;
  readonly columns: ConvolutionAxis;
}

export interface WeightGradientBlocks {
  readonly tileRows: number;
  readonly tileColumns: number;
  /** Tiles that are transformed at a time: whole rows of them or a part of one row, so that tiles are always added in the same order. */
  readonly blockRows: number;
  readonly blockColumns: number;
  readonly tiles: number;
  /** Channels of x rounded up to whole vectors. */
  readonly patchChannels: number;
  readonly width: number;
  readonly panels: number;
  readonly panelsPerTask: number;
  /** Images are cut into groups, and few images into bands of rows of tiles, by shape alone; each leaves one partial sum. */
  readonly imageGroups: number;
  readonly imagesPerGroup: number;
  readonly bands: number;
  readonly rowsPerBand: number;
  /** Bytes of one frequency of a partial sum `[frequency][panel][channel][width]`, and floats of the whole. */
  readonly frequencyStride: number;
  readonly partialFloats: number;
}

/** Decides blocks and groups. */
export function planBlocks(c: WinogradWeightGradient): WeightGradientBlocks {
  const { machine } = c.request;
  const tileRows = Math.ceil(c.rows.count / tileSize);
  const tileColumns = Math.ceil(c.columns.count / tileSize);
  const width = 16 * chooseTile(machine, c.inputChannels, Math.ceil(c.outputChannels / 16)).vectors;
  const panels = Math.ceil(c.outputChannels / width);
  const patchChannels = 16 * Math.ceil(c.inputChannels / 16);
  const panelBytes = 4 * frequencies * c.inputChannels * width;
  const panelsPerTask = Math.min(panels, Math.max(1, Math.floor((0.6 * machine.l2Bytes) / panelBytes)));
  const frequencyStride = frequencyBytes(panels * c.inputChannels, width);
  const partialFloats = (frequencies * frequencyStride) / 4 + 16;
  // Many small tasks end together; but a partial sum is four times as large as the kernel.
  const affordable = Math.max(8, Math.floor(4e6 / (frequencies * c.inputChannels * c.outputChannels)));
  const wanted = Math.min(32, affordable, Math.max(8, Math.ceil(c.images / 8)));
  const imagesPerGroup = Math.max(Math.min(c.images, 4), Math.ceil(c.images / wanted));
  const imageGroups = Math.ceil(c.images / imagesPerGroup);
  const rowsPerBand = Math.ceil(tileRows / Math.min(tileRows, Math.ceil(8 / imageGroups)));
  const bytesPerTile = 4 * frequencies * (patchChannels + panelsPerTask * width);
  const tilesThatFit = Math.max(16, Math.floor((0.5 * machine.l2Bytes) / bytesPerTile));
  const blockColumns = balancedStrips(tileColumns, tilesThatFit).big;
  const rowsThatFit = blockColumns < tileColumns ? 1 : Math.max(1, Math.floor(tilesThatFit / tileColumns));
  const blockRows = Math.ceil(rowsPerBand / Math.ceil(rowsPerBand / Math.min(rowsPerBand, rowsThatFit)));
  return {
    tileRows,
    tileColumns,
    blockRows,
    blockColumns,
    tiles: blockRows * blockColumns,
    patchChannels,
    width,
    panels,
    panelsPerTask,
    imageGroups,
    imagesPerGroup,
    bands: Math.ceil(tileRows / rowsPerBand),
    rowsPerBand,
    frequencyStride,
    partialFloats,
  };
}
