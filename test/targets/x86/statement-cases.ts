import type { KernelBuilder } from "../../../src/kernel/builder.ts";
import type {
  BinaryIntOp,
  BinaryVectorOp,
  HorizontalOp,
  Kernel,
  Statement,
  UnaryVectorOp,
  VectorRegister,
} from "../../../src/kernel/ir.ts";
import { binaryCase, binaryTypes, horizontalCases, intCases, unaryCases } from "./primitive-cases.ts";
import { standard } from "./standard-kernel.ts";

const strip = (k: KernelBuilder, body: (offset: ReturnType<KernelBuilder["int"]>) => void) => k.loop(0, 1024, 64, body);

/** One or more kernels for every statement of the IR. */
export const statementCases: { readonly [Name in Statement["op"]]: () => Kernel[] } = {
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
