/** `tf.cond` and `tf.whileLoop`: where values can be read, in compiled functions and in static graphs. */
import { beforeAll, describe, expect, test } from "vitest";
import { ArgumentError, DTypeError, ShapeError, UnsupportedError } from "../../src/errors.ts";
import { engine } from "../../src/index.ts";
import * as tf from "../../src/tf/index.ts";
import { availableTargets } from "../targets.ts";

const v1 = tf.compat.v1;

describe.each(availableTargets())("control flow on %s", (target) => {
  beforeAll(() => engine.setTarget(target));

  test("where the condition can be read one branch runs, and gradients flow through it", () => {
    const calls: string[] = [];
    const f = (x: tf.Tensor) =>
      tf.cond(
        tf.less(x, 0),
        () => {
          calls.push("true");
          return tf.mul(x, -3);
        },
        () => {
          calls.push("false");
          return tf.square(x);
        },
      );
    const w = new tf.Variable(-2);
    for (const [value, result, slope] of [
      [-2, 6, -3],
      [5, 25, 10],
    ]) {
      w.assign(value);
      const tape = new tf.GradientTape();
      const y = tape.run(() => f(w));
      expect(y.item()).toBe(result);
      expect(tape.gradient(y, w)?.item()).toBe(slope);
    }
    expect(calls).toEqual(["true", "false"]);
    expect(
      tf.cond(
        true,
        () => "a",
        () => "b",
      ),
    ).toBe("a");
    expect(
      tf.cond(
        tf.constant([0]),
        () => 1,
        () => 2,
      ),
    ).toBe(2);
    const counter = new tf.Variable(0);
    tf.cond(
      tf.greater(counter, 1),
      () => counter.assign(7),
      () => counter.assign(3),
    );
    expect(counter.item()).toBe(3);
  });

  test("in a compiled function results are selected: one trace and one program for both", () => {
    const w = new tf.Variable(4);
    const step = tf.function((x: tf.Tensor) => {
      const tape = new tf.GradientTape();
      const y = tape.run(() => {
        const [value] = tf.cond(
          tf.greater(tf.sum(x), 0),
          () => [tf.mul(w, w)],
          () => [tf.mul(w, 3)],
        );
        return value;
      });
      return [y, tape.gradient(y, w) as tf.Tensor];
    });
    const run = (...values: number[]) => step(tf.constant(values)).map((each) => each.item());
    expect(run(1, 2)).toEqual([16, 8]);
    const { compilations } = engine.stats();
    expect(run(1, -2)).toEqual([12, 3]);
    expect(run(4, 4)).toEqual([16, 8]);
    expect(engine.stats().compilations).toBe(compilations);
    expect(step.experimentalGetTracingCount()).toBe(1);
  });

  test("in a static graph results are selected, whatever is fed", () => {
    new v1.Graph().asDefault(() => {
      const x = v1.placeholder("float32", [null, 2]);
      const y = v1.cond(
        v1.less(v1.reduceSum(x), 10),
        () => ({ scaled: v1.mul(x, 2), label: v1.constant(1) }),
        () => ({ scaled: v1.square(x), label: v1.constant(2) }),
      );
      const session = new v1.Session();
      const run = (rows: number[][]) => {
        const [scaled, label] = session.run([y.scaled, y.label], { feedDict: new Map([[x, tf.constant(rows)]]) });
        return [scaled.toArray(), label.item()];
      };
      expect(run([[1, 2]])).toEqual([[[2, 4]], 1]);
      const tall = [
        [3, 4],
        [5, 6],
      ];
      const squares = [
        [9, 16],
        [25, 36],
      ];
      expect(run(tall)).toEqual([squares, 2]);
    });
  });

  test("a loop reads its condition each round, and compiles a bounded number of programs", () => {
    const halve = (start: number) =>
      tf.whileLoop(
        (x: tf.Tensor, _: tf.Tensor) => tf.greater(tf.norm(x), 1),
        (x, rounds) => [tf.div(x, 2), tf.add(rounds, 1)],
        [tf.constant([3 * start, 4 * start]), tf.constant(0)],
      );
    const [x, rounds] = halve(1);
    expect(x.toArray()).toEqual([0.375, 0.5]);
    expect(rounds.item()).toBe(3);
    const { compilations } = engine.stats();
    expect(halve(512)[1].item()).toBe(12);
    expect(engine.stats().compilations - compilations).toBeLessThanOrEqual(1);
    const three = tf.whileLoop(
      () => true,
      (n: number) => [n + 1],
      [0],
      { maximumIterations: 3 },
    );
    expect(three).toEqual([3]);
    const w = new tf.Variable(2);
    const tape = new tf.GradientTape();
    const power = tape.run(
      () =>
        tf.whileLoop(
          (y: tf.Tensor) => tf.less(y, 20),
          (y) => [tf.mul(y, w)],
          [tf.constant(1)],
        )[0],
    );
    // 2⁵
    expect(power.item()).toBe(32);
    expect(tape.gradient(power, w)?.item()).toBe(5 * 16);
  });

  test("what cannot be done rightly is refused", () => {
    const w = new tf.Variable(1);
    const traced = (body: (x: tf.Tensor) => tf.Tensor) => () => tf.function(body)(tf.constant([1, 2]));
    const positive = (x: tf.Tensor) => tf.greater(tf.sum(x), 0);
    const cases: [() => unknown, abstract new (...args: never[]) => Error, RegExp][] = [
      [
        () =>
          tf.cond(
            tf.constant([1, 0]),
            () => 1,
            () => 2,
          ),
        ShapeError,
        /one element, received shape \(2,\).*tf\.where/,
      ],
      [
        traced((x) => {
          const change = (by: number) => () => {
            w.assignAdd(by);
            return x;
          };
          return tf.cond(positive(x), change(1), change(2));
        }),
        UnsupportedError,
        /a branch writes .*both are computed/,
      ],
      [
        traced((x) =>
          tf.cond(
            positive(x),
            () => x,
            () => tf.sum(x),
          ),
        ),
        ShapeError,
        /shapes \(2,\) and \(\)/,
      ],
      [
        traced((x) =>
          tf.cond(
            positive(x),
            () => x,
            () => tf.cast(x, "int32"),
          ),
        ),
        DTypeError,
        /f32 and i32/,
      ],
      [
        traced(
          (x) =>
            tf.cond(
              positive(x),
              () => [x, x],
              () => [x],
            )[0],
        ),
        ArgumentError,
        /2 and 1 values/,
      ],
      [
        traced((x) =>
          tf.cond(
            positive(x),
            () => x,
            () => "no" as never,
          ),
        ),
        UnsupportedError,
        /must give tensors, received string/,
      ],
      [traced((x) => tf.whileLoop(positive, (y) => [tf.sub(y, 1)], [x])[0]), UnsupportedError, /whileLoop: how often/],
      [
        () => tf.whileLoop(positive, () => [] as never, [tf.constant(1)]),
        ArgumentError,
        /a list of 1 values.*received 0/,
      ],
    ];
    for (const [run, type, message] of cases) {
      const error = (() => {
        try {
          run();
        } catch (thrown) {
          return thrown as Error;
        }
        throw new Error(`nothing was thrown: ${message}`);
      })();
      expect(error.message).toMatch(message);
      expect(error).toBeInstanceOf(type);
    }
    expect(w.item()).toBe(1);
    new v1.Graph().asDefault(() => {
      const x = v1.placeholder("float32", []);
      const variable = new v1.Variable(0);
      expect(() =>
        v1.cond(
          v1.less(x, 0),
          () => v1.assign(variable, 1),
          () => x,
        ),
      ).toThrow(UnsupportedError);
      expect(() =>
        v1.whileLoop(
          (y: tf.Tensor) => v1.less(y, 3),
          (y) => [v1.add(y, 1)],
          [x],
        ),
      ).toThrow(UnsupportedError);
    });
  });
});
