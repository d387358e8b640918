/** Functional models against Keras: `tools/goldens/keras_functional.py`. */
import { beforeAll, describe, expect, test } from "vitest";
import * as keras from "../../src/keras/index.ts";
import { gradients, sin, type Tensor, tensor } from "../../src/tensor/index.ts";
import { hashLabels, hashUniform } from "../../src/testing/hash-uniform.ts";
import { expectClose, readGolden, type StoredTensor, useFastTarget } from "./golden.ts";

interface TrainingCase {
  readonly history: Readonly<Record<string, readonly number[]>>;
  readonly evaluate: readonly number[];
  readonly named: Readonly<Record<string, number>>;
  readonly weights: readonly number[];
}
interface Golden {
  readonly training: {
    readonly cases: Readonly<Record<string, TrainingCase>>;
    readonly layers: readonly string[];
    readonly weights: readonly string[];
    readonly summary: string;
  };
  readonly nested: {
    readonly layers: readonly string[];
    readonly weights: readonly (readonly number[])[];
    readonly outputs: readonly StoredTensor[];
    readonly gradients: readonly StoredTensor[];
  };
  readonly regularization: {
    readonly losses: readonly number[];
    readonly history: Readonly<Record<string, readonly number[]>>;
    readonly evaluate: number;
    readonly weights: readonly StoredTensor[];
    readonly regularizers: Readonly<Record<string, number>>;
    readonly constraints: Readonly<Record<string, StoredTensor>>;
  };
  readonly masking: {
    readonly training: Readonly<Record<string, Readonly<Record<string, readonly number[]>>>>;
    readonly merged: Readonly<Record<string, { readonly values: StoredTensor; readonly mask: readonly number[] }>>;
  };
  readonly merging: Readonly<Record<string, StoredTensor>>;
}

const golden = readGolden<Golden>("functional");
beforeAll(useFastTarget);

const made = (stream: number, shape: readonly number[], low = -1, high = 1): Tensor =>
  tensor(
    hashUniform(
      stream,
      shape.reduce((product, size) => product * size, 1),
      low,
      high,
    ),
    { shape },
  );

function fill<Filled extends Pick<keras.Model, "weights">>(model: Filled): Filled {
  model.weights.forEach((weight, index) => {
    weight.assign(made(100 + index, weight.shape, -0.5, 0.5));
  });
  return model;
}

function expectHistory(actual: keras.History, expected: Readonly<Record<string, readonly number[]>>): void {
  expect(Object.keys(actual.history)).toEqual(Object.keys(expected));
  for (const [name, values] of Object.entries(expected)) expectClose(actual.history[name], values, name);
}

function twoTowers() {
  const left = keras.Input({ shape: [4], name: "left" });
  const right = keras.Input({ shape: [4], name: "right" });
  const extra = keras.Input({ shape: [3], name: "extra" });
  const shared = new keras.Dense(5, { activation: "tanh", name: "shared" });
  const hidden = new keras.Concatenate({ name: "join" })([shared(left), shared(right), extra]);
  const outA = new keras.Dense(3, { activation: "softmax", name: "out_a" })(hidden);
  const deeper = new keras.Dense(4, { activation: "relu", name: "deeper" })(hidden);
  const skip = new keras.Dense(4, { name: "skip" })(extra);
  const outB = new keras.Dense(1, { name: "out_b" })(new keras.Add({ name: "sum" })([deeper, skip]));
  return { inputs: [left, right, extra], outA, outB } as const;
}

describe("training with several inputs and outputs", () => {
  const count = 12;
  const x = { left: made(1, [count, 4]), right: made(2, [count, 4]), extra: made(3, [count, 3]) };
  const y = { out_a: tensor(hashLabels(4, count, 3)), out_b: made(5, [count, 1]) };
  const listed = [y.out_a, y.out_b];
  const weights = [made(6, [count], 0.1, 1), made(7, [count], 0.1, 1)];
  const byOutput = { out_a: "sparse_categorical_crossentropy", out_b: "mse" } as const;

  interface Case {
    readonly compile: keras.CompileOptions;
    readonly y: Tensor[] | Record<string, Tensor>;
    readonly record?: boolean;
    readonly byName?: boolean;
    readonly sampleWeight?: Tensor[];
  }
  const cases: Readonly<Record<string, Case>> = {
    names: {
      compile: {
        loss: byOutput,
        lossWeights: { out_a: 0.3, out_b: 2 },
        metrics: { out_a: ["accuracy"], out_b: "mae" },
      },
      y,
      byName: true,
    },
    lists: {
      compile: {
        loss: ["sparse_categorical_crossentropy", "mae"],
        lossWeights: [1, 0.5],
        metrics: [["accuracy"], ["mse", "mae"]],
      },
      y: listed,
    },
    "record of outputs": {
      compile: { loss: byOutput, metrics: { out_b: ["mae"] }, weightedMetrics: { out_b: ["mae"] } },
      y,
      record: true,
    },
    "sample weights": {
      compile: { loss: byOutput, weightedMetrics: { out_a: ["accuracy"] } },
      y: listed,
      sampleWeight: weights,
    },
    "one loss": { compile: { loss: [null, "mse"] }, y: listed },
  };
  test.each(Object.keys(cases))("%s", async (name) => {
    const { compile, y: targets, record, byName, sampleWeight } = cases[name];
    const { inputs, outA, outB } = twoTowers();
    const outputs = record ? { out_a: outA, out_b: outB } : [outA, outB];
    const model = fill(new keras.Model({ inputs, outputs, name: "towers" }));
    model.compile({ optimizer: new keras.SGD(0.02, { momentum: 0.9 }), ...compile });
    const data = byName ? x : [x.left, x.right, x.extra];
    const options = { batchSize: 4, verbose: 0, sampleWeight } as const;
    const history = await model.fit(data, targets, {
      ...options,
      shuffle: false,
      epochs: 3,
      validationData: [data, targets],
    });
    const expected = golden.training.cases[name];
    expectHistory(history, expected.history);
    expectClose(await model.evaluate(data, targets, options), expected.evaluate, "evaluate");
    const named = await model.evaluate(data, targets, { ...options, returnDict: true });
    expect(Object.keys(named).sort()).toEqual(Object.keys(expected.named).sort());
    const sums = model.getWeights().map((weight) => weight.abs().sum().item());
    expectClose(sums, expected.weights, "weights");
  });

  test("layers and weights come in Keras' order, and the summary says what is connected", () => {
    const { inputs, outA, outB } = twoTowers();
    const model = new keras.Model({ inputs, outputs: [outA, outB], name: "towers" });
    expect(model.layers.map(({ name }) => name)).toEqual(golden.training.layers);
    expect(model.weights.map(({ name }) => name)).toEqual(golden.training.weights);
    let text = "";
    model.summary({
      printFn: (line) => {
        text += line;
      },
    });
    expect(text.trimEnd()).toBe(golden.training.summary.trimEnd());
  });
});

test("a model used twice in a model: outputs and gradients", () => {
  const innerIn = keras.Input({ shape: [4], name: "inner_in" });
  const hidden = new keras.Dense(5, { activation: "tanh", name: "inner_dense" })(innerIn);
  const inner = new keras.Model({
    inputs: innerIn,
    outputs: [new keras.Dense(3, { name: "inner_a" })(hidden), new keras.Dense(2, { name: "inner_b" })(hidden)],
    name: "inner",
  });
  const tail = new keras.Sequential(
    [new keras.Dense(4, { activation: "relu", name: "tail_dense" }), new keras.Dense(2, { name: "tail_last" })],
    { name: "tail" },
  );
  const [p, q] = [keras.Input({ shape: [4], name: "p" }), keras.Input({ shape: [4], name: "q" })];
  const [pa, pb] = inner(p);
  const [qa, qb] = inner(q);
  const joined = new keras.Concatenate({ name: "joined" })([
    new keras.Subtract({ name: "minus" })([pa, qa]),
    new keras.Multiply({ name: "times" })([pb, qb]),
  ]);
  const model = fill(new keras.Model({ inputs: [p, q], outputs: [tail(joined), pb], name: "outer" }));
  expect(model.layers.map(({ name }) => name)).toEqual(golden.nested.layers);
  expect(model.weights.map(({ shape }) => shape)).toEqual(golden.nested.weights);
  const [first, second] = model([made(1, [6, 4]), made(2, [6, 4])]);
  expectClose(first, golden.nested.outputs[0].data, "first output");
  expectClose(second, golden.nested.outputs[1].data, "second output");
  const slopes = gradients(first.square().sum().add(sin(second).sum()), model.trainableWeights);
  golden.nested.gradients.forEach(({ data }, index) => {
    expectClose(slopes[index] as Tensor, data, model.trainableWeights[index].name, { relative: 1e-4, absolute: 1e-6 });
  });
});

describe("regularizers and constraints", () => {
  const expected = golden.regularization;
  test("join the training loss and the updates", async () => {
    const x = keras.Input({ shape: [4], name: "x" });
    const hidden = new keras.Dense(5, {
      kernelRegularizer: new keras.regularizers.L1L2({ l1: 0.01, l2: 0.02 }),
      biasRegularizer: "l2",
      activityRegularizer: new keras.regularizers.L2(0.03),
      kernelConstraint: new keras.constraints.MaxNorm(0.7),
      name: "first",
    })(x);
    const last = new keras.Dense(3, {
      kernelRegularizer: new keras.regularizers.OrthogonalRegularizer({ factor: 0.1 }),
      kernelConstraint: "unit_norm",
      biasConstraint: "non_neg",
      name: "last",
    });
    const model = fill(new keras.Model({ inputs: x, outputs: last(hidden), name: "penalised" }));
    const [data, goal] = [made(1, [8, 4]), made(2, [8, 3])];
    model(data);
    const losses = model.losses.map((loss) => loss.item());
    expectClose([...losses].sort(), [...expected.losses].sort(), "losses");
    model.compile({ optimizer: new keras.Adam(0.05), loss: "mse" });
    const options = { batchSize: 4, verbose: 0, shuffle: false } as const;
    expectHistory(await model.fit(data, goal, { ...options, epochs: 3 }), expected.history);
    expectClose(await model.evaluate(data, goal, { batchSize: 4, verbose: 0 }), [expected.evaluate], "evaluate");
    model.getWeights().forEach((weight, index) => {
      expectClose(weight, expected.weights[index].data, model.weights[index].name, { relative: 1e-4, absolute: 1e-6 });
    });
  });

  test("are functions of a weight", () => {
    const weight = made(9, [4, 3]);
    const { L1, L2, L1L2, OrthogonalRegularizer } = keras.regularizers;
    const penalties = {
      l1: new L1(),
      l2: new L2(),
      l1_l2: new L1L2({ l1: 0.01, l2: 0.01 }),
      rows: new OrthogonalRegularizer({ factor: 0.5 }),
      columns: new OrthogonalRegularizer({ factor: 0.5, mode: "columns" }),
    };
    for (const [name, penalty] of Object.entries(penalties)) {
      expectClose([penalty(weight).item()], [expected.regularizers[name]], name);
    }
    const { MaxNorm, MinMaxNorm, NonNeg, UnitNorm } = keras.constraints;
    const constraints = {
      max_norm: new MaxNorm(0.8),
      unit_norm: new UnitNorm({ axis: 1 }),
      non_neg: new NonNeg(),
      min_max_norm: new MinMaxNorm({ minValue: 0.5, maxValue: 0.9, rate: 0.6, axis: 0 }),
    };
    for (const [name, constraint] of Object.entries(constraints)) {
      expectClose(constraint(weight), expected.constraints[name].data, name);
    }
  });
});

/** Keras' Masking: steps that are all zeros do not count. */
class Masking extends keras.layers.Layer {
  override call(x: Tensor): Tensor {
    return x.mul(1);
  }
  override computeMask(x: Tensor): Tensor {
    return x.ne(0).any(-1);
  }
}

const simple = { Maximum: keras.Maximum, Minimum: keras.Minimum, Add: keras.Add } as const;

describe("masks", () => {
  const padded = (): Tensor => {
    const values = hashUniform(1, 5 * 4 * 3);
    [4, 2, 0, 3, 1].forEach((length, row) => values.fill(0, (row * 4 + length) * 3, (row + 1) * 12));
    return tensor(values, { shape: [5, 4, 3] });
  };
  const goal = made(2, [5, 4, 2]);
  const classes = tensor(hashLabels(3, 20, 2), { shape: [5, 4] });
  const cases: Readonly<Record<string, { loss: keras.CompileOptions["loss"]; y: Tensor; sampleWeight?: Tensor }>> = {
    mse: { loss: "mse", y: goal },
    weighted: { loss: "mse", y: goal, sampleWeight: made(4, [5, 1], 0.1, 1) },
    sum: { loss: new keras.losses.MeanSquaredError({ reduction: "sum" }), y: goal },
    classes: { loss: "sparse_categorical_crossentropy", y: classes },
  };
  test.each(Object.keys(cases))("reach loss and metrics: %s", async (name) => {
    const { loss, y, sampleWeight } = cases[name];
    const x = keras.Input({ shape: [4, 3] });
    const dense = new keras.Dense(3, { activation: "tanh" })(new Masking()(x));
    const hidden = new keras.Dropout(0)(dense);
    const last = new keras.Dense(2, { activation: name === "classes" ? "softmax" : null });
    const out = last(new keras.Add()([hidden, new Masking()(x)]));
    const model = fill(new keras.Model({ inputs: x, outputs: out }));
    model.compile({
      optimizer: new keras.SGD(0.1),
      loss,
      metrics: [name === "classes" ? "accuracy" : "mae"],
      weightedMetrics: name === "weighted" ? ["mse"] : null,
    });
    const history = await model.fit(padded(), y, { batchSize: 5, epochs: 2, verbose: 0, shuffle: false, sampleWeight });
    expectHistory(history, golden.masking.training[name]);
  });

  test.each(["Maximum", "Minimum", "Add", "Concatenate"] as const)("of merged tensors: %s", (kind) => {
    const [a, b] = [hashUniform(5, 12), hashUniform(6, 12)];
    a.fill(0, 2, 6);
    b.fill(0, 10, 12);
    const layer = kind === "Concatenate" ? new keras.Concatenate({ axis: 1 }) : new simple[kind]();
    let mask: Tensor | undefined;
    class Spy extends keras.layers.Layer {
      override readonly supportsMasking = true;
      override call(x: Tensor, options: keras.layers.CallOptions): Tensor {
        mask = options.mask;
        return x;
      }
    }
    const out = layer([new Masking()(tensor(a, { shape: [2, 3, 2] })), new Masking()(tensor(b, { shape: [2, 3, 2] }))]);
    new Spy()(out);
    expectClose(out, golden.masking.merged[kind].values.data, kind);
    expect(Array.from(mask?.dataSync() ?? [], Number)).toEqual(golden.masking.merged[kind].mask);
  });
});

describe("merging layers", () => {
  const [a, b, c] = [made(1, [2, 3, 4]), made(2, [2, 3, 4]), made(3, [2, 1, 4])];
  const flat = made(4, [2, 4]);
  const cases: Readonly<Record<string, readonly [layer: keras.layers.AnyLayer, inputs: readonly Tensor[]]>> = {
    Add: [new keras.Add(), [a, b, c]],
    "Add of ranks": [new keras.Add(), [a, flat]],
    Subtract: [new keras.Subtract(), [a, c]],
    Multiply: [new keras.Multiply(), [a, b, c]],
    Average: [new keras.Average(), [a, b, c]],
    Maximum: [new keras.Maximum(), [a, b, c]],
    Minimum: [new keras.Minimum(), [a, c]],
    Concatenate: [new keras.Concatenate(), [a, b]],
    "Concatenate along 1": [new keras.Concatenate({ axis: 1 }), [a, b, c]],
    "Dot along 2, 1": [new keras.Dot([2, 1]), [a, made(5, [2, 4, 5])]],
    "Dot along -1": [new keras.Dot(-1), [a, b]],
    "Dot of vectors": [new keras.Dot(1), [flat, made(6, [2, 4])]],
    cosine: [new keras.Dot(1, { normalize: true }), [flat, made(6, [2, 4])]],
  };
  test.each(Object.keys(golden.merging))("%s", (name) => {
    const [layer, inputs] = cases[name];
    const merge = layer as unknown as keras.layers.Layer<readonly Tensor[], Tensor>;
    const out = merge(inputs);
    expect(out.shape).toEqual(golden.merging[name].shape);
    expectClose(out, golden.merging[name].data, name);
    const symbol = merge(inputs.map(({ shape }) => keras.Input(shape.slice(1))));
    expect(symbol.shape).toEqual([null, ...out.shape.slice(1)]);
  });
});
