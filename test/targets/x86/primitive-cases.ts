import type { BinaryIntOp, BinaryVectorOp, HorizontalOp, Kernel, UnaryVectorOp } from "../../../src/kernel/ir.ts";

import { standard } from "./standard-kernel.ts";

/** Input type and result type of every two-input primitive. */
export const binaryTypes: { readonly [Name in BinaryVectorOp]: "ff" | "fi" | "ii" } = {
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
export const binaryCase = (name: BinaryVectorOp): Kernel =>
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

export const unaryCases: { readonly [Name in UnaryVectorOp]: "ff" | "if" | "fi" } = {
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
export const horizontalCases: { readonly [Name in HorizontalOp]: "f" | "i" } = {
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
export const intCases: { readonly [Name in BinaryIntOp]: readonly number[] } = {
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
