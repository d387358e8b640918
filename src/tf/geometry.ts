/** Strides, padding and data formats as TensorFlow programs write them. */
import { ArgumentError } from "../errors.ts";
import type { ImageGeometry } from "../nn/image-geometry.ts";
import type { Padding2d, Pair } from "../nn/windows.ts";

/** One number for both axes, [height, width], or one for each axis of the images: [1, height, width, 1]. */
export type Window = number | readonly number[];
/** 'SAME' (⌈size / stride⌉ positions), 'VALID' (none), a number on every side, or [before, after] for each axis. */
export type Padding = "SAME" | "VALID" | "same" | "valid" | number | readonly (readonly [number, number])[];
/** Batch, height, width, channels, or channels after the batch. */
export type DataFormat = "NHWC" | "NCHW";

/** What convolutions and pooling share. */
export interface WindowOptions {
  readonly strides?: Window;
  readonly padding?: Padding;
  readonly dataFormat?: DataFormat;
  readonly dilations?: Window;
}

/** Height and width of a window, strides or dilations. */
export function heightAndWidth(operation: string, name: string, value: Window, format: DataFormat): Pair {
  const list = typeof value === "number" ? [value, value] : value;
  const fail = (why: string): never => {
    throw new ArgumentError(`${operation}: ${name} ${JSON.stringify(value)} ${why}.`);
  };
  let pair: readonly number[] = list;
  if (list.length === 1) pair = [list[0], list[0]];
  if (list.length === 4) {
    const [others, spatial] =
      format === "NHWC"
        ? [
            [0, 3],
            [1, 2],
          ]
        : [
            [0, 1],
            [2, 3],
          ];
    if (others.some((axis) => list[axis] !== 1)) fail("must be 1 for the batch and the channels");
    pair = spatial.map((axis) => list[axis]);
  }
  if (pair.length !== 2) fail("must be a number, or one for height and width, or one for each of the four axes");
  if (!pair.every((entry) => Number.isInteger(entry) && entry >= 1)) fail("must be whole numbers of 1 or more");
  return [pair[0], pair[1]];
}

function paddingOf(operation: string, padding: Padding, format: DataFormat): "same" | "valid" | Padding2d {
  if (typeof padding === "string") {
    const mode = padding.toLowerCase();
    if (mode === "same" || mode === "valid") return mode;
    throw new ArgumentError(`${operation}: padding must be "SAME", "VALID" or explicit, received "${padding}".`);
  }
  if (typeof padding === "number") {
    return [
      [padding, padding],
      [padding, padding],
    ];
  }
  const at = padding.length === 2 ? 0 : format === "NHWC" ? 1 : 2;
  const rest = padding.filter((_, axis) => axis !== at && axis !== at + 1);
  if ((padding.length !== 2 && padding.length !== 4) || rest.some(([before, after]) => before !== 0 || after !== 0)) {
    throw new ArgumentError(
      `${operation}: explicit padding must be [[0, 0], [top, bottom], [left, right], [0, 0]], received ${JSON.stringify(padding)}.`,
    );
  }
  return [padding[at], padding[at + 1]];
}

/** The geometry of options. */
export function geometryOf(operation: string, options: WindowOptions, defaultStrides: Window = 1): ImageGeometry {
  const { dataFormat = "NHWC" } = options;
  if (dataFormat !== "NHWC" && dataFormat !== "NCHW") {
    throw new ArgumentError(
      `${operation}: dataFormat must be "NHWC" or "NCHW", received ${JSON.stringify(dataFormat)}.`,
    );
  }
  if (options.padding === undefined) {
    throw new ArgumentError(`${operation}: padding is missing: "SAME", "VALID" or explicit.`);
  }
  const strides = heightAndWidth(operation, "strides", options.strides ?? defaultStrides, dataFormat);
  const dilation = heightAndWidth(operation, "dilations", options.dilations ?? 1, dataFormat);
  if (Math.max(...strides) > 1 && Math.max(...dilation) > 1) {
    throw new ArgumentError(`${operation}: strides and dilations cannot both be larger than 1.`);
  }
  return {
    strides,
    dilation,
    padding: paddingOf(operation, options.padding, dataFormat),
    channelsFirst: dataFormat === "NCHW",
  };
}
