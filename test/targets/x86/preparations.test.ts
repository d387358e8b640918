/** Random programs over variables: results are the same to the bit whether what is made of variables is kept or not. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { whyNoMachineCode } from "../../../src/engine/default-target.ts";
import { buildProgram } from "../../../src/graph/build-program.ts";
import { viewOf } from "../../../src/graph/dtype.ts";
import { bytesOf, type Node } from "../../../src/graph/node.ts";
import { sizeOf } from "../../../src/graph/shape.ts";
import { ops } from "../../../src/ops/index.ts";
import type { KeptResults } from "../../../src/targets/target.ts";
import { createX86Target } from "../../../src/targets/x86/target.ts";
import { hashUniform } from "../../../src/testing/hash-uniform.ts";
import { leafData, leafOf } from "../../../src/testing/nodes.ts";

const { add, exp, expand, matmul, maximum, mul, reshape, sum } = ops;
const shape = [12, 12];
const inputCount = 4;

/** A graph of products, reductions and elementwise work, all of one shape, so that temporaries are used again; most of its values are in memory. */
function graphOf(decisions: readonly number[]): Node[] {
  const pool = Array.from({ length: inputCount }, (_, i) => leafOf(shape, "f32", hashUniform(i + 1, 144, -0.5, 0.5)));
  for (const decision of decisions) {
    const [left, right] = [pool[decision % pool.length], pool[(decision >> 4) % pool.length]];
    const made = [
      () => matmul(left, right),
      () => add(left, right),
      () => mul(left, exp(right)),
      () => maximum(left, matmul(right, left)),
      () => add(left, expand(reshape(sum(right, [1]), [12, 1]), shape)),
    ];
    pool.push(made[(decision >> 8) % made.length]());
  }
  return pool.slice(-3);
}

describe.skipIf(whyNoMachineCode() !== undefined)("kept results", () => {
  let found = 0;
  test("in random programs, whichever inputs are variables", () => {
    const target = createX86Target({ threads: 2 });
    const property = fc.property(
      fc.array(fc.nat(4095), { minLength: 4, maxLength: 24 }),
      fc.integer({ min: 1, max: 2 ** inputCount - 2 }),
      (decisions, variables) => {
        const outputs = graphOf(decisions);
        const { program, leaves } = buildProgram(outputs.map((node) => ({ node })));
        const nodes = program.nodes.map((node, index) =>
          (variables >> program.inputs.indexOf(index)) & 1 && !node.op ? { ...node, variable: true as const } : node,
        );
        const executable = target.compile({ ...program, nodes });
        const inputs = leaves.map((leaf) => {
          const storage = target.allocate(bytesOf(leaf.type));
          viewOf(leaf.dtype, storage.buffer, storage.byteOffset, sizeOf(leaf.shape)).set(leafData(leaf));
          return storage;
        });
        const run = (kept?: readonly KeptResults[]): Uint8Array[] => {
          const results = outputs.map((node) => target.allocate(bytesOf(node.type)));
          executable.run(inputs, results, kept);
          return outputs.map((node, i) => new Uint8Array(results[i].buffer, results[i].byteOffset, bytesOf(node.type)));
        };
        found += executable.preparations.length;
        const storages = executable.preparations.map(({ bytes }) => target.allocate(Math.max(bytes, 1024)));
        const kept = (filled: boolean) => storages.map((storage) => ({ storage, filled }));
        const expected = run();
        expect(run(kept(false))).toEqual(expected);
        for (let i = 0; i < 2; i++) expect(run(kept(true))).toEqual(expected);
        expect(run()).toEqual(expected);
        executable.dispose();
      },
    );
    fc.assert(property, { numRuns: 80, seed: 7 });
    expect(found).toBeGreaterThan(10);
  });
});
