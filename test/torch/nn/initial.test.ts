/** Initial values against PyTorch's: means, deviations, bounds; `nn.init` and `nn.utils`. */
import { beforeAll, describe, expect, it } from "vitest";
import { type Tensor, tensor, Variable, zeros } from "../../../src/tensor/index.ts";
import { nn } from "../../../src/torch/index.ts";
import { type Arguments, construct, readGolden, useFastTarget } from "./golden.ts";

interface Statistics {
  readonly mean: number;
  readonly std: number;
  readonly min: number;
  readonly max: number;
  readonly count: number;
}
interface Golden {
  readonly layers: readonly {
    readonly layer: string;
    readonly args: readonly unknown[];
    readonly options: Arguments;
    readonly parameters: Readonly<Record<string, Statistics>>;
  }[];
  readonly functions: readonly (Omit<Statistics, "count"> & {
    readonly function: string;
    readonly shape: readonly number[];
    readonly options: Readonly<Record<string, number | string>>;
  })[];
  readonly gains: Readonly<Record<string, number>>;
}
const golden = readGolden<Golden>("initial");
beforeAll(useFastTarget);

function statistics(values: ArrayLike<number>) {
  const list = Array.from(values);
  const mean = list.reduce((sum, value) => sum + value, 0) / list.length;
  const std = Math.sqrt(list.reduce((sum, value) => sum + (value - mean) ** 2, 0) / list.length);
  return { mean, std, min: Math.min(...list), max: Math.max(...list) };
}

/** Both are samples: the mean lies within five standard errors, the deviation within five per cent or five standard errors of its own. */
function expectLike(actual: ReturnType<typeof statistics>, expected: Omit<Statistics, "count">, count: number): void {
  const error = expected.std / Math.sqrt(count);
  expect(Math.abs(actual.mean - expected.mean)).toBeLessThanOrEqual(8 * error + 1e-7);
  expect(Math.abs(actual.std - expected.std)).toBeLessThanOrEqual(5 * error + 1e-7);
  const range = expected.max - expected.min;
  // a normal distribution has tails, a uniform one an edge
  const edge = range > 4 * expected.std ? 0.5 * range : 8 * (range / count) + 1e-6;
  expect(Math.abs(actual.min - expected.min)).toBeLessThanOrEqual(edge);
  expect(Math.abs(actual.max - expected.max)).toBeLessThanOrEqual(edge);
}

describe("layers start as PyTorch's", () => {
  for (const stored of golden.layers) {
    it(`${stored.layer}(${JSON.stringify(stored.args)}, ${JSON.stringify(stored.options)})`, () => {
      const parameters = construct(stored.layer, stored.args, stored.options).namedParameters();
      expect(parameters.map(([name]) => name)).toEqual(Object.keys(stored.parameters));
      for (const [name, parameter] of parameters) {
        const values = parameter.dataSync();
        // the golden's extremes are those of five seeds
        expectLike(statistics(values), stored.parameters[name], values.length);
      }
    });
  }
});

type Init = (target: Tensor, ...args: unknown[]) => Tensor;
const positional: Readonly<Record<string, readonly string[]>> = {
  uniform_: ["a", "b"],
  normal_: ["mean", "std"],
  truncNormal_: ["mean", "std", "a", "b"],
  constant_: ["val"],
  dirac_: ["groups"],
  xavierNormal_: ["gain"],
  orthogonal_: ["gain"],
};

describe("nn.init equals torch.nn.init", () => {
  for (const stored of golden.functions) {
    it(`${stored.function} of [${stored.shape}] ${JSON.stringify(stored.options)}`, () => {
      const name = stored.function.replaceAll(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());
      const initialize = (nn.init as unknown as Record<string, Init>)[name];
      const names = positional[name];
      const given = names ? names.map((key) => stored.options[key]) : [stored.options];
      const args = Object.keys(stored.options).length > 0 ? given : [];
      const target = new nn.Parameter(zeros(stored.shape));
      expect(initialize(target, ...args)).toBe(target);
      expectLike(statistics(target.dataSync()), stored, target.size);
    });
  }
  it("gains", () => {
    for (const [name, gain] of Object.entries(golden.gains)) {
      expect(nn.init.calculateGain(name as nn.init.Nonlinearity)).toBeCloseTo(gain, 5);
    }
  });
  it("eye_ and dirac_ have their ones in place", () => {
    expect(nn.init.eye_(new nn.Parameter(zeros([2, 3]))).toArray()).toEqual([
      [1, 0, 0],
      [0, 1, 0],
    ]);
    const kernel = nn.init.dirac_(new nn.Parameter(zeros([2, 2, 3])));
    expect(kernel.toArray()).toEqual([
      [
        [0, 1, 0],
        [0, 0, 0],
      ],
      [
        [0, 0, 0],
        [0, 1, 0],
      ],
    ]);
  });
  it("orthogonal_ rows are orthonormal", () => {
    const weight = nn.init.orthogonal_(new nn.Parameter(zeros([3, 2, 4])), 2);
    const rows = weight.reshape([3, 8]);
    const product = rows.matmul(rows.transpose(0, 1)).dataSync();
    expect(Array.from(product, (value) => Math.round(value * 1e5) / 1e5 + 0)).toEqual([4, 0, 0, 0, 4, 0, 0, 0, 4]);
  });
});

describe("nn.utils", () => {
  const withGradients = () => {
    const parameters = [
      new nn.Parameter(tensor([1, 2])),
      new nn.Parameter(tensor([[3], [4]])),
      new nn.Parameter(tensor([9])),
    ];
    parameters[0].mul(3).sum().add(parameters[1].mul(4).sum()).backward();
    return parameters;
  };
  it("clipGradNorm_ scales all gradients together and returns the norm before", () => {
    const parameters = withGradients();
    const norm = nn.utils.clipGradNorm_(parameters, 1);
    expect(norm.item()).toBeCloseTo(Math.sqrt(50), 5);
    expect(parameters[0].grad?.dataSync()[0]).toBeCloseTo(3 / Math.sqrt(50), 5);
    expect(parameters[2].grad).toBeUndefined();
    const small = withGradients();
    nn.utils.clipGradNorm_(small, 100);
    expect(small[1].grad?.toArray()).toEqual([[4], [4]]);
    expect(nn.utils.clipGradNorm_(withGradients(), 1, Number.POSITIVE_INFINITY).item()).toBe(4);
    expect(nn.utils.clipGradNorm_(withGradients(), 1, 1).item()).toBe(14);
    expect(nn.utils.clipGradNorm_([new Variable([1])], 1).item()).toBe(0);
  });
  it("clipGradValue_ limits each element", () => {
    const parameters = withGradients();
    nn.utils.clipGradValue_(parameters, 3.5);
    expect(parameters.map(({ grad }) => grad?.toArray())).toEqual([[3, 3], [[3.5], [3.5]], undefined]);
  });
  it("parameters become a vector and come back", () => {
    const parameters = withGradients();
    const vector = nn.utils.parametersToVector(parameters);
    expect(vector.toArray()).toEqual([1, 2, 3, 4, 9]);
    nn.utils.vectorToParameters(vector.mul(2), parameters);
    expect(parameters.map((parameter) => parameter.toArray())).toEqual([[2, 4], [[6], [8]], [18]]);
    expect(() => nn.utils.vectorToParameters(tensor([1]), parameters)).toThrow("a vector of 5 elements");
  });
});
