import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { buildProgram, type RequestedOutput } from "../../src/graph/build-program.ts";
import { KnownPrograms } from "../../src/graph/known-programs.ts";
import { Node, numberNode, type VariableCell } from "../../src/graph/node.ts";
import { add, constant, mul, neg, pad, permute, reshape, sub } from "../../src/ops/index.ts";
import { leafOf } from "../../src/testing/nodes.ts";

/** Remembers the programs of graphs as they were built. */
function learn(known: KnownPrograms, outputs: readonly RequestedOutput[]): void {
  const built = buildProgram(outputs);
  known.add(outputs, built, { program: built.program, inputs: built.leaves.map((_, index) => index) });
}
/** What the walk finds must be what building finds. */
function check(known: KnownPrograms, outputs: readonly RequestedOutput[]): boolean {
  const found = known.find(outputs);
  const built = buildProgram(outputs);
  if (!found) return false;
  expect(found.program.key).toBe(built.program.key);
  expect(found.leaves).toEqual(built.leaves);
  expect(found.computed).toEqual(built.computed);
  expect(found.recomputed).toEqual(built.recomputed);
  return true;
}

const cell = (name: string): VariableCell => ({
  name,
  type: { shape: [2, 2], dtype: "f32" },
  version: 0,
  value: undefined,
  initial: undefined,
  serial: 1,
  pending: undefined,
  prepared: undefined,
  mark: 0,
  position: 0,
});
const read = (of: VariableCell): Node =>
  new Node(undefined, [], {}, of.type, { leaf: { kind: "variable", cell: of, version: 0 } });

/** A graph from a recipe: each entry makes a node of the ones before it. */
function graphOf(
  recipe: readonly (readonly [number, number, number])[],
  outputs: readonly number[],
): RequestedOutput[] {
  const cells = [cell("a"), cell("b")];
  const overwritten = cells.map(read);
  const nodes = [leafOf([2, 2], "f32", [1, 2, 3, 4]), ...cells.map(read), read(cells[0]), numberNode(2)];
  for (const [kind, left, right] of recipe) {
    const [x, y] = [nodes[left % nodes.length], nodes[right % nodes.length]];
    const make = [
      () => add(x, y),
      () => mul(x, y),
      () => neg(x),
      () => (x.shape.length === 2 ? permute(x, [1, 0]) : neg(x)),
      () => (x.shape.length === 2 ? reshape(x, [2, 2, 1].slice(0, 2)) : x),
      () => add(x, constant(right % 3)),
    ];
    nodes.push(make[kind % make.length]());
  }
  return outputs.map((index, position) => {
    const node = nodes[index % nodes.length];
    return position < 2 && node.shape.length === 2 && index % 2 === 0
      ? { node, overwrites: overwritten[position] }
      : { node };
  });
}

describe("known programs", () => {
  test("a graph that was built before is found again, others are not", () => {
    const known = new KnownPrograms();
    const outputs = (value: number, swap = false): RequestedOutput[] => {
      const [x, y] = [leafOf([2], "f32", [1, 2]), leafOf([2], "f32", [3, 4])];
      return [{ node: pad(swap ? sub(y, x) : sub(x, y), [[1, 1]], value) }, { node: x }];
    };
    expect(check(known, outputs(0))).toBe(false);
    learn(known, outputs(0));
    expect(check(known, outputs(0))).toBe(true);
    for (const other of [-0, 1, Number.NaN]) {
      expect(check(known, outputs(other))).toBe(false);
      learn(known, outputs(other));
      expect(check(known, outputs(other))).toBe(true);
    }
    expect(check(known, outputs(0))).toBe(true);
    expect(check(known, outputs(0, true))).toBe(false);
    expect(check(known, outputs(0).slice(0, 1))).toBe(false);
  });

  test("a variable read by two nodes is one input, two tensors with equal data are two", () => {
    const known = new KnownPrograms();
    const [a, b] = [cell("a"), cell("b")];
    learn(known, [{ node: add(read(a), read(a)) }]);
    expect(check(known, [{ node: add(read(b), read(b)) }])).toBe(true);
    expect(check(known, [{ node: add(read(a), read(b)) }])).toBe(false);
    expect(
      check(known, [{ node: add(leafOf([2, 2], "f32", [1, 2, 3, 4]), leafOf([2, 2], "f32", [1, 2, 3, 4])) }]),
    ).toBe(false);
  });

  test("the order in which memory holds a variable is part of it", () => {
    const known = new KnownPrograms();
    learn(known, [{ node: neg(read(cell("a"))) }]);
    expect(check(known, [{ node: neg(read({ ...cell("b"), order: [1, 0] })) }])).toBe(false);
    learn(known, [{ node: neg(read({ ...cell("b"), order: [1, 0] })) }]);
    expect(check(known, [{ node: neg(read({ ...cell("c"), order: [1, 0] })) }])).toBe(true);
    expect(check(known, [{ node: neg(read(cell("c"))) }])).toBe(true);
  });

  test("what is overwritten is part of it", () => {
    const known = new KnownPrograms();
    const outputs = (target: "a" | "b" | undefined): RequestedOutput[] => {
      const [a, b] = [cell("a"), cell("b")];
      const node = add(read(a), read(b));
      if (!target) return [{ node }];
      return [{ node, overwrites: read(target === "a" ? a : b) }];
    };
    for (const target of ["a", "b", undefined] as const) {
      expect(check(known, outputs(target))).toBe(false);
      learn(known, outputs(target));
      expect(check(known, outputs(target))).toBe(true);
    }
  });

  test("nodes that an earlier program passed by are named as recomputed", () => {
    const known = new KnownPrograms();
    const x = leafOf([2, 2], "f32", [1, 2, 3, 4]);
    const outputs = (): RequestedOutput[] => [{ node: neg(permute(neg(x), [1, 0])) }];
    learn(known, outputs());
    const again = outputs();
    for (const node of [again[0].node.inputs[0], again[0].node.inputs[0].inputs[0]]) node.passed = true;
    expect(check(known, again)).toBe(true);
    expect(known.find(again)?.recomputed).toEqual([again[0].node.inputs[0].inputs[0]]);
  });

  test("random graphs: whatever was learnt before, a program is found as it would be built", () => {
    const entry = fc.tuple(fc.nat(5), fc.nat(12), fc.nat(12));
    const graph = fc.tuple(
      fc.array(entry, { minLength: 1, maxLength: 8 }),
      fc.array(fc.nat(12), { minLength: 1, maxLength: 3 }),
    );
    fc.assert(
      fc.property(fc.array(graph, { minLength: 2, maxLength: 12 }), (graphs) => {
        const known = new KnownPrograms();
        for (const [recipe, outputs] of graphs) {
          check(known, graphOf(recipe, outputs));
          learn(known, graphOf(recipe, outputs));
          expect(check(known, graphOf(recipe, outputs))).toBe(true);
        }
        for (const [recipe, outputs] of graphs) expect(check(known, graphOf(recipe, outputs))).toBe(true);
      }),
      { numRuns: 100 },
    );
  });

  test("more ways than are remembered: the oldest is forgotten, and can be learnt again", () => {
    const known = new KnownPrograms();
    const outputs = (value: number): RequestedOutput[] => [{ node: pad(leafOf([1], "f32", [1]), [[1, 1]], value) }];
    for (let value = 0; value < 40; value++) learn(known, outputs(value));
    expect(check(known, outputs(39))).toBe(true);
    expect(check(known, outputs(0))).toBe(false);
    learn(known, outputs(0));
    expect(check(known, outputs(0))).toBe(true);
  });
});
