/** Run by machine-code.test.ts: convolutions whose operands end, then begin, at inaccessible pages; a stray access ends the process. */
import { sizeOf } from "../../../src/graph/shape.ts";
import type { MachineDescription } from "../../../src/kernel/ir.ts";
import { conv2d } from "../../../src/schedule/strategies/contraction/index.ts";
import { createX86Platform, x86Availability } from "../../../src/targets/x86/platform.ts";
import { guardedBuffer } from "../../../src/testing/guard-page.ts";
import { planOf, requestOf } from "./harness.ts";

const padded = [
  [1, 1],
  [0, 2],
] as const;
const tight = [
  [0, 0],
  [0, 0],
] as const;
const dense = { strides: [1, 1], dilation: [1, 1] } as const;
const cases = [
  {
    geometry: { ...dense, window: [3, 3], padding: padded },
    x: [2, 10, 9, 18],
    w: [3, 3, 18, 21],
    y: [2, 10, 9, 21],
  },
  {
    geometry: { ...dense, window: [1, 1], padding: tight },
    x: [2, 5, 7, 18],
    w: [1, 1, 18, 70],
    y: [2, 5, 7, 70],
  },
] as const;
const available = x86Availability();
const widths = available.available && available.cpu.avx512 ? [false, true] : [false];
for (const avx512 of widths) {
  const platform = createX86Platform({ threads: 1, avx512 });
  // the second has no caches to speak of: weights are fetched ahead
  const machines: MachineDescription[] = [platform.description, { ...platform.description, l2Bytes: 1024 }];
  for (const machine of machines)
    for (const { geometry, x, w, y } of cases) {
      const directions = [
        ["forward", x, w, y],
        ["inputGradient", y, w, x],
        ["weightGradient", x, y, w],
      ] as const;
      for (const [direction, first, second, result] of directions)
        for (const side of ["end", "start"] as const) {
          const request = requestOf({ kind: "conv2d", direction, groups: 1, geometry }, [first, second], result, {
            machine,
            epilogue: "bias",
          });
          const sizes = [sizeOf(first), sizeOf(second), result[3], sizeOf(result), 1];
          const operands = sizes.map((size) => guardedBuffer(platform.machine.functions, 4 * size, side));
          const executable = platform.compilePlan(planOf(conv2d(request)));
          executable.run(operands, []);
          executable.dispose();
        }
    }
  platform.dispose();
}
console.log("ok");
