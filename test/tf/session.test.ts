import { beforeAll, beforeEach, describe, expect, test } from "vitest";
import { ArgumentError, engine, ShapeError, UnsupportedError } from "../../src/index.ts";
import * as tf from "../../src/tf/index.ts";
import { useFastTarget } from "../keras/golden.ts";

const v1 = tf.compat.v1;

beforeAll(useFastTarget);
beforeEach(() => v1.resetDefaultGraph());

describe("building", () => {
  test("shapes are inferred, unknown sizes stay unknown", () => {
    const x = v1.placeholder("float32", [null, 4], { name: "x" });
    const h = v1.matMul(x, tf.ones([4, 3]));
    expect(h.getShape().asList()).toEqual([null, 3]);
    expect(String(h)).toBe('<Tensor "matMul" shape=(?, 3) dtype=f32>');
    expect(v1.reshape(h, [-1]).getShape().asList()).toEqual([null]);
    expect(v1.sum(h, 0).shape).toEqual([3]);
    expect(v1.transpose(h).getShape().asList()).toEqual([3, null]);
    expect(v1.argMax(h, 1).dtype).toBe("i32");
    expect(h.add(1).mul(2).getShape().asList()).toEqual([null, 3]);
    const [first, second] = v1.split(h, [1, 2], 1);
    expect([first.getShape().asList(), second.getShape().asList()]).toEqual([
      [null, 1],
      [null, 2],
    ]);
    expect(v1.placeholder("int32").dtype).toBe("i32");
  });

  test("what cannot fit is an error at the call, and a tensor of the graph has no value", () => {
    const x = v1.placeholder("float32", [2, 4], { name: "x" });
    expect(() => v1.matMul(x, tf.ones([3, 3]))).toThrow(ShapeError);
    expect(String(v1.sub(10, x))).toContain("(2, 4)");
    expect(String(v1.stack([1, v1.sum(x)]))).toContain("(2)");
    expect(() => x.dataSync()).toThrow(UnsupportedError);
    expect(() => x.dataSync()).toThrow(/Session\.run/);
    expect(() => v1.placeholder("float32", [-1])).toThrow(ShapeError);
    expect(() => v1.placeholder("float17")).toThrow(/float17/);
  });

  test("names are unique; a variable of a taken name is an error, reuse gives the same", () => {
    expect(String(v1.add(v1.placeholder(), 1))).toContain('"add"');
    expect(String(v1.add(v1.placeholder(), 1))).toContain('"add_1"');
    const make = () => v1.getVariable("w", { shape: [2], initializer: (shape) => v1.truncatedNormal(shape) });
    const w = v1.variableScope("layer", make);
    expect(w.name).toBe("layer/w");
    expect(() => v1.variableScope("layer", make)).toThrow(/exists already/);
    expect(v1.variableScope("layer", { reuse: true }, make)).toBe(w);
    expect(v1.trainableVariables()).toEqual([w]);
  });
});

describe("running", () => {
  test("a random operation and a counter variable over three runs: new numbers each run, the state persists", () => {
    const counter = new v1.Variable(0, { name: "counter", trainable: false });
    const noise = v1.randomNormal([3]);
    const next = v1.assignAdd(counter, 1);
    const session = new v1.Session();
    session.run(v1.globalVariablesInitializer());
    const seen: unknown[] = [];
    let compilations = 0;
    for (let run = 1; run <= 3; run++) {
      const before = engine.stats().compilations;
      const [count, numbers] = session.run([next, noise]);
      compilations = engine.stats().compilations - before;
      expect(count.item()).toBe(run);
      seen.push(numbers.toArray());
    }
    expect(new Set(seen.map((each) => JSON.stringify(each))).size).toBe(3);
    expect(compilations).toBe(0);
    expect(session.run(counter).item()).toBe(3);
    // the initializer starts again, another session has its own values
    session.run(v1.globalVariablesInitializer());
    expect(session.run(counter).item()).toBe(0);
    expect(() => new v1.Session().run(counter)).toThrow(/globalVariablesInitializer/);
  });

  test("fetches of any structure, feeds as a map or pairs, one compilation for each shape", () => {
    const x = v1.placeholder("float32", [null, 2], { name: "x" });
    const total = v1.sum(x, 0);
    const session = new v1.Session();
    const before = engine.stats().compilations;
    const found = session.run(
      { total, pair: [x, v1.mul(total, 2)] },
      {
        feedDict: new Map([
          [
            x,
            [
              [1, 2],
              [3, 4],
            ],
          ],
        ]),
      },
    );
    expect(found.total.toArray()).toEqual([4, 6]);
    expect(found.pair[1].toArray()).toEqual([8, 12]);
    expect(found.pair[0].shape).toEqual([2, 2]);
    const run = (rows: number) => session.run(total, { feedDict: [[x, tf.ones([rows, 2])]] }).toArray();
    expect(run(3)).toEqual([3, 3]);
    expect(run(5)).toEqual([5, 5]);
    const between = engine.stats().compilations;
    expect(between - before).toBeLessThanOrEqual(8);
    expect(run(3)).toEqual([3, 3]);
    expect(run(5)).toEqual([5, 5]);
    expect(engine.stats().compilations).toBe(between);
  });

  test("any tensor can be fed; what only it depends on is not needed then", () => {
    const x = v1.placeholder("float32", [2], { name: "x" });
    const h = v1.square(x);
    const y = v1.add(h, 1);
    const session = new v1.Session();
    expect(session.run(y, { feedDict: [[h, [5, 6]]] }).toArray()).toEqual([6, 7]);
    expect(session.run(x, { feedDict: [[x, [5, 6]]] }).toArray()).toEqual([5, 6]);
  });

  test("errors name the placeholder and the fetch", () => {
    const x = v1.placeholder("float32", [null, 2], { name: "images" });
    const y = v1.sum(x);
    const session = new v1.Session();
    expect(() => session.run(y)).toThrow(ArgumentError);
    expect(() => session.run(y)).toThrow(
      'Session.run: the fetch <Tensor "sum" shape=() dtype=f32> depends on the placeholder "images", which is not fed.',
    );
    expect(() => session.run(y, { feedDict: [[x, [[1, 2, 3]]]] })).toThrow(/shape \(1, 3\).*"images"/);
    expect(() => session.run(y, { feedDict: [[tf.ones([1]), 1]] })).toThrow(/only tensors of a static graph/);
    expect(() => session.run(tf.ones([1]))).toThrow(/cannot fetch an ordinary tensor/);
    expect(() => new v1.Session({ graph: new v1.Graph() }).run(y)).toThrow(/another graph/);
    session.close();
    expect(() => session.run(y, { feedDict: [[x, [[1, 2]]]] })).toThrow(/closed/);
    const unknown = v1.matMul(x, v1.placeholder("float32", null, { name: "w" }));
    expect(() => new v1.Session().run(unknown, { feedDict: [[x, [[1, 2]]]] })).toThrow(/placeholder "w"/);
  });

  test("reads see the value before the run, unless they come after an assignment", () => {
    const v = new v1.Variable(1, { name: "v", trainable: false });
    const change = v.assign(v1.mul(v, 10));
    const after = v1.controlDependencies([change], () => v1.identity(v));
    const plain = v1.identity(v);
    const session = new v1.Session();
    session.run(v1.globalVariablesInitializer());
    const [old, fresh] = session.run([plain, after]);
    expect([old.item(), fresh.item()]).toEqual([1, 10]);
    const twice = v1.group(v.assignAdd(1), v.assignAdd(1));
    expect(session.run(twice)).toBeUndefined();
    expect(session.run(v).item()).toBe(12);
    expect(() => v1.assign(v, [1, 2, 3] as never)).not.toThrow();
    expect(() => v1.assign(v, tf.ones([3]))).toThrow(ShapeError);
    expect(() => v1.assign(tf.ones([1]), 1)).toThrow(/variable of the graph/);
  });

  test("initial values are computed once for each run of the initializer, randomly", () => {
    const a = new v1.Variable(v1.randomNormal([4]));
    const b = new v1.Variable(tf.range(3), { trainable: false });
    const session = new v1.Session();
    const init = v1.globalVariablesInitializer();
    session.run(init);
    const first = session.run(a).toArray();
    expect(session.run(a).toArray()).toEqual(first);
    expect(session.run(b).toArray()).toEqual([0, 1, 2]);
    session.run(init);
    expect(session.run(a).toArray()).not.toEqual(first);
    expect(() => new v1.Variable(v1.placeholder("float32", [null]))).toThrow(/known shape/);
  });
});

describe("gradients and training", () => {
  test("gradients with respect to placeholders, variables and results, and of gradients", () => {
    const x = v1.placeholder("float32", [3], { name: "x" });
    const w = new v1.Variable([1, 2, 3]);
    const h = v1.mul(x, w);
    const y = v1.sum(v1.square(h));
    const [dx, dw, dh] = v1.gradients(y, [x, w, h]);
    const unrelated = v1.gradients(y, [v1.placeholder("float32", [1])]);
    expect(unrelated).toEqual([undefined]);
    const [second] = v1.gradients(v1.sum(dx as tf.Tensor), [x]);
    const session = new v1.Session();
    session.run(v1.globalVariablesInitializer());
    const feedDict = new Map([[x, [1, 1, 2]]]);
    const fetched = session.run([dx, dw, dh, second] as tf.Tensor[], { feedDict });
    expect(fetched.map((each) => each.toArray())).toEqual([
      [2, 8, 36],
      [2, 4, 24],
      [2, 4, 12],
      [2, 8, 18],
    ]);
  });

  test("minimize: one program for each batch size, a step counter, a learning rate that is fed", () => {
    const x = v1.placeholder("float32", [null, 2], { name: "x" });
    const y = v1.placeholder("float32", [null, 1], { name: "y" });
    const rate = v1.placeholder("float32", [], { name: "rate" });
    const w = new v1.Variable(tf.zeros([2, 1]), { name: "w" });
    const steps = new v1.Variable(0, { name: "global_step", trainable: false });
    const loss = v1.reduceMean(v1.square(v1.sub(v1.matMul(x, w), y)));
    const train = new v1.train.GradientDescentOptimizer(rate).minimize(loss, { globalStep: steps });
    const session = new v1.Session();
    session.run(v1.globalVariablesInitializer());
    const run = (rows: number, learningRate: number) => {
      const images = tf.tensor(
        Float32Array.from({ length: rows * 2 }, (_, i) => Math.sin(i)),
        [rows, 2],
      );
      const labels = tf.matMul(images, [[1], [-2]]);
      return session
        .run([train, loss], {
          feedDict: [
            [x, images],
            [y, labels],
            [rate, learningRate],
          ],
        })[1]
        .item();
    };
    const first = run(8, 0.1);
    run(5, 0.1);
    const compilations = engine.stats().compilations;
    for (let i = 0; i < 30; i++) run(i % 2 ? 5 : 8, 0.4 / (1 + i / 100));
    expect(engine.stats().compilations).toBe(compilations);
    expect(run(8, 0)).toBeLessThan(first / 100);
    expect(session.run(steps).item()).toBe(33);
    const frozen = session.run(w).toArray();
    run(8, 0);
    expect(session.run(w).toArray()).toEqual(frozen);
  });

  test("a learning rate that decays with the step counter; dropout draws a new mask at each run", () => {
    const w = new v1.Variable([1, 1]);
    const steps = new v1.Variable(0, { name: "global_step", trainable: false });
    const rate = v1.train.exponentialDecay(1, steps, 1, 0.5);
    const train = new v1.train.GradientDescentOptimizer(rate).minimize(v1.sum(w), { globalStep: steps });
    const session = new v1.Session();
    session.run(v1.globalVariablesInitializer());
    const seen = [1, 2, 3].map(() => {
      session.run(train);
      return session.run(w).dataSync()[0];
    });
    expect(seen).toEqual([0, -0.5, -0.75]);
    const x = v1.placeholder("float32", [null]);
    const dropped = v1.nn.dropout(x, { rate: 0.5 });
    const masks = [1, 2, 3].map(() => String(session.run(dropped, { feedDict: [[x, tf.ones([64])]] })));
    expect(new Set(masks).size).toBe(3);
  });

  test("shapes known only when the graph runs: results are right, what depends on them says so", () => {
    const x = v1.placeholder("float32", null, { name: "anything" });
    const session = new v1.Session();
    const total = v1.sum(v1.square(x));
    expect(session.run(total, { feedDict: [[x, [1, 2]]] }).item()).toBe(5);
    expect(session.run(total, { feedDict: [[x, [[1], [2], [3]]]] }).item()).toBe(14);
    expect(() => total.shape).toThrow(/only when the graph runs/);
    expect(() => v1.split(x, 2)).toThrow(ShapeError);
    const fixed = v1.reshape(v1.placeholder("float32", [null, 3]), [7, 3]);
    expect(String(fixed)).toContain("<unknown>");
  });

  test("the initializer resets an optimizer's state too", () => {
    const w = new v1.Variable([1, -1]);
    const step = new v1.train.AdamOptimizer(0.1).minimize(v1.sum(v1.square(w)));
    const session = new v1.Session();
    const curve = () => {
      session.run(v1.globalVariablesInitializer());
      return [1, 2, 3].map(() => {
        session.run(step);
        return session.run(w).toArray();
      });
    };
    expect(curve()).toEqual(curve());
  });

  test("what cannot be trained is an error", () => {
    const x = v1.placeholder("float32", [2], { name: "x" });
    const optimizer = new v1.train.MomentumOptimizer(0.1, 0.9);
    expect(() => optimizer.minimize(v1.sum(x))).toThrow(/no variables/);
    const w = new v1.Variable([1, 2]);
    expect(() => optimizer.minimize(v1.sum(x))).toThrow(/does not depend/);
    expect(() => optimizer.minimize(tf.ones([]), { varList: [w] })).toThrow(/static graph/);
  });
});
