/** The gradient of max pooling, where its readers spread it over the windows themselves: it is never written. */
import type { TensorType } from "../graph/node.ts";
import type { Shape } from "../graph/shape.ts";
import type { Meaning } from "../ops/define.ts";
import { prune, type TensorGraph, type Value } from "./tensor-graph.ts";

/** A convolution's gradient reads `pickTranspose(gradient, taps)`: its inputs are the two inputs of a convolution's gradient, then the taps. */
export interface Spread {
  /** The input that is spread. */
  readonly input: number;
  /** What it would be if it were written. */
  readonly type: TensorType;
  readonly window: readonly [height: number, width: number];
}

/** Whether the strategy of an op over inputs of such shapes, with such a result, spreads the gradient that it reads over windows. */
export type TakesSpread = (
  meaning: Meaning,
  inputs: readonly Shape[],
  shape: Shape,
  window: readonly [number, number],
) => boolean;

/**
 * Has the readers of `pickTranspose` with windows side by side read what it reads: a sum over whole images adds up the pooled gradient, since every
 * element of that goes to one place; and gradients of convolutions spread it as they load it, if nobody else needs it in memory.
 */
export function spreadInReaders(graph: TensorGraph, takesSpread: TakesSpread): TensorGraph {
  const picks = graph.values.filter(isTilingPick);
  if (picks.length === 0) return graph;
  const values = [...graph.values];
  for (const pick of picks) {
    const window = pick.meaning.geometry.window;
    const isOutput = graph.outputs.some(({ value }) => value === pick.id);
    const readers = graph.values.filter(({ inputs }) => inputs.includes(pick.id));
    const spreads = new Map<number, Value>();
    for (const reader of readers) {
      if (sumsImages(reader)) values[reader.id] = { ...reader, inputs: [pick.inputs[0]] };
      else {
        const input = gradientInput(reader);
        if (input === undefined || reader.inputs[1 - input] === pick.id) continue;
        const shapes = reader.inputs.map((id) => graph.values[id].type.shape);
        if (!takesSpread(reader.meaning!, shapes, reader.type.shape, window)) continue;
        const inputs = [...reader.inputs.with(input, pick.inputs[0]), pick.inputs[1]];
        spreads.set(reader.id, { ...reader, inputs, spread: { input, type: pick.type, window } });
      }
    }
    const others = readers.filter((reader) => !sumsImages(reader) && !spreads.has(reader.id));
    if (!isOutput && others.length === 0) for (const [id, value] of spreads) values[id] = value;
  }
  return prune({ ...graph, values });
}

type Pick = Value & { readonly meaning: Extract<Meaning, { kind: "window" }> };

/** Whether a value is the gradient of max pooling over windows side by side. */
function isTilingPick(value: Value): value is Pick {
  const { meaning } = value;
  if (meaning?.kind !== "window" || meaning.combine !== "pickTranspose") return false;
  const { window, strides, dilation, padding } = meaning.geometry;
  return [0, 1].every(
    (axis) => strides[axis] === window[axis] && dilation[axis] === 1 && padding[axis].every((amount) => amount === 0),
  );
}

/** Whether a value is a sum over all rows and columns of images. */
const sumsImages = ({ meaning }: Value): boolean =>
  meaning?.kind === "reduce" && meaning.combine === "sum" && meaning.axes.includes(1) && meaning.axes.includes(2);

/** Which input of a convolution's gradient is the gradient of the result; such a value has no spread yet. */
function gradientInput({ meaning, spread }: Value): number | undefined {
  if (meaning?.kind !== "conv2d" || meaning.direction === "forward" || spread) return undefined;
  return meaning.direction === "inputGradient" ? 0 : 1;
}
