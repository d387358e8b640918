import { beforeAll, describe, expect, test } from "vitest";
import { ArgumentError, engine, GradientError, ShapeError } from "../../src/index.ts";
import * as tf from "../../src/tf/index.ts";
import { useFastTarget } from "../keras/golden.ts";

beforeAll(useFastTarget);

describe("tf.function", () => {
  test("one trace for each combination of shapes and dtypes; numbers are arguments", () => {
    const f = tf.function((x: tf.Tensor, scale: number) => tf.mul(x, scale));
    expect(f(tf.constant([1, 2]), 3).toArray()).toEqual([3, 6]);
    const compilations = engine.stats().compilations;
    expect(f(tf.constant([4, 5]), 10).toArray()).toEqual([40, 50]);
    expect(engine.stats().compilations).toBe(compilations);
    expect(f.experimentalGetTracingCount()).toBe(1);
    f(tf.constant([1, 2, 3]), 3);
    f(tf.constant([1, 2], { dtype: "int32" }), 3);
    expect(f.experimentalGetTracingCount()).toBe(3);
  });

  test("structures of arguments and results; booleans and strings choose the program", () => {
    const f = tf.function(({ x, parts }: { x: tf.Tensor; parts: tf.Tensor[] }, training: boolean) => ({
      sum: tf.addN([x, ...parts]),
      kept: training ? [tf.square(x)] : [],
    }));
    const given = { x: tf.constant([1]), parts: [tf.constant([2]), tf.constant([3])] };
    expect(f(given, true).kept[0].toArray()).toEqual([1]);
    expect(f(given, false).kept).toEqual([]);
    expect(f(given, true).sum.toArray()).toEqual([6]);
    expect(f.experimentalGetTracingCount()).toBe(2);
    expect(() => f({ ...given, x: new Map() as unknown as tf.Tensor }, true)).toThrow(ArgumentError);
  });

  test("inputSignature: sizes that are null take any, anything else is an error", () => {
    const f = tf.function((x: tf.Tensor) => tf.sum(x, 0), { inputSignature: [new tf.TensorSpec([null, 2])] });
    expect(f(tf.ones([3, 2])).toArray()).toEqual([3, 3]);
    expect(f(tf.ones([4, 2])).toArray()).toEqual([4, 4]);
    expect(() => f(tf.ones([4, 3]))).toThrow(ShapeError);
    expect(() => f(tf.ones([2]))).toThrow(/inputSignature/);
    expect(() => f(tf.ones([2, 2], "int32"))).toThrow(ShapeError);
  });

  test("variables: made by the first call, read and written at each; a later creation is an error", () => {
    let counter: tf.Variable | undefined;
    const count = tf.function((step: tf.Tensor) => {
      counter ??= new tf.Variable(0, { trainable: false });
      counter.assignAdd(step);
      return tf.identity(counter);
    });
    expect(count(tf.constant(1)).item()).toBe(1);
    expect(count(tf.constant(2)).item()).toBe(3);
    expect(counter?.item()).toBe(3);
    const wrong = tf.function((x: tf.Tensor) => tf.add(x, new tf.Variable(tf.ones([1]))));
    wrong(tf.constant([1]));
    expect(() => wrong(tf.constant([1, 2]))).toThrow(/first/);
  });

  test("new random numbers at each call; closed-over numbers are frozen", () => {
    let outside = 1;
    const f = tf.function((x: tf.Tensor) => [tf.mul(x, outside), tf.random.normal([3])]);
    const [a, first] = f(tf.constant([2]));
    outside = 5;
    const [b, second] = f(tf.constant([2]));
    expect([a.item(), b.item()]).toEqual([2, 2]);
    expect(first.toArray()).not.toEqual(second.toArray());
  });

  test("reading a value inside is an error that says so", () => {
    const f = tf.function((x: tf.Tensor) => (x.dataSync()[0] > 0 ? x : tf.neg(x)));
    expect(() => f(tf.constant([1]))).toThrow(GradientError);
  });

  test("a training step with tape and optimizer equals the eager one, compiled once", () => {
    const make = () => ({ w: new tf.Variable([[0.5], [-0.25]]), optimizer: new tf.optimizers.Adam(0.1) });
    const x = tf.tensor([1, 2, 3, 4, 5, 6], [3, 2]);
    const y = tf.tensor([1, 0, -1], [3, 1]);
    const step = ({ w, optimizer }: ReturnType<typeof make>, x: tf.Tensor, y: tf.Tensor) => {
      const tape = new tf.GradientTape();
      const loss = tape.run(() => tf.reduceMean(tf.square(tf.sub(tf.matMul(x, w), y))));
      optimizer.applyGradients([[tape.gradient(loss, w), w]]);
      return loss;
    };
    const [eager, compiled] = [make(), make()];
    const fast = tf.function((x: tf.Tensor, y: tf.Tensor) => step(compiled, x, y));
    for (let i = 0; i < 5; i++) expect(fast(x, y).item()).toBeCloseTo(step(eager, x, y).item(), 5);
    expect(fast.experimentalGetTracingCount()).toBe(1);
    expect(Array.from(compiled.w.dataSync())).toEqual(Array.from(eager.w.dataSync()));
  });
});
