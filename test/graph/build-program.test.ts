import { describe, expect, test } from "vitest";
import { buildProgram } from "../../src/graph/build-program.ts";
import { type Node, numberNode } from "../../src/graph/node.ts";
import { add, constant, mul, neg, pad, sub } from "../../src/ops/index.ts";
import { leafOf } from "../../src/testing/nodes.ts";

const keyOf = (...outputs: Node[]) => buildProgram(outputs.map((node) => ({ node }))).program.key;

describe("a program's key", () => {
  test("holds the structure, not the numbers or the data", () => {
    const build = (scale: number, data: number[]) => mul(leafOf([2], "f32", data), numberNode(scale));
    expect(keyOf(build(2, [1, 2]))).toBe(keyOf(build(3, [4, 5])));
    expect(keyOf(build(2, [1, 2]))).not.toBe(keyOf(mul(leafOf([3], "f32", [1, 2, 3]), numberNode(2))));
    expect(keyOf(build(2, [1, 2]))).not.toBe(keyOf(add(leafOf([2], "f32", [1, 2]), numberNode(2))));
  });

  test("tells every constant apart, those that JSON does not know too", () => {
    const values = [0, -0, Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 1];
    const x = leafOf([1], "f32", [1]);
    expect(new Set(values.map((value) => keyOf(constant(value)))).size).toBe(values.length);
    expect(new Set(values.map((value) => keyOf(pad(x, [[1, 1]], value)))).size).toBe(values.length);
  });

  test("tells inputs apart by the order in which they are used", () => {
    const [a, b] = [leafOf([1], "f32", [1]), leafOf([1], "f32", [2])];
    expect(keyOf(sub(a, b), a)).not.toBe(keyOf(sub(a, b), b));
    expect(buildProgram([{ node: sub(b, a) }]).leaves).toEqual([b, a]);
  });
});

describe("a program", () => {
  test("holds equal nodes once, and only what its outputs need", () => {
    const x = leafOf([2], "f32", [1, 2]);
    neg(x);
    const { program } = buildProgram([{ node: add(mul(x, x), mul(x, x)) }]);
    expect(program.nodes.map((node) => node.op?.opName)).toEqual([undefined, "mul", "add"]);
    expect(program.nodes[2].inputs).toEqual([1, 1]);
  });

  test("takes a computed node as an input", () => {
    const x = leafOf([2], "f32", [1, 2]);
    const inner = neg(x);
    inner.value = { buffer: new ArrayBuffer(128), byteOffset: 0 };
    expect(buildProgram([{ node: neg(inner) }]).leaves).toEqual([inner]);
  });

  test("names the input that an output overwrites", () => {
    const [x, y] = [leafOf([1], "f32", [1]), leafOf([1], "f32", [2])];
    const { program, leaves } = buildProgram([{ node: add(x, y), overwrites: y }]);
    expect(leaves[program.outputs[0].overwrites as number]).toBe(y);
  });
});
