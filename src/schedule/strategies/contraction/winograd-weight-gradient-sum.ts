import type { IntOperand, IntRegister } from "../../../kernel/ir.ts";
import type { StepArgument } from "../../strategy.ts";
import {
  asRegister,
  epilogueArguments,
  finishTile,
  type LoweringBuilder,
  offsetAddress,
  splitTask,
} from "./lowering.ts";
import { emitTree } from "./partial-sum.ts";
import { frequencies, inTwoDimensions, patchSize, transformFilterGradient } from "./winograd-transforms.ts";
import type { WeightGradientBlocks, WinogradWeightGradient } from "./winograd-weight-gradient-plan.ts";

/** Channels of x of one panel that a task sums: a run of memory in each partial sum, and what the first-level cache holds. */
const channelsPerTask = 8;

/** Emits the step that adds the partial sums in a fixed tree, transforms them back, Gᵀ S G, and applies the epilogue. */
export function sumWeightGradients(
  lowering: LoweringBuilder,
  c: WinogradWeightGradient,
  plan: WeightGradientBlocks,
  partials: StepArgument,
): void {
  const { panels, width, partialFloats } = plan;
  const count = plan.imageGroups * plan.bands;
  const rowBytes = 4 * width;
  const panelBytes = c.inputChannels * rowBytes;
  const channelTasks = Math.ceil(c.inputChannels / channelsPerTask);
  const work = {
    tasks: panels * channelTasks,
    flops: partialFloats * (count - 1),
    bytes: 4 * partialFloats * (count + 1),
  };
  lowering.step("sum_winograd_weight_gradients", [partials, ...epilogueArguments(c.request)], work, (k, address) => {
    const [panel, part] = splitTask(k, k.task(), [panels, channelTasks]);
    const sums = k.scratch(frequencies * channelsPerTask * rowBytes);
    const first = typeof part === "number" ? k.intConstant(0) : k.mul(part, channelsPerTask);
    const end = k.intBinary("min", k.add(first, channelsPerTask), c.inputChannels);
    const bytes = k.mul(k.intBinary("sub", end, first), rowBytes);
    const source = offsetAddress(k, address(partials), [
      [panel, panelBytes],
      [first, rowBytes],
    ]);
    const to = k.intMove(sums);
    k.loop(0, frequencies, 1, () => {
      k.loop(0, bytes, 64, (at) => k.store(emitTree(k, k.add(source, at), count, 4 * partialFloats), k.at(to, at, 1)));
      k.add(source, plan.frequencyStride, source);
      k.add(to, channelsPerTask * rowBytes, to);
    });
    const from = k.intMove(sums);
    const vector = (channel: IntOperand, at: IntRegister, filter: IntOperand, lanes: number): void => {
      const square = Array.from({ length: patchSize }, (_, i) =>
        Array.from({ length: patchSize }, (_, j) => k.load(k.at(at, (patchSize * i + j) * channelsPerTask * rowBytes))),
      );
      inTwoDimensions((values) => transformFilterGradient(k, values), square).forEach((row, i) => {
        const position = { outer: [i, 0, channel], last: filter };
        finishTile(
          k,
          c.request,
          address,
          position,
          row.map((tap) => [tap]),
          (j) => [0, j, 0],
          lanes,
        );
      });
    };
    const panelOf = (channel: IntOperand, filters: number): void => {
      const whole = filters - (filters % 16);
      const filter = asRegister(k, typeof panel === "number" ? 0 : k.mul(panel, width));
      const at = k.intMove(from);
      if (whole > 0)
        k.loop(filter, k.add(filter, whole), 16, (here) => {
          vector(channel, at, here, 16);
          k.add(at, 64, at);
        });
      if (whole < filters) vector(channel, at, k.add(filter, whole), filters - whole);
    };
    const last = c.outputChannels - (panels - 1) * width;
    k.loop(first, end, 1, (channel) => {
      if (typeof panel === "number" || last === width) panelOf(channel, last);
      else
        k.if(
          k.compare("lt", panel, panels - 1),
          () => panelOf(channel, width),
          () => panelOf(channel, last),
        );
      k.add(from, rowBytes, from);
    });
  });
}
