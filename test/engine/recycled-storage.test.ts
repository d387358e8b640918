import { expect, it } from "vitest";
import { RecycledStorage } from "../../src/engine/recycled-storage.ts";

const storage = (bytes: number) => ({ buffer: new ArrayBuffer(bytes), byteOffset: 0 });
const large = 64 * 1024;

it("gives storage of the very size, once", () => {
  const recycled = new RecycledStorage();
  const value = storage(large);
  recycled.give(value, large);
  recycled.give(storage(100), 100);
  expect(recycled.bytes).toBe(large + 100);
  expect(recycled.take(2 * large)).toBeUndefined();
  expect(recycled.take(large)).toBe(value);
  expect(recycled.take(large)).toBeUndefined();
  expect(recycled.bytes).toBe(100);
});

it("forgets the sizes of a model that is no longer trained", () => {
  const recycled = new RecycledStorage();
  recycled.give(storage(2 * large), 2 * large);
  const value = storage(large);
  for (let i = 0; i < 12_000; i++) {
    recycled.give(value, large);
    recycled.take(large);
  }
  expect(recycled.bytes).toBe(0);
});
