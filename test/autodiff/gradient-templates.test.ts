import fc from "fast-check";
import { expect, test } from "vitest";
import { gradients } from "../../src/autodiff/gradients.ts";
import { buildProgram } from "../../src/graph/build-program.ts";
import { type Node, numberNode } from "../../src/graph/node.ts";
import { add, exp, expand, matmul, maximum, mul, pad, permute, relu, reshape, sub, sum } from "../../src/ops/index.ts";
import { leafOf } from "../../src/testing/nodes.ts";

type Recipe = readonly (readonly [kind: number, left: number, right: number])[];

interface Graph {
  readonly leaves: readonly Node[];
  readonly output: Node;
}

/** A scalar from a recipe: each entry makes a node of the ones before it. */
function graphOf(recipe: Recipe, trained: number): Graph {
  const leaves = [0, 1, 2].map((index) => leafOf([2, 2], "f32", [1, -2, 3, index], (trained & (1 << index)) !== 0));
  const nodes: Node[] = [...leaves];
  for (const [kind, left, right] of recipe) {
    const [x, y] = [nodes[left % nodes.length], nodes[right % nodes.length]];
    const make = [
      () => add(x, y),
      () => mul(x, y),
      () => sub(x, mul(y, numberNode(right + 1))),
      () => permute(x, [1, 0]),
      () => reshape(reshape(x, [4]), [2, 2]),
      () => relu(x),
      () => maximum(x, y),
      () => matmul(x, y),
      () => mul(expand(sum(x, 0, true), [2, 2]), exp(y)),
      () =>
        reshape(
          sum(
            pad(x, [
              [0, right % 3],
              [0, 0],
            ]),
            0,
            true,
          ),
          [1, 2],
        ),
    ];
    const made = make[kind % make.length]();
    nodes.push(made.shape[0] === 2 ? made : expand(made, [2, 2]));
  }
  return { leaves, output: sum(nodes[nodes.length - 1]) };
}

/** The structure of gradients, and which leaves they read. */
function described({ leaves, output }: Graph, build: typeof gradients, options = {}): unknown {
  const results = build([output], leaves, [], options);
  const present = results.filter((result) => result !== undefined);
  const built = buildProgram(present.map((node) => ({ node })));
  const numbers = built.leaves.map(({ leaf }) => (leaf?.kind === "number" ? leaf.value : undefined));
  return {
    which: results.map((result) => result !== undefined),
    key: built.program.key,
    leaves: built.leaves.map((leaf) => leaves.indexOf(leaf)),
    numbers,
  };
}
// whatever flows through a predicate is built by the rules
const byRules = { through: () => true };

test("random graphs: gradients from a template are those of the rules", () => {
  const entry = fc.tuple(fc.nat(9), fc.nat(10), fc.nat(10));
  const graph = fc.tuple(fc.array(entry, { minLength: 1, maxLength: 8 }), fc.integer({ min: 1, max: 7 }));
  fc.assert(
    fc.property(fc.array(graph, { minLength: 1, maxLength: 5 }), (graphs) => {
      for (let round = 0; round < 2; round++) {
        for (const [recipe, trained] of graphs) {
          const expected = described(graphOf(recipe, trained), gradients, byRules);
          expect(described(graphOf(recipe, trained), gradients)).toEqual(expected);
          expect(described(graphOf(recipe, trained), gradients)).toEqual(expected);
        }
      }
    }),
    { numRuns: 60 },
  );
});

test("the order in which nodes were made decides the order of sums, so it is part of the structure", () => {
  const build = (swapped: boolean): Graph => {
    const x = leafOf([2], "f32", [1, 2], true);
    const make = [() => exp(x), () => relu(x)];
    const first = make[swapped ? 1 : 0]();
    const second = make[swapped ? 0 : 1]();
    const [a, b] = swapped ? [second, first] : [first, second];
    return { leaves: [x], output: sum(mul(a, b)) };
  };
  for (const swapped of [false, true, false, true]) {
    expect(described(build(swapped), gradients)).toEqual(described(build(swapped), gradients, byRules));
  }
});

test("a hook is called each time, whatever was learnt", () => {
  const build = (calls: number[]): Graph => {
    const x = leafOf([2], "f32", [1, 2], true);
    const inner = exp(x);
    inner.hooks = [
      (gradient) => {
        calls.push(1);
        return add(gradient, gradient);
      },
    ];
    return { leaves: [x], output: sum(inner) };
  };
  const plain = leafOf([2], "f32", [1, 2], true);
  gradients([sum(exp(plain))], [plain]);
  const calls: number[] = [];
  for (let i = 0; i < 3; i++) {
    expect(described(build(calls), gradients)).toEqual(described(build([]), gradients, byRules));
  }
  expect(calls.length).toBe(3);
});

test("an input that nothing depends on is an error where that was asked for", () => {
  for (let i = 0; i < 2; i++) {
    const [x, y] = [leafOf([2], "f32", [1, 2], true), leafOf([2], "f32", [1, 2], true)];
    expect(() => gradients([sum(exp(x))], [x, y], [], { strict: true })).toThrow(/no output depends on input 1/);
    expect(gradients([sum(exp(x))], [x, y])[1]).toBeUndefined();
  }
});
