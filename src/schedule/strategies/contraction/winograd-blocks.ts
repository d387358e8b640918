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

/**
 * Emits `body` for every tile of a block, in a loop where tiles are whole, in code of its own at the far edges of an image of `size` outputs
 * where only `height` x `width` of them exist.
 */
export function eachTile(
  k: KernelBuilder,
  block: Block,
  size: readonly [rows: number, columns: number],
  body: (row: IntRegister, column: IntRegister, height: number, width: number) => void,
): void {
  const along = (
    start: IntRegister,
    count: IntRegister,
    outputs: number,
    visit: (index: IntRegister, length: number) => void,
  ): void => {
    const stop = k.add(start, count);
    const whole = Math.floor(outputs / tileSize);
    const rest = outputs % tileSize;
    if (whole > 0) k.loop(start, k.intBinary("min", stop, whole), 1, (index) => visit(index, tileSize));
    if (rest > 0) k.if(k.compare("gt", stop, whole), () => visit(k.intConstant(whole), rest));
  };
  along(block.row, block.rows, size[0], (row, height) =>
    along(block.column, block.columns, size[1], (column, width) => body(row, column, height, width)),
  );
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
