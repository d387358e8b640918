/** The weight gradient of a convolution as one matrix product over the pixels of all images. */
import type { KernelBuilder } from "../../../kernel/builder.ts";
import type { IntRegister } from "../../../kernel/ir.ts";
import type { Meaning } from "../../../ops/define.ts";
import type { OperandView, StrategyRequest } from "../../strategy.ts";
import { type ConvolutionAxis, forwardAxis, spatialAxes } from "./convolution-axis.ts";
import { type AddressOf, asRegister, type LoweringBuilder, offsetAddress, operand, splitTask } from "./lowering.ts";
import { emitProduct, lowerMatmul } from "./matmul.ts";
import { group, packStripsAlongLanes, type StepSource } from "./matmul-pack-lanes.ts";
import { planMatmul } from "./matmul-plan.ts";
import { clear, copyFloats } from "./padded-rows.ts";
import { isIdentity, mergedEpilogue, runStep } from "./pointwise.ts";

/** Results smaller than this are summed in parts, image by image, with less ado. */
const leastResult = 48 * 1024;
/** Gathered windows are this many floats at most, and each is used by so many outputs at least. */
const mostGathered = 16 * 1024 * 1024;
const leastUses = 128;
/** Kernels of several taps: images have few pixels, or the result is too large to be summed image by image. */
const fewPixels = 64;
const largeResult = 1024 * 1024;

type Convolution = Extract<Meaning, { kind: "conv2d" }>;

/**
 * dw[kh·kw·c, k] = X[pixels, kh·kw·c]ᵀ · g[pixels, k]: every output is one fma chain over the pixels of all images, in their order. X is the image
 * as it lies where the kernel has one tap and stride 1; else its rows are gathered, a few pixels at a time, while they are packed.
 *
 * @returns whether it suits the shapes; if not, nothing is emitted.
 */
export function lowerWeightGradientProduct(
  request: StrategyRequest,
  meaning: Convolution,
  lowering: LoweringBuilder,
): boolean {
  const [xType, gType] = request.inputs;
  const [x, g] = request.views;
  const [rows, columns] = spatialAxes(meaning, xType.shape, gType.shape).map(forwardAxis);
  const channels = xType.shape[3];
  const outputs = gType.shape[3];
  const pixels = gType.shape[0] * rows.count * columns.count;
  const m = rows.taps * columns.taps * channels;
  if (meaning.groups > 1 || m * outputs < leastResult) return false;
  const gStep = runStep(g.strides, gType.shape);
  const product = productOf(request, m, pixels);
  if (x.strides[3] !== 1 || g.strides[3] !== 1 || gStep === undefined || !product) return false;
  const b = { ...g, strides: [gStep, 1] };
  const xStep = isIdentity(rows) && isIdentity(columns) ? runStep(x.strides, xType.shape) : undefined;
  if (xStep !== undefined) {
    lowerMatmul({ ...product, views: [{ ...x, strides: [1, xStep] }, b] }, lowering);
    return true;
  }
  const pays = rows.taps * columns.taps === 1 || rows.count * columns.count <= fewPixels || m * outputs >= largeResult;
  if (!pays || outputs < leastUses || m * pixels > mostGathered) return false;
  const problem = { batch: [], m, n: outputs, k: pixels, a: { ...x, strides: [1, m] }, b };
  const plan = { ...planMatmul(problem, request.machine), packA: "step", packedAsRows: false } as const;
  const packed = lowering.temporary(plan.strips.count * plan.strips.big * pixels);
  packStripsAlongLanes(plan, lowering, packed, windowsOf({ x, rows, columns, channels, images: gType.shape[0] }));
  emitProduct(product, plan, lowering, packed);
  return true;
}

/** The request as a product of matrices: its result's first three axes as one, where all that is read or written beside it allows that. */
function productOf(request: StrategyRequest, m: number, pixels: number): StrategyRequest | undefined {
  const outputs = request.output.shape[3];
  const epilogue = mergedEpilogue(request, (run, channel) => [run, channel]);
  if (epilogue === undefined) return undefined;
  return {
    ...request,
    meaning: { kind: "matmul" },
    inputs: [
      { ...request.inputs[0], shape: [m, pixels] },
      { ...request.inputs[1], shape: [pixels, outputs] },
    ],
    output: { ...request.output, shape: [m, outputs] },
    epilogue,
  };
}

interface Windows {
  readonly x: OperandView;
  readonly rows: ConvolutionAxis;
  readonly columns: ConvolutionAxis;
  readonly channels: number;
  readonly images: number;
}

/** What the taps of each pixel read, [pixel][row tap][column tap][channel], with zeros outside the image. */
function windowsOf({ x, rows, columns, channels, images }: Windows): StepSource {
  const [sn, sh, sw] = x.strides.map((stride) => 4 * stride);
  const tapBytes = 4 * channels;
  const windowBytes = rows.taps * columns.taps * tapBytes;
  const inside = (k: KernelBuilder, { inputSize }: ConvolutionAxis, at: IntRegister, yes: () => void, no: () => void) =>
    k.if(k.compare("ge", at, 0), () => k.if(k.compare("lt", at, inputSize), yes, no), no);
  const inputAt = (k: KernelBuilder, axis: ConvolutionAxis, output: IntRegister, tap: IntRegister): IntRegister =>
    k.add(k.add(k.mul(output, axis.inputStep), k.mul(tap, axis.offsetStep)), axis.offset);
  const gather = (k: KernelBuilder, base: IntRegister, pixel: IntRegister, to: IntRegister): void => {
    const [image, row, column] = splitTask(k, pixel, [images, rows.count, columns.count]).map((index) =>
      asRegister(k, index),
    );
    const from = offsetAddress(k, base, [[image, sn]], 4 * x.offset);
    k.loop(0, rows.taps, 1, (rowTap) => {
      const top = inputAt(k, rows, row, rowTap);
      const tapRow = offsetAddress(k, to, [[rowTap, columns.taps * tapBytes]]);
      inside(
        k,
        rows,
        top,
        () => {
          const line = offsetAddress(k, from, [[top, sh]]);
          k.loop(0, columns.taps, 1, (columnTap) => {
            const left = inputAt(k, columns, column, columnTap);
            const place = offsetAddress(k, tapRow, [[columnTap, tapBytes]]);
            inside(
              k,
              columns,
              left,
              () => copyFloats(k, offsetAddress(k, line, [[left, sw]]), place, channels),
              () => clear(k, place, 0, channels),
            );
          });
        },
        () => clear(k, tapRow, 0, columns.taps * channels),
      );
    });
  };
  return {
    argument: operand(x.operand),
    stepStride: windowBytes / 4,
    emit: (k: KernelBuilder, address: AddressOf, { first, count }) => {
      const scratch = k.scratch(group * windowBytes);
      const base = address(operand(x.operand));
      k.loop(0, count, 1, (index) =>
        gather(k, base, k.add(first, index), offsetAddress(k, scratch, [[index, windowBytes]])),
      );
      return scratch;
    },
  };
}
