/**
 * Outputs that see nothing but zeros. The direct sum gives exactly 0 for them, a tile leaves the rounding errors of its other outputs; and where a
 * relu follows (its slope at 0 is 0) or a maximum, that would be another gradient. Blank parts of images and dead activations make such outputs.
 */
import type { KernelBuilder } from "../../../kernel/builder.ts";
import type { IntRegister, VectorRegister } from "../../../kernel/ir.ts";
import { type AddressOf, offsetAddress } from "./lowering.ts";
import type { Block, BlockPatches } from "./winograd-blocks.ts";
import { tileSize } from "./winograd-transforms.ts";

const taps = 3;
const masks = 64;

/** Bytes for what is known of one tile: whether any output may be blank, then a mask for each output, all ones where it is not. */
export const blankBytes = masks + 4 * tileSize * tileSize;

/**
 * Emits the search through the tiles of a block. Every window of 3 x 3 holds one of the four pixels in the middle of its patch, or in the last
 * row or column of the input where it reaches over that: only where one of those is zero are the windows looked at.
 */
export function emitBlankTiles(
  k: KernelBuilder,
  address: AddressOf,
  block: Block,
  p: Omit<BlockPatches, "destination">,
  destination: IntRegister,
): void {
  const [sn, sh, sw] = p.input.strides.map((stride) => 4 * stride);
  const source = offsetAddress(k, address(p.input.argument), [[p.image, sn]], 4 * p.input.offset);
  const rowOfTiles = k.intMove(destination);
  const endRow = k.add(block.row, block.rows);
  const endColumn = k.add(block.column, block.columns);
  k.loop(block.row, endRow, 1, (tileRow) => {
    const top = k.add(k.mul(tileRow, tileSize), p.rows.offset);
    const middle = nearest(k, top, p.rows.inputSize).map((row) => k.add(source, k.mul(row, sh)));
    const to = k.intMove(rowOfTiles);
    k.loop(block.column, endColumn, 1, (tileColumn) => {
      const left = k.add(k.mul(tileColumn, tileSize), p.columns.offset);
      const columns = nearest(k, left, p.columns.inputSize).map((column) => k.mul(column, sw));
      const maybe = k.intConstant(0);
      for (const row of middle)
        for (const column of columns) {
          const seen = k.constant(0, "i32");
          mark(k, seen, k.add(row, column), p.channels);
          k.if(
            isSet(k, seen),
            () => {},
            () => k.intConstant(1, maybe),
          );
        }
      k.intStore(maybe, k.at(to));
      k.if(k.compare("ne", maybe, 0), () => emitWindows(k, source, [sh, sw], top, left, to, p));
      k.add(to, blankBytes, to);
    });
    k.add(rowOfTiles, p.blockColumns * blankBytes, rowOfTiles);
  });
}

/** Emits what clears the blank outputs of a tile. */
export function clearBlank(
  k: KernelBuilder,
  blank: IntRegister,
  outputs: readonly (readonly VectorRegister[])[],
): void {
  k.if(k.compare("ne", k.intLoad(k.at(blank)), 0), () =>
    outputs.forEach((row, i) => {
      row.forEach((output, j) => {
        k.binary("and", output, k.broadcast(k.at(blank, masks + 4 * (tileSize * i + j)), "i32"), output);
      });
    }),
  );
}

/** The two middle positions of a patch, or the input's last where they lie beyond. */
const nearest = (k: KernelBuilder, first: IntRegister, size: number): IntRegister[] =>
  [2, 3].map((position) => k.intBinary("min", k.add(first, position), size - 1));

/** Masks of all windows of a tile. */
function emitWindows(
  k: KernelBuilder,
  source: IntRegister,
  [sh, sw]: readonly [number, number],
  top: IntRegister,
  left: IntRegister,
  to: IntRegister,
  p: Omit<BlockPatches, "destination">,
): void {
  const inside = (start: IntRegister, index: IntRegister, size: number): readonly [IntRegister, IntRegister] => {
    const first = k.add(start, index);
    return [k.intBinary("max", first, 0), k.intBinary("min", k.add(first, taps), size)];
  };
  k.loop(0, tileSize, 1, (i) => {
    const [firstRow, endRow] = inside(top, i, p.rows.inputSize);
    k.loop(0, tileSize, 1, (j) => {
      const [firstColumn, endColumn] = inside(left, j, p.columns.inputSize);
      const seen = k.constant(0, "i32");
      k.loop(firstRow, endRow, 1, (row) => {
        const pixels = k.add(source, k.mul(row, sh));
        k.loop(firstColumn, endColumn, 1, (column) => mark(k, seen, k.add(pixels, k.mul(column, sw)), p.channels));
      });
      const mask = k.intConstant(0);
      k.if(isSet(k, seen), () => k.intConstant(-1, mask));
      const at = k.add(to, k.mul(k.add(k.mul(i, tileSize), j), 4));
      k.intStore(mask, k.at(at, masks));
    });
  });
}

/** Adds the bits of a pixel's channels. */
function mark(k: KernelBuilder, seen: VectorRegister, pixel: IntRegister, channels: number): void {
  const whole = channels - (channels % 16);
  const take = (at: VectorRegister): void => void k.binary("or", seen, at, seen);
  if (whole <= 64) for (let c = 0; c < whole; c += 16) take(k.load(k.at(pixel, 4 * c), "i32"));
  else k.loop(0, whole, 16, (c) => take(k.load(k.at(pixel, c, 4), "i32")));
  if (whole < channels) take(k.load(k.at(pixel, 4 * whole), "i32", { lanes: channels - whole }));
}

/** Whether any number was not 0 (or -0). */
const isSet = (k: KernelBuilder, seen: VectorRegister) =>
  ({ kind: "anyLane", mask: k.binary("fne", seen, k.constant(0)) }) as const;
