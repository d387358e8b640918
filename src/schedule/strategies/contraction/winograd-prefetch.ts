/** What a block of tiles will touch next, fetched into the second-level cache while products are computed that need no memory. */
import { bytesPerElement, type DType } from "../../../graph/dtype.ts";
import type { KernelBuilder } from "../../../kernel/builder.ts";
import type { IntOperand, IntRegister } from "../../../kernel/ir.ts";
import type { SpreadGradient, StrategyRequest } from "../../strategy.ts";
import { type AddressOf, offsetAddress, operand, touchedViews } from "./lowering.ts";
import type { ImageSource } from "./materialize.ts";
import type { AheadRun } from "./prefetch.ts";

/** A run without the loop during which it is fetched. */
export type Run = Omit<AheadRun, "iterations">;

/** Images [n, h, w, c] somewhere in memory. */
export interface Images {
  readonly address: IntRegister;
  readonly dtype: DType;
  readonly offset: number;
  readonly strides: readonly number[];
}

/** So many rows of an image, where they are one run of memory. */
export function rowsOfImage(
  k: KernelBuilder,
  { address, dtype, offset, strides }: Images,
  [columns, channels]: readonly [number, number],
  at: { readonly image: IntOperand; readonly row: IntRegister; readonly rows: number },
): Run[] {
  const size = bytesPerElement[dtype];
  const [, sh, sw, sc] = strides;
  if (sc !== 1 || sw !== channels || sh !== columns * channels) return [];
  const terms = [
    [at.image, size * strides[0]],
    [at.row, size * sh],
  ] as const;
  return [{ start: offsetAddress(k, address, terms, size * offset), bytes: at.rows * size * sh }];
}

/** Rows of what the epilogue reads and writes. */
export function rowsOfEpilogue(
  k: KernelBuilder,
  { epilogue, output }: StrategyRequest,
  address: AddressOf,
  at: { readonly image: IntOperand; readonly row: IntRegister; readonly rows: number },
): Run[] {
  const [, , columns, channels] = output.shape;
  return touchedViews(epilogue, 1).flatMap((view) =>
    rowsOfImage(k, { ...view, address: address(operand(view.operand)) }, [columns, channels], at),
  );
}

/** Rows of an image that is read; those of a gradient that is spread lie where the pooled ones and their taps do. */
export function rowsOfSource(
  k: KernelBuilder,
  address: AddressOf,
  source: ImageSource,
  [columns, channels]: readonly [number, number],
  at: { readonly image: IntOperand; readonly row: IntRegister; readonly rows: number },
  spread?: SpreadGradient,
): Run[] {
  const own = {
    address: address(source.argument),
    dtype: "f32",
    offset: source.offset,
    strides: source.strides,
  } as const;
  if (!spread) return rowsOfImage(k, own, [columns, channels], at);
  const [height, width] = spread.window;
  const pooled = { ...at, row: k.intBinary("div", at.row, height), rows: at.rows / height };
  const taps = { ...spread.taps, address: address(operand(spread.taps.operand)) };
  return [own, taps].flatMap((images) => rowsOfImage(k, images, [columns / width, channels], pooled));
}

/** The tiles that a thread reads after a block: the next rows of the image or, after its last, the first rows of the next one. */
export function tilesAfter(
  k: KernelBuilder,
  { image, row, rows }: { readonly image: IntOperand; readonly row: IntRegister; readonly rows: number },
  [firstRow, endRow]: readonly [IntOperand, IntOperand],
): { readonly image: IntRegister; readonly row: IntRegister } {
  const next = { image: typeof image === "number" ? k.intConstant(image) : k.intMove(image), row: k.add(row, rows) };
  k.if(k.compare("ge", next.row, endRow), () => {
    k.add(next.image, 1, next.image);
    if (typeof firstRow === "number") k.intConstant(firstRow, next.row);
    else k.intMove(firstRow, next.row);
  });
  return next;
}
