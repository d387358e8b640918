import type { KernelBuilder } from "../../../kernel/builder.ts";
import type { IntOperand, IntRegister, VectorRegister } from "../../../kernel/ir.ts";
import { type AddressOf, asRegister, offsetAddress } from "./lowering.ts";
import type { ImageSource } from "./materialize.ts";
import { type Block, eachTile, type TileOfBlock, wholeOrEdge } from "./winograd-blocks.ts";
import { frequencyBytes } from "./winograd-patches.ts";
import { inTwoDimensions, tileSize, transformTile } from "./winograd-transforms.ts";

/** Where the gradient of a convolution's outputs comes from, tile by tile, and where it goes. */
export interface GradientTiles {
  readonly gradient: ImageSource;
  readonly image: IntOperand;
  /** Rows and columns of the outputs; what tiles have beyond them is 0. */
  readonly outputs: readonly [rows: number, columns: number];
  readonly channels: number;
  /** The channels that are read, all by default. */
  readonly firstChannel?: IntOperand;
  readonly endChannel?: IntRegister | undefined;
  /** `[frequency][tile][paddedChannels]` of `tiles` tiles, `blockColumns` to a row. */
  readonly destination: IntRegister;
  readonly paddedChannels: number;
  readonly tiles: number;
  readonly blockColumns: number;
  /** Room for `tileBytes`: the outputs of a tile at an edge. */
  readonly scratch: IntRegister;
}

/** Emits A y Aᵀ for the tiles of a block. */
export function emitGradientTiles(k: KernelBuilder, address: AddressOf, block: Block, p: GradientTiles): void {
  const strides = p.gradient.strides.map((stride) => 4 * stride);
  const firstChannel = asRegister(k, p.firstChannel ?? 0);
  const wholeChannels = p.channels - (p.channels % 16);
  const stride = frequencyBytes(p.tiles, p.paddedChannels);
  eachTile(k, block, p.blockColumns, p.outputs, (tile) => {
    const from = offsetAddress(
      k,
      address(p.gradient.argument),
      [
        [p.image, strides[0]],
        [tile.row, tileSize * strides[1]],
        [tile.column, tileSize * strides[2]],
      ],
      4 * p.gradient.offset,
    );
    const to = k.add(p.destination, k.mul(tile.index, 4 * p.paddedChannels));
    const vector = (channel: IntOperand, lanes: number): void => {
      const source = offsetAddress(k, from, [[channel, 4]]);
      const outputs = emitOutputs(k, tile, source, [strides[1], strides[2]], lanes, p.scratch);
      inTwoDimensions((values) => transformTile(k, values), outputs)
        .flat()
        .forEach((value, f) => {
          k.store(value, k.at(to, f * stride));
        });
      k.add(to, 64, to);
    };
    const last = p.endChannel ? k.intBinary("min", p.endChannel, wholeChannels) : wholeChannels;
    k.loop(firstChannel, last, 16, (channel) => vector(channel, 16));
    if (wholeChannels === p.channels) return;
    const tail = (): void => vector(wholeChannels, p.channels - wholeChannels);
    if (p.endChannel) k.if(k.compare("ge", p.endChannel, p.channels), tail);
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
