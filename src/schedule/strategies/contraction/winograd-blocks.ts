import type { KernelBuilder } from "../../../kernel/builder.ts";
import type { IntOperand, IntRegister } from "../../../kernel/ir.ts";
import type { ConvolutionAxis } from "./convolution-axis.ts";
import { type AddressOf, offsetAddress } from "./lowering.ts";
import type { ImageSource } from "./materialize.ts";
import { type Strips, stripAt } from "./tile.ts";
import { emitPatchRow, frequencyBytes, patchColumns } from "./winograd-patches.ts";
import { tileSize } from "./winograd-transforms.ts";

/** A block of tiles: its first row and column of tiles and how many there are. */
export interface Block {
  readonly row: IntRegister;
  readonly rows: IntRegister;
  readonly column: IntRegister;
  readonly columns: IntRegister;
}

/** One tile of a block, and how many of its outputs exist: a number where they all do in every tile. */
export interface TileOfBlock {
  readonly row: IntRegister;
  readonly column: IntRegister;
  readonly height: IntOperand;
  readonly width: IntOperand;
  /** Its number in the block. */
  readonly index: IntRegister;
}

/** Emits `body` for every tile of a block; `blockColumns` tiles of it are a row. */
export function eachTile(
  k: KernelBuilder,
  block: Block,
  blockColumns: number,
  [rows, columns]: readonly [outputRows: number, outputColumns: number],
  body: (tile: TileOfBlock) => void,
): void {
  const extent = (index: IntRegister, size: number): IntOperand =>
    size % tileSize === 0
      ? tileSize
      : k.intBinary("min", k.intBinary("sub", k.intConstant(size), k.mul(index, tileSize)), tileSize);
  const endColumn = k.add(block.column, block.columns);
  k.loop(block.row, k.add(block.row, block.rows), 1, (row) => {
    const height = extent(row, rows);
    const firstOfRow = k.mul(k.intBinary("sub", row, block.row), blockColumns);
    k.loop(block.column, endColumn, 1, (column) => {
      const index = k.add(firstOfRow, k.intBinary("sub", column, block.column));
      body({ row, column, height, width: extent(column, columns), index });
    });
  });
}

/** Emits `body` for every vector of the channels from `first` to `end`: 16 lanes, or what the last channels leave. */
export function eachVector(
  k: KernelBuilder,
  channels: number,
  [first, end]: readonly [IntRegister, IntRegister],
  body: (channel: IntRegister, lanes: number) => void,
): void {
  const whole = channels - (channels % 16);
  if (whole > 0) k.loop(first, k.intBinary("min", end, whole), 16, (channel) => body(channel, 16));
  if (whole < channels) k.if(k.compare("eq", end, channels), () => body(k.intConstant(whole), channels - whole));
}

/** Emits `whole` for tiles of which all outputs exist and `edge` for others. */
export function wholeOrEdge(
  k: KernelBuilder,
  { height, width }: Pick<TileOfBlock, "height" | "width">,
  whole: () => void,
  edge: () => void,
): void {
  if (typeof height === "number" && typeof width === "number") {
    whole();
    return;
  }
  const sum = typeof height === "number" ? k.add(width as IntRegister, height) : k.add(height, width);
  k.if(k.compare("eq", sum, 2 * tileSize), whole, edge);
}

/** Where the patches of a block come from and go to. */
export interface BlockPatches {
  readonly input: ImageSource;
  readonly image: IntOperand;
  readonly rows: ConvolutionAxis;
  readonly columns: ConvolutionAxis;
  readonly channels: number;
  /** `[frequency][tile][paddedChannels]` of `tiles` tiles, `blockColumns` to a row. */
  readonly destination: IntRegister;
  readonly paddedChannels: number;
  readonly tiles: number;
  readonly blockColumns: number;
  /** Room for `patchRowBytes(blockColumns)`. */
  readonly scratch: IntRegister;
}

/** Transforms the patches of a block. */
export function emitBlockPatches(k: KernelBuilder, address: AddressOf, block: Block, p: BlockPatches): void {
  const [sn, sh, sw] = p.input.strides.map((stride) => 4 * stride);
  const source = offsetAddress(k, address(p.input.argument), [[p.image, sn]], 4 * p.input.offset);
  const left = k.add(k.mul(block.column, tileSize), p.columns.offset);
  const top = k.add(k.mul(block.row, tileSize), p.rows.offset);
  const destination = k.intMove(p.destination);
  k.loop(0, block.rows, 1, () => {
    emitPatchRow(k, {
      source,
      strides: [sh, sw],
      inputRows: p.rows.inputSize,
      inputColumns: p.columns.inputSize,
      channels: p.channels,
      top,
      left,
      tiles: block.columns,
      destination,
      frequencyStride: frequencyBytes(p.tiles, p.paddedChannels),
      tileStride: 4 * p.paddedChannels,
      scratch: p.scratch,
      scratchColumns: patchColumns(p.blockColumns),
    });
    k.add(top, tileSize, top);
    k.add(destination, 4 * p.blockColumns * p.paddedChannels, destination);
  });
}

/** Emits `body` for every strip, in a loop for those of one size. */
export function eachStrip(k: KernelBuilder, strips: Strips, body: (first: IntOperand, size: number) => void): void {
  const run = (index: number, count: number, size: number): void => {
    const { start } = stripAt(strips, index);
    if (count === 1) body(start, size);
    else if (count > 1) k.loop(start, start + count * size, size, (first) => body(first, size));
  };
  run(0, strips.bigCount, strips.big);
  run(strips.bigCount, strips.count - strips.bigCount, strips.big - 1);
}
