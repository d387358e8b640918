import { InternalError } from "../../../errors.ts";
import { type Shape, sizeOf } from "../../../graph/shape.ts";
import type { Meaning } from "../../../ops/define.ts";
import type { StepArgument, Strategy, StrategyRequest } from "../../strategy.ts";
import { type ConvolutionAxis, forwardAxis, inputGradientAxes, spatialAxes } from "./convolution-axis.ts";
import { LoweringBuilder, offsetAddress, operand, splitTask } from "./lowering.ts";
import { withContiguousChannels } from "./materialize.ts";
import { emitPanelCopy } from "./pack.ts";
import { mergePixels } from "./pointwise.ts";
import { emitTapConvolution, panelWidth } from "./tap-convolution.ts";
import { lowerWeightGradient } from "./weight-gradient.ts";
import { lowerWeightGradientProduct } from "./weight-gradient-product.ts";
import { emitWinograd } from "./winograd.ts";
import { emitWinogradAdjoint } from "./winograd-adjoint.ts";
import { takesAdjoint, takesWinograd, takesWinogradWeightGradient, winogradWidth } from "./winograd-plan.ts";
import { emitWinogradWeightGradient } from "./winograd-weight-gradient.ts";

type Convolution = Extract<Meaning, { kind: "conv2d" }>;

/** NHWC convolution in its three directions, with groups, strides, dilation and asymmetric padding. */
export const conv2d: Strategy = (request) => {
  const { meaning } = request;
  if (meaning.kind !== "conv2d") throw new InternalError(`conv2d strategy asked for ${meaning.kind}`);
  const lowering = new LoweringBuilder();
  if (sizeOf(request.output.shape) === 0) return lowering.build();
  if (meaning.direction === "weightGradient") {
    const emitted =
      lowerWinogradWeightGradient(request, meaning, lowering) || lowerWeightGradientProduct(request, meaning, lowering);
    if (!emitted) lowerWeightGradient(request, meaning, lowering);
  } else lowerTaps(request, meaning, lowering);
  return lowering.build();
};

/** Forward and input gradient: weights are packed in the order in which the taps are read, then one step per phase of the strides. */
function lowerTaps(request: StrategyRequest, meaning: Convolution, lowering: LoweringBuilder): void {
  const forward = meaning.direction === "forward";
  const [inputType, kernelType] = request.inputs;
  const output = request.output.shape;
  const [rows, columns] = forward
    ? spatialAxes(meaning, inputType.shape, output).map((axis) => [forwardAxis(axis)])
    : spatialAxes(meaning, output, inputType.shape).map(inputGradientAxes);
  const laneWise = kernelType.shape[2] === 1 && kernelType.shape[3] === meaning.groups;
  const groups = laneWise ? 1 : meaning.groups;
  const inputChannels = laneWise ? 1 : inputType.shape[3] / groups;
  const outputChannels = output[3] / groups;
  const tiled =
    rows.length * columns.length === 1 &&
    takesWinograd({ rows: rows[0], columns: columns[0], groups, inputChannels, outputChannels });
  const adjoint = tiled && !forward && takesAdjoint(rows[0], columns[0]);
  const input =
    laneWise || tiled
      ? withContiguousChannels(lowering, request.views[0], inMemory(request, 0))
      : {
          argument: operand(request.views[0].operand),
          offset: request.views[0].offset,
          strides: request.views[0].strides,
        };
  const [h, w] = [inputType.shape[1], inputType.shape[2]];
  for (const row of rows)
    for (const column of columns) {
      const pixels = { request, input, images: output[0], rows: row, columns: column };
      const merged = groups === 1 && !laneWise ? mergePixels(pixels) : pixels;
      const width = tiled
        ? winogradWidth({ request, rows: row, columns: column, inputChannels, outputChannels })
        : panelWidth(request, merged.columns, outputChannels);
      const weights = packTaps(request, lowering, {
        forward,
        laneWise,
        groups,
        inputChannels,
        outputChannels,
        row: adjoint ? inForwardOrder(row) : row,
        column: adjoint ? inForwardOrder(column) : column,
        width,
      });
      const emit = adjoint ? emitWinogradAdjoint : tiled ? emitWinograd : emitTapConvolution;
      emit(lowering, {
        name: `conv2d_${forward ? "forward" : "input_gradient"}_${h}x${w}x${inputType.shape[3]}_${output[3]}${tiled ? "_winograd" : ""}`,
        ...merged,
        groups,
        inputChannels,
        outputChannels,
        laneWise,
        weights: weights.argument,
        weightOffset: weights.offset,
        width,
      });
    }
}

/** The shape of an input in memory. */
function inMemory({ inputs, spread }: StrategyRequest, input: number): Shape {
  const { shape } = inputs[input];
  if (spread?.input !== input) return shape;
  return [shape[0], shape[1] / spread.window[0], shape[2] / spread.window[1], shape[3]];
}

/** An axis of a gradient whose taps are packed as the forward direction reads them. */
const inForwardOrder = (axis: ConvolutionAxis): ConvolutionAxis => ({ ...axis, kernelFirst: 0, kernelStep: 1 });

/** The weight gradient by Winograd's transforms where its shape suits them; otherwise nothing is done. */
function lowerWinogradWeightGradient(
  request: StrategyRequest,
  meaning: Convolution,
  lowering: LoweringBuilder,
): boolean {
  const [xType, gType] = request.inputs;
  const [rows, columns] = spatialAxes(meaning, xType.shape, gType.shape).map(forwardAxis);
  const [inputChannels, outputChannels] = [xType.shape[3], gType.shape[3]];
  const shape = { rows, columns, groups: meaning.groups, inputChannels, outputChannels };
  if (!takesWinogradWeightGradient(shape, gType.shape[0])) return false;
  emitWinogradWeightGradient(lowering, {
    name: `conv2d_weight_gradient_${rows.inputSize}x${columns.inputSize}x${inputChannels}_${outputChannels}_winograd`,
    request,
    x: withContiguousChannels(lowering, request.views[0], xType.shape),
    g: withContiguousChannels(lowering, request.views[1], inMemory(request, 1)),
    images: gType.shape[0],
    inputChannels,
    outputChannels,
    rows,
    columns,
  });
  return true;
}

interface TapPacking {
  readonly forward: boolean;
  readonly laneWise: boolean;
  readonly groups: number;
  readonly inputChannels: number;
  readonly outputChannels: number;
  readonly row: ConvolutionAxis;
  readonly column: ConvolutionAxis;
  readonly width: number;
}

/** The kernel as [group][panel][row tap][column tap][channel][width]: itself where it already has that order, else packed into a temporary. */
function packTaps(
  request: StrategyRequest,
  lowering: LoweringBuilder,
  p: TapPacking,
): { readonly argument: StepArgument; readonly offset: number } {
  const view = request.views[1];
  const source = operand(view.operand);
  const [sh, sw, si, so] = view.strides;
  const { row, column, groups, inputChannels, outputChannels, width } = p;
  const asItIs =
    p.forward &&
    !p.laneWise &&
    groups === 1 &&
    outputChannels === width &&
    so === 1 &&
    (si === width || inputChannels === 1) &&
    sw === inputChannels * width &&
    sh === column.taps * sw;
  if (asItIs) return { argument: source, offset: view.offset };
  const panels = Math.ceil(outputChannels / width);
  const panelFloats = inputChannels * width;
  const total = groups * panels * row.taps * column.taps;
  const packed = lowering.temporary(Math.max(1, total * panelFloats));
  // Lanes are the produced channels: o of w[.., i, o] forwards (and depthwise), i for the input gradient. Groups always divide o.
  const lanesAreOutputs = p.forward || p.laneWise;
  const [laneStride, stepStride] = lanesAreOutputs ? [so, si] : [si, so];
  const groupStride = (lanesAreOutputs ? outputChannels : inputChannels) * so;
  const work = { tasks: total, flops: 0, bytes: 8 * total * panelFloats };
  if (total === 0) return { argument: packed, offset: 0 };
  lowering.step("pack_convolution_kernel", [source, packed], work, (k, address) => {
    const task = k.task();
    const [group, panel, rowTap, columnTap] = splitTask(k, task, [groups, panels, row.taps, column.taps]);
    const from = offsetAddress(
      k,
      address(source),
      [
        [group, 4 * groupStride],
        [panel, 4 * width * laneStride],
        [rowTap, 4 * row.kernelStep * sh],
        [columnTap, 4 * column.kernelStep * sw],
      ],
      4 * (view.offset + row.kernelFirst * sh + column.kernelFirst * sw),
    );
    const to = offsetAddress(k, address(packed), [[task, 4 * panelFloats]]);
    const copy = (lanes: number): void =>
      emitPanelCopy(k, {
        source: from,
        laneStride,
        stepStride,
        lanes,
        count: inputChannels,
        countRest: inputChannels % 16,
        destination: to,
        width,
      });
    const last = outputChannels - (panels - 1) * width;
    if (typeof panel === "number" || last === width) copy(panels === 1 ? last : width);
    else
      k.if(
        k.compare("lt", panel, panels - 1),
        () => copy(width),
        () => copy(last),
      );
  });
  return { argument: packed, offset: 0 };
}
