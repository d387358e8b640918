import { expect, it } from "vitest";
import { ArgumentError, ShapeError, TriviumError } from "../../../src/errors.ts";
import * as torch from "../../../src/torch/index.ts";

const { nn } = torch;

/** The first frame of the error that a callback throws. */
function firstFrame(callback: () => unknown): string {
  try {
    callback();
  } catch (error) {
    expect(error).toBeInstanceOf(TriviumError);
    return /\n {4}at (.*)/.exec((error as Error).stack ?? "")?.[1] ?? "";
  }
  throw new Error("nothing was thrown");
}

it("errors of constructors, modules and functions begin at the user's line", () => {
  const layer = new nn.Linear(3, 2);
  for (const mistake of [
    () => new nn.Linear(-1, 2),
    () => layer(torch.zeros([4, 5])),
    () => nn.functional.maxPool2d(torch.zeros([4]), 2),
    () => torch.zeros([2, 3]).matmul(torch.zeros([2, 3])),
    () => new torch.optim.SGD([], { lr: 0.1 }),
  ]) {
    expect(firstFrame(mistake)).toContain("error-lines.test.ts");
  }
});

it("keeps name, message and cause", () => {
  const cause = new Error("why");
  const error = new ShapeError("what", { cause });
  expect([error.name, error.message, error.cause]).toEqual(["ShapeError", "what", cause]);
  expect(error.stack?.startsWith("ShapeError: what\n    at ")).toBe(true);
  expect(error).toBeInstanceOf(Error);
  expect(error).not.toBeInstanceOf(ArgumentError);
});
