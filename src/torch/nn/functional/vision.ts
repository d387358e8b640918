import { ArgumentError, ShapeError, UnsupportedError } from "../../../errors.ts";
import { formatShape } from "../../../graph/shape.ts";
import { channelsFirstAdaptivePool } from "../../../nn/channels-first-pooling.ts";
import { type EdgeMode, padEdges } from "../../../nn/edge-padding.ts";
import { type AxisResize, resizeLinear, resizeNearest } from "../../../nn/resize.ts";
import type { Tensor } from "../../../tensor/index.ts";

export type PaddingName = "constant" | EdgeMode;
export interface PadOptions {
  readonly mode?: PaddingName;
  /** What a constant padding holds (default 0). */
  readonly value?: number;
}

/**
 * Pads the last axes: `[left, right]` for the last one, `[left, right, top, bottom]` for the last two, and so on; negative numbers cut.
 * After torch.nn.functional.pad.
 */
export function pad(
  x: Tensor,
  sizes: readonly number[],
  modeOrOptions: PaddingName | PadOptions = {},
  value?: number,
  owner = "pad",
): Tensor {
  const options = typeof modeOrOptions === "string" ? { mode: modeOrOptions, value } : modeOrOptions;
  const mode = options.mode ?? "constant";
  if (sizes.length % 2 !== 0 || sizes.length > 2 * x.rank || !sizes.every(Number.isInteger)) {
    throw new ArgumentError(
      `${owner}: expected two integers for each of at most ${x.rank} axes, the last axis first, received [${sizes.join(", ")}].`,
    );
  }
  const sides = x.shape.map((_, axis): [number, number] => {
    const place = 2 * (x.rank - 1 - axis);
    return [sizes[place] ?? 0, sizes[place + 1] ?? 0];
  });
  if (mode === "constant") {
    const wrong = sides.findIndex(([before, after], axis) => x.shape[axis] + before + after < 0);
    if (wrong >= 0)
      throw new ShapeError(
        `${owner}: [${sizes.join(", ")}] cuts more than axis ${wrong} of an input of shape ${formatShape(x.shape)} has.`,
      );
    const cut = x.slice(
      sides.map(([before]) => Math.max(0, -before)),
      sides.map(([, after], axis) => x.shape[axis] + Math.min(0, after)),
    );
    const grown = sides.map(([before, after]): [number, number] => [Math.max(0, before), Math.max(0, after)]);
    return cut.pad(grown, options.value ?? 0);
  }
  if (mode !== "reflect" && mode !== "replicate" && mode !== "circular") {
    throw new ArgumentError(
      `${owner}: mode must be "constant", "reflect", "replicate" or "circular", received "${String(mode)}".`,
    );
  }
  const paddings = sides.map(([before, after], axis): [number, number, number] => [axis, before, after]);
  return padEdges(owner, x, paddings, mode);
}

export type InterpolationMode = "nearest" | "linear" | "bilinear" | "area";
export interface InterpolateOptions {
  /** Sizes of the output's spatial axes. */
  readonly size?: number | readonly number[] | null;
  /** Factor of the spatial axes, instead of sizes. */
  readonly scaleFactor?: number | readonly number[] | null;
  readonly mode?: InterpolationMode;
  /** Whether the corner pixels keep their places (linear modes; default false). */
  readonly alignCorners?: boolean | null;
  /** Whether positions follow from the output's size rather than from the factor as given. */
  readonly recomputeScaleFactor?: boolean | null;
}

function perAxis(owner: string, argument: string, value: number | readonly number[], count: number): readonly number[] {
  const list = typeof value === "number" ? Array.from({ length: count }, () => value) : value;
  if (list.length !== count || !list.every((entry) => entry > 0)) {
    throw new ArgumentError(
      `${owner}: ${argument} must be a positive number or ${count} of them, received ${JSON.stringify(value)}.`,
    );
  }
  return list;
}

/**
 * Resizes (N, C, L) or (N, C, H, W) to sizes or by factors: 'nearest', 'linear' (one axis), 'bilinear' (two), 'area' (adaptive averages).
 * After torch.nn.functional.interpolate.
 */
export function interpolate(x: Tensor, options: InterpolateOptions = {}, owner = "interpolate"): Tensor {
  const { size, scaleFactor, mode = "nearest", alignCorners, recomputeScaleFactor } = options;
  const ranks: Record<string, readonly number[]> = { nearest: [3, 4], linear: [3], bilinear: [4], area: [3, 4] };
  if (!(mode in ranks)) {
    throw new UnsupportedError(
      `${owner}: mode "${String(mode)}" is not available; use "nearest", "linear", "bilinear" or "area".`,
    );
  }
  if (!ranks[mode].includes(x.rank)) {
    throw new ShapeError(
      `${owner}: mode "${mode}" takes inputs of rank ${ranks[mode].join(" or ")} (batch, channels, …), received ${formatShape(x.shape)}.`,
    );
  }
  const sized = size !== null && size !== undefined;
  if (sized === (scaleFactor !== null && scaleFactor !== undefined)) {
    throw new ArgumentError(`${owner}: give either size or scaleFactor.`);
  }
  const linear = mode === "linear" || mode === "bilinear";
  if (!linear && alignCorners !== null && alignCorners !== undefined) {
    throw new ArgumentError(`${owner}: alignCorners belongs to "linear" and "bilinear", not to "${mode}".`);
  }
  const spatial = x.shape.slice(2);
  const factors = sized ? undefined : perAxis(owner, "scaleFactor", scaleFactor as number, spatial.length);
  const lengths = sized
    ? perAxis(owner, "size", size, spatial.length)
    : spatial.map((length, axis) => Math.floor(length * (factors as readonly number[])[axis]));
  if (!lengths.every((length) => Number.isInteger(length) && length >= 1)) {
    throw new ArgumentError(`${owner}: ${lengths.join("x")} is not a size.`);
  }
  if (mode === "area") {
    if (x.rank === 4) return channelsFirstAdaptivePool("average", x, [lengths[0], lengths[1]]);
    return channelsFirstAdaptivePool("average", x.unsqueeze(2), [1, lengths[0]]).squeeze(2);
  }
  const axes = lengths.map((length, index): AxisResize => {
    const exact = factors === undefined || recomputeScaleFactor || spatial[index] * factors[index] === length;
    return exact ? { axis: index + 2, length } : { axis: index + 2, length, step: 1 / factors[index] };
  });
  return linear ? resizeLinear(x, axes, alignCorners ?? false) : resizeNearest(x, axes);
}

/** (N, C·r², H, W) to (N, C, H·r, W·r): channels become pixels. After torch.nn.functional.pixel_shuffle. */
export function pixelShuffle(x: Tensor, upscaleFactor: number, owner = "pixelShuffle"): Tensor {
  const r = upscaleFactor;
  const [channels, height, width] = x.shape.slice(-3);
  if (x.rank < 3 || !Number.isInteger(r) || r < 1 || channels % (r * r) !== 0) {
    throw new ShapeError(
      `${owner}: expected an input of shape (…, channels, height, width) with channels in groups of ${r}², received ${formatShape(x.shape)}.`,
    );
  }
  const lead = x.shape.slice(0, -3);
  const outer = lead.map((_, axis) => axis);
  const at = lead.length;
  return x
    .reshape([...lead, channels / (r * r), r, r, height, width])
    .permute([...outer, at, at + 3, at + 1, at + 4, at + 2])
    .reshape([...lead, channels / (r * r), height * r, width * r]);
}

/** (N, C, H·r, W·r) to (N, C·r², H, W): the inverse of `pixelShuffle`. After torch.nn.functional.pixel_unshuffle. */
export function pixelUnshuffle(x: Tensor, downscaleFactor: number, owner = "pixelUnshuffle"): Tensor {
  const r = downscaleFactor;
  const [channels, height, width] = x.shape.slice(-3);
  if (x.rank < 3 || !Number.isInteger(r) || r < 1 || height % r !== 0 || width % r !== 0) {
    throw new ShapeError(
      `${owner}: expected an input of shape (…, channels, height, width) with height and width in multiples of ${r}, received ${formatShape(x.shape)}.`,
    );
  }
  const lead = x.shape.slice(0, -3);
  const outer = lead.map((_, axis) => axis);
  const at = lead.length;
  return x
    .reshape([...lead, channels, height / r, r, width / r, r])
    .permute([...outer, at, at + 2, at + 4, at + 1, at + 3])
    .reshape([...lead, channels * r * r, height / r, width / r]);
}
