import { afterEach, describe, expect, test, vi } from "vitest";
import { formatMetric, formatRemaining, ProgressBar, type ProgressBarOptions } from "../../src/train/progress-bar.ts";
import goldens from "../goldens/keras-fit.json" with { type: "json" };

/** A bar that writes into `text`, with a clock that the test turns. */
function recorded(options: Partial<ProgressBarOptions> & { isTTY?: boolean }) {
  const { isTTY = true, ...rest } = options;
  const state = { text: "", now: 1000 };
  const stream = { isTTY, write: (text: string) => (state.text += text) };
  const bar = new ProgressBar({ target: 1875, stream, clock: () => state.now, ...rest });
  return { bar, state };
}

const script = [
  [1, 0.2, 2.3],
  [469, 1.6, 1.25],
  [1500, 5.0, 0.0005],
] as const;

function play(bar: ProgressBar, state: { now: number }) {
  for (const [step, seconds, loss] of script) {
    state.now = 1000 + seconds;
    bar.update(step, [
      ["accuracy", 0.5],
      ["loss", loss],
    ]);
  }
  state.now = 1006.1;
  bar.finish(1875, [
    ["accuracy", 0.5],
    ["loss", 0.12345],
  ]);
}

/** Keras's redraws: backspaces are how it returns to the line's start before the carriage return; empty colour pairs show nothing. */
const redraws = (text: string) =>
  text
    .replaceAll("\b", "")
    .replaceAll("\x1b[37m\x1b[0m", "")
    .split("\r")
    .map((line) => line.trimEnd());

afterEach(() => {
  vi.unstubAllEnvs();
});

describe("on a terminal", () => {
  test("draws what Keras draws", () => {
    const { bar, state } = recorded({ color: true });
    play(bar, state);
    expect(redraws(state.text)).toEqual(redraws(goldens.progress.terminal));
    expect(state.text.endsWith("\n")).toBe(true);
  });

  test("redraws at most every 50 ms, and says beforehand whether it would", () => {
    const { bar, state } = recorded({});
    bar.update(1, [["loss", 1]]);
    const first = state.text;
    state.now += 0.049;
    expect(bar.wouldDraw()).toBe(false);
    bar.update(2, [["loss", 1]]);
    expect(state.text).toBe(first);
    state.now += 0.002;
    expect(bar.wouldDraw()).toBe(true);
    bar.update(3, [["loss", 1]]);
    expect(state.text.length).toBeGreaterThan(first.length);
  });

  test("a shorter line erases the longer one", () => {
    const { bar, state } = recorded({ target: 10, color: false });
    bar.update(1, [["loss", 123456.789]]);
    state.now += 1;
    bar.update(2, [["loss", 0.1]]);
    const lines = state.text.split("\r").slice(1);
    expect(lines[1]!.length).toBeGreaterThanOrEqual(lines[0]!.trimEnd().length);
  });

  test("NO_COLOR leaves out escape codes but still redraws in place", () => {
    vi.stubEnv("NO_COLOR", "1");
    const { bar, state } = recorded({});
    play(bar, state);
    expect(state.text).not.toContain("\x1b");
    expect(state.text.split("\r").length).toBe(5);
    expect(state.text).toContain(" 469/1875 ━━━━━─────────────── 4s 3ms/step - accuracy: 0.5000 - loss: 1.2522");
  });

  test("abandon ends the line once", () => {
    const { bar, state } = recorded({});
    bar.update(1);
    bar.abandon();
    bar.abandon();
    bar.finish(2);
    expect(state.text.match(/\n/g)?.length).toBe(1);
  });
});

describe("piped", () => {
  test("one clean line at the end", () => {
    const { bar, state } = recorded({ isTTY: false });
    play(bar, state);
    expect(state.text).toBe("1875/1875 ━━━━━━━━━━━━━━━━━━━━ 6s 3ms/step - accuracy: 0.5000 - loss: 0.1235\n");
    expect(bar.wouldDraw()).toBe(false);
  });

  test("an unknown length", () => {
    const { bar, state } = recorded({ isTTY: false, target: undefined });
    bar.update(1);
    bar.finish(12, [["loss", 2]]);
    expect(state.text).toBe("     12/Unknown 0s 0s/step - loss: 2.0000\n");
  });

  test("verbose 2 is Keras's line, verbose 0 nothing", () => {
    const two = recorded({ isTTY: false, verbose: 2, target: 4 });
    two.bar.finish(4, [
      ["accuracy", 0.6],
      ["loss", 1.00645602],
      ["val_accuracy", 0],
      ["val_loss", 1.27389812],
    ]);
    expect(two.state.text).toBe(`${goldens.fits[0]!.stdout.verbose2.split("\n")[1]}\n`);
    const zero = recorded({ verbose: 0 });
    play(zero.bar, zero.state);
    expect(zero.state.text).toBe("");
  });

  test("averages over steps, stateful values as given", () => {
    const { bar, state } = recorded({ isTTY: false, target: 4, statefulMetrics: new Set(["rate"]) });
    bar.update(1, [
      ["loss", 4],
      ["rate", 1],
    ]);
    bar.update(4, [
      ["loss", 0],
      ["rate", 2],
    ]);
    bar.finish(4);
    expect(state.text).toContain("loss: 1.0000 - rate: 2.0000");
  });
});

test("numbers and times", () => {
  expect([0.12345, 1e-3, 0.0011, 0, -0.00005, 12345.6, Number.NaN, Number.POSITIVE_INFINITY].map(formatMetric)).toEqual(
    ["0.1235", "1.0000e-03", "0.0011", "0.0000e+00", "-5.0000e-05", "12345.6000", "nan", "inf"],
  );
  expect([42.9, 60, 65, 3600, 3723].map(formatRemaining)).toEqual(["42s", "60s", "1:05", "60:00", "1:02:03"]);
});
