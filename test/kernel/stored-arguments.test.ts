import { expect, test } from "vitest";
import { KernelBuilder } from "../../src/kernel/builder.ts";
import type { Kernel } from "../../src/kernel/ir.ts";
import { storedArguments } from "../../src/kernel/stored-arguments.ts";

function stored(emit: (k: KernelBuilder) => void): number[] {
  const k = new KernelBuilder("test", 4);
  emit(k);
  const kernel: Kernel = k.build();
  return [...storedArguments(kernel)].sort();
}

test("arguments that are read only are not among them", () => {
  const list = stored((k) => {
    const value = k.load(k.at(k.argument(0), 64));
    k.prefetch(k.at(k.argument(2)), 2);
    k.store(value, k.at(k.argument(1), 128));
  });
  expect(list).toEqual([1]);
});

test("an address is followed through moves, sums, loops and branches", () => {
  const list = stored((k) => {
    const pointer = k.intMove(k.argument(0));
    const value = k.constant(1);
    k.loop(0, 4, 1, (i) => {
      k.if(
        k.compare("lt", i, 2),
        () => k.store(value, k.at(pointer)),
        () => k.store(value, k.at(k.add(k.argument(1), k.mul(i, 64)))),
      );
      k.add(pointer, 64, pointer);
    });
    const start = k.argument(2);
    k.loop(start, k.add(start, 256), 64, (at) => k.store(value, k.at(at)));
    k.load(k.at(k.argument(3)));
  });
  expect(list).toEqual([0, 1, 2]);
});

test("a register that may hold either of two addresses counts for both, whatever the order of statements", () => {
  const list = stored((k) => {
    const pointer = k.intMove(k.argument(0));
    const value = k.constant(1);
    k.loop(0, 2, 1, () => {
      k.store(value, k.at(pointer));
      k.intMove(k.argument(1), pointer);
    });
  });
  expect(list).toEqual([0, 1]);
});

test("an address that went through memory is not lost", () => {
  const list = stored((k) => {
    const table = k.scratch(64);
    k.intStore(k.argument(0), k.at(table), "i64");
    const back = k.intLoad(k.at(table), "i64");
    k.store(k.constant(1), k.at(back));
    k.load(k.at(k.argument(1)));
  });
  expect(list).toEqual([0]);
});
