/** Reading of the files that `tools/goldens/keras_layers.py` writes. */
import { readFileSync } from "node:fs";
import { whyNoMachineCode } from "../../src/engine/default-target.ts";
import { engine, type Tensor, tensor } from "../../src/tensor/index.ts";
import { assertClose, type Tolerance } from "../../src/testing/allclose.ts";
import { hashUniform } from "../../src/testing/hash-uniform.ts";

/** Values that are stored. */
export interface StoredTensor {
  readonly shape: readonly number[];
  readonly data: readonly (number | "NaN" | "Infinity" | "-Infinity")[];
}
/** Values that a formula makes. */
export interface GeneratedTensor {
  readonly stream: number;
  readonly shape: readonly number[];
  readonly low: number;
  readonly high: number;
}
export type Arguments = Readonly<Record<string, unknown>>;

export function readGolden<Content>(name: string): Content {
  return JSON.parse(readFileSync(new URL(`../goldens/keras-${name}.json`, import.meta.url), "utf8")) as Content;
}

export const stored = ({ shape, data }: StoredTensor): Tensor => tensor(Float32Array.from(data, Number), { shape });

export function generated({ stream, shape, low, high }: GeneratedTensor): Tensor {
  const size = shape.reduce((product, extent) => product * extent, 1);
  return tensor(hashUniform(stream, size, low, high), { shape });
}

export function expectClose(
  actual: Tensor | ArrayLike<number>,
  expected: ArrayLike<number | string>,
  what: string,
  tolerance: Tolerance = { relative: 1e-5, absolute: 1e-6 },
): void {
  const values = "dataSync" in actual ? actual.dataSync() : actual;
  assertClose(values, Float32Array.from(expected, Number), tolerance, what);
}

/** The constructor's positional arguments and its options, from Keras' keyword arguments. */
export function split(positional: readonly string[], given: Arguments): unknown[] {
  const options = Object.fromEntries(Object.entries(given).filter(([name]) => !positional.includes(name)));
  return [...positional.map((name) => given[name]), options];
}

/** A short name for a test of one case. */
export const label = (name: string, given: Arguments, more = ""): string => `${name} ${JSON.stringify(given)}${more}`;

/** Machine code where this machine runs it. */
export function useFastTarget(): void {
  engine.setTarget(process.env.TRIVIUM_TARGET === "reference" || whyNoMachineCode() ? "reference" : "x86");
}
