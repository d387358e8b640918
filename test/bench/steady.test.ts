import { expect, it } from "vitest";
import { driftOf } from "../../bench/suites/steady.ts";

it("drift is the last tenth over the first, by medians", () => {
  expect(driftOf([100, 100, 100, 90])).toBe(0.9);
  expect(driftOf(Array.from({ length: 20 }, (_, index) => (index < 10 ? 10 : 11)))).toBe(1.1);
  expect(driftOf([5])).toBe(1);
});
