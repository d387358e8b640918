import type { DType, TensorData } from "../graph/dtype.ts";
import { formatShape, type Shape, sizeOf, stridesOf } from "../graph/shape.ts";

const threshold = 1000;
const edge = 3;

/** One number as NumPy prints it: 8 significant digits at most, a trailing point for whole f32 numbers. */
function formatNumber(value: number, dtype: DType, digits: number | undefined): string {
  if (dtype === "bool") return value ? "true" : "false";
  if (dtype !== "f32") return String(value);
  if (Number.isNaN(value)) return "nan";
  if (!Number.isFinite(value)) return value > 0 ? "inf" : "-inf";
  if (digits === undefined) return value.toExponential(4).replace(/e([+-])(\d)$/, "e$10$2");
  const text = value.toFixed(digits);
  return Object.is(value, -0) && !text.startsWith("-") ? `-${text}` : digits === 0 ? `${text}.` : text;
}

/** How many decimals show every value shown; undefined for exponents. */
function decimalsFor(values: readonly number[]): number | undefined {
  const finite = values.filter((x) => Number.isFinite(x) && x !== 0).map(Math.abs);
  if (finite.length === 0) return 0;
  const largest = Math.max(...finite);
  const smallest = Math.min(...finite);
  if (largest >= 1e8 || smallest < 1e-4 || largest / smallest > 1e7) return undefined;
  let decimals = 0;
  for (const value of finite) {
    for (let d = decimals; d <= 8; d++) {
      decimals = d;
      if (Math.abs(Number(value.toFixed(d)) - value) <= value * 1e-7) break;
    }
    if (decimals >= 8) break;
  }
  return Math.min(decimals, Math.max(0, 8 - Math.ceil(Math.log10(largest + 1))) || 0) || (decimals > 0 ? 1 : 0);
}

/** Indices along an axis that are shown: all of them, or the first and last few. */
function shownIndices(extent: number, truncate: boolean): (number | undefined)[] {
  if (!truncate || extent <= 2 * edge) return Array.from({ length: extent }, (_, i) => i);
  return [
    ...Array.from({ length: edge }, (_, i) => i),
    undefined,
    ...Array.from({ length: edge }, (_, i) => extent - edge + i),
  ];
}

/** Text of a tensor as NumPy prints arrays: aligned columns, the middle left out beyond 1,000 elements. */
export function formatTensor(data: TensorData, shape: Shape, dtype: DType): string {
  const truncate = sizeOf(shape) > threshold;
  const strides = stridesOf(shape);
  const shown: number[] = [];
  const visit = (axis: number, offset: number): void => {
    if (axis === shape.length) shown.push(data[offset]);
    else
      for (const i of shownIndices(shape[axis], truncate))
        if (i !== undefined) visit(axis + 1, offset + i * strides[axis]);
  };
  visit(0, 0);
  const digits = dtype === "f32" ? decimalsFor(shown) : 0;
  const width = Math.max(0, ...shown.map((x) => formatNumber(x, dtype, digits).length));
  const render = (axis: number, offset: number, indent: number): string => {
    if (axis === shape.length) return formatNumber(data[offset], dtype, digits).padStart(shape.length ? width : 0);
    const parts = shownIndices(shape[axis], truncate).map((i) =>
      i === undefined ? "..." : render(axis + 1, offset + i * strides[axis], indent + 1),
    );
    const gap = shape.length - axis - 1;
    const separator = gap === 0 ? ", " : `,${"\n".repeat(gap)}${" ".repeat(indent + 1)}`;
    return `[${parts.join(separator)}]`;
  };
  const prefix = "tensor(";
  return `${prefix}${render(0, 0, prefix.length)}, shape=${formatShape(shape)}, dtype=${dtype})`;
}
