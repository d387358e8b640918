import type { KernelBuilder } from "../../../kernel/builder.ts";
import type { IntOperand, IntRegister, VectorRegister } from "../../../kernel/ir.ts";
import type { StepArgument, StrategyRequest } from "../../strategy.ts";
import {
  asRegister,
  epilogueArguments,
  finishTile,
  type LoweringBuilder,
  offsetAddress,
  splitTask,
} from "./lowering.ts";

/** Partial weight gradients `[count][group][row tap][column tap][channel][rowFloats]`, summed into the result. */
export interface PartialSum {
  readonly request: StrategyRequest;
  readonly partials: StepArgument;
  readonly count: number;
  readonly groups: number;
  readonly rowTaps: number;
  readonly columnTaps: number;
  readonly inputChannels: number;
  readonly outputChannels: number;
  readonly rowFloats: number;
}

const lanes = 16;
/** Partials of one tree; trees are then added one after the other. */
const treeSize = 16;

/** Emits the step that adds the partials in a fixed tree and applies the epilogue. */
export function emitPartialSum(lowering: LoweringBuilder, sum: PartialSum): void {
  const { request, groups, rowTaps, columnTaps, inputChannels, outputChannels, rowFloats, count } = sum;
  const size = groups * rowTaps * columnTaps * inputChannels * rowFloats;
  const channelTasks = Math.max(
    1,
    Math.min(inputChannels, Math.ceil((inputChannels * outputChannels * count) / 32768)),
  );
  const perTask = Math.ceil(inputChannels / channelTasks);
  const work = {
    tasks: groups * rowTaps * columnTaps * channelTasks,
    flops: size * (count - 1),
    bytes: 4 * size * (count + 1),
  };
  lowering.step("sum_weight_gradients", [sum.partials, ...epilogueArguments(request)], work, (k, address) => {
    const [group, i, j, part] = splitTask(k, k.task(), [groups, rowTaps, columnTaps, channelTasks]);
    const first = asRegister(k, typeof part === "number" ? 0 : k.mul(part, perTask));
    const end = k.intBinary("min", k.add(first, perTask), inputChannels);
    k.loop(first, end, 1, (c) => {
      const row = offsetAddress(k, address(sum.partials), [
        [group, 4 * rowTaps * columnTaps * inputChannels * rowFloats],
        [i, 4 * columnTaps * inputChannels * rowFloats],
        [j, 4 * inputChannels * rowFloats],
        [c, 4 * rowFloats],
      ]);
      const finish = (channel: IntOperand, count: number): void => {
        const total = emitTree(k, offsetAddress(k, row, [[channel, 4]]), sum.count, 4 * size);
        const last: IntOperand = typeof group === "number" ? channel : k.add(k.mul(group, outputChannels), channel);
        finishTile(k, request, address, { outer: [i, j, c], last }, [[total]], () => [0, 0, 0], count);
      };
      const whole = outputChannels - (outputChannels % lanes);
      if (whole > 0) k.loop(0, whole, lanes, (channel) => finish(channel, lanes));
      if (whole < outputChannels) finish(whole, outputChannels - whole);
    });
  });
}

/** Σ over `count` vectors that lie `stride` bytes apart: pairwise within 16, then one tree after the other. */
export function emitTree(k: KernelBuilder, base: IntRegister, count: number, stride: number): VectorRegister {
  const tree = (pointer: IntRegister, first: number, size: number): VectorRegister => {
    if (size === 1) return k.load(k.at(pointer, first * stride));
    const half = 2 ** Math.floor(Math.log2(size - 1));
    return k.binary("fadd", tree(pointer, first, half), tree(pointer, first + half, size - half));
  };
  if (count <= treeSize) return tree(base, 0, count);
  const total = tree(base, 0, treeSize);
  const pointer = k.address(k.at(base, treeSize * stride));
  const whole = Math.floor(count / treeSize);
  k.loop(1, whole, 1, () => {
    k.binary("fadd", total, tree(pointer, 0, treeSize), total);
    k.add(pointer, treeSize * stride, pointer);
  });
  const rest = count - whole * treeSize;
  if (rest > 0) k.binary("fadd", total, tree(pointer, 0, rest), total);
  return total;
}
