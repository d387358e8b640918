/** Max pooling inside a convolution: rows of one panel of channels wait in scratch until a row of windows is complete. */
import { bytesPerElement } from "../../../graph/dtype.ts";
import type { KernelBuilder } from "../../../kernel/builder.ts";
import type { IntOperand, IntRegister, VectorRegister } from "../../../kernel/ir.ts";
import { storeLanes } from "../../emit-memory.ts";
import type { FusedPooling, OperandView, StrategyRequest } from "../../strategy.ts";
import { accumulator } from "../window/accumulator.ts";
import { type AddressOf, offsetAddress, operand } from "./lowering.ts";

/** No operand of a request: what the epilogue stores for the pooling lies in scratch. */
const waiting = -1;

/** The waiting rows `[window height][columns][width]`. */
export interface WaitingRows {
  readonly pooling: FusedPooling;
  readonly scratch: IntRegister;
  readonly columns: number;
  readonly width: number;
}

/** Bytes of scratch that the rows take. */
export const waitingBytes = ({ window }: FusedPooling, columns: number, width: number): number =>
  4 * window[0] * columns * width;

/** The request with one more store: what is pooled goes to the waiting rows. */
export function withWaitingStore(request: StrategyRequest, { pooling, width }: WaitingRows): StrategyRequest {
  const { loads, stores } = request.epilogue;
  const view: OperandView = { operand: waiting, dtype: "f32", offset: 0, strides: [0, 0, width, 1] };
  return { ...request, epilogue: { loads, stores: [...stores, { expression: pooling.expression, view }] } };
}

/** Addresses as the epilogue of row `inWindow` of a window sees them: channel `first` of a panel is the first that waits. */
export function withWaitingAddress(
  k: KernelBuilder,
  address: AddressOf,
  rows: WaitingRows,
  inWindow: IntRegister,
  first: IntOperand,
): AddressOf {
  const base = offsetAddress(k, rows.scratch, [
    [inWindow, 4 * rows.columns * rows.width],
    [first, -4],
  ]);
  return (argument) => (argument.kind === "operand" && argument.index === waiting ? base : address(argument));
}

/** Pools the waiting rows of `channels` channels from `first` on into row `pooledRow` of the result. */
export function emitPooling(
  k: KernelBuilder,
  address: AddressOf,
  rows: WaitingRows,
  at: { readonly image: IntOperand; readonly pooledRow: IntOperand; readonly first: IntOperand },
  channels: number,
): void {
  const { pooling, scratch, columns, width } = rows;
  const [height, wide] = pooling.window;
  const targets = [...pooling.largest, ...pooling.taps];
  const sizes = targets.map((view) => bytesPerElement[view.dtype]);
  const pointers = targets.map((view, index) =>
    offsetAddress(
      k,
      address(operand(view.operand)),
      [
        [at.image, sizes[index] * view.strides[0]],
        [at.pooledRow, sizes[index] * view.strides[1]],
        [at.first, sizes[index]],
      ],
      sizes[index] * view.offset,
    ),
  );
  const vectors = Math.ceil(channels / 16);
  const withTaps = pooling.taps.length > 0;
  const zero = (): VectorRegister => k.constant(0, "i32");
  k.loop(0, columns / wide, 1, (column) => {
    const from = offsetAddress(k, scratch, [[column, 4 * wide * width]]);
    const to = pointers.map((pointer, index) =>
      offsetAddress(k, pointer, [[column, sizes[index] * targets[index].strides[2]]]),
    );
    const running = Array.from({ length: vectors }, () => accumulator(k, "max", zero, undefined, withTaps));
    for (let a = 0; a < height; a++) {
      for (let b = 0; b < wide; b++) {
        const tap = k.constant(a * wide + b, "i32");
        running.forEach(({ take }, v) => {
          take(k.load(k.at(from, 4 * ((a * columns + b) * width + 16 * v))), () => tap);
        });
      }
    }
    running.forEach(({ result, chosen }, v) => {
      const lanes = channels - 16 * v < 16 ? { lanes: channels - 16 * v } : {};
      to.forEach((pointer, index) => {
        const value = index < pooling.largest.length ? result : chosen!;
        storeLanes(k, value, k.at(pointer, 16 * sizes[index] * v), targets[index].dtype, lanes);
      });
    });
  });
}
