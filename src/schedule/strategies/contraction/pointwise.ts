import type { ScalarExpression } from "../../../kernel/scalar.ts";
import type { OperandView, StrategyRequest } from "../../strategy.ts";
import type { ConvolutionAxis } from "./convolution-axis.ts";
import type { ImageSource } from "./materialize.ts";

/** The part of a convolution that says where its pixels lie. */
export interface PixelGeometry {
  readonly request: StrategyRequest;
  readonly input: ImageSource;
  readonly images: number;
  readonly rows: ConvolutionAxis;
  readonly columns: ConvolutionAxis;
}

/** Output i reads input i and nothing else. */
export const isIdentity = ({ taps, count, start, step, inputSize, inputStep, offset }: ConvolutionAxis): boolean =>
  taps === 1 && start === 0 && step === 1 && inputStep === 1 && offset === 0 && inputSize === count;

/** How far apart the elements of the first three axes lie where they are one run of places, or all the same place; undefined where they are not. */
export function runStep(strides: readonly number[], shape: readonly number[]): number | undefined {
  let step: number | undefined;
  let length = 1;
  for (const axis of [2, 1, 0]) {
    if (shape[axis] === 1) continue;
    step ??= strides[axis];
    if (strides[axis] !== step * length) return undefined;
    length *= shape[axis];
  }
  return step ?? 0;
}

/** Whether a convolution is one row of pixels in which every output reads one input. */
export const isPixelRun = ({ images, rows, columns }: Pick<PixelGeometry, "images" | "rows" | "columns">): boolean =>
  images === 1 && rows.count === 1 && isIdentity(rows) && isIdentity(columns);

/** Whether a value depends on where it is stored. */
export function readsPosition(expression: ScalarExpression): boolean {
  if (expression.kind === "position") return true;
  return expression.kind === "call" && expression.inputs.some(readsPosition);
}

/**
 * A convolution with one tap and stride 1 whose pixels lie one after the other, as one row of all pixels of all images: its strips need not end
 * where a row of an image does. Anything else is given back as it is. Outputs are the same chains either way.
 */
export function mergePixels<T extends PixelGeometry>(c: T): T {
  const { request, input, images, rows, columns } = c;
  const { shape } = request.output;
  const views = [...request.epilogue.loads, ...request.epilogue.stores.map((store) => store.view)];
  const merges =
    isIdentity(rows) &&
    isIdentity(columns) &&
    rows.count * images > 1 &&
    request.pooling === undefined &&
    [input, ...views].every((view) => runStep(view.strides, shape) !== undefined) &&
    !request.epilogue.stores.some((store) => readsPosition(store.expression));
  if (!merges) return c;
  const pixels = images * rows.count * columns.count;
  const strides = (from: readonly number[]): readonly number[] => [0, 0, runStep(from, shape)!, from[3]];
  const merged = <V extends OperandView | ImageSource>(view: V): V => ({ ...view, strides: strides(view.strides) });
  const { loads, stores } = request.epilogue;
  return {
    ...c,
    input: merged(input),
    images: 1,
    rows: { ...rows, count: 1, inputSize: 1 },
    columns: { ...columns, count: pixels, inputSize: pixels },
    request: {
      ...request,
      output: { ...request.output, shape: [1, 1, pixels, shape[3]] },
      epilogue: {
        loads: loads.map(merged),
        stores: stores.map((store) => ({ ...store, view: merged(store.view) })),
      },
    },
  };
}
