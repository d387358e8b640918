import { expect, test } from "vitest";
import { KernelBuilder } from "../../src/kernel/builder.ts";
import type { Kernel } from "../../src/kernel/ir.ts";
import { findPreparations, type PlacedStep } from "../../src/schedule/preparations.ts";
import type { Storage } from "../../src/schedule/storage.ts";

/** A kernel that loads from its first arguments and stores to its last `stores`. */
function kernel(loads: number, stores = 1, name = "kernel"): Kernel {
  const k = new KernelBuilder(name, loads + stores);
  let value = k.constant(1);
  for (let i = 0; i < loads; i++) value = k.binary("fadd", value, k.load(k.at(k.argument(i))));
  for (let i = 0; i < stores; i++) k.store(value, k.at(k.argument(loads + i)));
  return k.build();
}
const storage = (kind: Storage["kind"], index = 0, bytes = 64): Storage => {
  return { kind, index, bytes, label: "", from: 0, to: 0, byteOffset: 0 };
};
const step = (reads: readonly Storage[], write: Storage, options: { status?: true } = {}): PlacedStep => ({
  step: { kernel: kernel(reads.length), arguments: [], tasks: 1, flops: 0, bytes: 0 },
  checksStatus: options.status ?? false,
  arguments: [...reads, write].map((place) => ({ storage: place, byteOffset: 0 })),
});

const [weight, other, data, output] = [0, 1, 2].map((index) => storage("input", index)).concat(storage("output"));
/** Inputs 0 and 1 are variables, input 3 is a number. */
const find = (steps: readonly PlacedStep[]) => findPreparations(steps, ["variable", "variable", undefined, "number"]);

test("a chain of kernels over a variable is one preparation, and what others read of it is kept", () => {
  const [middle, packed] = [storage("arena"), storage("arena", 0, 100)];
  const { preparations, kept } = find([
    step([weight], middle),
    step([middle, other], packed),
    step([data, packed], output),
  ]);
  expect(preparations).toHaveLength(1);
  expect(preparations[0]).toMatchObject({ inputs: [0, 1], steps: [0, 1], bytes: 128 });
  expect([...kept]).toEqual([[packed, { preparation: 0, byteOffset: 0 }]]);
});

test("kernels that share nothing are preparations of their own", () => {
  const [a, b] = [storage("arena"), storage("arena")];
  const { preparations } = find([step([weight], a), step([other], b), step([data, a, b], output)]);
  expect(preparations.map(({ inputs, steps }) => ({ inputs, steps }))).toEqual([
    { inputs: [0], steps: [0] },
    { inputs: [1], steps: [1] },
  ]);
});

test("nothing is kept of data, of numbers alone, of an output, or across a check of indices", () => {
  const number = storage("input", 3);
  const place = storage("arena");
  expect(find([step([weight, data], place), step([place], output)]).preparations).toEqual([]);
  expect(find([step([number], place), step([place, data], output)]).preparations).toEqual([]);
  expect(find([step([weight], output)]).preparations).toEqual([]);
  expect(find([step([weight], place, { status: true }), step([place, data], output)]).preparations).toEqual([]);
  const scaled = find([step([weight, number], place), step([place, data], output)]);
  expect(scaled.preparations).toMatchObject([{ inputs: [0, 3], steps: [0] }]);
});

test("memory that a later kernel writes is not kept, nor what was made of it", () => {
  const [reused, packed] = [storage("arena"), storage("arena")];
  const { preparations } = find([
    step([weight], reused),
    step([reused], packed),
    step([data, packed], output),
    step([data], reused),
    step([reused], output),
  ]);
  expect(preparations).toEqual([]);
});

test("a result that a preparation overwrites after others have read it is not kept", () => {
  const place = storage("arena");
  const overwritten = find([
    step([weight], place),
    step([data, place], output),
    step([other], place),
    step([data, place], output),
  ]);
  expect(overwritten.preparations).toEqual([]);
  const before = find([step([weight], place), step([other], place), step([data, place], output)]);
  expect(before.preparations).toMatchObject([{ steps: [0, 1] }]);
});

test("equal work has equal keys, wherever it stands in a program; other kernels have others", () => {
  const make = (source: Storage) => {
    const place = storage("arena");
    return find([step([source], place), step([place, data], output)]).preparations[0].key;
  };
  expect(make(weight)).toBe(make(other));
  const place = storage("arena");
  expect(find([step([weight, other], place), step([place, data], output)]).preparations[0].key).not.toBe(make(weight));
});
