import type { KernelBuilder } from "../../../kernel/builder.ts";
import type { IntOperand, IntRegister, VectorRegister } from "../../../kernel/ir.ts";
import type { SpreadGradient, StrategyRequest } from "../../strategy.ts";
import { PixelSource } from "../window/channels.ts";
import { type AddressOf, asRegister, offsetAddress, operand } from "./lowering.ts";
import type { ImageSource } from "./materialize.ts";
import { type Block, eachTile, type TileOfBlock, wholeOrEdge } from "./winograd-blocks.ts";
import { frequencyBytes } from "./winograd-patches.ts";
import { inTwoDimensions, tileSize, transformTile } from "./winograd-transforms.ts";

/** Where the gradient of a convolution's outputs comes from, tile by tile, and where it goes. */
export interface GradientTiles {
  readonly gradient: ImageSource;
  /** Where the gradient is that of a max pooling's result: it is spread over the windows. */
  readonly spread: SpreadGradient | undefined;
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

/** Floats that are read of a gradient of so many elements: where it is spread, those of the pooled one and a byte for each tap. */
export const gradientFloats = ({ spread }: StrategyRequest, elements: number): number =>
  spread ? (1.25 * elements) / (spread.window[0] * spread.window[1]) : elements;

/** Emits A y Aᵀ for the tiles of a block. */
export function emitGradientTiles(k: KernelBuilder, address: AddressOf, block: Block, p: GradientTiles): void {
  const firstChannel = asRegister(k, p.firstChannel ?? 0);
  const wholeChannels = p.channels - (p.channels % 16);
  const stride = frequencyBytes(p.tiles, p.paddedChannels);
  const load = p.spread ? spreadLoader(k, address, p, p.spread) : plainLoader(k, address, p);
  eachTile(k, block, p.blockColumns, p.outputs, (tile) => {
    const loadTile = load(tile);
    const to = k.add(p.destination, k.mul(tile.index, 4 * p.paddedChannels));
    const vector = (channel: IntOperand, lanes: number): void => {
      const outputs = emitOutputs(k, tile, loadTile(channel, lanes), p.scratch);
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

/** Loads windows of the gradient for one vector of channels of a tile. */
interface WindowLoader {
  readonly window: readonly [height: number, width: number];
  /** Loads the elements of the window that begins `i` rows and `j` columns into the tile, row by row. */
  into(elements: readonly VectorRegister[], i: number, j: number): void;
  at(i: IntRegister, j: IntRegister): VectorRegister[];
}

type TileLoader = (tile: TileOfBlock) => (channel: IntOperand, lanes: number) => WindowLoader;

/** The gradient as it lies in memory: windows are elements. */
function plainLoader(k: KernelBuilder, address: AddressOf, { gradient, image }: GradientTiles): TileLoader {
  const strides = gradient.strides.map((stride) => 4 * stride);
  return (tile) => {
    const from = offsetAddress(
      k,
      address(gradient.argument),
      [
        [image, strides[0]],
        [tile.row, tileSize * strides[1]],
        [tile.column, tileSize * strides[2]],
      ],
      4 * gradient.offset,
    );
    return (channel, lanes) => {
      const source = offsetAddress(k, from, [[channel, 4]]);
      const options = lanes < 16 ? { lanes } : {};
      return {
        window: [1, 1],
        into: ([element], i, j) => void k.load(k.at(source, i * strides[1] + j * strides[2]), "f32", options, element),
        at: (i, j) => [k.load(k.at(k.add(k.add(source, k.mul(i, strides[1])), k.mul(j, strides[2]))), "f32", options)],
      };
    };
  };
}

/** The gradient of a max pooling's result, which goes to the tap of its window that was the largest; the others are 0. */
function spreadLoader(
  k: KernelBuilder,
  address: AddressOf,
  { gradient, image, channels }: GradientTiles,
  { window, taps }: SpreadGradient,
): TileLoader {
  const [height, width] = window;
  const view = { ...taps, offset: gradient.offset, strides: gradient.strides, dtype: "f32" as const };
  const values = new PixelSource(k, view, address(gradient.argument), channels);
  const chosen = new PixelSource(k, taps, address(operand(taps.operand)), channels);
  const registers = (): VectorRegister[] => Array.from({ length: height * width }, () => k.vector());
  const spread = (value: VectorRegister, tap: VectorRegister, elements: readonly VectorRegister[]): void =>
    elements.forEach((element, index) => {
      k.select(k.binary("ieq", tap, k.constant(index, "i32")), value, k.constant(0), element);
    });
  return (tile) => {
    const row = k.mul(tile.row, tileSize / height);
    const column = k.mul(tile.column, tileSize / width);
    const [value, tap] = [values, chosen].map((source) => source.pixel(image, row, column));
    return (first, lanes) => {
      const vector = { first, vectors: [lanes < 16 ? { lanes } : {}] };
      return {
        window,
        into: (elements, i, j) =>
          spread(
            values.load(value, vector, 0, i / height, j / width),
            chosen.load(tap, vector, 0, i / height, j / width),
            elements,
          ),
        at: (i, j) => {
          const [down, right] = [k.intBinary("div", i, height), k.intBinary("div", j, width)];
          const elements = registers();
          spread(
            values.load(values.moved(value, down, right), vector, 0),
            chosen.load(chosen.moved(tap, down, right), vector, 0),
            elements,
          );
          return elements;
        },
      };
    };
  };
}

/** The outputs of a tile for one vector of channels, 0 where there are none. */
function emitOutputs(
  k: KernelBuilder,
  tile: TileOfBlock,
  load: WindowLoader,
  scratch: IntRegister,
): VectorRegister[][] {
  const [height, width] = load.window;
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
    () => {
      for (let i = 0; i < tileSize; i += height)
        for (let j = 0; j < tileSize; j += width) {
          const rows = outputs.slice(i, i + height);
          load.into(
            rows.flatMap((row) => row.slice(j, j + width)),
            i,
            j,
          );
        }
    },
    () => {
      const zero = k.constant(0);
      each((_, i, j) => k.store(zero, k.at(scratch, 64 * (tileSize * i + j))));
      k.loop(0, tile.height, height, (i) =>
        k.loop(0, tile.width, width, (j) => {
          const to = k.add(scratch, k.mul(k.add(k.mul(i, tileSize), j), 64));
          load.at(i, j).forEach((value, index) => {
            k.store(value, k.at(to, 64 * (tileSize * Math.floor(index / width) + (index % width))));
          });
        }),
      );
      each((output, i, j) => k.load(k.at(scratch, 64 * (tileSize * i + j)), "f32", {}, output));
    },
  );
  return outputs;
}
