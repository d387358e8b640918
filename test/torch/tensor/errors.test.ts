import { expect, test } from "vitest";
import { TriviumError } from "../../../src/index.ts";
import * as torch from "../../../src/torch/index.ts";

/** The message of a typed error whose first frame is in this file. */
function caught(body: () => unknown): string {
  try {
    body();
  } catch (error) {
    expect(error).toBeInstanceOf(TriviumError);
    const frame = (error as Error).stack?.split("\n").find((line) => line.trimStart().startsWith("at "));
    expect(frame, (error as Error).message).toContain("tensor/errors.test.ts");
    return `${(error as Error).name}: ${(error as Error).message}`;
  }
  throw new Error(`no error: ${body}`);
}

test("mistakes name the operation, what was received and what was expected, at the user's line", () => {
  const x = torch.zeros(2, 3);
  const long = { dtype: torch.long };
  expect(
    [
      () => x.view(4, -1),
      () => x.at(2),
      () => x.at(0, 0, 0),
      () => x.at("...", "..."),
      () => x.at("1;2"),
      () => x.at([0, 1, 1, 1]),
      () => x.at(torch.tensor([0.5])),
      () => x.at(torch.tensor([true, false, true])),
      () => x.setAt_([0], torch.zeros(2)),
      () => x.select(1, 3),
      () => x.narrow(1, 2, 2),
      () => x.split([1, 1], 1),
      () => x.chunk(0),
      () => x.gather(0, torch.zeros(3, long)),
      () => x.indexSelect(0, torch.zeros(1, 1, long)),
      () => x.scatter(1, torch.zeros(3, 3, long), 1),
      () => x.mm(x),
      () => torch.bmm(x, x),
      () => torch.dot(torch.zeros(2), torch.zeros(3)),
      () => torch.einsum("ij,jk->ik", x),
      () => torch.einsum("ijk->i", x),
      () => torch.einsum("ij->k", x),
      () => torch.einsum("ij,ij->i", x, torch.zeros(2, 4)),
      () => torch.einsum("i+j->i", x),
      () => torch.cat([]),
      () => torch.cat([x, torch.zeros(3, 3)], 1),
      () => torch.stack([x, torch.zeros(3)]),
      () => x.topk(4),
      () => x.max(2),
      () => x.sum(5),
      () => x.mean(1).long().mean(),
      () => x.clamp(),
      () => x.flatten(1, 0),
      () => x.unflatten(1, [2, 2]),
      () => torch.zeros(2, 2, 2).t(),
      () => x.roll([1, 2], 0),
      () => x.to("cuda"),
      () => x.to(torch.float32).to("float64"),
      () => torch.device("cuda:0"),
      () => torch.randint(5, 5, [2]),
      () => torch.tensor([1], { dtype: "complex64" }),
      () => torch.bincount(torch.tensor([1.5])),
      () => torch.diag(torch.zeros(1, 1, 1)),
      () => torch.tensor([1, 2]).item(),
      () => torch.add(1 as unknown as torch.Tensor, 2),
      () => torch.zeros(2, -1),
      () => x.div(2, { roundingMode: "up" as "floor" }),
      () => x.at(torch.tensor([5], long)).tolist(),
      () => x.at(torch.tensor([0], long), torch.tensor([3], long)).tolist(),
    ].map(caught),
  ).toMatchInlineSnapshot(`
    [
      "ShapeError: reshape: (2, 3) (6 elements) to (4, -1): the number of elements is not a multiple of 4.",
      "IndexRangeError: at: index 2 is out of bounds for axis 0 with size 2, shape (2, 3).",
      "IndexRangeError: at: 3 indices for a tensor of shape (2, 3).",
      "ArgumentError: at: an index can hold "..." only once.",
      "ArgumentError: at: "1;2" is no index: expected an integer, a slice ([start, stop, step] or "start:stop:step"), null for a new axis, "...", or an index tensor (tensor([...], { dtype: "i32" }) for a list of positions).",
      "ArgumentError: at: [0,1,1,1] is no index: expected an integer, a slice ([start, stop, step] or "start:stop:step"), null for a new axis, "...", or an index tensor (tensor([...], { dtype: "i32" }) for a list of positions).",
      "DTypeError: at: an index tensor must be i32 or u8 (or a bool mask), received f32; convert with .cast("i32").",
      "ShapeError: at: a mask of shape (3,) does not fit the axes it covers, (2,) of shape (2, 3).",
      "ShapeError: setAt_: a value of shape (2,) does not broadcast to the place of shape (3,).",
      "IndexRangeError: select: index 3 is out of range for axis 1, which has size 3.",
      "IndexRangeError: narrow: start 2 and length 2 exceed axis 1, which has size 3.",
      "ShapeError: split: sizes [1, 1] add up to 2, axis 1 of (2, 3) has size 3.",
      "ArgumentError: chunk: the number of parts must be a positive integer, received 0.",
      "ShapeError: takeAlongAxis: indices of shape (3,) do not fit a tensor of shape (2, 3): ranks must be equal, and sizes no larger except along axis 0.",
      "ShapeError: indexSelect: the index must be a vector, received shape (1, 1).",
      "ShapeError: scatter: an index of shape (3, 3) does not fit a tensor of shape (2, 3) and a source of shape (): ranks must be equal, and no size of the index larger (except along axis 1 of the tensor).",
      "ShapeError: matmul: cannot multiply (2, 3) by (2, 3): the last axis of the first must equal the last but one axis of the second, and neither may be a scalar.",
      "ShapeError: bmm: expected tensors of rank 3 and 3, received shapes (2, 3) and (2, 3).",
      "ShapeError: dot: expected vectors of one length, received shapes (2,) and (3,).",
      "ArgumentError: einsum: "ij,jk->ik": 2 terms for 1 tensors.",
      "ArgumentError: einsum: "ijk->i": "ijk" does not fit a tensor of shape (2, 3).",
      "ArgumentError: einsum: "ij->k": "k" of the result is in no term, or there twice.",
      "ShapeError: einsum: "ij,ij->i": "j" has sizes 3 and 4.",
      "ArgumentError: einsum: "i+j->i": "i+j" does not fit a tensor of shape (2, 3).",
      "ArgumentError: cat: expected at least one tensor.",
      "ShapeError: concat: shapes (2, 3), (3, 3) must agree on every axis but 1.",
      "ShapeError: stack: expected tensors of one shape, received (2, 3) and (3,).",
      "ArgumentError: topK: k must be an integer from 0 to the 3 elements along axis -1, received 4.",
      "ArgumentError: max: axis 2 is out of range for a tensor of rank 2 (expected -2 to 1).",
      "ArgumentError: sum: axis 5 is out of range for a tensor of rank 2 (expected -2 to 1).",
      "DTypeError: mean: dtype i32 is not supported (expected f32). Convert with .cast("f32").",
      "ArgumentError: clamp: give a minimum, a maximum, or both.",
      "ArgumentError: flatten: the first axis, 1, comes after the last, 0, of (2, 3).",
      "ShapeError: unflatten: sizes (2, 2) do not multiply to 3, the size of axis 1.",
      "ShapeError: t: expected a matrix, received shape (2, 2, 2); use transpose(first, second) or mT.",
      "ArgumentError: roll: received 2 shifts for 1 axes; their numbers must be equal.",
      "UnsupportedError: to: there is no device "cuda" here; tensors live on "cpu".",
      "DTypeError: dtype "float64" is not available: Trivium computes in f32, i32, u8 and bool. Convert with .cast("f32") or pass dtype: "f32".",
      "UnsupportedError: device: there is no device "cuda:0" here; use "cpu".",
      "ArgumentError: randomIntegers: expected integers low < high less than 2³¹ apart, received 5 and 5.",
      "DTypeError: unknown dtype "complex64": expected one of f32, i32, u8, bool.",
      "ArgumentError: bincount: expected a vector of integers, received f32 of shape (1,).",
      "ShapeError: diag: expected a vector or a matrix, received shape (1, 1, 1).",
      "ShapeError: item: the tensor has 2 elements, shape (2,); use data() or toArray().",
      "ArgumentError: torch.add: expected a tensor, received 1.",
      "ShapeError: constant: (2, -1) is not a shape: every size must be an integer of 0 or more.",
      "ArgumentError: div: roundingMode "up" is unknown; expected "floor" or "trunc".",
      "IndexRangeError: gather: an index or label is out of range: expected 0 to 1. Nothing was changed.",
      "IndexRangeError: checkIndices: an index or label is out of range: expected 0 to 2. Nothing was changed.",
    ]
  `);
});

test("an index out of range is found before a variable is overwritten", () => {
  const x = torch.zeros(3);
  expect(() =>
    x
      .clone()
      .setAt_([torch.tensor([7], { dtype: torch.long })], 1)
      .tolist(),
  ).toThrow(/index/i);
  expect(x.tolist()).toEqual([0, 0, 0]);
});
