import { readFileSync } from "node:fs";
import { beforeAll, describe, expect, test } from "vitest";
import { ArgumentError, ShapeError, UnsupportedError } from "../../../src/errors.ts";
import { engine, setRandomSeed, type Tensor, tensor, zeros } from "../../../src/tensor/index.ts";
import { assertClose } from "../../../src/testing/allclose.ts";
import { digestOf, hashUniform } from "../../../src/testing/hash-uniform.ts";
import type { AnyModule } from "../../../src/torch/nn/any-module.ts";
import { GRU, GRUCell, LSTM, LSTMCell, RNN, RNNCell } from "../../../src/torch/nn/recurrent.ts";
import { rnn } from "../../../src/torch/nn/utils/index.ts";
import { availableTargets } from "../../targets.ts";

interface Digest {
  readonly shape: readonly number[];
  readonly sum: number;
  readonly norm: number;
  readonly indices: readonly number[];
  readonly values: readonly number[];
}
interface Case {
  readonly name: string;
  readonly options: Readonly<Record<string, never>>;
  readonly shape: readonly number[];
  readonly given: boolean;
  readonly outputs: readonly Digest[];
  readonly finals: readonly Digest[];
  readonly input: Digest;
  readonly states: readonly Digest[];
  readonly weights: Readonly<Record<string, Digest>>;
}
const golden = JSON.parse(readFileSync(new URL("../../goldens/torch-recurrent.json", import.meta.url), "utf8")) as {
  readonly layers: readonly Case[];
  readonly cells: readonly Case[];
  readonly packed: readonly (Case & {
    readonly lengths: readonly number[];
    readonly sorted: boolean;
    readonly packed: Digest;
    readonly batchSizes: readonly number[];
  })[];
};

const [inputs, hidden] = [4, 6];
const sizeOf = (shape: readonly number[]): number => shape.reduce((product, extent) => product * extent, 1);
const data = (stream: number, shape: readonly number[]): Tensor =>
  tensor(hashUniform(stream, sizeOf(shape)), { shape });

function expectDigest(actual: Tensor | undefined, expected: Digest, what: string): void {
  expect(actual?.shape, what).toEqual(expected.shape);
  const values = actual?.dataSync() as Float32Array;
  const { sum, norm, values: picked } = digestOf(values, expected.indices);
  const tolerance = { relative: 1e-5, absolute: 2e-6 };
  assertClose(Float32Array.from(picked), Float32Array.from(expected.values), tolerance, what);
  assertClose([norm], [expected.norm], tolerance, `${what} norm`);
  assertClose([sum], [expected.sum], { relative: 1e-5, absolute: 1e-5 * values.length }, `${what} sum`);
}

function fill(module: AnyModule): void {
  const names = Object.keys(module.stateDict());
  module.loadStateDict(
    Object.fromEntries(names.map((name, index) => [name, data(10 + index, module.stateDict()[name].shape)])),
  );
}

const camel = (options: Case["options"]) =>
  Object.fromEntries(
    Object.entries(options).map(([key, value]) => [key.replace(/_(.)/g, (_, c) => c.toUpperCase()), value]),
  );

/** Compares results and all gradients. */
function check(module: AnyModule, each: Case, run: (x: Tensor, states: Tensor[]) => [Tensor[], Tensor[]]): void {
  fill(module);
  expect(Object.keys(module.stateDict())).toEqual(Object.keys(each.weights));
  const x = data(1, each.shape);
  x.requiresGrad = true;
  const states = each.states.map((state, index) => {
    const given = data(2 + index, state.shape);
    given.requiresGrad = true;
    return given;
  });
  const [outputs, finals] = run(x, states);
  const all = [...outputs, ...finals];
  const loss = all
    .map((each, index) => each.mul(data(4 + index, each.shape)).sum())
    .reduce((sum, part) => sum.add(part));
  loss.backward();
  outputs.forEach((output, index) => expectDigest(output, each.outputs[index], `output ${index}`));
  finals.forEach((final, index) => expectDigest(final, each.finals[index], `state ${index}`));
  expectDigest(x.grad, each.input, "gradient of the input");
  states.forEach((state, index) => expectDigest(state.grad, each.states[index], `gradient of state ${index}`));
  for (const [name, parameter] of module.namedParameters()) {
    expectDigest(parameter.grad, each.weights[name], `gradient of ${name}`);
  }
}

describe.each(availableTargets())("as PyTorch, on %s", (target) => {
  beforeAll(() => engine.setTarget(target));

  test.each(golden.layers.map((each) => [`${each.name} ${JSON.stringify(each.options)} ${each.shape}`, each] as const))(
    "%s",
    (_, each) => {
      if (each.name === "LSTM") {
        const lstm = new LSTM(inputs, hidden, camel(each.options));
        check(lstm, each, (x, [h, c]) => {
          const [output, states] = lstm(x, each.given ? [h, c] : undefined);
          return [[output], [...states]];
        });
        return;
      }
      const layer = new (each.name === "RNN" ? RNN : GRU)(inputs, hidden, camel(each.options));
      check(layer, each, (x, [h]) => {
        const [output, state] = layer(x, h);
        return [[output], [state]];
      });
    },
  );

  test.each(
    golden.packed.map(
      (each) => [`${each.name} ${JSON.stringify(each.options)}, lengths ${each.lengths}`, each] as const,
    ),
  )("packed %s", (_, each) => {
    const { lengths, sorted: enforceSorted } = each;
    const options = camel(each.options) as { batchFirst?: boolean };
    const { batchFirst } = options;
    const pad = { batchFirst, paddingValue: -0.5, totalLength: 5 };
    const pack = (x: Tensor) => rnn.packPaddedSequence(x, lengths, { batchFirst, enforceSorted });
    const outputOf = (output: rnn.PackedSequence): Tensor[] => {
      expect(output.batchSizes.toArray()).toEqual(each.batchSizes);
      expectDigest(output.data, each.packed, "packed output");
      const [padded, found] = rnn.padPackedSequence(output, pad);
      expect(found.toArray()).toEqual(lengths);
      return [padded];
    };
    if (each.name === "LSTM") {
      const lstm = new LSTM(inputs, hidden, options);
      check(lstm, each, (x, [h, c]) => {
        const [output, finals] = lstm(pack(x), each.given ? [h, c] : undefined);
        return [outputOf(output), [...finals]];
      });
      return;
    }
    const layer = each.name === "GRU" ? new GRU(inputs, hidden, options) : new RNN(inputs, hidden, options);
    check(layer, each, (x, [h]) => {
      const [output, final] = layer(pack(x), each.given ? h : undefined);
      return [outputOf(output), [final]];
    });
  });

  test("what stands behind the ends has no influence, not even NaN; a batch of other lengths is the same program", () => {
    const gru = new GRU(4, 6);
    const run = (lengths: readonly number[], padding: number): number[][] => {
      gru.zeroGrad();
      const x = rnn.padSequence(
        lengths.map((length, index) => data(20 + index, [length, 4])),
        { paddingValue: padding },
      );
      const [output, last] = gru(rnn.packPaddedSequence(x, lengths, { enforceSorted: false }));
      output.data.sum().add(last.sum()).backward();
      const slopes = gru.parameters().map(({ grad }) => grad as Tensor);
      return [output.padded, last, ...slopes].map((value) => [...value.dataSync()]);
    };
    expect(run([3, 5, 1], Number.NaN)).toEqual(run([3, 5, 1], 0));
    const mixed = rnn.padSequence([data(1, [5, 4]), data(2, [2, 4])]);
    const through = (lengths: readonly number[]): Tensor =>
      rnn.padPackedSequence(gru(rnn.packPaddedSequence(mixed, lengths))[0])[0];
    through([5, 2]).dataSync();
    const before = engine.stats().compilations;
    through([5, 4]).dataSync();
    expect(engine.stats().compilations).toBe(before);
  });

  test.each(golden.cells.map((each) => [`${each.name} ${JSON.stringify(each.options)}`, each] as const))(
    "%s",
    (_, each) => {
      if (each.name === "LSTMCell") {
        const cell = new LSTMCell(inputs, hidden, camel(each.options));
        check(cell, each, (x, [h, c]) => [[], [...cell(x, [h, c])]]);
        return;
      }
      const cell = new (each.name === "RNNCell" ? RNNCell : GRUCell)(inputs, hidden, camel(each.options));
      check(cell, each, (x, [h]) => [[], [cell(x, h)]]);
    },
  );

  test("lengths 1 to 20, twice: one compilation per length and step, none in the second round", () => {
    const lstm = new LSTM(3, 5, { bidirectional: true });
    const step = (length: number): void => {
      lstm.zeroGrad();
      lstm(data(1, [length, 2, 3]))[0]
        .sum()
        .backward();
      for (const parameter of lstm.parameters()) parameter.grad?.dataSync();
    };
    step(3);
    const before = engine.stats().compilations;
    for (let length = 1; length <= 20; length++) step(length);
    const first = engine.stats().compilations;
    expect(first - before).toBe(19);
    for (let length = 1; length <= 20; length++) step(length);
    expect(engine.stats().compilations).toBe(first);
  });

  test("one sequence without a batch", () => {
    const gru = new GRU(3, 5);
    const x = data(1, [4, 3]);
    const [output, state] = gru(x);
    const [batched] = gru(x.unsqueeze(1));
    expect(output.shape).toEqual([4, 5]);
    expect(state.shape).toEqual([1, 5]);
    expect(output.toArray()).toEqual(batched.squeeze(1).toArray());
  });

  test("a row of a batch gives the same bits alone", () => {
    const gru = new GRU(3, 17, { bidirectional: true });
    const x = data(1, [6, 9, 3]);
    const [all] = gru(x);
    const [one] = gru(x.slice([0, 4], [6, 5]));
    expect(all.slice([0, 4], [6, 5]).dataSync()).toEqual(one.dataSync());
  });
});

test("weights are uniform in ±1/√hidden, under PyTorch's names", () => {
  setRandomSeed(1);
  const gru = new GRU(40, 64, { numLayers: 2, bidirectional: true });
  expect(Object.keys(gru.stateDict())).toEqual(
    ["l0", "l0_reverse", "l1", "l1_reverse"].flatMap((suffix) =>
      ["weight_ih", "weight_hh", "bias_ih", "bias_hh"].map((name) => `${name}_${suffix}`),
    ),
  );
  for (const parameter of gru.parameters()) {
    const values = parameter.dataSync() as Float32Array;
    const largest = values.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
    expect(largest).toBeLessThanOrEqual(1 / 8);
    expect(largest).toBeGreaterThan(0.11);
  }
  expect(gru.toString()).toBe("GRU(40, 64, num_layers=2, bidirectional=True)");
});

test("misuse", () => {
  expect(() => new LSTM(0, 3)).toThrow(ArgumentError);
  expect(() => new RNN(2, 3, { nonlinearity: "gelu" as "relu" })).toThrow(ArgumentError);
  expect(() => new LSTM(2, 3, { projSize: 2 as 0 })).toThrow(UnsupportedError);
  const gru = new GRU(2, 3);
  expect(() => gru(zeros([4, 1, 3]))).toThrow(ShapeError);
  expect(() => gru(zeros([4, 1, 2]), zeros([1, 2, 3]))).toThrow(ShapeError);
});

test("padding, packing and back", () => {
  const sequences = [tensor([[1], [2]]), tensor([[3], [4], [5]]), tensor([[6]])];
  expect(rnn.padSequence(sequences, { batchFirst: true, paddingValue: 9 }).squeeze(-1).toArray()).toEqual([
    [1, 2, 9],
    [3, 4, 5],
    [6, 9, 9],
  ]);
  expect(rnn.padSequence(sequences, { paddingSide: "left" }).squeeze(-1).toArray()).toEqual([
    [0, 3, 0],
    [1, 4, 0],
    [2, 5, 6],
  ]);
  const packed = rnn.packSequence(sequences, { enforceSorted: false });
  expect(packed.data.squeeze(-1).toArray()).toEqual([3, 1, 6, 4, 2, 5]);
  expect(packed.batchSizes.toArray()).toEqual([3, 2, 1]);
  expect(packed.sortedIndices.toArray()).toEqual([1, 0, 2]);
  expect(rnn.unpackSequence(packed).map((sequence) => sequence.toArray())).toEqual(
    sequences.map((sequence) => sequence.toArray()),
  );
  const x = zeros([4, 2, 3]);
  expect(() => rnn.packPaddedSequence(x, [2, 4])).toThrow("lengths must fall from the longest to the shortest");
  expect(() => rnn.packPaddedSequence(x, [4, 0])).toThrow("lengths must be whole numbers from 1 to 4, received 0");
  expect(() => rnn.packPaddedSequence(x, [4])).toThrow("expected 2 lengths");
  expect(() => rnn.padPackedSequence(packed, { totalLength: 2 })).toThrow("totalLength must be at least 3");
  expect(() => rnn.padSequence([zeros([2, 3]), zeros([2, 4])])).toThrow("may differ in their first axis only");
});
