import { bytesPerElement } from "../../../graph/dtype.ts";
import type { KernelBuilder } from "../../../kernel/builder.ts";
import type { IntOperand, IntRegister, VectorRegister } from "../../../kernel/ir.ts";
import { EpilogueEmitter } from "../../emit-epilogue.ts";
import { storeLanes } from "../../emit-memory.ts";
import type { FusedPooling, StrategyRequest } from "../../strategy.ts";
import { accumulator } from "../window/accumulator.ts";
import { type AddressOf, offsetAddress, operand } from "./lowering.ts";
import { clearBlank } from "./winograd-blank.ts";
import { type TileOfBlock, wholeOrEdge } from "./winograd-blocks.ts";
import { inTwoDimensions, patchSize, tileSize, transformProducts } from "./winograd-transforms.ts";

/** One tile of one vector of channels. */
export interface FinishedTile {
  readonly image: IntOperand;
  readonly tile: TileOfBlock;
  readonly channel: IntRegister;
  readonly lanes: number;
  /** The products of the 36 frequencies, one vector after the other. */
  readonly products: IntRegister;
  /** What is known of the tile's blank outputs, if that matters. */
  readonly blank: IntRegister | undefined;
  /** Room for the outputs of a tile at an edge. */
  readonly scratch: IntRegister;
}

/** Bytes of the outputs of one tile of one vector of channels. */
export const tileBytes = 64 * tileSize * tileSize;

/** Emits Aᵀ M A, the epilogue of the tile's outputs, and their pooling. */
export function emitTile(k: KernelBuilder, request: StrategyRequest, address: AddressOf, t: FinishedTile): void {
  const products = Array.from({ length: patchSize }, (_, i) =>
    Array.from({ length: patchSize }, (_, j) => k.load(k.at(t.products, 64 * (patchSize * i + j)))),
  );
  const outputs = inTwoDimensions((values) => transformProducts(k, values), products);
  if (t.blank) clearBlank(k, t.blank, outputs);
  const row = k.mul(t.tile.row, tileSize);
  const column = k.mul(t.tile.column, tileSize);
  const [height, width] = request.pooling?.window ?? [1, 1];
  wholeOrEdge(
    k,
    t.tile,
    () => {
      const finish = finisher(k, request, address, t, row, column);
      for (let i = 0; i < tileSize; i += height)
        for (let j = 0; j < tileSize; j += width) finish(i, j, (a, b) => outputs[i + a][j + b]);
    },
    () => {
      outputs.flat().forEach((output, index) => {
        k.store(output, k.at(t.scratch, 64 * index));
      });
      k.loop(0, t.tile.height, height, (i) =>
        k.loop(0, t.tile.width, width, (j) => {
          const from = k.add(t.scratch, k.mul(k.add(k.mul(i, tileSize), j), 64));
          const finish = finisher(k, request, address, t, k.add(row, i), k.add(column, j));
          finish(0, 0, (a, b) => k.load(k.at(from, 64 * (tileSize * a + b))));
        }),
      );
    },
  );
}

/** Applies the epilogue to the outputs of one window of the pooling (or to one output), which lies at `i`, `j` from a position. */
function finisher(
  k: KernelBuilder,
  request: StrategyRequest,
  address: AddressOf,
  t: FinishedTile,
  row: IntRegister,
  column: IntRegister,
): (i: number, j: number, output: (a: number, b: number) => VectorRegister) => void {
  const emitter = new EpilogueEmitter(k, request.epilogue, request.output, (index) => address(operand(index)));
  const tile = emitter.at([t.image, row, column], t.channel);
  const options = t.lanes < 16 ? { lanes: t.lanes } : {};
  const { pooling } = request;
  if (!pooling) return (i, j, output) => void tile.finish(output(0, 0), [0, i, j, 0], options);
  const [height, width] = pooling.window;
  const pooled = pooledAddresses(k, address, pooling, [t.image, row, column, t.channel]);
  return (i, j, output) => {
    const running = accumulator(k, "max", () => k.constant(0, "i32"), undefined, pooling.taps.length > 0);
    for (let a = 0; a < height; a++)
      for (let b = 0; b < width; b++) {
        const [value] = tile.finish(output(a, b), [0, i + a, j + b, 0], options, [pooling.expression]);
        running.take(value, () => k.constant(a * width + b, "i32"));
      }
    pooled.forEach(({ pointer, size, strides, dtype }, index) => {
      const value = index < pooling.largest.length ? running.result : (running.chosen as VectorRegister);
      const displacement = size * ((i / height) * strides[1] + (j / width) * strides[2]);
      storeLanes(k, value, k.at(pointer, displacement), dtype, options);
    });
  };
}

/** Where the window at a position goes in everything that is pooled. */
function pooledAddresses(
  k: KernelBuilder,
  address: AddressOf,
  pooling: FusedPooling,
  [image, row, column, channel]: readonly [IntOperand, IntRegister, IntRegister, IntOperand],
) {
  const [height, width] = pooling.window;
  const position = [image, k.intBinary("div", row, height), k.intBinary("div", column, width), channel];
  return [...pooling.largest, ...pooling.taps].map((view) => {
    const size = bytesPerElement[view.dtype];
    const terms = position.map((index, axis) => [index, size * view.strides[axis]] as const);
    return {
      pointer: offsetAddress(k, address(operand(view.operand)), terms, size * view.offset),
      size,
      strides: view.strides,
      dtype: view.dtype,
    };
  });
}
