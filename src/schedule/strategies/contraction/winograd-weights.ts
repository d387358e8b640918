import type { StepArgument } from "../../strategy.ts";
import { type LoweringBuilder, offsetAddress, splitTask } from "./lowering.ts";
import type { TapConvolution } from "./tap-task.ts";
import { frequencyBytes } from "./winograd-patches.ts";
import { frequencies, inTwoDimensions, transformFilter } from "./winograd-transforms.ts";

/** Bytes from one frequency of transformed filters to the next. */
export const filterBytes = (
  { inputChannels, width }: Pick<TapConvolution, "inputChannels" | "width">,
  panels: number,
): number => frequencyBytes(panels * inputChannels, width);

/** Emits the step that transforms packed weights `[panel][row tap][column tap][channel][width]`, G g Gᵀ, to `[frequency][panel][channel][width]`. */
export function transformFilters(lowering: LoweringBuilder, c: TapConvolution, panels: number): StepArgument {
  const { weights, weightOffset, inputChannels: channels, width } = c;
  const tapBytes = 4 * channels * width;
  const stride = filterBytes(c, panels);
  const transformed = lowering.temporary((frequencies * stride) / 4);
  const perTask = Math.max(1, Math.ceil(channels / 16));
  const channelTasks = Math.ceil(channels / perTask);
  const work = {
    tasks: panels * channelTasks,
    flops: 90 * panels * channels * width,
    bytes: (9 + frequencies) * panels * tapBytes,
  };
  lowering.step("pack_winograd_filters", [weights, transformed], work, (k, address) => {
    const [panel, part] = splitTask(k, k.task(), [panels, channelTasks]);
    const first = typeof part === "number" ? k.intConstant(0) : k.mul(part, perTask * width * 4);
    const end = k.intBinary("min", k.add(first, perTask * width * 4), tapBytes);
    const source = offsetAddress(k, address(weights), [[panel, 9 * tapBytes]], 4 * weightOffset);
    const target = offsetAddress(k, address(transformed), [[panel, tapBytes]]);
    k.loop(first, end, 64, (at) => {
      const taps = [0, 1, 2].map((i) => [0, 1, 2].map((j) => k.load(k.at(source, at, 1, (3 * i + j) * tapBytes))));
      inTwoDimensions((values) => transformFilter(k, values), taps)
        .flat()
        .forEach((value, f) => {
          k.store(value, k.at(target, at, 1, f * stride));
        });
    });
  });
  return transformed;
}
