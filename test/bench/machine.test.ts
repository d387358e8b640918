import { expect, it } from "vitest";
import { isLoaded, watchLoad } from "../../bench/machine.ts";
import { occupyOneCore } from "../../bench/suites/neighbour.ts";

it("a busy process is seen, the contender's own time is not counted", async () => {
  const neighbour = occupyOneCore();
  try {
    await new Promise((resolve) => setTimeout(resolve, 200));
    const load = watchLoad();
    expect(await isLoaded()).toBe(true);
    expect(load.other(0)).toBeGreaterThan(0.5);
    expect(load.other(0) - load.other(0.1)).toBeGreaterThan(0.1);
    expect(load.other(1000)).toBe(0);
  } finally {
    neighbour.kill();
  }
});
