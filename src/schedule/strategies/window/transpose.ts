/** Pooling from result back to data: the transposes of sum and pick. */
import type { KernelBuilder } from "../../../kernel/builder.ts";
import type { IntOperand, IntRegister, VectorRegister } from "../../../kernel/ir.ts";
import type { Meaning } from "../../../ops/define.ts";
import { EpilogueEmitter } from "../../emit-epilogue.ts";
import type { Lowering, StrategyRequest } from "../../strategy.ts";
import {
  type AddressOf,
  asRegister,
  epilogueArguments,
  LoweringBuilder,
  operand,
  splitTask,
} from "../contraction/lowering.ts";
import { type ChannelTile, forEachChannelTile, PixelSource } from "./channels.ts";
import { finish } from "./forward.ts";
import { coveringPositions, type WindowAxis, windowAxis } from "./taps.ts";

type Window = Meaning & { readonly kind: "window" };

/** What both kernels need: the pooled tensor, its taps, the epilogue over the data's shape. */
interface Frame {
  readonly k: KernelBuilder;
  readonly pooled: PixelSource;
  readonly taps: PixelSource | undefined;
  readonly epilogue: EpilogueEmitter;
}

export function lowerTranspose(request: StrategyRequest, { combine, geometry }: Window): Lowering {
  const lowering = new LoweringBuilder();
  const [images, rows, columns, channels] = request.inputs[0].shape;
  const [, height, width] = request.output.shape;
  if (request.output.shape.includes(0)) return lowering.build();
  const vertical = windowAxis(geometry, 0, height, rows);
  const horizontal = windowAxis(geometry, 1, width, columns);
  const tiled = [vertical, horizontal].every(isTiling) && vertical.window * horizontal.window <= 16;
  const pooledElements = images * rows * columns * channels;
  const bytes = 4 * (images * height * width * channels + pooledElements * request.inputs.length);
  const sources = request.views.map((view) => operand(view.operand));
  const name = `window_${combine}_${geometry.window.join("x")}_${rows}x${columns}x${channels}`;
  const work = {
    tasks: images * (tiled ? rows : height),
    flops: pooledElements * vertical.window * horizontal.window,
    bytes,
  };
  lowering.step(name, [...sources, ...epilogueArguments(request)], work, (k, address: AddressOf) => {
    const frame: Frame = {
      k,
      pooled: new PixelSource(k, request.views[0], address(sources[0]), channels),
      taps:
        combine === "pickTranspose" ? new PixelSource(k, request.views[1], address(sources[1]), channels) : undefined,
      epilogue: new EpilogueEmitter(k, request.epilogue, request.output, (index) => address(operand(index))),
    };
    const vectors = Math.min(Math.ceil(channels / 16), request.machine.vectorRegisters >= 16 ? 4 : 1);
    if (tiled) emitTiled(frame, images, vertical, horizontal, channels, vectors);
    else emitCovered(frame, images, vertical, horizontal, channels, vectors);
  });
  return lowering.build();
}

/** Whether windows lie side by side without gaps: every element belongs to one window, except a rest at the end. */
function isTiling(axis: WindowAxis): boolean {
  return (
    axis.stride === axis.window &&
    axis.dilation === 1 &&
    axis.before === 0 &&
    axis.positions * axis.stride <= axis.size &&
    (axis.positions + 1) * axis.stride > axis.size
  );
}

/** Windows tile the data: each pooled element is read once and spread over its window. One task per row of windows. */
function emitTiled(
  { k, pooled, taps, epilogue }: Frame,
  images: number,
  vertical: WindowAxis,
  horizontal: WindowAxis,
  channels: number,
  vectors: number,
): void {
  const [image, row] = splitTask(k, k.task(), [images, vertical.positions]);
  const top = k.mul(asRegister(k, row), vertical.window);
  const zero = k.constant(0);
  /** Elements that no window covers, `[from, to)` of the columns of a row. */
  const clear = (line: IntOperand, from: number, to: number): void => {
    if (from === to) return;
    k.loop(from, to, 1, (column) => {
      forEachChannelTile(k, channels, vectors, (tile) => {
        finish(
          epilogue,
          [image, line, column],
          tile,
          tile.vectors.map(() => zero),
        );
      });
    });
  };
  k.loop(0, horizontal.positions, 1, (column) => {
    const value = pooled.pixel(image, row, column);
    const chosen = taps?.pixel(image, row, column);
    const left = k.mul(column, horizontal.window);
    forEachChannelTile(k, channels, vectors, (tile) => {
      const target = epilogue.at([image, top, left], tile.first);
      tile.vectors.forEach((lanes, v) => {
        const element = pooled.load(value, tile, v);
        const tap = taps?.load(chosen!, tile, v);
        for (let a = 0; a < vertical.window; a++) {
          for (let b = 0; b < horizontal.window; b++) {
            const here = tap
              ? k.select(k.binary("ieq", tap, k.constant(a * horizontal.window + b, "i32")), element, zero)
              : element;
            target.finish(here, [0, a, b, 16 * v], lanes);
          }
        }
      });
    });
  });
  for (let a = 0; a < vertical.window; a++) {
    const covered = horizontal.positions * horizontal.window;
    if (covered < horizontal.size) clear(k.add(top, a), covered, horizontal.size);
  }
  const coveredRows = vertical.positions * vertical.window;
  if (coveredRows < vertical.size) {
    k.if(k.compare("eq", asRegister(k, row), vertical.positions - 1), () => {
      for (let line = coveredRows; line < vertical.size; line++) clear(line, 0, horizontal.size);
    });
  }
}

/** Any geometry: each element of the data sums what the windows that cover it send. One task per row of the data. */
function emitCovered(
  { k, pooled, taps, epilogue }: Frame,
  images: number,
  vertical: WindowAxis,
  horizontal: WindowAxis,
  channels: number,
  vectors: number,
): void {
  const [image, row] = splitTask(k, k.task(), [images, vertical.size]);
  const rowRegister = asRegister(k, row);
  const above = coveringPositions(k, vertical, rowRegister);
  const place = k.add(rowRegister, vertical.before);
  const imageStart = pooled.pixel(image, 0, 0);
  const tapsStart = taps?.pixel(image, 0, 0);
  k.loop(0, horizontal.size, 1, (column) => {
    const beside = coveringPositions(k, horizontal, column);
    const columnPlace = k.add(column, horizontal.before);
    forEachChannelTile(k, channels, vectors, (tile: ChannelTile) => {
      const sums = tile.vectors.map(() => k.constant(0));
      k.loop(above.start, above.end, 1, (i) => {
        withTap(k, vertical, place, i, (a) => {
          k.loop(beside.start, beside.end, 1, (j) => {
            withTap(k, horizontal, columnPlace, j, (b) => {
              const value = pooled.moved(imageStart, i, j);
              const number = taps && k.splatInt(k.add(k.mul(a, horizontal.window), b));
              const chosen = taps?.moved(tapsStart!, i, j);
              const zero = taps && k.constant(0);
              sums.forEach((total, v) => {
                let element: VectorRegister = pooled.load(value, tile, v);
                if (taps) {
                  element = k.select(k.binary("ieq", taps.load(chosen!, tile, v), number!), element, zero!);
                }
                k.binary("fadd", total, element, total);
              });
            });
          });
        });
      });
      finish(epilogue, [image, row, column], tile, sums);
    });
  });
}

/** The tap with which window `position` covers a place, where the dilation lets it. */
function withTap(
  k: KernelBuilder,
  axis: WindowAxis,
  place: IntRegister,
  position: IntRegister,
  visit: (tap: IntRegister) => void,
): void {
  const distance = k.intBinary("sub", place, k.mul(position, axis.stride));
  if (axis.dilation === 1) {
    visit(distance);
    return;
  }
  k.if(k.compare("eq", k.intBinary("rem", distance, axis.dilation), 0), () => {
    visit(k.intBinary("div", distance, axis.dilation));
  });
}
