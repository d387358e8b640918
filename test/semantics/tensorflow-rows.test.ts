/** The rows of the semantics table that concern the TensorFlow door, on every target. */
import { beforeAll, describe, expect, test } from "vitest";
import { IndexRangeError, StaleTensorError } from "../../src/errors.ts";
import { engine } from "../../src/index.ts";
import { assertClose } from "../../src/testing/allclose.ts";
import * as tf from "../../src/tf/index.ts";
import { availableTargets } from "../targets.ts";
import { during, ramp, SmallNetwork } from "./programs.ts";

describe.each(availableTargets())("semantics of the TensorFlow door on %s", (target) => {
  beforeAll(() => engine.setTarget(target));

  test("tape without modules, `pred` read after applyGradients: the value, no compilation after the second pass", () => {
    const network = new SmallNetwork();
    const optimizer = new tf.optimizers.SGD(0.1);
    const [x, y] = [ramp([5, 4]), ramp([5, 3], 1, 9)];
    for (let step = 0; step < 4; step++) {
      const expected = network.forward(x).toArray();
      const counts = during(() => {
        let pred!: tf.Tensor;
        const tape = new tf.GradientTape();
        const loss = tape.run(() => {
          pred = network.forward(x);
          return tf.reduceMean(tf.squaredDifference(pred, y));
        });
        const gradients = tape.gradient(loss, network.parameters);
        optimizer.applyGradients(network.parameters.map((parameter, i) => [gradients[i], parameter]));
        expect(pred.toArray()).toEqual(expected);
        expect(loss.item()).toBeGreaterThan(0);
      });
      // forward twice, and once for each gradient that needs a product: nothing is computed a second time
      expect(counts.ops.matmul).toBe(5);
      // the first step also gives the variables their initial values
      if (step >= 1) expect(counts.runs).toBe(1);
      if (step >= 2) expect(counts.compilations).toBe(0);
    }
  });

  test("a loss for each example, read after applyGradients: computed from the outputs, which are kept", () => {
    const network = new SmallNetwork();
    const optimizer = new tf.optimizers.SGD(0.1);
    const [x, y] = [ramp([5, 4]), ramp([5, 3], 1, 9)];
    for (let step = 0; step < 3; step++) {
      const expected = tf.squaredDifference(network.forward(x), y).dataSync();
      let losses!: tf.Tensor;
      const tape = new tf.GradientTape();
      const loss = tape.run(() => {
        losses = tf.squaredDifference(network.forward(x), y);
        return tf.reduceMean(losses);
      });
      const gradients = tape.gradient(loss, network.parameters);
      optimizer.applyGradients(network.parameters.map((parameter, i) => [gradients[i], parameter]));
      const counts = during(() => {
        // the reference target rounds what it stores, and only that
        if (target === "reference") assertClose(losses.dataSync(), expected, { relative: 1e-5, absolute: 1e-6 });
        else expect(losses.dataSync()).toEqual(expected);
        expect(gradients.every((gradient) => gradient?.toArray())).toBe(true);
      });
      // neither the forward pass nor a gradient is computed a second time
      expect(counts.ops.matmul ?? 0).toBe(0);
    }
  });

  test("static graph: random op and counter variable over three `run` calls: new numbers each run, state persists", () => {
    const v1 = tf.compat.v1;
    new v1.Graph().asDefault(() => {
      const counter = new v1.Variable(0, { trainable: false });
      const next = v1.assignAdd(counter, 1);
      const noise = v1.randomNormal([4]);
      const session = new v1.Session();
      session.run(v1.globalVariablesInitializer());
      const seen = new Set<string>();
      for (let run = 1; run <= 3; run++) {
        const counts = during(() => {
          const [count, numbers] = session.run([next, noise]);
          expect(count.item()).toBe(run);
          seen.add(String(numbers));
        });
        expect(counts.runs).toBe(1);
        if (run >= 2) expect(counts.compilations).toBe(0);
      }
      expect(seen.size).toBe(3);
    });
  });

  test("an inner activation read after applyGradients: StaleTensorError; with keep() its value", () => {
    const network = new SmallNetwork();
    const optimizer = new tf.optimizers.SGD(0.1);
    const [x, y] = [ramp([5, 4]), ramp([5, 3], 1, 9)];
    const step = (keep: boolean): tf.Tensor => {
      let inner!: tf.Tensor;
      const tape = new tf.GradientTape();
      // an auxiliary result, beside the way from the input to the loss
      const loss = tape.run(() => {
        inner = network.hidden(x).square();
        if (keep) inner.keep();
        return tf.reduceMean(tf.squaredDifference(network.forward(x), y));
      });
      const gradients = tape.gradient(loss, network.parameters);
      optimizer.applyGradients(network.parameters.map((parameter, i) => [gradients[i], parameter]));
      return inner;
    };
    const stale = step(false);
    expect(() => stale.dataSync()).toThrow(StaleTensorError);
    expect(() => stale.dataSync()).toThrow(/keep\(\)/);
    const before = network.hidden(x).square().toArray();
    expect(step(true).toArray()).toEqual(before);
  });

  test("gradient penalty by nested tapes: equals finite differences", () => {
    const weight = new tf.Variable(ramp([3, 3], 0.7, 1));
    const input = ramp([2, 3], 1, 4);
    const penalty = (): tf.Tensor => {
      const inner = new tf.GradientTape();
      const out = inner.run(() => {
        inner.watch(input);
        return tf.reduceSum(tf.tanh(tf.matmul(input, weight)));
      });
      const slope = inner.gradient(out, input) as tf.Tensor;
      return tf.square(tf.sub(tf.norm(slope), 1));
    };
    const outer = new tf.GradientTape();
    const value = outer.run(penalty);
    const analytic = (outer.gradient(value, weight) as tf.Tensor).dataSync();
    const values = [...weight.dataSync()];
    const epsilon = 1e-2;
    values.forEach((_, i) => {
      const at = (shift: number): number => {
        const moved = Float32Array.from(values, (each, j) => (j === i ? each + shift : each));
        weight.assign(tf.tensor(moved, [3, 3]));
        return penalty().item();
      };
      expect(Math.abs(analytic[i] - (at(epsilon) - at(-epsilon)) / (2 * epsilon))).toBeLessThan(2e-3);
    });
  });

  test("a label out of range at step 5: typed error, weights equal those after step 4", () => {
    const network = new SmallNetwork();
    const optimizer = new tf.optimizers.Adam(0.1);
    const x = ramp([5, 4]);
    const step = (labels: number[]): void => {
      const tape = new tf.GradientTape();
      const loss = tape.run(() =>
        tf.reduceMean(
          tf.nn.sparseSoftmaxCrossEntropyWithLogits({
            labels: tf.tensor(labels, [5], "int32"),
            logits: network.forward(x),
          }),
        ),
      );
      const gradients = tape.gradient(loss, network.parameters);
      optimizer.applyGradients(network.parameters.map((parameter, i) => [gradients[i], parameter]));
    };
    for (let i = 0; i < 4; i++) step([0, 1, 2, 0, i % 3]);
    const before = network.values();
    expect(() => step([0, 1, 3, 0, 1])).toThrow(IndexRangeError);
    expect(network.values()).toEqual(before);
    step([0, 1, 2, 0, 1]);
    expect(network.values()).not.toEqual(before);
  });

  test("tf.function with a changing number argument and a closed-over one: the argument takes effect, the closed-over one does not", () => {
    const weight = new tf.Variable([1, 2]);
    let outside = 10;
    const step = tf.function((input: tf.Tensor, rate: tf.Tensor | number) => {
      const tape = new tf.GradientTape();
      const loss = tape.run(() => tf.reduceSum(tf.mul(weight, input)));
      const slope = tape.gradient(loss, weight) as tf.Tensor;
      weight.assignSub(tf.mul(slope, rate));
      return tf.add(loss, outside);
    });
    const input = tf.tensor([3, 4]);
    expect(step(input, 0.5).item()).toBe(21);
    expect(weight.toArray()).toEqual([-0.5, 0]);
    outside = 1000;
    const counts = during(() => {
      expect(step(input, 1).item()).toBe(8.5);
      expect(weight.toArray()).toEqual([-3.5, -4]);
    });
    expect(counts.compilations).toBe(0);
  });

  test("10,000 synchronous steps of a tape, no tidy, no dispose: tracked bytes constant, no compilation", () => {
    if (target === "reference") return;
    const network = new SmallNetwork();
    const optimizer = new tf.optimizers.SGD(0.001);
    const [x, y] = [ramp([5, 4]), ramp([5, 3], 1, 9)];
    const step = (): void => {
      const tape = new tf.GradientTape();
      const loss = tape.run(() => tf.reduceMean(tf.squaredDifference(network.forward(x), y)));
      const gradients = tape.gradient(loss, network.parameters);
      optimizer.applyGradients(network.parameters.map((parameter, i) => [gradients[i], parameter]));
    };
    for (let i = 0; i < 10; i++) step();
    const before = engine.stats();
    for (let i = 0; i < 10_000; i++) step();
    expect(engine.stats().trackedBytes).toBe(before.trackedBytes);
    expect(engine.stats().compilations).toBe(before.compilations);
  });
});
