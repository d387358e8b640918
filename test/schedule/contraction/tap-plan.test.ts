import { describe, expect, it } from "vitest";
import { planTapTasks, type TapWork } from "../../../src/schedule/strategies/contraction/tap-plan.ts";
import { wide } from "./harness.ts";

/** A convolution with one tap: units of so many pixels, panels of 32 channels. */
function pointwise(units: number, pixels: number, channels: number, outputs: number, outer = 1): TapWork {
  return {
    machine: wide,
    outer,
    units,
    panels: Math.ceil(outputs / 32),
    unitFlops: 2 * pixels * channels * outputs,
    unitBytes: 4 * pixels * channels,
    weightBytes: 4 * channels * outputs,
    together: 1,
  };
}

/** Units times panels of each task, in the order in which they are taken. */
function sizesOf(work: TapWork): number[] {
  const { unitTasks, panelTasks, unitsPerTask, panelsPerTask, weightsOutside } = planTapTasks(work);
  const share = (task: number, size: number, total: number): number => Math.min(size, total - task * size);
  const inner = weightsOutside ? unitTasks : panelTasks;
  return Array.from({ length: unitTasks * panelTasks }, (_, task) => {
    const [slow, fast] = [Math.floor(task / inner), task % inner];
    const [unitTask, panelTask] = weightsOutside ? [fast, slow] : [slow, fast];
    return share(unitTask, unitsPerTask, work.units) * share(panelTask, panelsPerTask, work.panels);
  });
}

describe("tasks of a direct convolution", () => {
  it("share large weights by panels, over all units whose input stays in the second-level cache", () => {
    expect(planTapTasks(pointwise(4, 13, 512, 2048))).toEqual({
      unitsPerTask: 4,
      unitTasks: 1,
      panelsPerTask: 4,
      panelTasks: 16,
      weightsOutside: true,
    });
    // 14 x 14 x 1024 is twice what the cache has to spare
    expect(planTapTasks(pointwise(14, 14, 1024, 256))).toMatchObject({ unitsPerTask: 7, unitTasks: 2, panelTasks: 8 });
  });

  it("share units where the weights are small", () => {
    const { panelTasks, unitTasks, weightsOutside } = planTapTasks(pointwise(224, 14, 64, 64));
    expect({ panelTasks, weightsOutside }).toEqual({ panelTasks: 1, weightsOutside: false });
    expect(unitTasks).toBeGreaterThanOrEqual(16);
  });

  it("end together on two threads: seven units are no seven tasks", () => {
    for (const work of [pointwise(7, 7, 256, 128), pointwise(4, 13, 576, 160), pointwise(19, 14, 64, 256)]) {
      const threads = [0, 0];
      for (const size of sizesOf(work)) threads[threads[0] <= threads[1] ? 0 : 1] += size;
      expect(Math.max(...threads)).toBeLessThan(0.53 * work.units * work.panels);
    }
  });

  it("stay few where there is little to do, and keep together what is pooled together", () => {
    const { unitTasks, panelTasks } = planTapTasks(pointwise(4, 13, 16, 64));
    expect(unitTasks * panelTasks).toBe(1);
    expect(planTapTasks({ ...pointwise(50, 14, 64, 64), together: 4 }).unitsPerTask % 4).toBe(0);
  });

  it("cover everything once, whatever the shape", () => {
    for (const units of [1, 3, 7, 49, 224])
      for (const outputs of [20, 160, 2048])
        for (const channels of [3, 96, 1024]) {
          const work = pointwise(units, 14, channels, outputs);
          const { unitsPerTask, unitTasks, panelsPerTask, panelTasks } = planTapTasks(work);
          expect(Math.ceil(work.units / unitsPerTask)).toBe(unitTasks);
          expect(Math.ceil(work.panels / panelsPerTask)).toBe(panelTasks);
        }
  });
});
