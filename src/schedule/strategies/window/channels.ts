/** NHWC operands in pooling kernels: 16 channels in a register, several registers to a tile. */
import type { KernelBuilder } from "../../../kernel/builder.ts";
import type { IntOperand, IntRegister, MemoryType, VectorRegister } from "../../../kernel/ir.ts";
import { type Lanes, memoryTypeOf } from "../../emit-memory.ts";
import { StrideLanes } from "../../loops/nest.ts";
import type { OperandView } from "../../strategy.ts";
import { offsetAddress } from "../contraction/lowering.ts";

/** Neighbouring vectors of channels that a kernel handles together; the last may be partial. */
export interface ChannelTile {
  /** First channel. */
  readonly first: IntOperand;
  /** One entry per vector: the lanes that exist. */
  readonly vectors: readonly Lanes[];
}

/** Calls back for every tile of `channels`, whole tiles in a loop. */
export function forEachChannelTile(
  k: KernelBuilder,
  channels: number,
  vectorsPerTile: number,
  visit: (tile: ChannelTile) => void,
): void {
  const width = 16 * vectorsPerTile;
  const whole = Math.floor(channels / width);
  const full = { vectors: new Array<Lanes>(vectorsPerTile).fill({}) };
  if (whole > 1) k.loop(0, whole * width, width, (first) => visit({ first, ...full }));
  else if (whole === 1) visit({ first: 0, ...full });
  const rest = channels - whole * width;
  if (rest === 0) return;
  const vectors = Array.from(
    { length: Math.ceil(rest / 16) },
    (_, v): Lanes => (rest - 16 * v < 16 ? { lanes: rest - 16 * v } : {}),
  );
  visit({ first: whole * width, vectors });
}

/** One NHWC operand: where a pixel lies and how its channels are loaded. */
export class PixelSource {
  private readonly k: KernelBuilder;
  /** In bytes. */
  private readonly strides: readonly number[];
  private readonly size: 1 | 4;
  private readonly type: MemoryType;
  private readonly channelStride: number;
  private readonly lanes: StrideLanes;
  private readonly base: IntRegister;

  /** `address` points to the operand's buffer; make it before the loops. */
  constructor(k: KernelBuilder, view: OperandView, address: IntRegister, channels: number) {
    this.k = k;
    this.type = memoryTypeOf(view.dtype);
    this.size = this.type === "u8" ? 1 : 4;
    this.strides = view.strides.map((stride) => this.size * stride);
    this.channelStride = channels === 1 ? 1 : view.strides[3];
    this.lanes = new StrideLanes(k);
    if (this.channelStride !== 1 && this.channelStride !== 0) this.lanes.prepare([this.channelStride]);
    this.base = offsetAddress(k, address, [], this.size * view.offset);
  }

  /** Address of channel 0 of a pixel; the pixel may lie outside the image as long as it is not loaded. */
  pixel(image: IntOperand, row: IntOperand, column: IntOperand): IntRegister {
    return offsetAddress(this.k, this.base, [
      [image, this.strides[0]],
      [row, this.strides[1]],
      [column, this.strides[2]],
    ]);
  }

  /** A pixel `rows` and `columns` away from another. */
  moved(pixel: IntRegister, rows: IntOperand, columns: IntOperand): IntRegister {
    return offsetAddress(this.k, pixel, [
      [rows, this.strides[1]],
      [columns, this.strides[2]],
    ]);
  }

  /** Vector `v` of a channel tile, of the pixel at a constant distance from `pixel`. */
  load(pixel: IntRegister, tile: ChannelTile, v: number, rows = 0, columns = 0): VectorRegister {
    const { k, type, size, channelStride } = this;
    const displacement = rows * this.strides[1] + columns * this.strides[2];
    const { first } = tile;
    if (channelStride === 0) return k.broadcast(k.at(pixel, displacement), type);
    if (channelStride === 1) {
      const at =
        typeof first === "number"
          ? k.at(pixel, displacement + size * (first + 16 * v))
          : k.at(pixel, first, size, displacement + size * 16 * v);
      return k.load(at, type, tile.vectors[v]);
    }
    const from = offsetAddress(
      k,
      pixel,
      [
        [first, size * channelStride],
        [16 * v, size * channelStride],
      ],
      displacement,
    );
    return k.gather(from, this.lanes.get(channelStride), size, 0, type, tile.vectors[v]);
  }
}
