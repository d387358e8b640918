import type { StepArgument } from "../../strategy.ts";
import { type LoweringBuilder, offsetAddress, splitTask } from "./lowering.ts";
import { frequencyBytes } from "./winograd-patches.ts";
import { frequencies, inTwoDimensions, transformFilter } from "./winograd-transforms.ts";

/** Packed weights `[panel][row tap][column tap][channel][width]`. */
export interface PackedFilters {
  readonly argument: StepArgument;
  readonly offset: number;
  readonly panels: number;
  readonly channels: number;
  readonly width: number;
}

/** Bytes from one frequency of transformed filters to the next. */
export const filterBytes = ({
  panels,
  channels,
  width,
}: Pick<PackedFilters, "panels" | "channels" | "width">): number => frequencyBytes(panels * channels, width);

/** Emits the step that transforms packed filters, G g Gᵀ, to `[frequency][panel][channel][width]`. */
export function transformFilters(lowering: LoweringBuilder, filters: PackedFilters): StepArgument {
  const { panels, channels, width } = filters;
  const tapBytes = 4 * channels * width;
  const stride = filterBytes(filters);
  const transformed = lowering.temporary((frequencies * stride) / 4);
  const perTask = Math.max(1, Math.ceil(channels / 16));
  const channelTasks = Math.ceil(channels / perTask);
  const work = {
    tasks: panels * channelTasks,
    flops: 90 * panels * channels * width,
    bytes: (9 + frequencies) * panels * tapBytes,
  };
  lowering.step("pack_winograd_filters", [filters.argument, transformed], work, (k, address) => {
    const [panel, part] = splitTask(k, k.task(), [panels, channelTasks]);
    const first = typeof part === "number" ? k.intConstant(0) : k.mul(part, perTask * width * 4);
    const end = k.intBinary("min", k.add(first, perTask * width * 4), tapBytes);
    const source = offsetAddress(k, address(filters.argument), [[panel, 9 * tapBytes]], 4 * filters.offset);
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
