/** Recurrent layers against Keras' outputs, states and gradients. */
import { readFileSync } from "node:fs";
import { expect } from "vitest";
import type * as keras from "../../src/keras/index.ts";
import { gradients, Tensor, tensor } from "../../src/tensor/index.ts";
import { assertClose } from "../../src/testing/allclose.ts";
import { digestOf, hashUniform } from "../../src/testing/hash-uniform.ts";

export interface Digest {
  readonly shape: readonly number[];
  readonly sum: number;
  readonly norm: number;
  readonly indices: readonly number[];
  readonly values: readonly number[];
}
interface Expected {
  readonly shape: readonly [number, number, number];
  readonly masked: boolean;
  readonly weights: readonly (readonly [string, readonly number[]])[];
  readonly results: readonly Digest[];
  readonly gradients: readonly Digest[];
  readonly states: number;
  /** Widths of given states, where they are not all `units`. */
  readonly sizes?: readonly number[];
}
/** A layer with units. */
export interface Case extends Expected {
  readonly layer: "SimpleRNN" | "LSTM" | "GRU";
  readonly arguments: Readonly<Record<string, unknown>>;
  readonly wrapper?: Readonly<Record<string, unknown>>;
}
/** `RNN` over cells. */
export interface CellsCase extends Expected {
  readonly cells: string;
  readonly arguments: Readonly<Record<string, unknown>>;
  readonly both: boolean;
}
export const golden = JSON.parse(readFileSync(new URL("../goldens/keras-recurrent.json", import.meta.url), "utf8")) as {
  readonly mask: readonly (readonly number[])[];
  readonly layers: readonly Case[];
  readonly bidirectional: readonly Case[];
  readonly rnns: readonly CellsCase[];
  readonly cells: readonly { readonly cell: string; readonly results: readonly Digest[] }[];
  readonly embedded: Digest;
  readonly masking: Digest;
};
export const units = 6;
const sizeOf = (shape: readonly number[]): number => shape.reduce((product, extent) => product * extent, 1);
export const data = (stream: number, shape: readonly number[]): Tensor =>
  tensor(hashUniform(stream, sizeOf(shape)), { shape });

export function expectDigest(actual: Tensor | undefined, expected: Digest, what: string): void {
  expect(actual?.shape, what).toEqual(expected.shape);
  const values = actual?.dataSync() as Float32Array;
  const { norm, values: picked } = digestOf(values, expected.indices);
  const tolerance = { relative: 1e-5, absolute: 2e-6 };
  assertClose(Float32Array.from(picked), Float32Array.from(expected.values), tolerance, what);
  assertClose([norm], [expected.norm], tolerance, `${what} norm`);
}

type AnyRecurrent = (x: Tensor, options?: object) => Tensor | Tensor[];

/** Builds the layer, gives it the weights of the case and compares results and gradients. */
export function check(layer: keras.layers.Layer, each: Expected): void {
  const { shape } = each;
  layer.buildFor([null, ...shape.slice(1)]);
  expect(layer.weights.map(({ name, shape }) => [name.split("/").at(-1), shape])).toEqual(each.weights);
  layer.setWeights(each.weights.map(([, shape], index) => data(10 + index, shape)));
  const x = data(1, shape);
  const sizes = each.sizes ?? Array.from({ length: each.states }, () => units);
  const initialState = sizes.map((size, index) => data(2 + index, [shape[0], size]));
  for (const leaf of [x, ...initialState]) leaf.requiresGrad = true;
  const mask = each.masked ? tensor(golden.mask.map((row) => row.slice(0, shape[1]).map(Boolean))) : undefined;
  const result = (layer as unknown as AnyRecurrent)(x, { mask, ...(each.states > 0 && { initialState }) });
  const results = result instanceof Tensor ? [result] : result;
  expect(results.length).toBe(each.results.length);
  const loss = results
    .map((each, index) => each.mul(data(40 + index, each.shape)).sum())
    .reduce((sum, part) => sum.add(part));
  const slopes = gradients(loss, [x, ...initialState, ...layer.trainableWeights]);
  results.forEach((each_, index) => expectDigest(each_, each.results[index], `result ${index}`));
  slopes.forEach((slope, index) => expectDigest(slope, each.gradients[index], `gradient ${index}`));
}
