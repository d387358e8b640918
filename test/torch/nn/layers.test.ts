/** Every layer against PyTorch: outputs, gradients of inputs and parameters, state names and shapes, printed form. */
import { beforeAll, describe, expect, it } from "vitest";
import { evaluate, type Tensor, tensor } from "../../../src/tensor/index.ts";
import { hashUniform } from "../../../src/testing/hash-uniform.ts";
import {
  type Arguments,
  call,
  construct,
  expectResult,
  generated,
  type InputSpec,
  options,
  readGolden,
  type StoredResult,
  setParameters,
  useFastTarget,
} from "./golden.ts";

interface LayerCase {
  readonly layer: string;
  readonly args: readonly unknown[];
  readonly options: Arguments;
  readonly inputs: readonly InputSpec[];
  readonly outputs: readonly StoredResult[];
  readonly inputGradients: readonly (StoredResult | null)[];
  readonly parameterGradients: readonly (StoredResult | null)[];
  readonly state: readonly (readonly [string, readonly number[]])[];
  readonly text: string;
  readonly call?: Arguments;
  readonly evaluate?: boolean;
}
interface RunningCase {
  readonly layer: string;
  readonly args: readonly unknown[];
  readonly options: Arguments;
  readonly shape: readonly number[];
  readonly history: readonly Readonly<Record<string, StoredResult>>[];
  readonly evaluated: StoredResult;
}

const golden = readGolden<{ layers: readonly LayerCase[]; running: readonly RunningCase[] }>("layers");
beforeAll(useFastTarget);

/** JavaScript has one kind of number: `p=0` and `p=0.0` are the same. */
const withoutZeros = (text: string): string => text.replaceAll(/(\d)\.0\b/g, "$1");

const title = ({ layer, args, options: given, inputs, call: called }: LayerCase): string =>
  `${layer}(${[...args, given].map((value) => JSON.stringify(value)).join(", ")}) of ${inputs.map(({ shape }) => `[${shape}]`).join(", ")}` +
  `${called ? ` with ${Object.keys(called).join(", ")}` : ""}`;

describe("layers equal PyTorch's", () => {
  for (const [number, stored] of golden.layers.entries()) {
    it(`${number}: ${title(stored)}`, () => {
      const module = construct(stored.layer, stored.args, stored.options);
      expect(withoutZeros(String(module))).toBe(withoutZeros(stored.text));
      expect(Object.entries(module.stateDict()).map(([name, { shape }]) => [name, [...shape]])).toEqual(stored.state);
      setParameters(module);
      module.train(!stored.evaluate);
      const inputs = stored.inputs.map((spec) => {
        const input = generated(spec);
        if (input.dtype === "f32") input.requiresGrad = true;
        return input;
      });
      const outputs = call(module, [...inputs, ...(stored.call ? [options(stored.call)] : [])]);
      expect(outputs.length).toBe(stored.outputs.length);
      const differentiable = outputs.filter(({ requiresGrad }) => requiresGrad);
      if (differentiable.length > 0) {
        differentiable
          .map((output, index) => output.mul(seedOf(output, index)).sum())
          .reduce((total, part) => total.add(part))
          .backward();
      }
      // one program for everything that is read below
      const gradients = [...inputs, ...module.parameters()].flatMap(({ grad }) => (grad ? [grad] : []));
      evaluate(...outputs, ...gradients);
      outputs.forEach((output, index) => expectResult(output, stored.outputs[index], `output ${index}`));
      inputs.forEach((input, index) => check(input, stored.inputGradients[index], `gradient of input ${index}`));
      module
        .namedParameters()
        .forEach(([name, parameter], index) =>
          check(parameter, stored.parameterGradients[index], `gradient of ${name}`),
        );
    });
  }
});

const seedOf = (output: Tensor, index: number): Tensor =>
  tensor(hashUniform(500 + index, output.size), { shape: output.shape });

function check(owner: Tensor, expected: StoredResult | null, what: string): void {
  if (expected === null) expect(owner.grad, what).toBeUndefined();
  else {
    expect(owner.grad, what).toBeDefined();
    expectResult(owner.grad as Tensor, expected, what, { relative: 2e-5, absolute: 4e-6 });
  }
}

describe("running statistics equal PyTorch's over steps", () => {
  for (const [number, stored] of golden.running.entries()) {
    it(`${number}: ${stored.layer} ${JSON.stringify(stored.options)} of [${stored.shape}]`, () => {
      const module = construct(stored.layer, stored.args, stored.options);
      setParameters(module);
      const spec = { shape: stored.shape, low: -1, high: 1 };
      stored.history.forEach((expected, step) => {
        call(module, [
          generated({ ...spec, stream: 200 + step })
            .mul(step + 1)
            .add(step),
        ]);
        const buffers = module.namedBuffers();
        expect(buffers.map(([name]) => name)).toEqual(Object.keys(expected));
        for (const [name, buffer] of buffers) expectResult(buffer, expected[name], `${name} after step ${step + 1}`);
      });
      module.eval();
      const [output] = call(module, [generated({ ...spec, stream: 210 })]);
      expectResult(output, stored.evaluated, "output after eval()");
    });
  }
});
