import { describe, expect, it } from "vitest";
import { profileOf, typical, typicalOfRounds } from "../../bench/step-profile.ts";

const kernel = (label: string, milliseconds: number, flops = 0, bytes = 0) => ({ label, milliseconds, flops, bytes });
const step = (milliseconds: number, ...kernels: readonly ReturnType<typeof kernel>[]) => ({ kernels, milliseconds });
const limits = { fmaPeak: 100, copyBandwidth: 10 };

describe("the profile of a step", () => {
  it("sums kernels of one name, the longest first, with their share of the limits", () => {
    const profile = profileOf(
      step(5.5, kernel("relu", 1, 0, 5e6), kernel("conv", 3, 2e8), kernel("relu", 1, 0, 5e6)),
      limits,
    );
    expect(profile).toEqual({
      milliseconds: 5,
      outside: 0.5,
      kernels: [
        { label: "conv", count: 1, milliseconds: 3, share: 0.6, rooflineShare: 0.6667, bound: "fma" },
        { label: "relu", count: 2, milliseconds: 2, share: 0.4, rooflineShare: 0.5, bound: "mem" },
      ],
    });
  });
  it("adds up to the whole step however many kernels there are", () => {
    const steps = Array.from({ length: 40 }, (_, index) => kernel(`k${index}`, index + 1));
    const { milliseconds, kernels } = profileOf(step(900, ...steps), undefined);
    expect(kernels.at(-1)).toMatchObject({ label: "all others", count: 28 });
    expect(kernels.reduce((sum, { milliseconds: time }) => sum + time, 0)).toBeCloseTo(milliseconds);
  });
  it("is that of the step in the middle, of the round in the middle", () => {
    const steps = [step(3), step(2), step(0.5)];
    expect(typical(steps)).toBe(steps[1]);
    expect(typicalOfRounds([10, 30, 20], [[step(9)], [step(1)], steps])).toBe(steps[1]);
  });
});
