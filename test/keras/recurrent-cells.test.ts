/** RNN over cells: Keras' own, on top of each other, and of the user's own. */
import { beforeAll, describe, expect, test } from "vitest";
import { ArgumentError, ShapeError, UnsupportedError } from "../../src/errors.ts";
import * as keras from "../../src/keras/index.ts";
import { deserializeLayer, serializeLayer } from "../../src/keras/serialization.ts";
import { engine, type Tensor, type Variable, zeros } from "../../src/tensor/index.ts";
import { useFastTarget } from "./golden.ts";
import { check, data, expectDigest, golden, units } from "./recurrent-golden.ts";

const { layers, Sequential } = keras;
type CellCallOptions = keras.layers.CellCallOptions;

/** Two states, and an output that is neither of them. */
class Readout extends layers.AbstractRNNCell {
  readonly stateSize = [units, 2];
  kernel!: Variable;
  recurrent!: Variable;
  readout!: Variable;
  override get outputSize() {
    return 3;
  }
  override build(shape: keras.BatchShape) {
    this.kernel = this.addWeight({ shape: [shape.at(-1) as number, units], name: "kernel" });
    this.recurrent = this.addWeight({ shape: [units, units], name: "recurrent" });
    this.readout = this.addWeight({ shape: [units, 3], name: "readout" });
  }
  override call(x: Tensor, { states: [hidden, count] }: CellCallOptions) {
    const after = x.matmul(this.kernel).add(hidden.matmul(this.recurrent)).tanh();
    const output = after.matmul(this.readout).mul(count.slice([0, 0], [count.shape[0], 1]));
    return [output, after, count.mul(0.5).add(1)];
  }
}
keras.registerKerasSerializable("test")(Readout);

const makers = {
  "LSTMCell+GRUCell": () => [new layers.LSTMCell(units), new layers.GRUCell(5)],
  SimpleRNNCell: () => new layers.SimpleRNNCell(units),
  GRUCell: () => new layers.GRUCell(units),
  Readout: () => new Readout(),
};

beforeAll(useFastTarget);

describe("outputs, states and gradients are Keras'", () => {
  test.each(golden.rnns.map((each) => [`${each.cells} ${JSON.stringify(each.arguments)}`, each] as const))(
    "RNN over %s",
    (_, each) => {
      const inner = new layers.RNN<boolean>(makers[each.cells as keyof typeof makers](), each.arguments);
      const layer = (each.both ? new layers.Bidirectional(inner) : inner) as unknown as keras.layers.Layer;
      check(layer, each);
      const again = deserializeLayer(serializeLayer(layer));
      expect(again.getConfig()).toEqual(layer.getConfig());
      again.buildFor([null, 5, 4]);
      expect(again.weights.map(({ shape }) => shape)).toEqual(layer.weights.map(({ shape }) => shape));
    },
  );

  test("one step of each cell", () => {
    const cells = [
      new layers.SimpleRNNCell(units),
      new layers.LSTMCell(units),
      new layers.GRUCell(units),
      new layers.StackedRNNCells([new layers.GRUCell(5), new layers.SimpleRNNCell(units)]),
    ];
    cells.forEach((cell, index) => {
      const expected = golden.cells[index];
      expect(cell.className).toBe(expected.cell);
      cell.buildFor([null, 4]);
      cell.setWeights(cell.weights.map(({ shape }, i) => data(10 + i, shape)));
      const states = cell.stateSizes.map((size, i) => data(2 + i, [3, size]));
      const results = cell(data(1, [3, 4]), { states });
      expect(results.length).toBe(expected.results.length);
      results.forEach((each, i) => expectDigest(each, expected.results[i], `${cell.className} ${i}`));
    });
  });
});

test("a layer with units and RNN over its cell are the same loop", () => {
  const x = data(1, [3, 5, 4]);
  const pairs = [
    [new layers.LSTM(units, { returnSequences: true }), new layers.LSTMCell(units)],
    [new layers.GRU(units, { returnSequences: true }), new layers.GRUCell(units)],
    [new layers.SimpleRNN(units, { returnSequences: true }), new layers.SimpleRNNCell(units)],
  ] as const;
  for (const [layer, cell] of pairs) {
    const expected = layer(x).dataSync();
    const loop = new layers.RNN(cell, { returnSequences: true });
    loop.buildFor([null, 5, 4]);
    loop.setWeights(layer.getWeights());
    for (const weight of loop.weights) weight.dataSync();
    const { compilations } = engine.stats();
    expect(loop(x).dataSync()).toEqual(expected);
    expect(engine.stats().compilations).toBe(compilations);
  }
});

test("a cell of one's own trains in fit, and a longer sequence compiles the same kernels", async () => {
  const model = new Sequential([new layers.RNN(new Readout(), { inputShape: [5, 4] })]);
  model.compile({ optimizer: "adam", loss: "mse" });
  const [x, y] = [data(1, [32, 5, 4]), data(2, [32, 3])];
  const { history } = await model.fit(x, y, { epochs: 15, verbose: 0, shuffle: false });
  expect(history.loss[14]).toBeLessThan(history.loss[0] * 0.95);
  const kernelsFor = (steps: number): number => {
    new layers.RNN(new Readout())(data(3, [2, steps, 4])).dataSync();
    return new Set(engine.explain().match(/code at 0x[0-9a-f]+/g)).size;
  };
  expect(kernelsFor(40)).toBe(kernelsFor(7));
  expect(kernelsFor(7)).toBeGreaterThan(1);
});

test("dropout of cells on top of each other is the same at every step, and only in training", () => {
  const x = data(1, [2, 1, 4]).expand([2, 6, 4]);
  const cell = (rate: number) => new layers.SimpleRNNCell(8, { dropout: rate, recurrentInitializer: "zeros" });
  const rnn = new layers.RNN([cell(0), cell(0.5)], { returnSequences: true });
  const rows = (training: boolean) => rnn(x, { training }).toArray() as number[][][];
  for (const example of rows(true)) for (const step of example) expect(step).toEqual(example[0]);
  expect(rows(true)).not.toEqual(rows(true));
  expect(rows(false)).toEqual(rows(false));
});

describe("errors", () => {
  const x = zeros([2, 5, 4]);
  const raised = (run: () => unknown): Error => {
    try {
      run();
    } catch (error) {
      return error as Error;
    }
    throw new Error("nothing was thrown");
  };

  test("name the cell and what it must give", () => {
    class Short extends layers.AbstractRNNCell {
      readonly stateSize = 4;
      override call(inputs: Tensor) {
        return [inputs];
      }
    }
    class Costly extends layers.AbstractRNNCell {
      readonly stateSize = 4;
      override call(inputs: Tensor, { states: [state] }: CellCallOptions) {
        this.addLoss(inputs.sum());
        return [inputs, state];
      }
    }
    const cases: [() => unknown, abstract new (...args: never[]) => Error, RegExp][] = [
      [
        () => new layers.RNN(new Short({ name: "s" }))(x),
        ShapeError,
        /Short "s": call must give the output and 1 states, received 1/,
      ],
      [() => new layers.RNN(new Costly())(x), UnsupportedError, /addLoss inside a cell is not available/],
      [() => new layers.RNN([]), ArgumentError, /StackedRNNCells .*expected a list of cells/],
      [() => new layers.RNN(new layers.Dense(3) as never), ArgumentError, /expected a cell or a list of cells/],
      [() => new layers.RNN(new layers.LSTMCell(3))(zeros([2, 4])), ShapeError, /at least three axes/],
      [() => new layers.LSTMCell(0), ArgumentError, /LSTMCell ".*": units must be a positive integer, received 0/],
      [
        () => new layers.LSTMCell(3)(zeros([2, 4]), { states: [zeros([2, 3])] }),
        ShapeError,
        /states must hold 2 tensors, received 1/,
      ],
      [
        () => new layers.RNN(new layers.LSTMCell(3))(x, { initialState: zeros([2, 3]) }),
        ShapeError,
        /initialState must hold 2 tensors, received 1/,
      ],
      [() => new layers.GRUCell(3, { unitForgetBias: true } as never), ArgumentError, /unitForgetBias/],
    ];
    for (const [run, type, message] of cases) {
      const error = raised(run);
      expect(error).toBeInstanceOf(type);
      expect(error.message).toMatch(message);
    }
  });
});
