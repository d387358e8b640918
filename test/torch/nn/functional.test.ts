/** `nn.functional` against PyTorch, dropout, and what is refused. */
import { beforeAll, describe, expect, it } from "vitest";
import { ArgumentError, IndexRangeError, ShapeError, UnsupportedError } from "../../../src/errors.ts";
import {
  engine,
  evaluate,
  noGrad,
  ones,
  setRandomSeed,
  type Tensor,
  tensor,
  zeros,
} from "../../../src/tensor/index.ts";
import { hashUniform } from "../../../src/testing/hash-uniform.ts";
import * as torch from "../../../src/torch/index.ts";
import {
  type Arguments,
  argument,
  expectResult,
  generated,
  type InputSpec,
  options,
  readGolden,
  type StoredResult,
  useFastTarget,
} from "./golden.ts";

const { nn, optim } = torch;
const F = nn.functional;
interface FunctionCase {
  readonly function: string;
  readonly inputs: readonly InputSpec[];
  readonly args: readonly unknown[];
  readonly options: Arguments;
  readonly output: StoredResult;
  readonly gradients: readonly (StoredResult | null)[];
}
const golden = readGolden<{ functions: readonly FunctionCase[] }>("functional");
beforeAll(useFastTarget);

describe("functions equal PyTorch's", () => {
  for (const [number, stored] of golden.functions.entries()) {
    it(`${number}: ${stored.function} ${JSON.stringify(stored.args)} ${JSON.stringify(stored.options)}`, () => {
      const inputs = stored.inputs.map((spec) => {
        const input = generated(spec);
        if (input.dtype === "f32") input.requiresGrad = true;
        return input;
      });
      const run = (F as unknown as Record<string, (...args: unknown[]) => Tensor>)[stored.function];
      const given = Object.keys(stored.options).length > 0 ? [options(stored.options)] : [];
      const output = run(...inputs, ...stored.args.map(argument), ...given);
      if (output.requiresGrad) {
        output
          .mul(tensor(hashUniform(500, output.size), { shape: output.shape }))
          .sum()
          .backward();
      }
      evaluate(output, ...inputs.flatMap(({ grad }) => (grad ? [grad] : [])));
      expectResult(output, stored.output, "output");
      inputs.forEach((input, index) => {
        const gradient = stored.gradients[index];
        if (gradient)
          expectResult(input.grad as Tensor, gradient, `gradient ${index}`, { relative: 2e-5, absolute: 4e-6 });
      });
    });
  }
});

describe("dropout", () => {
  it("zeroes a share and scales the rest; whole channels in two dimensions; nothing outside training", () => {
    setRandomSeed(5);
    const x = ones([40, 50, 4, 4]);
    const plain = F.dropout(x, 0.3).dataSync();
    const share = plain.filter((value) => value === 0).length / plain.length;
    expect(share).toBeGreaterThan(0.28);
    expect(share).toBeLessThan(0.32);
    expect(plain.find((value) => value !== 0)).toBeCloseTo(1 / 0.7, 5);
    const sums = F.dropout2d(x, { p: 0.5 }).sum([2, 3]).dataSync();
    expect(new Set(sums)).toEqual(new Set([0, 32]));
    expect(F.dropout(x, { p: 0.5, training: false })).toBe(x);
    const layer = new nn.Dropout(0.5).eval();
    expect(layer(x)).toBe(x);
    expect(new nn.Dropout(1)(x).sum().item()).toBe(0);
  });
  it("alpha dropout keeps mean and deviation of a unit normal", () => {
    setRandomSeed(6);
    const normal = nn.init.normal_(new nn.Parameter(zeros([100, 200])));
    const dropped = Array.from(F.alphaDropout(normal, 0.2).dataSync());
    const mean = dropped.reduce((sum, value) => sum + value, 0) / dropped.length;
    const deviation = Math.sqrt(dropped.reduce((sum, value) => sum + (value - mean) ** 2, 0) / dropped.length);
    expect(Math.abs(mean)).toBeLessThan(0.03);
    expect(Math.abs(deviation - 1)).toBeLessThan(0.03);
  });
  it("a new mask for each call, the same sequence for a seed", () => {
    const masks = (): unknown[] => {
      setRandomSeed(7);
      return [F.dropout(ones([20])).toArray(), F.dropout(ones([20])).toArray()];
    };
    const first = masks();
    expect(first[0]).not.toEqual(first[1]);
    expect(masks()).toEqual(first);
  });
});

describe("odd inputs", () => {
  it("NaN and infinity stay where they are seen", () => {
    const x = tensor([
      [
        [
          [1, Number.NaN],
          [2, 3],
        ],
      ],
    ]);
    expect(F.maxPool2d(x, 2).item()).toBeNaN();
    expect(F.adaptiveAvgPool2d(tensor([[[[1, 2, Number.POSITIVE_INFINITY]]]]), [1, 2]).toArray()).toEqual([
      [[[1.5, Infinity]]],
    ]);
    expect(F.relu(tensor([Number.NaN])).item()).toBeNaN();
    expect(F.hardtanh(tensor([Number.NaN])).item()).toBeNaN();
    expect(F.hardshrink(tensor([Number.NaN])).item()).toBeNaN();
    expect(F.softshrink(tensor([Number.NaN])).item()).toBeNaN();
  });
  it("an empty batch goes through", () => {
    const net = new nn.Sequential(
      new nn.Conv2d(1, 2, 3, { padding: 1 }),
      new nn.ReLU(),
      new nn.MaxPool2d(2),
      new nn.Flatten(),
      new nn.Linear(8, 3),
    );
    expect(net(zeros([0, 1, 4, 4])).toArray()).toEqual([]);
    expect(new nn.Embedding(3, 4)(zeros([0], "i32")).shape).toEqual([0, 4]);
    expect(new nn.LayerNorm(4)(zeros([0, 4])).shape).toEqual([0, 4]);
  });
  it("labels by their largest number where oneHot is not told how many there are", () => {
    expect(F.oneHot(tensor(new Int32Array([0, 2]))).toArray()).toEqual([
      [1, 0, 0],
      [0, 0, 1],
    ]);
  });
  it("maxNorm scales the rows that are looked up, in the weight; others stay, and a step may look up twice", () => {
    const rows = [
      [3, 4],
      [0.3, 0.4],
      [1, -2],
      [6, 8],
    ];
    const table = (maxNorm: number, normType?: number) =>
      nn.Embedding.fromPretrained(tensor(rows), { maxNorm, normType, freeze: false });
    const indices = (...numbers: number[]) => tensor(new Int32Array(numbers));
    const net = table(1);
    expect(String(net)).toBe("Embedding(4, 2, max_norm=1)");
    const [first, second] = [net(indices(0, 1, 0)), net(indices(3))];
    first.sum().add(second.mul(2).sum()).backward();
    const expected = [
      [0.6, 0.8],
      [0.3, 0.4],
      [1, -2],
      [0.6, 0.8],
    ];
    (net.weight.toArray() as number[][]).forEach((row, i) =>
      row.forEach((value, j) => expect(value).toBeCloseTo(expected[i][j], 6)),
    );
    expect(net.weight.grad?.toArray()).toEqual([
      [2, 2],
      [1, 1],
      [0, 0],
      [2, 2],
    ]);
    const taxi = table(2, 0.5);
    taxi(indices(3, 2)).dataSync();
    // torch 2.15: tensor([[3.0000, 4.0000], [0.3000, 0.4000], [0.3431, -0.6863], [0.4308, 0.5744]])
    [3, 4, 0.3, 0.4, 0.3431, -0.6863, 0.4308, 0.5744].forEach((value, i) =>
      expect(taxi.weight.dataSync()[i]).toBeCloseTo(value, 4),
    );
    const fixed = table(1).eval();
    noGrad(() => fixed(indices(3)));
    expect(fixed.weight.dataSync()[6]).toBeCloseTo(0.6, 6);
    expect(() => net(indices(7)).dataSync()).toThrow(IndexRangeError);
    expect(net.weight.dataSync()[0]).toBeCloseTo(0.6, 6);
  });
  it("a loop over a table with maxNorm trains and stops compiling", () => {
    const net = new nn.Embedding(10, 4, { maxNorm: 0.5 });
    const optimizer = new optim.SGD(net.parameters(), { lr: 0.5 });
    const goal = ones([6, 4]);
    const losses: number[] = [];
    let before = 0;
    for (let step = 0; step < 12; step++) {
      if (step === 4) before = engine.stats().compilations;
      optimizer.zeroGrad();
      const loss = F.mseLoss(net(tensor(Int32Array.from({ length: 6 }, (_, i) => (i * step) % 10))), goal);
      loss.backward();
      optimizer.step();
      losses.push(loss.item());
    }
    expect(losses[11]).toBeLessThan(losses[0]);
    expect(engine.stats().compilations).toBe(before);
  });
  it("an index outside a table is an error when it is computed", () => {
    expect(() => new nn.Embedding(3, 2)(tensor(new Int32Array([3]))).dataSync()).toThrow(IndexRangeError);
    expect(() => new nn.Embedding(3, 2)(tensor(new Int32Array([-1]))).dataSync()).toThrow(IndexRangeError);
  });
});

describe("what is refused", () => {
  const image = zeros([1, 2, 4, 4]);
  it.each<[string, () => unknown, new (...args: never[]) => Error, string]>([
    ["padding beyond half a window", () => F.maxPool2d(image, 2, { padding: 2 }), ArgumentError, "at most half"],
    [
      "'same' with a stride",
      () => new nn.Conv2d(1, 1, 3, { padding: "same", stride: 2 }),
      ArgumentError,
      "stride of 1",
    ],
    ["groups that do not fit", () => new nn.Conv2d(3, 4, 3, { groups: 2 }), ArgumentError, "groups"],
    ["a fractional window", () => new nn.Conv2d(1, 1, 2.5), ArgumentError, "kernelSize"],
    [
      "output padding as large as the stride",
      () => new nn.ConvTranspose2d(2, 1, 3, { stride: 2, outputPadding: 2 })(image),
      ArgumentError,
      "outputPadding",
    ],
    ["a window larger than the image", () => F.conv2d(image, zeros([1, 2, 5, 5])), ShapeError, "does not fit"],
    ["reflection beyond the image", () => F.pad(image, [4, 0], "reflect"), ShapeError, "at most 3"],
    [
      "bicubic resizing",
      () => F.interpolate(image, { size: 8, mode: "bicubic" as "nearest" }),
      UnsupportedError,
      "bicubic",
    ],
    [
      "size and factor",
      () => F.interpolate(image, { size: 8, scaleFactor: 2 }),
      ArgumentError,
      "either size or scaleFactor",
    ],
    [
      "corners of nearest neighbours",
      () => F.interpolate(image, { size: 8, alignCorners: true }),
      ArgumentError,
      "alignCorners",
    ],
    ["softmax without a dim", () => F.softmax(image, {}), ArgumentError, "dim"],
    ["a probability above 1", () => new nn.Dropout(1.5), ArgumentError, "between 0 and 1"],
    [
      "a negative maxNorm",
      () => new nn.Embedding(3, 2, { maxNorm: -1 })(zeros([1], "i32")),
      ArgumentError,
      "Embedding: maxNorm must be 0 or more, received -1",
    ],
    [
      "maxNorm in a compiled step",
      () => torch.compile((x: Tensor) => new nn.Embedding(3, 2, { maxNorm: 1 })(x))(zeros([1], "i32")),
      UnsupportedError,
      "maxNorm changes the weight before it is read",
    ],
    [
      "biases of keys",
      () => new nn.MultiheadAttention(4, 2, { addBiasKv: true as unknown as false }),
      UnsupportedError,
      "addBiasKv",
    ],
    [
      "masks of another shape",
      () =>
        new nn.MultiheadAttention(4, 2)(zeros([3, 1, 4]), zeros([3, 1, 4]), zeros([3, 1, 4]), {
          attnMask: zeros([2, 3]),
        }),
      ShapeError,
      "(3, 3)",
    ],
    ["an odd axis for glu", () => F.glu(zeros([2, 3])), ShapeError, "even"],
    ["channels that do not shuffle", () => F.pixelShuffle(image, 2), ShapeError, "groups of 2"],
    ["statistics that are not there", () => F.batchNorm(image, null, null), ArgumentError, "running statistics"],
    ["writing a tensor that is no variable", () => nn.init.ones_(image), ArgumentError, "parameters"],
  ])("%s", (_name, run, kind, text) => {
    expect(run).toThrow(kind);
    expect(run).toThrow(text);
  });
});
