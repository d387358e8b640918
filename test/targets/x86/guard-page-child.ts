/** Run by executable.test.ts: copies 21 floats between buffers that touch inaccessible pages; `beyond` and `before` step over the edge. */
import { KernelBuilder } from "../../../src/kernel/builder.ts";
import { createX86Platform } from "../../../src/targets/x86/platform.ts";
import { guardedBuffer } from "../../../src/testing/guard-page.ts";

const mode = process.argv[2];
const platform = createX86Platform({ threads: 1 });
const { functions } = platform.machine;
const count = 21;
const k = new KernelBuilder("copy_tail", 2);
const [x, y] = [k.argument(0), k.argument(1)];
k.store(k.load(k.at(x)), k.at(y));
k.store(k.load(k.at(x, 64), "f32", { lanes: count - 16 }), k.at(y, 64), "f32", {
  lanes: count - 16,
});
const source = guardedBuffer(functions, count * 4, mode === "before" ? "start" : "end");
const target = guardedBuffer(functions, count * 4, "end");
const values = new DataView(source.buffer);
for (let i = 0; i < count; i++) values.setFloat32(source.byteOffset + i * 4, i + 1, true);
const shift = mode === "beyond" ? 4 : mode === "before" ? -4 : 0;
const executable = platform.compilePlan({
  steps: [
    {
      kernel: k.build(),
      arguments: [
        { kind: "input", index: 0, byteOffset: shift },
        { kind: "output", index: 0, byteOffset: 0 },
      ],
      tasks: 1,
      flops: 0,
      bytes: 0,
    },
  ],
  arenaBytes: 0,
  constants: [],
  guards: [],
  preparations: [],
  explanation: "",
});
executable.run([source], [target]);
const results = new DataView(target.buffer);
const right = Array.from({ length: count }, (_, i) => results.getFloat32(target.byteOffset + i * 4, true) === i + 1);
console.log(right.every(Boolean) ? "ok" : "wrong");
