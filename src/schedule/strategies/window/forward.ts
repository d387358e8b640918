/** Pooling from data to result: max, argmax, sum and pick, one task per row of the result. */
import type { TensorType } from "../../../graph/node.ts";
import type { KernelBuilder } from "../../../kernel/builder.ts";
import type { IntOperand, IntRegister, VectorRegister } from "../../../kernel/ir.ts";
import { scalarInput } from "../../../kernel/scalar.ts";
import type { Meaning } from "../../../ops/define.ts";
import { EpilogueEmitter } from "../../emit-epilogue.ts";
import type { Epilogue, Lowering, StrategyRequest } from "../../strategy.ts";
import { asRegister, epilogueArguments, LoweringBuilder, operand, splitTask } from "../contraction/lowering.ts";
import { accumulator } from "./accumulator.ts";
import { type ChannelTile, forEachChannelTile, PixelSource } from "./channels.ts";
import { borderTaps, interior, type TapRange, windowAxis } from "./taps.ts";

type Window = Meaning & { readonly kind: "window" };

export function lowerForward(request: StrategyRequest, { combine, geometry }: Window): Lowering {
  const lowering = new LoweringBuilder();
  const [, height, width, channels] = request.inputs[0].shape;
  const [images, rows, columns] = request.output.shape;
  if (request.output.shape.includes(0)) return lowering.build();
  const vertical = windowAxis(geometry, 0, height, rows);
  const horizontal = windowAxis(geometry, 1, width, columns);
  const [kernelHeight, kernelWidth] = geometry.window;
  const unrolled = kernelHeight * kernelWidth <= 25;
  const wide = request.machine.vectorRegisters >= 16;
  const taps = request.taps ?? [];
  const tracksTaps = combine === "argmax" || taps.length > 0;
  const vectorsPerTile = Math.min(Math.ceil(channels / 16), tracksTaps ? (wide ? 4 : 1) : wide ? 4 : 2);
  const elements = images * rows * columns * channels;
  const bytes = 4 * (images * height * width * channels + elements * (request.inputs.length + taps.length));
  const sources = request.views.map((view) => operand(view.operand));
  const name = `window_${combine}_${geometry.window.join("x")}_${rows}x${columns}x${channels}`;
  const work = { tasks: images * rows, flops: elements * kernelHeight * kernelWidth, bytes };

  const tapOperands = taps.map((view) => operand(view.operand));
  lowering.step(name, [...sources, ...epilogueArguments(request), ...tapOperands], work, (k, address) => {
    const [image, row] = splitTask(k, k.task(), [images, rows]);
    const data = new PixelSource(k, request.views[0], address(sources[0]), channels);
    const picked = sources[1] && new PixelSource(k, request.views[1], address(sources[1]), channels);
    const epilogue = new EpilogueEmitter(k, request.epilogue, request.output, (index) => address(operand(index)));
    const tapStores: Epilogue = {
      loads: [],
      stores: taps.map((view) => ({ expression: scalarInput(0, "i32"), view })),
    };
    const tapType: TensorType = { shape: request.output.shape, dtype: "i32" };
    const tapEpilogue =
      taps.length > 0 ? new EpilogueEmitter(k, tapStores, tapType, (index) => address(operand(index))) : undefined;
    const rowRegister = asRegister(k, row);
    const firstRow = k.add(k.mul(rowRegister, vertical.stride), -vertical.before);
    const rowStart = data.pixel(image, firstRow, -horizontal.before);

    /** One pixel of the result. `inside`: all its taps lie in the data. */
    const pixel = (column: IntRegister, vertically: TapRange, horizontally: TapRange, inside: boolean): void => {
      const corner = data.moved(rowStart, 0, horizontal.stride === 1 ? column : k.mul(column, horizontal.stride));
      const tapsAt = picked?.pixel(image, row, column);
      const firstTap = (): VectorRegister =>
        inside ? k.constant(0, "i32") : emitFirstTap(k, vertically, horizontally, kernelWidth);
      forEachChannelTile(k, channels, vectorsPerTile, (tile) => {
        const running = tile.vectors.map((_, v) =>
          accumulator(k, combine, firstTap, picked?.load(tapsAt!, tile, v), tapEpilogue !== undefined),
        );
        if (inside && unrolled) {
          for (let a = 0; a < kernelHeight; a++) {
            for (let b = 0; b < kernelWidth; b++) {
              const tap = shared(() => k.constant(a * kernelWidth + b, "i32"));
              running.forEach(({ take }, v) => {
                take(data.load(corner, tile, v, a * vertical.dilation, b * horizontal.dilation), tap);
              });
            }
          }
        } else {
          k.loop(vertically.start, vertically.end, 1, (a) => {
            const line = data.moved(corner, vertical.dilation === 1 ? a : k.mul(a, vertical.dilation), 0);
            k.loop(horizontally.start, horizontally.end, 1, (b) => {
              const at = data.moved(line, 0, horizontal.dilation === 1 ? b : k.mul(b, horizontal.dilation));
              const tap = shared(() => k.splatInt(k.add(k.mul(a, kernelWidth), b)));
              running.forEach(({ take }, v) => {
                take(data.load(at, tile, v), tap);
              });
            });
          });
        }
        finish(
          epilogue,
          [image, row, column],
          tile,
          running.map(({ result }) => result),
        );
        if (tapEpilogue) {
          finish(
            tapEpilogue,
            [image, row, column],
            tile,
            running.map(({ chosen }) => chosen!),
          );
        }
      });
    };

    const whole = { vertical: { start: 0, end: kernelHeight }, horizontal: { start: 0, end: kernelWidth } };
    const insideRow = (): void => {
      const [low, high] = interior(horizontal);
      const border = (column: IntRegister): void =>
        pixel(column, whole.vertical, borderTaps(k, horizontal, column), false);
      if (low > 0) k.loop(0, low, 1, border);
      if (high > low) k.loop(low, high, 1, (column) => pixel(column, whole.vertical, whole.horizontal, true));
      if (high < columns) k.loop(high, columns, 1, border);
    };
    const borderRow = (): void => {
      const vertically = borderTaps(k, vertical, rowRegister);
      k.loop(0, columns, 1, (column) => pixel(column, vertically, borderTaps(k, horizontal, column), false));
    };
    const [low, high] = interior(vertical);
    if (low === 0 && high === rows) {
      insideRow();
    } else if (high === low) {
      borderRow();
    } else {
      const inside = k.intConstant(1);
      k.if(k.compare("lt", rowRegister, low), () => k.intConstant(0, inside));
      k.if(k.compare("ge", rowRegister, high), () => k.intConstant(0, inside));
      k.if(k.compare("eq", inside, 1), insideRow, borderRow);
    }
  });
  return lowering.build();
}

/** Emits on first use only; what is shared lies in one straight piece of code. */
function shared(make: () => VectorRegister): () => VectorRegister {
  let register: VectorRegister | undefined;
  return () => {
    register ??= make();
    return register;
  };
}

/** Number of the first tap in the data, 0 where there is none. */
function emitFirstTap(
  k: KernelBuilder,
  vertically: TapRange,
  horizontally: TapRange,
  kernelWidth: number,
): VectorRegister {
  const [a, b] = [asRegister(k, vertically.start), asRegister(k, horizontally.start)];
  const tap = k.add(k.mul(a, kernelWidth), b);
  k.if(k.compare("ge", a, vertically.end), () => k.intConstant(0, tap));
  k.if(k.compare("ge", b, horizontally.end), () => k.intConstant(0, tap));
  return k.splatInt(tap);
}

/** Hands a channel tile of one pixel to the epilogue. */
export function finish(
  epilogue: EpilogueEmitter,
  pixel: readonly IntOperand[],
  tile: ChannelTile,
  results: readonly VectorRegister[],
): void {
  const target = epilogue.at(pixel, tile.first);
  results.forEach((result, v) => {
    target.finish(result, [0, 0, 0, 16 * v], tile.vectors[v]);
  });
}
