/** The rows of the semantics table that concern the TensorFlow door, on every target. */
import { beforeAll, describe, expect, test } from "vitest";
import { engine } from "../../src/index.ts";
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
});
