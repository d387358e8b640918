/** Which taps of a window lie inside the data: everywhere in the interior, a range that depends on the position at the borders. */
import type { KernelBuilder } from "../../../kernel/builder.ts";
import type { IntOperand, IntRegister } from "../../../kernel/ir.ts";
import type { WindowGeometry } from "../../../ops/define.ts";

/** One axis of a pooling geometry. */
export interface WindowAxis {
  readonly window: number;
  readonly stride: number;
  readonly dilation: number;
  readonly before: number;
  /** Extents of the data and of the pooled result. */
  readonly size: number;
  readonly positions: number;
}

export function windowAxis(geometry: WindowGeometry, axis: 0 | 1, size: number, positions: number): WindowAxis {
  return {
    window: geometry.window[axis],
    stride: geometry.strides[axis],
    dilation: geometry.dilation[axis],
    before: geometry.padding[axis][0],
    size,
    positions,
  };
}

export const spanOf = (axis: WindowAxis): number => (axis.window - 1) * axis.dilation + 1;

/** The positions whose whole window lies inside the data: [low, high). */
export function interior(axis: WindowAxis): readonly [low: number, high: number] {
  const low = Math.min(axis.positions, Math.ceil(axis.before / axis.stride));
  const high = Math.floor((axis.size + axis.before - spanOf(axis)) / axis.stride) + 1;
  return [low, Math.max(low, Math.min(axis.positions, high))];
}

/** Taps [start, end) that lie inside the data. */
export interface TapRange {
  readonly start: IntOperand;
  readonly end: IntOperand;
}

/** The taps inside the data at a position near the border. */
export function borderTaps(k: KernelBuilder, axis: WindowAxis, position: IntRegister): TapRange {
  const { window, stride, dilation, before, size } = axis;
  // With first = position · stride − before: start = ⌈−first / dilation⌉, end = ⌈(size − first) / dilation⌉, both cut to [0, window].
  const first = k.add(k.mul(position, stride), -before);
  const divided = (value: IntRegister): IntRegister => {
    const positive = k.intBinary("max", value, 0);
    return k.intBinary("min", dilation === 1 ? positive : k.intBinary("div", positive, dilation), window);
  };
  const negative = k.intBinary("sub", k.intConstant(dilation - 1), first);
  return { start: divided(negative), end: divided(k.add(negative, size)) };
}

/** The positions whose windows cover an element: [start, end). */
export function coveringPositions(k: KernelBuilder, axis: WindowAxis, element: IntRegister): TapRange {
  const { stride, before, positions } = axis;
  const place = k.add(element, before);
  const divided = (value: IntRegister): IntRegister => (stride === 1 ? value : k.intBinary("div", value, stride));
  const start = divided(k.intBinary("max", k.add(place, stride - spanOf(axis)), 0));
  const end = k.intBinary("min", k.add(divided(place), 1), positions);
  return { start, end };
}
