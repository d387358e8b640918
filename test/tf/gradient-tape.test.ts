import { beforeAll, describe, expect, test } from "vitest";
import { engine, GradientError, ShapeError, StaleTensorError } from "../../src/index.ts";
import * as tf from "../../src/tf/index.ts";
import { useFastTarget } from "../keras/golden.ts";

beforeAll(useFastTarget);

const numbers = (tensor: tf.Tensor | undefined) => tensor?.toArray();

describe("what a tape records", () => {
  test("trainable variables without being told, tensors when they are watched", () => {
    const w = new tf.Variable([1, 2]);
    const frozen = new tf.Variable([3, 4], { trainable: false });
    const x = tf.constant([5, 6]);
    const make = (watch: boolean) => {
      const tape = new tf.GradientTape();
      const y = tape.run(() => {
        if (watch) tape.watch(x);
        return tf.sum(tf.mul(tf.mul(w, frozen), x));
      });
      return tape.gradient(y, { w, frozen, rest: [x] });
    };
    const plain = make(false);
    expect(numbers(plain.w)).toEqual([15, 24]);
    expect(plain.frozen).toBeUndefined();
    expect(plain.rest[0]).toBeUndefined();
    expect(numbers(make(true).rest[0])).toEqual([3, 8]);
    // watching was that tape's alone
    expect(make(false).rest[0]).toBeUndefined();
    expect(x.requiresGrad).toBe(false);
  });

  test("from construction until stop(), and what is computed outside is a constant", () => {
    const w = new tf.Variable(3);
    const before = tf.square(w);
    const tape = new tf.GradientTape({ persistent: true });
    const y = tf.mul(before, w);
    tape.stop();
    const after = tf.mul(y, w);
    expect(tape.gradient(y, w)?.item()).toBe(9);
    expect(tape.gradient(after, w)).toBeUndefined();
    expect(tape.gradient(after, w, { unconnectedGradients: "zero" }).item()).toBe(0);
    expect(tape.gradient(y, before)).toBeUndefined();
  });

  test("the form with `using` stops at the end of its block", () => {
    const w = new tf.Variable(3);
    let outer: tf.GradientTape;
    let y: tf.Tensor;
    {
      using tape = new tf.GradientTape();
      y = tf.square(w);
      outer = tape;
    }
    const z = tf.square(y);
    expect(outer.gradient([y, z], w)?.item()).toBe(6);
  });

  test("run() forgets what the construction had recorded; stopRecording() leaves a gap", () => {
    const w = new tf.Variable(2);
    const tape = new tf.GradientTape({ persistent: true });
    const early = tf.square(w);
    const [a, b] = tape.run(() => [tf.mul(early, w), tape.stopRecording(() => tf.square(w))] as const);
    expect(tape.gradient(a, w)?.item()).toBe(4);
    expect(tape.gradient(b, w)).toBeUndefined();
  });

  test("watchAccessedVariables: false leaves the choice to watch()", () => {
    const [a, b] = [new tf.Variable(2), new tf.Variable(3)];
    const tape = new tf.GradientTape({ watchAccessedVariables: false });
    const y = tape.run(() => {
      tape.watch(a);
      return tf.mul(a, b);
    });
    const found = tape.gradient(y, [a, b]);
    expect(numbers(found[0])).toBe(3);
    expect(found[1]).toBeUndefined();
    expect(tape.watchedVariables()).toEqual([a]);
  });

  test("gradients with respect to intermediate results", () => {
    const w = new tf.Variable([1, 2]);
    const tape = new tf.GradientTape();
    const [h, y] = tape.run(() => {
      const h = tf.square(w);
      return [h, tf.sum(tf.square(h))] as const;
    });
    const [dh, dw] = tape.gradient(y, [h, w] as const);
    expect(numbers(dh)).toEqual([2, 8]);
    expect(numbers(dw)).toEqual([4, 32]);
  });

  test("a variable read at two versions", () => {
    const w = new tf.Variable(2);
    const tape = new tf.GradientTape();
    const y = tape.run(() => {
      const first = tf.mul(w, 3).keep();
      w.assign(5);
      return tf.add(first, tf.square(w));
    });
    expect(tape.gradient(y, w)?.item()).toBe(13);
    expect(w.item()).toBe(5);
  });
});

describe("targets and seeds", () => {
  test("a target that is not a scalar, several targets, outputGradients", () => {
    const w = new tf.Variable([1, 2, 3]);
    const tape = new tf.GradientTape({ persistent: true });
    const [y, z] = tape.run(() => [tf.square(w), tf.sum(w)] as const);
    expect(numbers(tape.gradient(y, w))).toEqual([2, 4, 6]);
    expect(numbers(tape.gradient([y, z], w))).toEqual([3, 5, 7]);
    expect(numbers(tape.gradient(y, w, { outputGradients: tf.constant([1, 0, -1]) }))).toEqual([2, 0, -6]);
    expect(() => tape.gradient(y, w, { outputGradients: tf.constant([1]) })).toThrow(ShapeError);
    const count = tf.argMax(y, 0);
    expect(tape.gradient(count, w)).toBeUndefined();
  });

  test("a tape that is not persistent computes one set of gradients", () => {
    const w = new tf.Variable(2);
    const tape = new tf.GradientTape();
    const y = tape.run(() => tf.square(w));
    tape.gradient(y, w);
    expect(() => tape.gradient(y, w)).toThrow(GradientError);
    expect(() => tape.gradient(y, w)).toThrow(/persistent: true/);
  });

  test("asynchronous callbacks are refused", () => {
    const tape = new tf.GradientTape();
    expect(() => tape.run(async () => tf.constant(1))).toThrow(/must be synchronous/);
    expect(() => tape.stopRecording(async () => tf.constant(1))).toThrow(/asynchronous/);
  });

  test("an error in the callback ends the recording and leaves the next tape alone", () => {
    const w = new tf.Variable(2);
    expect(() =>
      new tf.GradientTape().run(() => {
        tf.square(w);
        throw new RangeError("in the middle");
      }),
    ).toThrow(RangeError);
    const tape = new tf.GradientTape();
    const y = tape.run(() => tf.square(w));
    expect(tape.gradient(y, w)?.item()).toBe(4);
  });
});

describe("several tapes", () => {
  test("gradients of gradients, to third order", () => {
    const x = new tf.Variable(2);
    const third = new tf.GradientTape();
    const d2 = third.run(() => {
      const second = new tf.GradientTape();
      const d1 = second.run(() => {
        const first = new tf.GradientTape();
        const y = first.run(() => tf.pow(x, 4));
        return first.gradient(y, x, { unconnectedGradients: "zero" });
      });
      expect(d1.item()).toBe(32);
      return second.gradient(d1, x, { unconnectedGradients: "zero" });
    });
    expect(d2.item()).toBe(48);
    expect(third.gradient(d2, x)?.item()).toBeCloseTo(48, 4);
  });

  test("gradient penalty: the gradient of a gradient's norm", () => {
    const w = new tf.Variable([1, -2]);
    const x = tf.constant([3, 4]);
    const outer = new tf.GradientTape();
    const penalty = outer.run(() => {
      const inner = new tf.GradientTape();
      const y = inner.run(() => {
        inner.watch(x);
        return tf.sum(tf.mul(tf.square(x), w));
      });
      return tf.norm(inner.gradient(y, x, { unconnectedGradients: "zero" }));
    });
    // ‖2xw‖ = √(36 + 256), its gradient 4x²w / norm
    const norm = Math.sqrt(36 + 256);
    expect(penalty.item()).toBeCloseTo(norm, 4);
    const [first, second] = outer.gradient(penalty, w)?.dataSync() ?? [];
    expect(first).toBeCloseTo(36 / norm, 4);
    expect(second).toBeCloseTo(-128 / norm, 4);
  });

  test("two tapes over one forward pass, as a pair of adversaries uses them", () => {
    const [g, d] = [new tf.Variable(2), new tf.Variable(3)];
    const [forG, forD] = [new tf.GradientTape(), new tf.GradientTape()];
    const fake = tf.square(g);
    const score = tf.mul(fake, d);
    const lossG = tf.neg(score);
    const lossD = tf.square(score);
    expect(forG.gradient(lossG, g)?.item()).toBe(-12);
    expect(forD.gradient(lossD, d)?.item()).toBe(96);
  });
});

test("jacobian: derivatives of every element", () => {
  const w = new tf.Variable([1, 2]);
  const x = tf.constant([3, 4, 5]);
  const tape = new tf.GradientTape();
  const y = tape.run(() => tf.mul(tf.expandDims(tf.square(w), 1), tf.expandDims(x, 0)));
  const found = tape.jacobian(y, { w, x });
  expect(found.w?.shape).toEqual([2, 3, 2]);
  expect(numbers(found.w)).toEqual([
    [
      [6, 0],
      [8, 0],
      [10, 0],
    ],
    [
      [0, 12],
      [0, 16],
      [0, 20],
    ],
  ]);
  expect(found.x).toBeUndefined();
  expect(() => tape.jacobian(y, w)).toThrow(/persistent/);
});

test("a tape sees through a compiled function, and a compiled function through another", () => {
  const w = new tf.Variable([1, 2]);
  const f = tf.function((x: tf.Tensor, power: number) => tf.sum(tf.pow(tf.mul(x, w), power)));
  const g = tf.function((x: tf.Tensor) => tf.add(f(x, 2), 1));
  const x = tf.constant([3, 4]);
  expect(g(x).item()).toBe(74);
  const tape = new tf.GradientTape();
  const y = tape.run(() => f(x, 2));
  expect(numbers(tape.gradient(y, w))).toEqual([18, 64]);
});

test("gradients of functions, as TensorFlow.js takes them", () => {
  const x = tf.constant([1, 2]);
  expect(
    tf
      .grad((t) => tf.square(t))(x)
      .toArray(),
  ).toEqual([2, 4]);
  const [da, db] = tf.grads((a, b) => tf.sum(tf.mul(a, tf.square(b))))([x, tf.constant([3, 4])]);
  expect([da.toArray(), db.toArray()]).toEqual([
    [9, 16],
    [6, 16],
  ]);
  const w = new tf.Variable([1, 1], { name: "weights" });
  const { value, grads } = tf.variableGrads(() => tf.sum(tf.mul(w, x)));
  expect([value.item(), grads.weights.toArray()]).toEqual([3, [1, 2]]);
  const optimizer = tf.train.sgd(0.5);
  expect(optimizer.minimize(() => tf.sum(tf.mul(w, x)), true).item()).toBe(3);
  expect(w.toArray()).toEqual([0.5, 0]);
  expect(() => optimizer.minimize(() => tf.sum(x))).toThrow(/no trainable variable/);
});

test("a Keras model under a tape: running statistics move, prediction and loss are read after the step", () => {
  const { models, layers } = tf.keras;
  const model = new models.Sequential();
  model.add(new layers.Dense(3, { inputShape: [2] }));
  model.add(new layers.BatchNormalization());
  model.add(new layers.Dense(1));
  const x = tf.linspace(-1, 2, 12).reshape([6, 2]);
  const optimizer = new tf.optimizers.SGD(0.1);
  const statistics = () => model.nonTrainableWeights.map((each) => Array.from(each.dataSync()));
  const losses: number[] = [];
  for (let step = 0; step < 3; step++) {
    const before = statistics();
    const tape = new tf.GradientTape();
    const { loss, pred } = tape.run(() => {
      const pred = model(x, { training: true });
      return { loss: tf.reduceMean(tf.squaredDifference(pred, 1)), pred };
    });
    const weights = model.trainableWeights;
    const gradients = tape.gradient(loss, weights);
    optimizer.applyGradients(weights.map((weight, i) => [gradients[i], weight]));
    losses.push(loss.item());
    expect(pred.shape).toEqual([6, 1]);
    expect(pred.dataSync().length).toBe(6);
    expect(statistics()).not.toEqual(before);
  }
  expect(losses[2]).toBeLessThan(losses[0]);
});

describe("after the optimizer's step", () => {
  function network() {
    const w1 = new tf.Variable(tf.linspace(-1, 1, 12).reshape([4, 3]), { name: "w1" });
    const b1 = new tf.Variable([0.1, 0.2, 0.3], { name: "b1" });
    const w2 = new tf.Variable(tf.linspace(1, -1, 6).reshape([3, 2]), { name: "w2" });
    const b2 = new tf.Variable([0, 0], { name: "b2" });
    return { w1, b1, w2, b2, all: [w1, b1, w2, b2] };
  }
  const x = tf.linspace(0, 1, 20).reshape([5, 4]);
  const labels = tf.tensor([0, 1, 1, 0, 1], [5], "int32");

  test("pred, cost and the gradients are read after applyGradients: values of before, nothing compiled after the second pass", () => {
    const { w1, b1, w2, b2, all } = network();
    const optimizer = new tf.optimizers.SGD(0.5);
    let compilations = 0;
    for (let step = 0; step < 4; step++) {
      const expected = tf.add(tf.matMul(tf.relu(tf.add(tf.matMul(x, w1), b1)), w2), b2).toArray();
      const before = engine.stats().compilations;
      let pred!: tf.Tensor;
      const tape = new tf.GradientTape();
      const cost = tape.run(() => {
        const hidden = tf.relu(tf.add(tf.matMul(x, w1), b1));
        pred = tf.add(tf.matMul(hidden, w2), b2);
        return tf.reduceMean(tf.nn.sparseSoftmaxCrossEntropyWithLogits({ labels, logits: pred }));
      });
      const gradients = tape.gradient(cost, all);
      optimizer.applyGradients(all.map((variable, i) => [gradients[i], variable]));
      expect(pred.toArray()).toEqual(expected);
      expect(tf.argMax(pred, 1).shape).toEqual([5]);
      expect(cost.item()).toBeGreaterThan(0);
      expect(gradients[0]?.shape).toEqual([4, 3]);
      expect(gradients[0]?.dataSync().some((value) => value !== 0)).toBe(true);
      compilations = engine.stats().compilations - before;
    }
    expect(compilations).toBe(0);
  });

  test("an inner activation is stale, and has its value with keep()", () => {
    const { w1, b1, w2, all } = network();
    const optimizer = new tf.optimizers.SGD(0.5);
    const run = (keep: boolean) => {
      let hidden!: tf.Tensor;
      const tape = new tf.GradientTape();
      const cost = tape.run(() => {
        const linear = tf.matMul(x, w1);
        hidden = keep ? linear.keep() : linear;
        return tf.reduceMean(tf.square(tf.matMul(tf.relu(tf.add(linear, b1)), w2)));
      });
      const gradients = tape.gradient(cost, all.slice(0, 3));
      optimizer.applyGradients(all.slice(0, 3).map((variable, i) => [gradients[i], variable]));
      return hidden;
    };
    expect(() => run(false).dataSync()).toThrow(StaleTensorError);
    expect(run(true).shape).toEqual([5, 3]);
    expect(() => run(true).dataSync()).not.toThrow();
  });

  test("a loop of gradients without any step stays bounded", () => {
    const { w1 } = network();
    const point = tf.constant([[0.1, 0.2, 0.3, 0.4]]);
    let bytes = 0;
    for (let step = 0; step < 1_200; step++) {
      const tape = new tf.GradientTape();
      const y = tape.run(() => {
        tape.watch(point);
        return tf.sum(tf.square(tf.matMul(point, w1)));
      });
      tape.gradient(y, point);
      if (step === 600) bytes = engine.stats().trackedBytes;
    }
    expect(engine.stats().trackedBytes).toBeLessThan(bytes + 1_000_000);
  });
});
