import type { StepArgument } from "../../strategy.ts";
import { type LoweringBuilder, offsetAddress, operand, splitTask } from "./lowering.ts";
import { emitPanelCopy } from "./pack.ts";

/** An NHWC tensor in memory: element [n, h, w, c] at `offset + Σ strides·position` of an argument. */
export interface ImageSource {
  readonly argument: StepArgument;
  readonly offset: number;
  readonly strides: readonly number[];
}

const chunk = 64;

/** Makes channels contiguous: the source itself where they are, else a copy in a temporary. */
export function withContiguousChannels(
  lowering: LoweringBuilder,
  view: { readonly operand: number; readonly offset: number; readonly strides: readonly number[] },
  shape: readonly number[],
): ImageSource {
  const source: ImageSource = { argument: operand(view.operand), offset: view.offset, strides: view.strides };
  const [n, h, w, c] = shape;
  if (view.strides[3] === 1 || c === 1) return source;
  const copy = lowering.temporary(n * h * w * c);
  const strides = [h * w * c, w * c, c, 1];
  const work = { tasks: n * h, flops: 0, bytes: 8 * n * h * w * c };
  lowering.step(`channels_last_${h}x${w}x${c}`, [source.argument, copy], work, (k, address) => {
    const [image, row] = splitTask(k, k.task(), [n, h]);
    const from = offsetAddress(
      k,
      address(source.argument),
      [
        [image, 4 * view.strides[0]],
        [row, 4 * view.strides[1]],
      ],
      4 * view.offset,
    );
    const to = offsetAddress(k, address(copy), [
      [image, 4 * strides[0]],
      [row, 4 * strides[1]],
    ]);
    const block = (first: Parameters<typeof offsetAddress>[2][0][0], lanes: number): void =>
      emitPanelCopy(k, {
        source: offsetAddress(k, from, [[first, 4 * view.strides[3]]]),
        laneStride: view.strides[3],
        stepStride: view.strides[2],
        lanes,
        count: w,
        countRest: w % 16,
        destination: offsetAddress(k, to, [[first, 4]]),
        width: c,
      });
    const whole = c - (c % chunk);
    if (whole > 0) k.loop(0, whole, chunk, (first) => block(first, chunk));
    if (whole < c) block(whole, c - whole);
  });
  return { argument: copy, offset: 0, strides };
}
