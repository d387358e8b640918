import type { ScalarExpression } from "../../../kernel/scalar.ts";
import type { Epilogue, OperandView, StrategyRequest } from "../../strategy.ts";
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
function readsPosition(expression: ScalarExpression): boolean {
  if (expression.kind === "position") return true;
  return expression.kind === "call" && expression.inputs.some(readsPosition);
}

/**
 * An epilogue whose first three axes are one: `place` gives the strides of a view from those along that run and along the channels. Undefined where a
 * view is no run, or a value depends on where it is stored.
 */
export function mergedEpilogue(
  { epilogue: { loads, stores }, output }: Pick<StrategyRequest, "epilogue" | "output">,
  place: (run: number, channel: number) => readonly number[],
): Epilogue | undefined {
  const merged = (view: OperandView): OperandView | undefined => {
    const run = runStep(view.strides, output.shape);
    return run === undefined ? undefined : { ...view, strides: place(run, view.strides[3]) };
  };
  if (stores.some((store) => readsPosition(store.expression))) return undefined;
  const mergedLoads = loads.map(merged).filter((view) => view !== undefined);
  const mergedStores = stores.flatMap((store) => {
    const view = merged(store.view);
    return view ? [{ ...store, view }] : [];
  });
  const whole = mergedLoads.length === loads.length && mergedStores.length === stores.length;
  return whole ? { loads: mergedLoads, stores: mergedStores } : undefined;
}

/**
 * A convolution with one tap and stride 1 whose pixels lie one after the other, as one row of all pixels of all images: its strips need not end
 * where a row of an image does. Anything else is given back as it is. Outputs are the same chains either way.
 */
export function mergePixels<T extends PixelGeometry>(c: T): T {
  const { request, input, images, rows, columns } = c;
  const { shape } = request.output;
  if (!isIdentity(rows) || !isIdentity(columns) || rows.count * images === 1 || request.pooling) return c;
  const place = (run: number, channel: number): readonly number[] => [0, 0, run, channel];
  const inputRun = runStep(input.strides, shape);
  const epilogue = mergedEpilogue(request, place);
  if (inputRun === undefined || epilogue === undefined) return c;
  const pixels = images * rows.count * columns.count;
  return {
    ...c,
    input: { ...input, strides: place(inputRun, input.strides[3]) },
    images: 1,
    rows: { ...rows, count: 1, inputSize: 1 },
    columns: { ...columns, count: pixels, inputSize: pixels },
    request: { ...request, output: { ...request.output, shape: [1, 1, pixels, shape[3]] }, epilogue },
  };
}
