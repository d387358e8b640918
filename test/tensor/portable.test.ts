/** Every op survives being saved: its worked cases are described, read back as JSON and built again, node for node. */
import { describe, expect, test } from "vitest";
import type { DType } from "../../src/graph/dtype.ts";
import type { Node } from "../../src/graph/node.ts";
import type { Op } from "../../src/ops/define.ts";
import { ops } from "../../src/ops/index.ts";
import { abstractly, Tensor, tensor } from "../../src/tensor/index.ts";
import { capture } from "../../src/tensor/portable/capture.ts";
import { hasBuilder } from "../../src/tensor/portable/op-builders.ts";
import { programFromJson, programToJson } from "../../src/tensor/portable/parse.ts";
import { replay } from "../../src/tensor/portable/replay.ts";

const table = ops as unknown as Record<string, Op & ((...args: unknown[]) => Node)>;
const data = (shape: readonly number[], dtype: DType, values: readonly number[]): Node =>
  tensor(Float64Array.from(values), { shape, dtype }).node;

describe("programs as plain data", () => {
  test.each(Object.keys(ops))("%s", (name) => {
    expect(hasBuilder(name)).toBe(true);
    for (const worked of table[name].cases) {
      const args = (worked.args as (constant: typeof data) => readonly unknown[])(data);
      const first = capture(() => [new Tensor(table[name](...args))], [], new Map());
      const program = programFromJson(JSON.parse(JSON.stringify(programToJson(first.program))), "test");
      expect(program).toEqual(first.program);
      const again = capture(() => replay(program, [], first.constants, 0).outputs, [], new Map());
      expect(again.program).toEqual(first.program);
      abstractly(() => expect(replay(program, [], first.constants, 0).outputs[0].shape).toEqual(worked.shape));
    }
  });
});
