import { describe, expect, it } from "vitest";
import { CompileError, InternalError } from "../../src/errors.ts";
import { KernelBuilder } from "../../src/kernel/builder.ts";
import { interpretKernel } from "../../src/kernel/interpreter.ts";
import type { Kernel } from "../../src/kernel/ir.ts";
import { kernelKey } from "../../src/kernel/key.ts";
import { fromBits, fusedMultiplyAdd, roundEven, toBits } from "../../src/kernel/lane-arithmetic.ts";
import { printKernel } from "../../src/kernel/printer.ts";
import { verifyKernel } from "../../src/kernel/verifier.ts";

function scaleKernel(firstIds = 0, name = "scale"): Kernel {
  const k = new KernelBuilder(name, 2);
  for (let i = 0; i < firstIds; i++) k.int();
  const x = k.argument(0);
  const y = k.argument(1);
  const two = k.constant(2);
  k.loop(0, 32, 16, (i) => {
    k.if(
      k.compare("lt", i, 16),
      () => k.store(k.binary("fmul", k.load(k.at(x, i, 4)), two), k.at(y, i, 4)),
      () => k.store(two, k.at(y, i, 4, 8), "f32", { lanes: 3 }),
    );
  });
  return k.build();
}

describe("printer", () => {
  it("prints readable text", () => {
    expect(printKernel(scaleKernel())).toMatchInlineSnapshot(`
      "kernel scale (arguments 2, scratch 0)
        i0 = argument 0
        i1 = argument 1
        v0 = constant.f32 2
        for i2 = 0 to 32 step 16
          if i2 < 16
            v1 = load.f32 [i0 + i2*4]
            v2 = fmul v1, v0
            store.f32 [i1 + i2*4], v2
          else
            store.f32 [i1 + i2*4 + 8], v0 lanes 3
      "
    `);
  });
  it("gives the same key to the same structure, whatever names and register ids", () => {
    expect(kernelKey(scaleKernel(7, "other"))).toBe(kernelKey(scaleKernel()));
  });
  it("tells -0 from 0", () => {
    const constantKernel = (value: number) => {
      const k = new KernelBuilder("c", 0);
      k.constant(value);
      return kernelKey(k.build());
    };
    expect(constantKernel(-0)).not.toBe(constantKernel(0));
  });
});

describe("verifier", () => {
  const fails = (message: RegExp, write: (k: KernelBuilder) => void) => {
    const k = new KernelBuilder("bad", 1);
    write(k);
    expect(() => verifyKernel(k.build())).toThrowError(message);
    expect(() => verifyKernel(k.build())).toThrowError(CompileError);
  };
  it("accepts a good kernel", () => verifyKernel(scaleKernel()));
  it("marks the line", () => {
    const k = new KernelBuilder("bad", 0);
    const v = k.vector();
    k.unary("move", v);
    expect(() => verifyKernel(k.build())).toThrowErrorMatchingInlineSnapshot(`
      [CompileError: kernel bad: vectorUnary: vector register 0 is used before it is assigned
      kernel bad (arguments 0, scratch 0)
      > v0 = move v1
      ]
    `);
  });
  it("knows that a loop may not run", () => {
    fails(/used before it is assigned/, (k) => {
      const v = k.vector();
      const n = k.task();
      k.loop(0, n, 1, () => k.constant(1, "f32", v));
      k.store(v, k.at(k.argument(0)));
    });
    const k = new KernelBuilder("good", 1);
    const v = k.vector();
    k.loop(0, 4, 1, () => k.constant(1, "f32", v));
    k.store(v, k.at(k.argument(0)));
    verifyKernel(k.build());
  });
  it("refuses a register that only the previous turn assigned", () =>
    fails(/used before it is assigned/, (k) => {
      const v = k.vector();
      k.loop(0, 4, 1, () => {
        k.store(v, k.at(k.argument(0)));
        k.constant(1, "f32", v);
      });
    }));
  it("joins the branches of an if", () => {
    fails(/used before it is assigned/, (k) => {
      const v = k.vector();
      k.if(k.compare("eq", k.task(), 0), () => k.constant(1, "f32", v));
      k.store(v, k.at(k.argument(0)));
    });
    const k = new KernelBuilder("good", 1);
    const v = k.vector();
    k.if(
      k.compare("eq", k.task(), 0),
      () => k.constant(1, "f32", v),
      () => k.constant(2, "f32", v),
    );
    k.store(v, k.at(k.argument(0)));
    verifyKernel(k.build());
  });
  it("keeps counters from being assigned or used after the loop", () => {
    fails(/assigns the counter/, (k) => k.loop(0, 4, 1, (i) => k.add(i, 1, i)));
    fails(/used before it is assigned/, (k) => {
      let counter = k.int();
      k.loop(0, 4, 1, (i) => {
        counter = i;
      });
      k.add(counter, 1);
    });
  });
  it("checks ranges", () => {
    fails(/lanes 17/, (k) => k.load(k.at(k.argument(0)), "f32", { lanes: 17 }));
    fails(/either lanes or a mask/, (k) => k.load(k.at(k.argument(0)), "f32", { lanes: 3, mask: k.laneIndex() }));
    fails(/displacement/, (k) => k.load(k.at(k.argument(0), 2 ** 31)));
    fails(/16 distinct/, (k) => k.transpose(Array(16).fill(k.laneIndex())));
    fails(/step 0/, (k) => k.loop(0, 4, 0, () => {}));
    fails(/shift count/, (k) => k.shift("shl", k.laneIndex(), 32));
    fails(/index 1 of 1/, (k) => k.emit({ op: "argument", target: k.int(), index: 1 }));
    fails(/division by zero/, (k) => k.intBinary("div", k.task(), 0));
    fails(/safe integer/, (k) => k.intConstant(0.5));
  });
});

describe("lane arithmetic", () => {
  it("rounds a·b + c once", () => {
    const tiny = 2 ** -24;
    // 1 + 2^-24 + 2^-60 lies just above the tie: once rounded it goes up, rounded through f64 first it would fall to even.
    expect(fusedMultiplyAdd(1 + 2 ** -23, 1, tiny + 2 ** -48)).toBe(Math.fround(1 + 2 ** -22));
    expect(fusedMultiplyAdd(2 ** -30, 2 ** -30, 1 + 0)).toBe(1);
    expect(fusedMultiplyAdd(2 ** -75, 2 ** -75, 0)).toBe(2 ** -149 * 0);
    expect(Object.is(fusedMultiplyAdd(-0, 1, -0), -0)).toBe(true);
    expect(fusedMultiplyAdd(3e38, 10, 0)).toBe(Number.POSITIVE_INFINITY);
  });
  it("rounds ties to even", () => {
    expect([0.5, 1.5, 2.5, -0.5, -1.5, 0.4999].map(roundEven)).toEqual([0, 2, 2, -0, -2, 0]);
  });
  it("moves bits", () => expect(toBits(fromBits(0x3f800001))).toBe(0x3f800001));
});

describe("interpreter", () => {
  it("runs loops, branches and partial stores", () => {
    const x = Float32Array.from({ length: 32 }, (_, i) => i);
    const y = new Float32Array(32);
    interpretKernel(scaleKernel(), { arguments: [x, y] });
    expect([...y.subarray(0, 16)]).toEqual([...x.subarray(0, 16)].map((v) => 2 * v));
    expect([...y.subarray(16, 24)]).toEqual([0, 0, 2, 2, 2, 0, 0, 0]);
  });
  it("stops at the end of a buffer and names it", () => {
    expect(() =>
      interpretKernel(scaleKernel(), { arguments: [new Float32Array(8), new Float32Array(32)] }),
    ).toThrowError(/load: 4 bytes out of bounds \(argument 0, byte 32\)/);
    expect(() => interpretKernel(scaleKernel(), { arguments: [] })).toThrowError(InternalError);
  });
  it("keeps 64-bit integers exact", () => {
    const k = new KernelBuilder("wide", 1);
    const out = k.argument(0);
    const product = k.mul(k.intConstant(2 ** 40 + 1), 2 ** 30 + 3);
    k.intStore(product, k.at(out), "i64");
    k.intStore(k.intBinary("shr", product, 7), k.at(out, 8), "i64");
    const memory = new BigInt64Array(2);
    interpretKernel(k.build(), { arguments: [memory] });
    const expected = BigInt.asIntN(64, (2n ** 40n + 1n) * (2n ** 30n + 3n));
    expect([...memory]).toEqual([expected, BigInt.asUintN(64, expected) >> 7n]);
  });
  it("folds horizontally 8, 4, 2, 1", () => {
    const k = new KernelBuilder("sum", 2);
    k.store(k.horizontal("fadd", k.load(k.at(k.argument(0)))), k.at(k.argument(1)));
    const x = Float32Array.from({ length: 16 }, (_, i) => 1 / (i + 1));
    const y = new Float32Array(16);
    interpretKernel(k.build(), { arguments: [x, y] });
    let lanes = [...x];
    while (lanes.length > 1) {
      const half = lanes.length / 2;
      lanes = lanes.slice(0, half).map((v, i) => Math.fround(v + lanes[i + half]));
    }
    expect([...y]).toEqual(Array(16).fill(lanes[0]));
  });
});
