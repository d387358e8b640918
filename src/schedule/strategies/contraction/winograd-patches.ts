import type { KernelBuilder } from "../../../kernel/builder.ts";
import type { IntRegister, VectorRegister } from "../../../kernel/ir.ts";
import { patchSize, tileSize, transformPatch } from "./winograd-transforms.ts";

/** A row of tiles whose patches are transformed. Strides in bytes; positions count from the image's first row and column. */
export interface PatchRow {
  /** The image's first element. */
  readonly source: IntRegister;
  readonly strides: readonly [row: number, column: number];
  readonly inputRows: number;
  readonly inputColumns: number;
  readonly channels: number;
  /** Input row and column of the first patch's corner; what lies outside the input is 0. */
  readonly top: IntRegister;
  readonly left: IntRegister;
  readonly tiles: IntRegister;
  /** Element [frequency][tile][channel], at the first tile of the row; strides in bytes. */
  readonly destination: IntRegister;
  readonly frequencyStride: number;
  readonly tileStride: number;
  /** Room for `patchRowBytes`: rows of the patches transformed along one axis. */
  readonly scratch: IntRegister;
  readonly scratchColumns: number;
}

/** Input columns that so many tiles read. */
export const patchColumns = (tiles: number): number => tiles * tileSize + patchSize - tileSize;
/** Bytes of scratch for a row of so many tiles. */
export const patchRowBytes = (tiles: number): number => 64 * patchSize * patchColumns(tiles);

/**
 * Emits Bᵀ d B for a row of tiles, 16 channels at a time: first down the columns of the input, which neighbouring tiles share, then along the
 * rows of each patch.
 */
export function emitPatchRow(k: KernelBuilder, p: PatchRow): void {
  const first = k.intBinary("min", k.intBinary("max", p.left, 0), p.inputColumns);
  const end = k.add(k.mul(p.tiles, tileSize), k.add(p.left, patchSize - tileSize));
  const last = k.intBinary("max", k.intBinary("min", end, p.inputColumns), first);
  const rowBytes = 64 * p.scratchColumns;
  const scratchAt = (column: IntRegister): IntRegister =>
    k.add(p.scratch, k.mul(k.intBinary("sub", column, p.left), 64));
  const blank = (from: IntRegister, to: IntRegister): void =>
    k.loop(scratchAt(from), scratchAt(to), 64, (at) => {
      const zero = k.constant(0);
      for (let i = 0; i < patchSize; i++) k.store(zero, k.at(at, i * rowBytes));
    });
  const group = (channel: IntRegister | number, lanes: number): void => {
    const options = lanes < 16 ? { lanes } : {};
    const source =
      typeof channel === "number" ? k.address(k.at(p.source, 4 * channel)) : k.address(k.at(p.source, channel, 4));
    const [rowStride, columnStride] = p.strides;
    const columns = (load: (offset: IntRegister, row: number) => VectorRegister): void => {
      const offset = k.mul(first, columnStride);
      k.loop(scratchAt(first), scratchAt(last), 64, (at) => {
        const values = Array.from({ length: patchSize }, (_, row) => load(offset, row));
        transformPatch(k, values).forEach((value, i) => {
          k.store(value, k.at(at, i * rowBytes));
        });
        k.add(offset, columnStride, offset);
      });
    };
    const inside = (): void => {
      const corner = k.add(source, k.mul(p.top, rowStride));
      columns((offset, row) => k.load(k.at(corner, offset, 1, row * rowStride), "f32", options));
    };
    const outside = (): void => {
      const rows = Array.from({ length: patchSize }, (_, row) => {
        const position = k.add(p.top, row);
        const vector = k.splatInt(position);
        const mask = k.binary(
          "and",
          k.binary("ilt", k.constant(-1, "i32"), vector),
          k.binary("ilt", vector, k.constant(p.inputRows, "i32")),
        );
        const near = k.intBinary("min", k.intBinary("max", position, 0), p.inputRows - 1);
        return { mask, pointer: k.add(source, k.mul(near, rowStride)) };
      });
      columns((offset, row) => {
        const value = k.load(k.at(rows[row].pointer, offset, 1), "f32", options);
        return k.select(rows[row].mask, value, k.constant(0));
      });
    };
    k.if(
      k.compare("ge", p.top, 0),
      () => k.if(k.compare("le", p.top, p.inputRows - patchSize), inside, outside),
      outside,
    );
    blank(p.left, first);
    blank(last, end);
    const target =
      typeof channel === "number"
        ? k.address(k.at(p.destination, 4 * channel))
        : k.address(k.at(p.destination, channel, 4));
    k.loop(p.scratch, k.address(k.at(p.scratch, patchSize * rowBytes)), rowBytes, (row) => {
      const from = k.intMove(row);
      const to = k.intMove(target);
      k.loop(0, p.tiles, 1, () => {
        const values = Array.from({ length: patchSize }, (_, j) => k.load(k.at(from, 64 * j)));
        transformPatch(k, values).forEach((value, j) => {
          k.store(value, k.at(to, j * p.frequencyStride));
        });
        k.add(from, 64 * tileSize, from);
        k.add(to, p.tileStride, to);
      });
      k.add(target, patchSize * p.frequencyStride, target);
    });
  };
  const whole = p.channels - (p.channels % 16);
  if (whole > 0) k.loop(0, whole, 16, (channel) => group(channel, 16));
  if (whole < p.channels) group(whole, p.channels - whole);
}

/**
 * Bytes from one frequency to the next of so many tiles and channels: an odd number of cache lines, so that what is written together does not
 * fall into one set of the first-level cache.
 */
export const frequencyBytes = (tiles: number, channels: number): number =>
  64 * (Math.ceil((tiles * channels) / 16) | 1);
