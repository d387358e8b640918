import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { CompileError } from "../../../src/errors.ts";
import { KernelBuilder } from "../../../src/kernel/builder.ts";
import { interpretKernel } from "../../../src/kernel/interpreter.ts";
import type {
  BinaryIntOp,
  BinaryVectorOp,
  HorizontalOp,
  Kernel,
  Statement,
  UnaryVectorOp,
  VectorRegister,
} from "../../../src/kernel/ir.ts";
import { printKernel } from "../../../src/kernel/printer.ts";
import { compileKernel } from "../../../src/targets/x86/codegen/compile-kernel.ts";
import { kernelBuffers, randomKernel } from "./random-kernel.ts";
import { featureName, runNative, testFeatures } from "./run-code.ts";

const isNaNWord = (word: number) => (word & 0x7fffffff) > 0x7f800000;

/** Bit equality; two NaNs in a buffer of floats are equal (which input's payload survives is open). */
function firstDifference(expected: Uint8Array, actual: Uint8Array, floats: boolean): string | undefined {
  const left = new Int32Array(expected.buffer, expected.byteOffset, expected.length >> 2);
  const right = new Int32Array(actual.slice().buffer, 0, actual.length >> 2);
  for (let word = 0; word < left.length; word++) {
    if (left[word] === right[word] || (floats && isNaNWord(left[word]) && isNaNWord(right[word]))) continue;
    return `word ${word}: expected ${left[word].toString(16)}, got ${right[word].toString(16)}`;
  }
  return undefined;
}

/** Runs a kernel of the six standard buffers on the interpreter and as machine code. */
function agree(kernel: Kernel, tasks: readonly number[] = [0]): void {
  const expected = kernelBuffers();
  for (const task of tasks) interpretKernel(kernel, { arguments: expected, task });
  for (const features of testFeatures) {
    const actual = runNative(kernel, features, kernelBuffers(), tasks);
    expected.forEach((buffer, index) => {
      const difference = firstDifference(buffer, actual[index], index === 3);
      if (difference !== undefined)
        throw new Error(
          `${featureName(features)}, argument ${index}: ${difference}\n${printKernel(kernel)}\n${
            compileKernel(kernel, features, { listing: true }).listing
          }`,
        );
    });
  }
}

/** A kernel over the six standard buffers: inputs 0 f32, 1 i32, 2 u8; outputs 3 f32, 4 i32, 5 u8. */
function standard(name: string, write: (k: KernelBuilder, a: ReturnType<KernelBuilder["argument"]>[]) => void): Kernel {
  const k = new KernelBuilder(name, 6);
  write(
    k,
    [0, 1, 2, 3, 4, 5].map((index) => k.argument(index)),
  );
  return k.build();
}

/** Input type and result type of every two-input primitive. */
const binaryTypes: { readonly [Name in BinaryVectorOp]: "ff" | "fi" | "ii" } = {
  fadd: "ff",
  fsub: "ff",
  fmul: "ff",
  fdiv: "ff",
  fmin: "ff",
  fmax: "ff",
  flt: "fi",
  fle: "fi",
  feq: "fi",
  fne: "fi",
  iadd: "ii",
  isub: "ii",
  imul: "ii",
  imin: "ii",
  imax: "ii",
  ilt: "ii",
  ieq: "ii",
  and: "ii",
  or: "ii",
  xor: "ii",
  andnot: "ii",
  shl: "ii",
  shrl: "ii",
  shra: "ii",
};

/** A primitive on values that come from memory operands, registers and broadcasts. */
const binaryCase = (name: BinaryVectorOp): Kernel =>
  standard(name, (k, a) => {
    const types = binaryTypes[name];
    const [input, type] = types[0] === "f" ? ([a[0], "f32"] as const) : ([a[1], "i32"] as const);
    const output = types[1] === "f" ? a[3] : a[4];
    const held = k.load(k.at(input, 4), type);
    k.loop(0, 20, 1, (i) => {
      const offset = k.mul(i, 64);
      const other = () => k.load(k.at(input, offset, 1, 128), type);
      k.store(k.binary(name, held, other()), k.at(output, offset, 1), type);
      k.store(k.binary(name, other(), held), k.at(output, offset, 1, 2048), type);
      k.store(k.binary(name, other(), k.load(k.at(input, offset, 1), type)), k.at(output, offset, 1, 4096), type);
      const uniform = k.broadcast(k.at(input, i, 4), type);
      k.store(k.binary(name, uniform, other()), k.at(output, offset, 1, 6144), type);
    });
  });

const unaryCases: { readonly [Name in UnaryVectorOp]: "ff" | "if" | "fi" } = {
  fsqrt: "ff",
  ffloor: "ff",
  fceil: "ff",
  froundeven: "ff",
  ftrunc: "ff",
  itof: "if",
  ftoi: "fi",
  ftoiround: "fi",
  move: "ff",
};
const horizontalCases: { readonly [Name in HorizontalOp]: "f" | "i" } = {
  fadd: "f",
  fmul: "f",
  fmin: "f",
  fmax: "f",
  imin: "i",
  imax: "i",
  iadd: "i",
  and: "i",
  or: "i",
};
const intCases: { readonly [Name in BinaryIntOp]: readonly number[] } = {
  add: [0, 1, -5, 2 ** 40],
  sub: [0, 1, -5, -(2 ** 31)],
  mul: [0, 1, 3, 8, 9, -7, 2 ** 33],
  and: [0, 255, -16],
  or: [1, 2 ** 35],
  xor: [-1, 77],
  shl: [0, 1, 3, 17, 63],
  shr: [0, 1, 63],
  sar: [0, 1, 63],
  min: [0, -3, 1000],
  max: [0, -3, 1000],
  div: [1, 2, 64, 7, 1000],
  rem: [1, 2, 64, 7, 1000],
};

const strip = (k: KernelBuilder, body: (offset: ReturnType<KernelBuilder["int"]>) => void) => k.loop(0, 1024, 64, body);

/** One or more kernels for every statement of the IR. */
const statementCases: { readonly [Name in Statement["op"]]: () => Kernel[] } = {
  intConstant: () =>
    [0, 1, -1, 2 ** 31, -(2 ** 31) - 1, 2 ** 32 - 1, 2 ** 52].map((value) =>
      standard("intConstant", (k, a) => {
        const variable = k.intConstant(1);
        k.intConstant(value, variable);
        k.intStore(k.intConstant(value), k.at(a[4]), "i64");
        k.intStore(variable, k.at(a[4], 8), "i64");
        k.intStore(k.add(k.task(), value), k.at(a[4], 16), "i64");
      }),
    ),
  argument: () => [
    standard("argument", (k, a) => k.store(k.load(k.at(k.argument(0))), k.at(a[3]))),
    // No argument but one is used.
    standard("one", (k, a) => k.intStore(k.task(), k.at(a[4]))),
  ],
  task: () => [standard("task", (k, a) => k.intStore(k.task(), k.at(a[4], k.task(), 8, 64), "i64"))],
  scratch: () => [
    standard("scratch", (k, a) => {
      const first = k.scratch(100);
      const second = k.scratch(64);
      k.store(k.load(k.at(a[0])), k.at(second));
      k.store(k.load(k.at(a[0], 64)), k.at(first));
      k.store(k.load(k.at(second)), k.at(a[3]));
    }),
  ],
  intMove: () => [
    standard("intMove", (k, a) => {
      const x = k.intMove(k.task());
      const y = k.intConstant(9);
      k.loop(0, 3, 1, (i) => {
        const old = k.intMove(y);
        k.intMove(i, y);
        k.add(x, old, x);
      });
      k.intStore(x, k.at(a[4]), "i64");
      k.intStore(y, k.at(a[4], 8), "i64");
    }),
  ],
  intBinary: () =>
    (Object.keys(intCases) as BinaryIntOp[]).map((name) =>
      standard(name, (k, a) => {
        let offset = 0;
        k.loop(0, 3, 1, (turn) => {
          for (const right of intCases[name]) {
            for (const left of [k.task(), k.intLoad(k.at(a[1], turn, 8, 64), "i64"), k.intLoad(k.at(a[1], 4))]) {
              const positive = left;
              k.intStore(k.intBinary(name, positive, right), k.at(a[4], turn, 8, offset), "i64");
              const register = k.intBinary("or", k.intConstant(right), k.intBinary("and", turn, 0));
              k.intStore(k.intBinary(name, left, register), k.at(a[4], turn, 8, offset + 24), "i64");
              const variable = k.intMove(left);
              k.intBinary(name, variable, register, variable);
              const other = k.intMove(register);
              k.intBinary(name, left, other, other);
              k.intStore(variable, k.at(a[4], turn, 8, offset + 48), "i64");
              k.intStore(other, k.at(a[4], turn, 8, offset + 72), "i64");
              offset += 96;
            }
          }
        });
      }),
    ),
  address: () => [
    standard("address", (k, a) => {
      k.loop(0, 4, 1, (i) => {
        const row = k.address(k.at(a[0], k.intBinary("shl", i, 6), 1, 64));
        const next = k.add(k.add(row, 64), k.mul(i, 4));
        const scaled = k.mul(i, 8);
        k.store(k.load(k.at(next, 4)), k.at(a[3], scaled, 8));
        k.store(k.load(k.at(row, i, 8, 12)), k.at(a[3], k.add(i, 5), 8, 1024));
      });
    }),
    standard("pointers", (k, a) => {
      const pointer = k.intMove(a[0]);
      const before = k.add(pointer, 32);
      k.loop(0, 5, 1, () => {
        k.store(k.binary("fadd", k.load(k.at(pointer)), k.load(k.at(before))), k.at(a[3]));
        k.add(pointer, 60, pointer);
      });
      k.store(k.load(k.at(pointer)), k.at(a[3], 64));
    }),
  ],
  intLoad: () => [
    standard("intLoad", (k, a) => {
      (["i32", "u8", "i64"] as const).forEach((type, index) => {
        for (let i = 0; i < 8; i++)
          k.intStore(k.intLoad(k.at(a[1], i * 8), type), k.at(a[4], index * 64 + i * 8), "i64");
      });
    }),
  ],
  intStore: () => [
    standard("intStore", (k, a) => {
      const values = Array.from({ length: 12 }, (_, i) => k.intLoad(k.at(a[1], i * 8), "i64"));
      (["i32", "u8", "i64"] as const).forEach((type, index) => {
        values.forEach((value, i) => {
          k.intStore(value, k.at(a[4], index * 128 + i * 8), type);
        });
      });
    }),
  ],
  vectorConstant: () => [
    standard("vectorConstant", (k, a) => {
      [0, -0, 1, Number.NaN, 0.1, 1e-45].forEach((value, i) => {
        k.store(k.constant(value), k.at(a[3], i * 64));
      });
      [0, -1, 2 ** 31, 2 ** 32 - 1, -7].forEach((value, i) => {
        k.store(k.constant(value, "i32"), k.at(a[4], i * 64), "i32");
      });
      const variable = k.constant(2);
      k.loop(0, 3, 1, () => {
        k.fma(variable, variable, k.constant(0.5));
        k.fma(variable, variable, k.constant(0.5));
      });
      k.store(variable, k.at(a[3], 1024));
    }),
  ],
  laneIndex: () => [
    standard("laneIndex", (k, a) => {
      k.loop(0, 5, 1, (i) => {
        k.store(k.binary("iadd", k.laneIndex(), k.splatInt(i)), k.at(a[4], k.mul(i, 64), 1), "i32");
      });
    }),
  ],
  splatInt: () => [
    standard("splatInt", (k, a) => {
      k.store(k.splatInt(k.intConstant(2 ** 31 + 5)), k.at(a[4]), "i32");
      k.store(k.splatInt(k.intLoad(k.at(a[1], 8), "i64")), k.at(a[4], 64), "i32");
      k.store(k.splatInt(k.task()), k.at(a[4], 128), "i32");
    }),
  ],
  broadcastLoad: () => [
    standard("broadcastLoad", (k, a) => {
      strip(k, (offset) => {
        const x = k.load(k.at(a[0], offset, 1));
        k.store(k.binary("fmul", x, k.broadcast(k.at(a[0], offset, 1, 4))), k.at(a[3], offset, 1));
        k.store(k.broadcast(k.at(a[1], offset, 1), "i32"), k.at(a[4], offset, 1), "i32");
        k.store(k.broadcast(k.at(a[2], offset, 1), "u8"), k.at(a[4], offset, 1, 2048), "i32");
        k.store(
          k.binary("fsub", k.broadcast(k.at(a[0], offset, 1, 8)), k.broadcast(k.at(a[0], 12))),
          k.at(a[3], offset, 1, 2048),
        );
      });
    }),
  ],
  load: () =>
    Array.from({ length: 16 }, (_, i) =>
      standard(`load${i + 1}`, (k, a) => {
        const lanes = i + 1;
        // The last lanes end where the buffer does.
        k.store(k.load(k.at(a[0], 2048 - lanes * 4), "f32", { lanes }), k.at(a[3]));
        k.store(k.load(k.at(a[1], 2048 - lanes * 4), "i32", { lanes }), k.at(a[4]), "i32");
        k.store(k.load(k.at(a[2], 2048 - lanes), "u8", { lanes }), k.at(a[4], 64), "i32");
        const mask = k.binary("ilt", k.laneIndex(), k.constant(lanes, "i32"));
        k.store(k.load(k.at(a[0], 2048 - lanes * 4), "f32", { mask }), k.at(a[3], 64));
        k.store(k.load(k.at(a[2], 2048 - lanes), "u8", { mask }), k.at(a[4], 128), "i32");
        const odd = k.binary("ieq", k.binary("and", k.laneIndex(), k.constant(1, "i32")), k.constant(0, "i32"));
        const both = k.binary("and", odd, mask);
        k.store(k.load(k.at(a[1], 2048 - lanes * 4), "i32", { mask: both }), k.at(a[4], 192), "i32");
      }),
    ),
  store: () =>
    Array.from({ length: 16 }, (_, i) =>
      standard(`store${i + 1}`, (k, a) => {
        const lanes = i + 1;
        const [x, y] = [k.load(k.at(a[0], 64)), k.load(k.at(a[1], 64), "i32")];
        const mask = k.binary("ilt", k.laneIndex(), k.constant(lanes, "i32"));
        k.store(x, k.at(a[3], 8192 - lanes * 4), "f32", { lanes });
        k.store(y, k.at(a[4], 8192 - lanes * 4), "i32", { mask });
        k.store(y, k.at(a[5], 8192 - lanes), "u8", { lanes });
        k.store(y, k.at(a[5], 4096 - lanes), "u8", { mask });
        k.store(x, k.at(a[3]), "f32", { streaming: true });
        k.store(y, k.at(a[5]), "u8");
        // Stored over, then loaded: the order must hold.
        const before = k.load(k.at(a[3], 60));
        k.store(x, k.at(a[3], 100));
        k.store(before, k.at(a[3], 256));
      }),
    ),
  gather: () =>
    [1, 3, 8, 9, 16].map((lanes) =>
      standard("gather", (k, a) => {
        const indices = k.binary("and", k.load(k.at(a[1]), "i32"), k.constant(127, "i32"));
        const mask = k.binary("ilt", k.constant(40, "i32"), indices);
        k.store(k.gather(a[0], indices, 4, 16, "f32", { lanes }), k.at(a[3]));
        k.store(k.gather(a[1], indices, 8, 0, "i32", { mask }), k.at(a[4]), "i32");
        k.store(k.gather(a[2], indices, 2, 1, "u8", { lanes }), k.at(a[4], 64), "i32");
        k.store(k.gather(a[2], indices, 1, 0, "u8", { mask }), k.at(a[4], 128), "i32");
        const negative = k.binary("isub", k.constant(0, "i32"), indices);
        k.store(k.gather(k.add(a[0], 1024), negative, 4, 0), k.at(a[3], 64));
        k.emit({ op: "gather", target: indices, base: a[1], indices, scale: 4, displacement: 0, type: "i32" });
        k.store(indices, k.at(a[4], 192), "i32");
      }),
    ),
  fma: () => [
    standard("fma", (k, a) => {
      const x = k.load(k.at(a[0], 64));
      const sum = k.constant(0);
      strip(k, (offset) => {
        k.fma(sum, x, k.load(k.at(a[0], offset, 1)));
        k.fma(sum, k.load(k.at(a[0], offset, 1, 32)), x);
        k.fma(sum, k.broadcast(k.at(a[0], offset, 1, 4)), k.load(k.at(a[0], offset, 1, 16)));
        k.store(sum, k.at(a[3], offset, 1));
        // Horner: the addend is a copy, the factor dies.
        let p = k.constant(0.25);
        for (const c of [1.5, -2, 3]) {
          const next = k.constant(c);
          k.fma(next, p, x);
          p = next;
        }
        k.fma(p, p, p);
        k.store(p, k.at(a[3], offset, 1, 2048));
      });
    }),
  ],
  fnma: () => [
    standard("fnma", (k, a) => {
      strip(k, (offset) => {
        const y = k.load(k.at(a[0], offset, 1));
        const x = k.unary("move", y);
        k.fnma(x, y, k.load(k.at(a[0], offset, 1, 8)));
        k.fnma(x, x, y);
        k.store(x, k.at(a[3], offset, 1));
      });
    }),
  ],
  vectorBinary: () => (Object.keys(binaryTypes) as BinaryVectorOp[]).map(binaryCase),
  shiftConstant: () =>
    (["shl", "shrl", "shra"] as const).map((name) =>
      standard(name, (k, a) => {
        [0, 1, 15, 31].forEach((count, i) => {
          k.store(k.shift(name, k.load(k.at(a[1]), "i32"), count), k.at(a[4], i * 64), "i32");
        });
      }),
    ),
  vectorUnary: () =>
    (Object.keys(unaryCases) as UnaryVectorOp[]).map((name) =>
      standard(name, (k, a) => {
        const [from, to] = unaryCases[name];
        const [inType, outType] = [from === "f" ? "f32" : "i32", to === "f" ? "f32" : "i32"] as const;
        strip(k, (offset) => {
          const x = k.load(k.at(a[from === "f" ? 0 : 1], offset, 1), inType);
          k.store(k.unary(name, x), k.at(a[to === "f" ? 3 : 4], offset, 1), outType);
        });
      }),
    ),
  select: () => [
    standard("select", (k, a) => {
      strip(k, (offset) => {
        const [x, y] = [k.load(k.at(a[0], offset, 1)), k.load(k.at(a[0], offset, 1, 64))];
        const mask = k.binary("flt", x, y);
        const zero = k.constant(0);
        const loaded = () => k.load(k.at(a[0], offset, 1, 32));
        const results = [
          k.select(mask, x, y),
          k.select(mask, x, zero),
          k.select(mask, zero, y),
          k.select(mask, loaded(), y),
          k.select(mask, loaded(), zero),
          k.select(mask, k.broadcast(k.at(a[0], offset, 1)), zero),
          k.select(mask, y, y),
          k.binary("and", mask, x),
          k.binary("andnot", mask, x),
        ];
        results.forEach((result, i) => {
          k.store(result, k.at(a[3], offset, 1, i * 512));
        });
        // A mask that is also used as a vector.
        k.store(mask, k.at(a[4], offset, 1), "i32");
      });
    }),
    standard("maskLogic", (k, a) => {
      strip(k, (offset) => {
        const [x, y] = [k.load(k.at(a[0], offset, 1)), k.load(k.at(a[1], offset, 1), "i32")];
        const low = k.binary("flt", x, k.constant(1));
        const even = k.binary("ieq", k.binary("and", y, k.constant(1, "i32")), k.constant(0, "i32"));
        const ones = k.constant(-1, "i32");
        let mask: VectorRegister = k.binary("xor", low, ones);
        for (const name of ["and", "or", "xor", "andnot"] as const)
          mask = k.binary(name, k.binary(name, even, low), mask);
        k.store(k.select(mask, y, ones), k.at(a[4], offset, 1), "i32");
      });
    }),
  ],
  horizontal: () =>
    (Object.keys(horizontalCases) as HorizontalOp[]).map((name) =>
      standard(name, (k, a) => {
        const float = horizontalCases[name] === "f";
        const [input, output, type] = float ? ([a[0], a[3], "f32"] as const) : ([a[1], a[4], "i32"] as const);
        strip(k, (offset) => {
          const whole = k.horizontal(name, k.load(k.at(input, offset, 1, 8), type));
          k.store(whole, k.at(output, offset, 1), type);
          k.store(k.horizontal(name, k.broadcast(k.at(input, offset, 1), type)), k.at(output, offset, 1, 2048), type);
        });
      }),
    ),
  transpose: () => [
    standard("transpose", (k, a) => {
      const rows = Array.from({ length: 16 }, (_, i) => k.load(k.at(a[0], i * 64)));
      k.transpose(rows);
      rows.forEach((row, i) => {
        k.store(row, k.at(a[3], i * 64));
      });
      k.transpose([...rows].reverse());
      rows.forEach((row, i) => {
        k.store(row, k.at(a[3], 1024 + i * 64));
      });
    }),
  ],
  prefetch: () => [
    standard("prefetch", (k, a) => {
      k.prefetch(k.at(a[0], 10 ** 9), 1);
      k.prefetch(k.at(a[0], k.task(), 8, 64), 2);
    }),
  ],
  loop: () =>
    (
      [
        [0, 0, 1],
        [0, 1, 1],
        [0, 5, 2],
        [3, 4, 10],
        [-4, 5, 3],
        [5, 2, 1],
      ] as const
    ).map(([start, end, step]) =>
      standard("loop", (k, a) => {
        const sum = k.intConstant(0);
        k.loop(start, end, step, (i) => {
          k.add(sum, i, sum);
          k.store(k.load(k.at(a[0], k.add(i, 8), 4)), k.at(a[3], i, 8, 128));
          // Registers in all three places; the counter unused in the innermost.
          k.loop(k.intConstant(start), k.add(k.task(), end), step, () => k.add(sum, 100, sum));
          k.loop(0, 3, 1, () => k.add(sum, 10000, sum));
          k.loop(k.task(), i, 1, (j) => k.add(sum, j, sum));
        });
        k.intStore(sum, k.at(a[4]), "i64");
      }),
    ),
  while: () => [
    standard("while", (k, a) => {
      const n = k.intBinary("add", k.task(), 5);
      const x = k.load(k.at(a[0], 64));
      k.while(k.compare("gt", n, 0), () => {
        k.binary("fadd", x, x, x);
        k.add(n, -1, n);
      });
      k.store(x, k.at(a[3]));
      const count = k.laneIndex();
      const limit = k.constant(5, "i32");
      const lanes = k.unary("move", count);
      const mask = k.binary("ilt", lanes, limit);
      k.while({ kind: "anyLane", mask }, () => {
        k.binary("iadd", lanes, k.constant(1, "i32"), lanes);
        k.binary("ilt", lanes, limit, mask);
      });
      k.store(lanes, k.at(a[4]), "i32");
    }),
  ],
  if: () =>
    (["lt", "le", "gt", "ge", "eq", "ne"] as const).map((comparison) =>
      standard(comparison, (k, a) => {
        k.loop(-2, 3, 1, (i) => {
          const result = k.constant(1, "i32");
          k.if(
            k.compare(comparison, i, 0),
            () => k.constant(2, "i32", result),
            () => k.if(k.compare(comparison, i, k.task()), () => k.binary("iadd", result, result, result)),
          );
          k.store(result, k.at(a[4], k.mul(i, 64), 1, 128), "i32");
        });
        k.loop(4, 5, 1, (i) =>
          k.if(
            k.compare(comparison, i, 4),
            () => k.store(k.constant(4), k.at(a[3])),
            () => k.store(k.constant(5), k.at(a[3])),
          ),
        );
      }),
    ),
};

describe("every statement", () => {
  for (const name of Object.keys(statementCases) as Statement["op"][])
    it(name, () => {
      for (const kernel of statementCases[name]()) agree(kernel, [0, 3]);
    });
});

describe("registers", () => {
  it("spills in nested loops", () => {
    agree(
      standard("pressure", (k, a) => {
        const sums = Array.from({ length: 40 }, (_, i) => k.load(k.at(a[0], i * 32)));
        const ints = Array.from({ length: 24 }, (_, i) => k.intLoad(k.at(a[1], i * 8), "i64"));
        k.loop(0, 3, 1, (i) => {
          k.loop(0, 4, 1, (j) => {
            sums.forEach((sum, index) => {
              k.fma(sum, k.constant(index * 0.25), k.broadcast(k.at(a[0], j, 4, index * 4)));
            });
            ints.forEach((value, index) => {
              k.add(value, index % 2 === 0 ? i : j, value);
            });
          });
          sums.forEach((sum, index) => {
            k.fma(sum, sums[(index + 7) % 40], sums[(index + 3) % 40]);
          });
          ints.forEach((value, index) => {
            k.intBinary("min", ints[(index + 5) % 24], value, value);
          });
        });
        sums.forEach((sum, index) => {
          k.store(sum, k.at(a[3], index * 64));
        });
        ints.forEach((value, index) => {
          k.intStore(value, k.at(a[4], index * 8), "i64");
        });
        // More masks at once than there are mask registers.
        const x = k.load(k.at(a[1]), "i32");
        const masks = Array.from({ length: 12 }, (_, i) => k.binary("ilt", x, k.constant(i - 3, "i32")));
        masks.forEach((mask, i) => {
          k.store(k.select(mask, x, k.constant(i, "i32")), k.at(a[4], 2048 + i * 64), "i32");
        });
        masks.forEach((mask, i) => {
          k.store(x, k.at(a[4], 4096 + i * 64), "i32", { mask });
        });
      }),
    );
  });

  /** The register tile of a matrix product: rows × vectors accumulators. */
  const tile = (rows: number, vectors: number) =>
    standard("tile", (k, a) => {
      const [weights, input] = [k.intMove(a[0]), k.intMove(a[0])];
      const sums = Array.from({ length: rows * vectors }, () => k.constant(0));
      k.loop(0, 4, 1, () => {
        for (let unroll = 0; unroll < 2; unroll++) {
          const w = Array.from({ length: vectors }, (_, v) => k.load(k.at(weights, unroll * 64 * vectors + v * 64)));
          for (let row = 0; row < rows; row++) {
            const x = k.broadcast(k.at(input, row * 32 + unroll * 4));
            for (let v = 0; v < vectors; v++) k.fma(sums[row * vectors + v], x, w[v]);
          }
        }
        k.add(weights, 128 * vectors, weights);
        k.add(input, 8, input);
      });
      sums.forEach((sum, i) => {
        k.store(k.binary("fmax", sum, k.constant(0)), k.at(a[3], i * 64));
      });
    });
  it("holds the tiles of contractions without spilling", () => {
    for (const [features, rows, vectors] of [
      [{ avx512: true }, 14, 2],
      [{ avx512: true }, 9, 3],
      [{ avx512: true }, 28, 1],
      [{ avx512: false }, 6, 1],
    ] as const)
      expect(compileKernel(tile(rows, vectors), features).frameBytes, `${rows} x ${vectors}`).toBe(0);
    agree(tile(14, 2));
    agree(tile(6, 1));
  });
});

describe("code", () => {
  it("drops the upper half where only the lower lanes are stored", () => {
    const kernel = standard("half", (k, a) => {
      const sum = k.constant(0);
      k.loop(0, 8, 1, (i) => k.fma(sum, k.load(k.at(a[0], i, 4)), k.load(k.at(a[0], i, 8))));
      k.store(sum, k.at(a[3]), "f32", { lanes: 8 });
    });
    const { listing } = compileKernel(kernel, { avx512: false }, { listing: true });
    expect(listing.match(/vfmadd/g)).toHaveLength(1);
    agree(kernel);
  });
  it("is small for a simple loop", () => {
    const kernel = standard("scale", (k, a) => {
      const two = k.constant(2);
      k.loop(0, 512, 16, (i) => k.store(k.binary("fmul", k.load(k.at(a[0], i, 4)), two), k.at(a[3], i, 4)));
    });
    expect(compileKernel(kernel, { avx512: true }, { listing: true }).listing).toMatchInlineSnapshot(`
      "  mov rax, qword ptr [rdi]
        mov rcx, qword ptr [rdi+24]
        vbroadcastss zmm0, dword ptr [rip+C0]
        xor edx, edx
        .p2align 5
      L1:
        vmulps zmm1, zmm0, zmmword ptr [rax+rdx*4]
        vmovups zmmword ptr [rcx+rdx*4], zmm1
        add rdx, 16
        cmp rdx, 512
        jl L1
        vzeroupper
        ret
      C0: .byte 0, 0, 0, 64"
    `);
  });
  it("refuses a kernel that breaks the rules, with the kernel printed", () => {
    const k = new KernelBuilder("bad", 0);
    k.unary("move", k.vector());
    expect(() => compileKernel(k.build(), { avx512: false })).toThrowError(CompileError);
  });
});

describe("random kernels", () => {
  it("compute the same on the interpreter and as machine code", () => {
    fc.assert(
      fc.property(fc.array(fc.nat(1 << 20), { minLength: 40, maxLength: 900, size: "max" }), (decisions) => {
        agree(randomKernel(decisions), [0, 9]);
      }),
      { numRuns: Number(process.env.TRIVIUM_FUZZ_RUNS ?? 60) },
    );
  });
});
