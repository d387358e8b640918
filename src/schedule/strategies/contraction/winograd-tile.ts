import { bytesPerElement } from "../../../graph/dtype.ts";
import type { KernelBuilder } from "../../../kernel/builder.ts";
import type { IntOperand, IntRegister, VectorRegister } from "../../../kernel/ir.ts";
import { EpilogueEmitter } from "../../emit-epilogue.ts";
import { storeLanes } from "../../emit-memory.ts";
import type { FusedPooling, StrategyRequest } from "../../strategy.ts";
import { accumulator } from "../window/accumulator.ts";
import { type AddressOf, offsetAddress, operand } from "./lowering.ts";
import { clearBlank } from "./winograd-blank.ts";
import { inTwoDimensions, patchSize, transformProducts } from "./winograd-transforms.ts";

/** One tile of one vector of channels. */
export interface FinishedTile {
  readonly image: IntOperand;
  readonly row: IntRegister;
  readonly column: IntRegister;
  /** Outputs that exist. */
  readonly height: number;
  readonly width: number;
  readonly channel: IntRegister;
  readonly lanes: number;
  /** The products of the 36 frequencies, one vector after the other. */
  readonly products: IntRegister;
  /** What is known of the tile's blank outputs, if that matters. */
  readonly blank: IntRegister | undefined;
}

/** Emits Aᵀ M A, the epilogue of the tile's outputs, and their pooling. */
export function emitTile(k: KernelBuilder, request: StrategyRequest, address: AddressOf, t: FinishedTile): void {
  const products = Array.from({ length: patchSize }, (_, i) =>
    Array.from({ length: patchSize }, (_, j) => k.load(k.at(t.products, 64 * (patchSize * i + j)))),
  );
  const outputs = inTwoDimensions((values) => transformProducts(k, values), products);
  if (t.blank) clearBlank(k, t.blank, outputs);
  const emitter = new EpilogueEmitter(k, request.epilogue, request.output, (index) => address(operand(index)));
  const tile = emitter.at([t.image, t.row, t.column], t.channel);
  const options = t.lanes < 16 ? { lanes: t.lanes } : {};
  const { pooling } = request;
  if (!pooling) {
    for (let i = 0; i < t.height; i++)
      for (let j = 0; j < t.width; j++) tile.finish(outputs[i][j], [0, i, j, 0], options);
    return;
  }
  const [height, width] = pooling.window;
  const pooled = pooledAddresses(k, address, pooling, t);
  const withTaps = pooling.taps.length > 0;
  for (let i = 0; i < t.height; i += height)
    for (let j = 0; j < t.width; j += width) {
      const running = accumulator(k, "max", () => k.constant(0, "i32"), undefined, withTaps);
      for (let a = 0; a < height; a++)
        for (let b = 0; b < width; b++) {
          const [value] = tile.finish(outputs[i + a][j + b], [0, i + a, j + b, 0], options, [pooling.expression]);
          running.take(value, () => k.constant(a * width + b, "i32"));
        }
      pooled.forEach(({ pointer, size, strides, dtype }, index) => {
        const value = index < pooling.largest.length ? running.result : (running.chosen as VectorRegister);
        const displacement = size * ((i / height) * strides[1] + (j / width) * strides[2]);
        storeLanes(k, value, k.at(pointer, displacement), dtype, options);
      });
    }
}

/** Where the tile's first window goes in everything that is pooled. */
function pooledAddresses(k: KernelBuilder, address: AddressOf, pooling: FusedPooling, t: FinishedTile) {
  const [height, width] = pooling.window;
  const position: IntOperand[] = [
    t.image,
    k.intBinary("div", t.row, height),
    k.intBinary("div", t.column, width),
    t.channel,
  ];
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
