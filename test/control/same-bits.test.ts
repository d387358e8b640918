import { expect, test } from "vitest";
import { whyNoMachineCode } from "../../src/engine/default-target.ts";
import { buildProgram } from "../../src/graph/build-program.ts";
import { bytesPerElement, viewOf } from "../../src/graph/dtype.ts";
import type { Node } from "../../src/graph/node.ts";
import { sizeOf } from "../../src/graph/shape.ts";
import { createX86Target, type X86Target } from "../../src/targets/x86/target.ts";
import { leafData } from "../../src/testing/nodes.ts";
import { maskedNetwork } from "./networks.ts";

/** The stored bits of nodes. */
function bitsOf(outputs: readonly Node[], target: X86Target): number[][] {
  const { program, leaves } = buildProgram(outputs.map((node) => ({ node })));
  const storage = (node: Node) => target.allocate(sizeOf(node.shape) * bytesPerElement[node.dtype]);
  const inputs = leaves.map((leaf) => {
    const value = storage(leaf);
    viewOf(leaf.dtype, value.buffer, value.byteOffset, sizeOf(leaf.shape)).set(leafData(leaf));
    return value;
  });
  const results = outputs.map(storage);
  target.compile(program).run(inputs, results);
  return results.map(({ buffer, byteOffset }, i) => [...new Int32Array(buffer, byteOffset, sizeOf(outputs[i].shape))]);
}

test.runIf(whyNoMachineCode() === undefined)(
  "a loop gives the same bits on any number of threads and in either vector width",
  () => {
    const { outputs, gradients } = maskedNetwork(6, 70, 90);
    const [first, ...others] = [{ threads: 1 }, { threads: 2 }, { threads: 4 }, { threads: 2, avx512: false }].map(
      (options) => {
        const target = createX86Target(options);
        const bits = bitsOf([...outputs, ...gradients], target);
        target.platform.dispose();
        return bits;
      },
    );
    for (const other of others) expect(other).toEqual(first);
  },
);
