/**
 * Random structured kernels for comparing targets. A kernel is a function of a list of numbers (decisions), so that a failing one shrinks to
 * a small one. All memory accesses stay inside the buffers of `kernelBuffers`.
 */
import { KernelBuilder } from "../../../src/kernel/builder.ts";
import type { Address, IntRegister, Kernel, VectorRegister } from "../../../src/kernel/ir.ts";

/** Arguments of a random kernel: f32 input, i32 input, u8 input, f32 output, i32 output, u8 output. */
const inputBytes = 2048;
const outputBytes = 8192;

const special = [0, -0, 1, -1, 0.5, 1.5, 2.5, -2.5, 1e-40, -1e-45, 3e38, -3e38, Number.POSITIVE_INFINITY, Number.NaN];

/** Fresh buffers with special and ordinary values. */
export function kernelBuffers(): Uint8Array[] {
  let state = 12345;
  const next = () => {
    state = (Math.imul(state, 1103515245) + 12345) >>> 0;
    return state / 2 ** 32;
  };
  const floats = Float32Array.from({ length: inputBytes / 4 }, () =>
    next() < 0.2 ? special[Math.floor(next() * special.length)] : (next() - 0.5) * 2 ** Math.floor(next() * 12 - 4),
  );
  const ints = Int32Array.from({ length: inputBytes / 4 }, () =>
    next() < 0.3 ? Math.floor(next() * 40) - 4 : Math.floor((next() - 0.5) * 2 ** 32),
  );
  const bytes = Uint8Array.from({ length: inputBytes }, () => Math.floor(next() * 256));
  return [
    new Uint8Array(floats.buffer),
    new Uint8Array(ints.buffer),
    bytes,
    ...[0, 1, 2].map(() => new Uint8Array(outputBytes).fill(7)),
  ];
}

type Kind = "float" | "int" | "mask";

class Generator {
  private readonly decisions: readonly number[];
  private at = 0;
  readonly k = new KernelBuilder("random", 6);
  private readonly inputs: IntRegister[];
  private readonly outputs: IntRegister[];
  private readonly pools: Record<Kind, VectorRegister[]> = { float: [], int: [], mask: [] };
  /** Integers of any value. */
  private readonly ints: IntRegister[] = [];
  /** Those that may be assigned again. */
  private readonly variables: IntRegister[] = [];
  /** Integers from 0 to 15. */
  private readonly small: IntRegister[] = [];

  constructor(decisions: readonly number[]) {
    this.decisions = decisions;
    const { k } = this;
    this.inputs = [k.argument(0), k.argument(1), k.argument(2)];
    this.outputs = [k.argument(3), k.argument(4), k.argument(5)];
    this.ints.push(k.task(), k.intConstant(-5));
    this.small.push(k.intConstant(3), k.intBinary("and", this.ints[0], 15));
    this.pools.float.push(k.constant(1.5), k.load(k.at(this.inputs[0], 64)));
    this.pools.int.push(k.laneIndex(), k.load(k.at(this.inputs[1], 128), "i32"));
    this.pools.mask.push(k.binary("flt", this.pools.float[0], this.pools.float[1]));
  }

  private next(limit: number): number {
    const value = this.at < this.decisions.length ? this.decisions[this.at++] : 0;
    return value % limit;
  }
  private pick<T>(items: readonly T[]): T {
    return items[this.next(items.length)];
  }
  private get done(): boolean {
    return this.at >= this.decisions.length;
  }

  kernel(): Kernel {
    this.block(0, 60);
    // Everything is live to the end.
    const { k, outputs } = this;
    let offset = 4096;
    for (const kind of ["float", "int", "mask"] as const)
      for (const register of this.pools[kind].slice(0, 20)) {
        k.store(register, k.at(outputs[kind === "float" ? 0 : 1], offset), kind === "float" ? "f32" : "i32");
        offset += 64;
      }
    for (const register of this.ints.slice(0, 24)) {
      k.intStore(register, k.at(outputs[1], offset), "i64");
      offset += 8;
    }
    return k.build();
  }

  private block(depth: number, limit: number): void {
    for (let i = 0; i < limit && !this.done; i++) {
      const kind = this.next(depth < 3 ? 24 : 21);
      if (kind < 14) this.vector();
      else if (kind < 18) this.integer();
      else if (kind < 21) this.memory();
      else this.structure(depth);
      if (this.next(12) === 0 && depth > 0) return;
    }
  }

  /** Runs a body whose new registers are forgotten. */
  private scoped(body: () => void): void {
    const lists = [this.pools.float, this.pools.int, this.pools.mask, this.ints, this.variables, this.small];
    const lengths = lists.map((list) => list.length);
    body();
    lists.forEach((list, index) => {
      list.length = lengths[index];
    });
  }

  private structure(depth: number): void {
    const { k } = this;
    const body = () => this.scoped(() => this.block(depth + 1, 8));
    const kind = this.next(5);
    if (kind <= 2) {
      const step = this.pick([1, 2, 3]);
      const start = this.next(3);
      const end = kind === 0 ? start + this.next(7) : this.pick(this.small);
      k.loop(start, end, step, (counter) =>
        this.scoped(() => {
          this.ints.push(counter);
          this.small.push(counter);
          this.block(depth + 1, 8);
        }),
      );
    } else if (kind === 3) {
      const condition =
        this.next(2) === 0
          ? k.compare(this.pick(["lt", "le", "gt", "ge", "eq", "ne"]), this.pick(this.ints), this.pick([0, 3, -7]))
          : ({ kind: "anyLane", mask: this.pick(this.pools.mask) } as const);
      k.if(condition, body, this.next(2) === 0 ? body : undefined);
    } else {
      const turns = k.intMove(this.pick(this.small), k.int());
      k.while(k.compare("gt", turns, 0), () => {
        k.add(turns, -1 - this.next(4), turns);
        body();
      });
    }
  }

  private address(buffer: IntRegister): Address {
    const { k } = this;
    const displacement = this.next(64) * 4;
    switch (this.next(3)) {
      case 0:
        return k.at(buffer, displacement);
      case 1:
        return k.at(buffer, this.pick(this.small), this.pick([1, 2, 4, 8]), displacement);
      default:
        return k.at(k.address(k.at(buffer, this.pick(this.small), 4, displacement)), this.next(16) * 4);
    }
  }

  private lanes(): { lanes?: number; mask?: VectorRegister } {
    const kind = this.next(4);
    return kind < 2 ? {} : kind === 2 ? { lanes: 1 + this.next(16) } : { mask: this.pick(this.pools.mask) };
  }

  /** A fresh register, or one that is assigned again. */
  private target(kind: Kind): VectorRegister {
    return this.next(3) === 0 ? this.pick(this.pools[kind]) : this.k.vector();
  }
  private keep(kind: Kind, register: VectorRegister): void {
    if (!this.pools[kind].includes(register)) this.pools[kind].push(register);
  }

  private vector(): void {
    const { k, pools } = this;
    const kind = this.pick(["float", "float", "float", "int", "int", "mask"] as const);
    const pool = pools[kind];
    const [a, b] = [this.pick(pool), this.pick(pool)];
    if (kind === "mask") {
      const target = this.target("mask");
      const choice = this.next(3);
      if (choice === 0)
        k.binary(this.pick(["flt", "fle", "feq", "fne"]), this.pick(pools.float), this.pick(pools.float), target);
      else if (choice === 1) k.binary(this.pick(["ilt", "ieq"]), this.pick(pools.int), this.pick(pools.int), target);
      else k.binary(this.pick(["and", "or", "xor", "andnot"]), a, b, target);
      this.keep("mask", target);
      return;
    }
    const target = this.target(kind);
    const choice = this.next(10);
    if (choice === 0) k.select(this.pick(pools.mask), a, b, target);
    else if (choice === 1) k.unary("move", a, target);
    else if (choice === 2) {
      const value = kind === "float" ? this.pick([0, 1, -2.5, Number.NaN, 0.1]) : this.pick([0, 1, -1, 7]);
      k.constant(value, kind === "float" ? "f32" : "i32", target);
    } else if (choice === 3) k.binary("and", this.pick(pools.mask), a, target);
    else if (kind === "float") this.float(target, a, b);
    else this.int(target, a, b);
    this.keep(kind, target);
  }

  private float(target: VectorRegister, a: VectorRegister, b: VectorRegister): void {
    const { k, pools } = this;
    switch (this.next(8)) {
      case 0:
      case 1:
        k.unary("move", this.pick(pools.float), target);
        if (this.next(4) === 0) k.fnma(target, a, b);
        else k.fma(target, a, b);
        return;
      case 2:
        k.unary(this.pick(["fsqrt", "ffloor", "fceil", "froundeven", "ftrunc"]), a, target);
        return;
      case 3:
        k.unary("itof", this.pick(pools.int), target);
        return;
      case 4:
        k.horizontal(this.pick(["fadd", "fmul", "fmin", "fmax"]), a, target);
        return;
      default:
        k.binary(this.pick(["fadd", "fsub", "fmul", "fdiv", "fmin", "fmax"]), a, b, target);
    }
  }

  private int(target: VectorRegister, a: VectorRegister, b: VectorRegister): void {
    const { k, pools } = this;
    switch (this.next(7)) {
      case 0:
        k.unary(this.pick(["ftoi", "ftoiround"]), this.pick(pools.float), target);
        return;
      case 1:
        k.shift(this.pick(["shl", "shrl", "shra"]), a, this.next(32), target);
        return;
      case 2:
        k.splatInt(this.pick(this.ints), target);
        return;
      case 3:
        k.horizontal(this.pick(["imin", "imax", "iadd", "and", "or"]), a, target);
        return;
      default:
        k.binary(
          this.pick(["iadd", "isub", "imul", "imin", "imax", "and", "or", "xor", "andnot", "shl", "shrl", "shra"]),
          a,
          b,
          target,
        );
    }
  }

  private integer(): void {
    const { k } = this;
    const name = this.pick(["add", "sub", "mul", "and", "or", "xor", "shl", "shr", "sar", "min", "max", "div", "rem"]);
    const right = this.next(2) === 0 ? this.pick(this.ints) : this.pick([1, 2, 8, 12, -3, 1000]);
    const shifts = name === "shl" || name === "shr" || name === "sar";
    const divides = name === "div" || name === "rem";
    const operand = shifts
      ? this.pick([1, 2, 3, this.pick(this.small)])
      : divides
        ? this.pick([8, 3, 7, k.intBinary("or", this.pick(this.small), 1)])
        : right;
    const target = this.next(3) === 0 && this.variables.length > 0 ? this.pick(this.variables) : k.int();
    k.intBinary(name as "add", this.pick(this.ints), operand, target);
    if (!this.ints.includes(target)) {
      this.ints.push(target);
      if (this.next(2) === 0) this.variables.push(target);
    }
    if (this.next(3) === 0) this.small.push(k.intBinary("and", target, 15));
  }

  private memory(): void {
    const { k, inputs, outputs, pools } = this;
    const kind = this.next(3);
    const type = (["f32", "i32", "u8"] as const)[kind];
    const vectors: Kind = kind === 0 ? "float" : "int";
    switch (this.next(6)) {
      case 0:
      case 1:
        this.keep(vectors, k.load(this.address(inputs[kind]), type, this.lanes(), this.target(vectors)));
        return;
      case 2:
        this.keep(vectors, k.broadcast(this.address(inputs[kind]), type, this.target(vectors)));
        return;
      case 3: {
        const indices = k.binary("and", this.pick(pools.int), k.constant(63, "i32"));
        const scale = this.pick([1, 2, 4] as const);
        this.pools[vectors].push(k.gather(inputs[kind], indices, scale, this.next(20) * 4, type, this.lanes()));
        return;
      }
      case 4:
        this.ints.push(k.intLoad(this.address(inputs[1]), this.pick(["i32", "u8", "i64"])));
        return;
      default: {
        const aligned = this.next(4) === 0 && kind < 2;
        const options = aligned ? { streaming: true } : this.lanes();
        const address = aligned ? k.at(outputs[kind], this.next(8) * 64) : this.address(outputs[kind]);
        k.store(this.pick(pools[vectors]), address, type, options);
        // Loads of what was stored: order must hold.
        if (this.next(2) === 0) this.pools[vectors].push(k.load(this.address(outputs[kind]), type));
        else if (this.next(3) === 0)
          k.intStore(this.pick(this.ints), this.address(outputs[1]), this.pick(["i32", "u8", "i64"]));
      }
    }
  }
}

export const randomKernel = (decisions: readonly number[]): Kernel => new Generator(decisions).kernel();
