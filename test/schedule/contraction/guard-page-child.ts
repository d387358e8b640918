/** Run by machine-code.test.ts: convolutions whose operands end, then begin, at inaccessible pages; a stray access ends the process. */
import { sizeOf } from "../../../src/graph/shape.ts";
import { conv2d } from "../../../src/schedule/strategies/contraction/index.ts";
import { createX86Platform, x86Availability } from "../../../src/targets/x86/platform.ts";
import { guardedBuffer } from "../../../src/testing/guard-page.ts";
import { planOf, requestOf } from "./harness.ts";

const padding = [
  [1, 1],
  [0, 2],
] as const;
const geometry = { window: [3, 3], strides: [1, 1], dilation: [1, 1], padding } as const;
const [x, w, y] = [
  [2, 10, 9, 18],
  [3, 3, 18, 21],
  [2, 10, 9, 21],
];
const directions = [
  ["forward", x, w, y],
  ["inputGradient", y, w, x],
  ["weightGradient", x, y, w],
] as const;
const available = x86Availability();
const widths = available.available && available.cpu.avx512 ? [false, true] : [false];
for (const avx512 of widths) {
  const platform = createX86Platform({ threads: 1, avx512 });
  for (const [direction, first, second, result] of directions)
    for (const side of ["end", "start"] as const) {
      const request = requestOf({ kind: "conv2d", direction, groups: 1, geometry }, [first, second], result, {
        machine: platform.description,
        epilogue: "bias",
      });
      const sizes = [sizeOf(first), sizeOf(second), result[3], sizeOf(result), 1];
      const operands = sizes.map((size) => guardedBuffer(platform.machine.functions, 4 * size, side));
      const executable = platform.compilePlan(planOf(conv2d(request)));
      executable.run(operands, []);
      executable.dispose();
    }
  platform.dispose();
}
console.log("ok");
