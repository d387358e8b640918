import type { Meaning } from "../../../ops/define.ts";
import type { StrategyRequest } from "../../strategy.ts";
import { type ConvolutionAxis, forwardAxis, spatialAxes } from "./convolution-axis.ts";
import { type LoweringBuilder, operand } from "./lowering.ts";
import { type ImageSource, withContiguousChannels } from "./materialize.ts";
import { chooseTile } from "./tile.ts";

type Convolution = Extract<Meaning, { kind: "conv2d" }>;

/** Everything that is decided about a weight gradient before code is written. */
export interface WeightGradientPlan {
  readonly request: StrategyRequest;
  readonly x: ImageSource;
  readonly g: ImageSource;
  readonly images: number;
  readonly groups: number;
  /** Channels of x (reduced over nothing: they are rows of the result) and of g in one group. */
  readonly inputChannels: number;
  readonly outputChannels: number;
  readonly laneWise: boolean;
  readonly rows: ConvolutionAxis;
  readonly columns: ConvolutionAxis;
  /** x is copied, zero-padded, to scratch, a block of rows at a time. */
  readonly padded: boolean;
  /** One task holds all row taps (few rows in the result) or one of them. */
  readonly oneTap: boolean;
  readonly width: number;
  readonly panels: number;
  readonly panelsPerTask: number;
  /** Images are cut into this many groups, by shape alone; each leaves one partial sum. */
  readonly imageGroups: number;
  readonly imagesPerGroup: number;
  /** Where images are fewer than the tasks wanted, each is cut into bands of so many rows of g, with a partial sum of their own. */
  readonly bands: number;
  readonly rowsPerBand: number;
  readonly outputRowsPerBlock: number;
  /** Rows of the result: row tap, column tap, channel. */
  readonly resultRows: number;
}

/** Decides tile, blocks and groups of images from the shapes. */
export function planWeightGradient(
  request: StrategyRequest,
  meaning: Convolution,
  lowering: LoweringBuilder,
): WeightGradientPlan {
  const [xType, gType] = request.inputs;
  const [rows, columns] = spatialAxes(meaning, xType.shape, gType.shape).map(forwardAxis);
  const [images, , , k] = gType.shape;
  const laneWise = request.output.shape[2] === 1 && k === meaning.groups;
  const groups = laneWise ? 1 : meaning.groups;
  const inputChannels = laneWise ? 1 : xType.shape[3] / groups;
  const outputChannels = k / groups;
  const g = withContiguousChannels(lowering, request.views[1], gType.shape);
  const x = laneWise
    ? withContiguousChannels(lowering, request.views[0], xType.shape)
    : {
        argument: operand(request.views[0].operand),
        offset: request.views[0].offset,
        strides: request.views[0].strides,
      };
  const last = (axis: ConvolutionAxis): number =>
    axis.inputStep * (axis.count - 1) + axis.offset + axis.offsetStep * (axis.taps - 1);
  const outside = (axis: ConvolutionAxis): boolean => axis.offset < 0 || last(axis) >= axis.inputSize;
  const resultRows = rows.taps * columns.taps * inputChannels;
  const oneTap = !laneWise && rows.taps > 1 && resultRows > 48;
  const tile = chooseTile(
    request.machine,
    oneTap ? resultRows / rows.taps : resultRows,
    Math.ceil(outputChannels / 16),
  );
  const width = 16 * tile.vectors;
  const panels = Math.ceil(outputChannels / width);
  const panelsPerTask = Math.min(panels, Math.max(1, Math.floor(128 / width)));
  const parts = groups * (oneTap ? rows.taps : 1) * Math.ceil(panels / panelsPerTask);
  // Many small tasks end together; but partial sums of a large kernel cost more to write than that gains.
  const partialBytes = 4 * groups * resultRows * panels * width;
  const affordable = Math.max(1, Math.ceil(48 / parts), Math.floor(4e6 / partialBytes));
  const wanted = Math.min(affordable, Math.max(1, Math.ceil(96 / parts)));
  const imagesPerGroup = Math.max(1, Math.ceil(images / wanted));
  const rowBytes =
    4 *
    (columns.count * Math.min(outputChannels, panelsPerTask * width) +
      columns.inputSize * rows.inputStep * (laneWise ? width : inputChannels));
  // Few images are cut into bands of rows, one partial sum each.
  const wantedBands = Math.min(rows.count, Math.max(1, Math.ceil(wanted / images)));
  const blocks = Math.max(wantedBands, Math.ceil(rows.count / Math.max(1, Math.floor((40 * 1024) / rowBytes))));
  const outputRowsPerBlock = Math.max(1, Math.ceil(rows.count / blocks));
  const rowsPerBand = outputRowsPerBlock * Math.ceil(Math.ceil(rows.count / outputRowsPerBlock) / wantedBands);
  const bands = Math.ceil(rows.count / rowsPerBand);
  return {
    request,
    x,
    g,
    images,
    groups,
    inputChannels,
    outputChannels,
    laneWise,
    rows,
    columns,
    padded: outside(rows) || outside(columns),
    oneTap,
    width,
    panels,
    panelsPerTask,
    imageGroups: Math.ceil(images / imagesPerGroup),
    imagesPerGroup,
    bands,
    rowsPerBand,
    outputRowsPerBlock,
    resultRows,
  };
}

/** Channels of x that a padded copy holds: those of one group. */
export const copiedChannels = (plan: WeightGradientPlan): number =>
  plan.laneWise ? plan.outputChannels : plan.inputChannels;
/** Columns of that copy. */
export const paddedColumns = ({ columns }: WeightGradientPlan): number =>
  columns.inputStep * (columns.count - 1) + columns.offsetStep * (columns.taps - 1) + 1;
/** Rows of that copy. */
export const paddedRowCount = ({ rows, outputRowsPerBlock, oneTap }: WeightGradientPlan): number =>
  rows.inputStep * (outputRowsPerBlock - 1) + (oneTap ? 0 : rows.offsetStep * (rows.taps - 1)) + 1;
/** Size of that copy. */
export const paddedFloats = (plan: WeightGradientPlan): number =>
  paddedRowCount(plan) * paddedColumns(plan) * copiedChannels(plan);
