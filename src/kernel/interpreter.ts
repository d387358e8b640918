import { InternalError, unreachable } from "../errors.ts";
import type { Address, BinaryIntOp, Condition, Instruction, IntOperand, IntRegister, Kernel, Statement } from "./ir.ts";
import { binaryLanes, fusedMultiplyAddBits, horizontalLanes, toBits, unaryLanes } from "./lane-arithmetic.ts";

/** What a kernel is called with. */
export interface KernelCall {
  /** The memory of each argument; byte 0 counts as 64-byte aligned. */
  readonly arguments: readonly (ArrayBuffer | ArrayBufferView)[];
  readonly task?: number;
  /** Defaults to fresh memory of the kernel's `scratchBytes`. */
  readonly scratch?: Uint8Array;
}

/**
 * Runs one task of a kernel in JavaScript, to the bit as machine code does: the oracle of the code generators, and a way to test a strategy
 * on any machine. Every access is checked against its buffer.
 *
 * @throws InternalError on an access outside the arguments' buffers, naming the instruction
 * @example
 * ```ts
 * interpretKernel(kernel, { arguments: [x, y], task: 3 });
 * ```
 */
export function interpretKernel(kernel: Kernel, call: KernelCall): void {
  new Interpreter(kernel, call).run();
}

/** Buffers lie this far apart in the address space that the kernel sees. Addresses stay exact in a double. */
const regionBytes = 2 ** 40;
const laneCount = 16;

/** 64-bit integers are numbers while they are safe integers and bigints beyond. */
type Integer = number | bigint;

function wrap(value: bigint): Integer {
  const wrapped = BigInt.asIntN(64, value);
  return wrapped >= BigInt(Number.MIN_SAFE_INTEGER) && wrapped <= BigInt(Number.MAX_SAFE_INTEGER)
    ? Number(wrapped)
    : wrapped;
}
const unsigned = (value: Integer): bigint => BigInt.asUintN(64, BigInt(value));
/** `Math.min` does not take bigints. */
function smaller(a: Integer, b: Integer): Integer {
  if (a < b) return a;
  return b;
}
const exact =
  (small: (a: number, b: number) => number, big: (a: bigint, b: bigint) => bigint) =>
  (a: Integer, b: Integer): Integer => {
    if (typeof a === "number" && typeof b === "number") {
      const result = small(a, b);
      if (Number.isSafeInteger(result)) return result + 0;
    }
    return wrap(big(BigInt(a), BigInt(b)));
  };
const onBigints =
  (compute: (a: bigint, b: bigint) => bigint) =>
  (a: Integer, b: Integer): Integer =>
    wrap(compute(BigInt(a), BigInt(b)));

const intFunctions: { readonly [Name in BinaryIntOp]: (a: Integer, b: Integer) => Integer } = {
  add: exact(
    (a, b) => a + b,
    (a, b) => a + b,
  ),
  sub: exact(
    (a, b) => a - b,
    (a, b) => a - b,
  ),
  mul: exact(
    (a, b) => a * b,
    (a, b) => a * b,
  ),
  and: onBigints((a, b) => a & b),
  or: onBigints((a, b) => a | b),
  xor: onBigints((a, b) => a ^ b),
  shl: onBigints((a, b) => a << (b & 63n)),
  shr: onBigints((a, b) => unsigned(a) >> (b & 63n)),
  sar: onBigints((a, b) => a >> (b & 63n)),
  min: smaller,
  max: (a, b) => (smaller(a, b) === a ? b : a),
  div: onBigints((a, b) => unsigned(a) / unsigned(b)),
  rem: onBigints((a, b) => unsigned(a) % unsigned(b)),
};

class Interpreter {
  private readonly kernel: Kernel;
  private readonly task: number;
  private readonly regions: DataView[];
  private readonly ints: Integer[] = [];
  private readonly vectors: Int32Array[] = [];
  private statement: Statement | undefined;

  constructor(kernel: Kernel, call: KernelCall) {
    this.kernel = kernel;
    this.task = call.task ?? 0;
    if (call.arguments.length !== kernel.argumentCount)
      throw new InternalError(`${kernel.name}: ${call.arguments.length} arguments for ${kernel.argumentCount}`);
    const scratch = call.scratch ?? new Uint8Array(kernel.scratchBytes);
    this.regions = [...call.arguments, scratch].map((memory) =>
      ArrayBuffer.isView(memory)
        ? new DataView(memory.buffer, memory.byteOffset, memory.byteLength)
        : new DataView(memory),
    );
  }

  run(): void {
    this.block(this.kernel.body);
  }

  private block(statements: readonly Statement[]): void {
    for (const statement of statements) {
      if (statement.op === "loop") this.loop(statement);
      else if (statement.op === "while") while (this.condition(statement.condition)) this.block(statement.body);
      else if (statement.op === "if")
        this.block(this.condition(statement.condition) ? statement.body : statement.otherwise);
      else {
        this.statement = statement;
        this.instruction(statement);
      }
    }
  }

  private loop(s: Extract<Statement, { op: "loop" }>): void {
    let counter = this.operand(s.start);
    for (;;) {
      this.ints[s.counter.id] = counter;
      if (!(counter < this.operand(s.end))) return;
      this.block(s.body);
      counter = intFunctions.add(counter, s.step);
    }
  }

  private condition(condition: Condition): boolean {
    if (condition.kind === "anyLane") return this.vectors[condition.mask.id].some((lane) => lane !== 0);
    const left = this.int(condition.left);
    const right = this.operand(condition.right);
    switch (condition.comparison) {
      case "lt":
        return left < right;
      case "le":
        return left <= right;
      case "gt":
        return left > right;
      case "ge":
        return left >= right;
      // The wrapped form of a 64-bit integer is unique, so identity is equality.
      case "eq":
        return left === right;
      case "ne":
        return left !== right;
    }
  }

  private instruction(s: Instruction): void {
    switch (s.op) {
      case "intConstant":
        this.ints[s.target.id] = s.value;
        return;
      case "argument":
        this.ints[s.target.id] = (s.index + 1) * regionBytes;
        return;
      case "task":
        this.ints[s.target.id] = this.task;
        return;
      case "scratch":
        this.ints[s.target.id] = this.regions.length * regionBytes;
        return;
      case "intMove":
        this.ints[s.target.id] = this.int(s.source);
        return;
      case "intBinary":
        this.ints[s.target.id] = intFunctions[s.function](this.int(s.left), this.operand(s.right));
        return;
      case "address":
        this.ints[s.target.id] = this.address(s.address);
        return;
      case "intLoad":
        this.ints[s.target.id] = this.intLoad(this.address(s.address), s.type);
        return;
      case "intStore":
        this.intStore(this.address(s.address), s.type, this.int(s.source));
        return;
      case "vectorConstant":
        this.assign(s.target.id, () => (s.type === "f32" ? toBits(s.value) : s.value | 0));
        return;
      case "laneIndex":
        this.assign(s.target.id, (lane) => lane);
        return;
      case "splatInt": {
        const low = Number(BigInt.asIntN(32, BigInt(this.int(s.source))));
        this.assign(s.target.id, () => low);
        return;
      }
      case "broadcastLoad": {
        const value = this.read(this.address(s.address), s.type);
        this.assign(s.target.id, () => value);
        return;
      }
      case "load": {
        const place = this.address(s.address);
        const size = s.type === "u8" ? 1 : 4;
        const active = this.activeLanes(s);
        this.assign(s.target.id, (lane) =>
          active(lane) ? this.read(intFunctions.add(place, lane * size), s.type) : 0,
        );
        return;
      }
      case "store": {
        const place = this.address(s.address);
        const size = s.type === "u8" ? 1 : 4;
        const active = this.activeLanes(s);
        if (s.streaming && (s.type === "u8" || Number(place) % 64 !== 0))
          this.fail("a streaming store needs f32 or i32 and a 64-byte aligned address", place);
        for (let lane = 0; lane < laneCount; lane++)
          if (active(lane)) this.write(intFunctions.add(place, lane * size), s.type, this.vectors[s.source.id][lane]);
        return;
      }
      case "gather": {
        const indices = this.vectors[s.indices.id];
        const active = this.activeLanes(s);
        const place = intFunctions.add(this.int(s.base), s.displacement);
        this.assign(s.target.id, (lane) =>
          active(lane) ? this.read(intFunctions.add(place, indices[lane] * s.scale), s.type) : 0,
        );
        return;
      }
      case "fma":
      case "fnma": {
        const [a, b, c] = [this.vectors[s.a.id], this.vectors[s.b.id], this.vectors[s.target.id]];
        const sign = s.op === "fma" ? 0 : 0x80000000 | 0;
        this.assign(s.target.id, (lane) => fusedMultiplyAddBits(a[lane] ^ sign, b[lane], c[lane]));
        return;
      }
      case "vectorBinary": {
        const compute = binaryLanes[s.function];
        const [a, b] = [this.vectors[s.left.id], this.vectors[s.right.id]];
        this.assign(s.target.id, (lane) => compute(a[lane], b[lane]));
        return;
      }
      case "shiftConstant": {
        const compute = binaryLanes[s.function];
        const a = this.vectors[s.source.id];
        this.assign(s.target.id, (lane) => compute(a[lane], s.count));
        return;
      }
      case "vectorUnary": {
        const compute = unaryLanes[s.function];
        const a = this.vectors[s.source.id];
        this.assign(s.target.id, (lane) => compute(a[lane]));
        return;
      }
      case "select": {
        const [mask, a, b] = [this.vectors[s.mask.id], this.vectors[s.left.id], this.vectors[s.right.id]];
        this.assign(s.target.id, (lane) => (mask[lane] !== 0 ? a[lane] : b[lane]));
        return;
      }
      case "horizontal": {
        const compute = horizontalLanes[s.function];
        const lanes = this.vectors[s.source.id].slice();
        for (let half = laneCount / 2; half >= 1; half /= 2)
          for (let lane = 0; lane < half; lane++) lanes[lane] = compute(lanes[lane], lanes[lane + half]);
        this.assign(s.target.id, () => lanes[0]);
        return;
      }
      case "transpose": {
        const rows = s.registers.map((register) => this.vectors[register.id]);
        s.registers.forEach((register, row) => {
          this.assign(register.id, (lane) => rows[lane][row]);
        });
        return;
      }
      case "prefetch":
        this.address(s.address);
        return;
      default:
        unreachable(s, "instruction");
    }
  }

  /** Vectors are replaced, never changed in place: an instruction may read its own target. */
  private assign(id: number, value: (lane: number) => number): void {
    const lanes = new Int32Array(laneCount);
    for (let lane = 0; lane < laneCount; lane++) lanes[lane] = value(lane);
    this.vectors[id] = lanes;
  }

  private activeLanes(s: { readonly lanes?: number; readonly mask?: { readonly id: number } }) {
    const count = s.lanes ?? laneCount;
    const mask = s.mask === undefined ? undefined : this.vectors[s.mask.id];
    return (lane: number): boolean => lane < count && (mask === undefined || mask[lane] !== 0);
  }

  private int(register: IntRegister): Integer {
    return this.ints[register.id];
  }
  private operand(operand: IntOperand): Integer {
    return typeof operand === "number" ? operand : this.ints[operand.id];
  }
  private address(address: Address): Integer {
    const { add, mul } = intFunctions;
    const base = add(this.int(address.base), address.displacement);
    return address.index === undefined ? base : add(base, mul(this.int(address.index), address.scale ?? 1));
  }

  private fail(message: string, place: Integer): never {
    const region = Math.floor(Number(place) / regionBytes);
    const offset = Number(place) - region * regionBytes;
    const names = this.regions.length;
    const where =
      region >= 1 && region <= names ? (region === names ? "scratch" : `argument ${region - 1}`) : "nothing";
    throw new InternalError(`kernel ${this.kernel.name}: ${this.statement?.op}: ${message} (${where}, byte ${offset})`);
  }

  /** The buffer that holds `bytes` bytes at an address; sets `offset`. */
  private region(place: Integer, bytes: number): DataView {
    const number = Math.floor(Number(place) / regionBytes);
    const view = this.regions[number - 1];
    this.offset = Number(place) - number * regionBytes;
    if (view === undefined || this.offset + bytes > view.byteLength) this.fail(`${bytes} bytes out of bounds`, place);
    return view;
  }
  private offset = 0;

  private read(place: Integer, type: "f32" | "i32" | "u8"): number {
    const view = this.region(place, type === "u8" ? 1 : 4);
    return type === "u8" ? view.getUint8(this.offset) : view.getInt32(this.offset, true);
  }
  private write(place: Integer, type: "f32" | "i32" | "u8", value: number): void {
    const view = this.region(place, type === "u8" ? 1 : 4);
    if (type === "u8") view.setUint8(this.offset, value);
    else view.setInt32(this.offset, value, true);
  }
  private intLoad(place: Integer, type: "i32" | "u8" | "i64"): Integer {
    if (type !== "i64") return this.read(place, type);
    const view = this.region(place, 8);
    return wrap(view.getBigInt64(this.offset, true));
  }
  private intStore(place: Integer, type: "i32" | "u8" | "i64", value: Integer): void {
    if (type !== "i64") {
      this.write(place, type, Number(BigInt.asIntN(32, BigInt(value))));
      return;
    }
    const view = this.region(place, 8);
    view.setBigInt64(this.offset, BigInt(value), true);
  }
}
