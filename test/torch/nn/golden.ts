/** Reading of the files that `tools/goldens/torch_layers.py` writes. */
import { readFileSync } from "node:fs";
import { whyNoMachineCode } from "../../../src/engine/default-target.ts";
import { engine, Tensor, tensor } from "../../../src/tensor/index.ts";
import { assertClose, type Tolerance } from "../../../src/testing/allclose.ts";
import { hashLabels, hashUniform } from "../../../src/testing/hash-uniform.ts";
import { nn } from "../../../src/torch/index.ts";

export type Numbers = readonly (number | "NaN" | "Infinity" | "-Infinity")[];
/** A result: whole, or its sum, norm and some elements. */
export interface StoredResult {
  readonly shape: readonly number[];
  readonly values?: Numbers;
  readonly sum?: number;
  readonly norm?: number;
  readonly samples?: Numbers;
}
/** An input by formula. */
export interface InputSpec {
  readonly stream: number;
  readonly shape: readonly number[];
  readonly low: number;
  readonly high: number;
  readonly ties?: boolean;
  readonly classes?: number;
  readonly mask?: number;
}
export type Arguments = Readonly<Record<string, unknown>>;

export function readGolden<Content>(name: string): Content {
  return JSON.parse(readFileSync(new URL(`../../goldens/torch-${name}.json`, import.meta.url), "utf8")) as Content;
}

const sizeOf = (shape: readonly number[]): number => shape.reduce((product, extent) => product * extent, 1);

/** The tensor of a formula. */
export function generated({ stream, shape, low, high, ties, classes, mask }: InputSpec): Tensor {
  const size = sizeOf(shape);
  if (classes) return tensor(hashLabels(stream, size, classes), { shape });
  const values = hashUniform(stream, size, low, high);
  if (mask !== undefined)
    return tensor(
      Uint8Array.from(values, (value) => Number(value < mask)),
      { shape, dtype: "bool" },
    );
  return tensor(ties ? values.map(quarters) : values, { shape });
}

/** Rounds to quarters, halves to even, as NumPy does. */
function quarters(value: number): number {
  const scaled = value * 4;
  const floor = Math.floor(scaled);
  const rest = scaled - floor;
  if (rest === 0.5) return (floor % 2 === 0 ? floor : floor + 1) / 4;
  return Math.round(scaled) / 4;
}

/** An argument of a constructor or a call: inputs by formula become tensors. */
export function argument(value: unknown): unknown {
  if (value !== null && typeof value === "object" && "input" in value) return generated(value.input as InputSpec);
  return value;
}
export const options = (given: Arguments): Arguments =>
  Object.fromEntries(Object.entries(given).map(([name, value]) => [name, argument(value)]));

type Constructor = new (...args: readonly unknown[]) => nn.AnyModule;

/** A layer by the name of its class. */
export function construct(name: string, args: readonly unknown[], given: Arguments): nn.AnyModule {
  const Layer = (nn as unknown as Record<string, Constructor>)[name];
  return new Layer(...args.map(argument), ...(Object.keys(given).length > 0 ? [options(given)] : []));
}

/** Calls a module whose arguments are known at run time only. */
export function call(module: nn.AnyModule, args: readonly unknown[]): Tensor[] {
  const result = (module as unknown as (...args: readonly unknown[]) => unknown)(...args);
  return (Array.isArray(result) ? result : [result]).filter((value): value is Tensor => value instanceof Tensor);
}

/** Parameters by formula, as the goldens have them. */
export function setParameters(module: nn.AnyModule): void {
  module.parameters().forEach((parameter, index) => {
    parameter.assign(tensor(hashUniform(1000 + index, parameter.size, -0.5, 0.5), { shape: parameter.shape }));
  });
}

/** Where samples are taken: evenly spread, first and last element included. */
const sampleIndices = (count: number, samples: number): number[] =>
  Array.from({ length: samples }, (_, k) => Math.floor((k * (count - 1)) / (samples - 1)));

export function expectResult(
  actual: Tensor,
  expected: StoredResult,
  what: string,
  tolerance: Tolerance = { relative: 1e-5, absolute: 2e-6 },
): void {
  const found = `(${actual.shape.join(", ")})`;
  if (found !== `(${expected.shape.join(", ")})`) {
    throw new Error(`${what}: shape ${found}, expected (${expected.shape.join(", ")})`);
  }
  const values = actual.dataSync();
  if (expected.values) {
    assertClose(values, Float32Array.from(expected.values, Number), tolerance, what);
    return;
  }
  const samples = expected.samples ?? [];
  const picked = sampleIndices(values.length, samples.length).map((index) => values[index]);
  assertClose(picked, Float32Array.from(samples, Number), tolerance, what);
  let [sum, squares] = [0, 0];
  for (const value of values) {
    sum += value;
    squares += value * value;
  }
  const norm = Math.sqrt(squares);
  const allowed = { relative: 1e-5, absolute: 1e-5 * Math.max(1, norm) };
  assertClose([sum, norm], [expected.sum as number, expected.norm as number], allowed, `${what}: sum and norm`);
}

/** Machine code where this machine runs it. */
export function useFastTarget(): void {
  engine.setTarget(process.env.TRIVIUM_TARGET === "reference" || whyNoMachineCode() ? "reference" : "x86");
}
