import { describe, expect, test } from "vitest";
import { IndexRangeError } from "../../src/errors.ts";
import { buildProgram, type RequestedOutput } from "../../src/graph/build-program.ts";
import { bytesPerElement, viewOf } from "../../src/graph/dtype.ts";
import type { Node } from "../../src/graph/node.ts";
import { sizeOf } from "../../src/graph/shape.ts";
import { ops } from "../../src/ops/index.ts";
import { schedule } from "../../src/schedule/schedule.ts";
import { hashUniform } from "../../src/testing/hash-uniform.ts";
import { leafData, leafOf, valuesOf } from "../../src/testing/nodes.ts";
import { runPlan, wideMachine } from "../../src/testing/run-plan.ts";

const { add, constant, gather, matmul, mul, permute, reshape, sub, sum } = ops;
const vector = (stream: number, ...shape: number[]): Node =>
  leafOf(shape, "f32", hashUniform(stream, sizeOf(shape), -1, 1));

/** Runs with donated storage: an overwriting output is given its input's buffer. */
function run(outputs: readonly RequestedOutput[]) {
  const expected = valuesOf(outputs.map(({ node }) => node));
  const { program, leaves } = buildProgram(outputs);
  const plan = schedule(program, wideMachine);
  const inputs = leaves.map((leaf) => {
    const data = leafData(leaf);
    const buffer = new ArrayBuffer(data.byteLength);
    viewOf(leaf.dtype, buffer).set(data);
    return { buffer, byteOffset: 0 };
  });
  const storages = program.outputs.map(({ node, overwrites }) => {
    const { dtype, shape } = program.nodes[node].type;
    if (overwrites !== undefined) return inputs[overwrites];
    return { buffer: new ArrayBuffer(sizeOf(shape) * bytesPerElement[dtype]), byteOffset: 0 };
  });
  const check = () =>
    outputs.forEach(({ node }, index) => {
      const actual = viewOf(node.dtype, storages[index].buffer, 0, sizeOf(node.shape));
      for (let i = 0; i < actual.length; i++) expect(actual[i]).toBeCloseTo(expected[index][i], 4);
    });
  return { plan, inputs, leaves, storages, check, execute: () => runPlan(plan, program, inputs, storages) };
}

function correct(outputs: readonly RequestedOutput[]) {
  const made = run(outputs);
  made.execute();
  made.check();
  return made.plan;
}

describe("outputs that overwrite inputs", () => {
  test("an update in its own kernel", () => {
    const w = vector(1, 40);
    const plan = correct([{ node: sub(w, mul(vector(2, 40), constant(0.1, [40]))), overwrites: w }]);
    expect(plan.steps).toHaveLength(1);
    expect(plan.arenaBytes).toBe(0);
  });

  test("readers of the old value run before the update", () => {
    const w = vector(1, 6, 5);
    const x = vector(2, 4, 6);
    const plan = correct([{ node: sub(w, mul(w, w)), overwrites: w }, { node: matmul(x, w) }, { node: sum(w, [0]) }]);
    expect(plan.explanation).toContain("overwrites input 0 in its own kernel");
  });

  test("two variables exchanged", () => {
    const a = vector(1, 20);
    const b = vector(2, 20);
    correct([
      { node: b, overwrites: a },
      { node: a, overwrites: b },
    ]);
    const [c, d] = [vector(3, 5, 5), vector(4, 5, 5)];
    const plan = correct([
      { node: permute(d, [1, 0]), overwrites: c },
      { node: permute(c, [1, 0]), overwrites: d },
    ]);
    expect(plan.explanation).toContain("through a temporary");
  });

  test("a value that is read elsewhere than it is written", () => {
    const w = vector(1, 5, 5);
    correct([{ node: add(w, permute(w, [1, 0])), overwrites: w }]);
    const v = vector(2, 4, 4);
    correct([{ node: matmul(v, v), overwrites: v }]);
    const rows = vector(3, 6, 7);
    correct([{ node: sub(rows, reshape(sum(rows, [1], true), [6, 1])), overwrites: rows }]);
  });

  test("a later kernel that needs old and new value", () => {
    const w = vector(1, 8, 8);
    const updated = sub(w, mul(vector(2, 8, 8), constant(0.5, [8, 8])));
    correct([{ node: updated, overwrites: w }, { node: matmul(updated, w) }]);
  });

  test("a weight gradient with its update, and the input gradient that reads the old weight", () => {
    const [x, w, g] = [vector(1, 12, 20), vector(2, 20, 18), vector(3, 12, 18)];
    const slope = matmul(permute(x, [1, 0]), g);
    const plan = correct([
      { node: sub(w, mul(slope, constant(0.1, [20, 18]))), overwrites: w },
      { node: matmul(g, permute(w, [1, 0])) },
    ]);
    expect(plan.explanation).toContain("matmul + sub");
    expect(plan.explanation).toContain("output 0 overwrites input");
  });

  test("all of an optimizer's state in one kernel", () => {
    const [w, m, v, g] = [1, 2, 3, 4].map((stream) => vector(stream, 50));
    const c = (value: number) => constant(value, [50]);
    const first = add(mul(m, c(0.9)), mul(g, c(0.1)));
    const second = add(mul(v, c(0.99)), mul(mul(g, g), c(0.01)));
    const next = sub(w, mul(c(0.1), ops.div(first, add(ops.sqrt(ops.abs(second)), c(1e-3)))));
    const plan = correct([
      { node: next, overwrites: w },
      { node: first, overwrites: m },
      { node: second, overwrites: v },
    ]);
    expect(plan.steps).toHaveLength(1);
  });

  test("an input as output, an output twice, an output that is a view", () => {
    const w = vector(1, 3, 4);
    const y = mul(w, w);
    correct([{ node: w }, { node: y }, { node: y }, { node: reshape(y, [12]) }, { node: permute(y, [1, 0]) }]);
  });

  test("guards run before anything is overwritten", () => {
    const w = vector(1, 10, 3);
    const bad = leafOf([2], "i32", [1, 10]);
    const made = run([{ node: mul(w, w), overwrites: w }, { node: gather(w, leafOf([2], "i32", [0, 1]), 0) }]);
    made.execute();
    made.check();
    const good = leafOf([2], "i32", [0, 9]);
    const { program, leaves } = buildProgram([{ node: mul(w, w), overwrites: w }, { node: gather(w, good, 0) }]);
    const plan = schedule(program, wideMachine);
    expect(plan.steps[0].checksStatus).toBe(true);
    const storage = leaves.map((leaf) => {
      const data = leafData(leaf === good ? bad : leaf);
      const buffer = new ArrayBuffer(data.byteLength);
      viewOf(leaf.dtype, buffer).set(data);
      return { buffer, byteOffset: 0 };
    });
    const before = new Float32Array(storage[leaves.indexOf(w)].buffer.slice(0));
    const outputs = [storage[leaves.indexOf(w)], { buffer: new ArrayBuffer(24), byteOffset: 0 }];
    expect(() => runPlan(plan, program, storage, outputs)).toThrow(IndexRangeError);
    expect(new Float32Array(storage[leaves.indexOf(w)].buffer)).toEqual(before);
  });
});
