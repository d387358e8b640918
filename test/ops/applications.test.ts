import { expect, test } from "vitest";
import { add, expand, pad, permute, sum } from "../../src/ops/index.ts";
import { leafOf } from "../../src/testing/nodes.ts";

const matrix = () => leafOf([2, 3], "f32", [1, 2, 3, 4, 5, 6]);

test("equal nodes share type and attributes", () => {
  const [first, second] = [permute(matrix(), [1, 0]), permute(matrix(), [1, 0])];
  expect(second.type).toBe(first.type);
  expect(second.attributes).toBe(first.attributes);
  expect(permute(leafOf([3, 2], "f32", [1, 2, 3, 4, 5, 6]), [1, 0]).shape).toEqual([2, 3]);
});

test("an array that a caller changes later changes nothing that was made of it", () => {
  const padding: [number, number][] = [
    [0, 0],
    [1, 1],
  ];
  const first = pad(matrix(), padding);
  padding[1] = [2, 2];
  const second = pad(matrix(), padding);
  expect([first.shape, second.shape]).toEqual([
    [2, 5],
    [2, 7],
  ]);
  expect(first.attributes).toMatchObject({
    padding: [
      [0, 0],
      [1, 1],
    ],
  });
  const shape = [4, 2, 3];
  expand(matrix(), shape);
  shape[0] = 5;
  expect(expand(matrix(), shape).shape).toEqual([5, 2, 3]);
  expect(expand(matrix(), [4, 2, 3]).shape).toEqual([4, 2, 3]);
});

test("more applications than are remembered", () => {
  for (let round = 0; round < 2; round++) {
    for (let size = 1; size < 300; size++) {
      const x = leafOf([size], "f32", new Array<number>(size).fill(1));
      expect(add(x, x).shape).toEqual([size]);
      expect(sum(expand(x, [2, size]), 0).shape).toEqual([size]);
    }
  }
});

test("what an op refuses it refuses every time", () => {
  for (let i = 0; i < 3; i++) expect(() => expand(matrix(), [2, 4])).toThrow(/does not expand/);
  expect(expand(matrix(), [2, 2, 3]).shape).toEqual([2, 2, 3]);
});
