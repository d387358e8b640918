import { InternalError } from "../errors.ts";
import type {
  Address,
  BinaryIntOp,
  BinaryVectorOp,
  Comparison,
  Condition,
  HorizontalOp,
  IntOperand,
  IntRegister,
  Kernel,
  MemoryType,
  Statement,
  UnaryVectorOp,
  VectorRegister,
} from "./ir.ts";

type LaneOptions = { lanes?: number; mask?: VectorRegister };

/**
 * Writes a kernel. Methods that produce a value return a fresh register, or assign `into` when it is given (accumulators):
 *
 * ```ts
 * const k = new KernelBuilder("scale", 2);
 * const x = k.argument(0), y = k.argument(1), two = k.constant(2);
 * k.loop(0, 1024, 16, (i) => k.store(k.binary("fmul", k.load(k.at(x, i, 4)), two), k.at(y, i, 4)));
 * const kernel = k.build();
 * ```
 */
export class KernelBuilder {
  private readonly name: string;
  private readonly argumentCount: number;
  private scratchBytes = 0;
  private nextId = 0;
  private statements: Statement[] = [];

  constructor(name: string, argumentCount: number) {
    this.name = name;
    this.argumentCount = argumentCount;
  }

  int(): IntRegister {
    return { kind: "int", id: this.nextId++ };
  }
  vector(): VectorRegister {
    return { kind: "vector", id: this.nextId++ };
  }
  emit(statement: Statement): void {
    this.statements.push(statement);
  }

  // ---- integers ----
  intConstant(value: number, into = this.int()): IntRegister {
    this.emit({ op: "intConstant", target: into, value });
    return into;
  }
  argument(index: number): IntRegister {
    if (index < 0 || index >= this.argumentCount)
      throw new InternalError(`${this.name}: argument ${index} of ${this.argumentCount}`);
    const target = this.int();
    this.emit({ op: "argument", target, index });
    return target;
  }
  task(): IntRegister {
    const target = this.int();
    this.emit({ op: "task", target });
    return target;
  }
  /** Reserves bytes of the thread's scratch (64-byte aligned) and returns their address. */
  scratch(bytes: number): IntRegister {
    const base = this.int();
    const target = this.int();
    this.emit({ op: "scratch", target: base });
    this.emit({ op: "address", target, address: this.at(base, this.scratchBytes) });
    this.scratchBytes += Math.ceil(bytes / 64) * 64;
    return target;
  }
  intMove(source: IntRegister, into = this.int()): IntRegister {
    this.emit({ op: "intMove", target: into, source });
    return into;
  }
  intBinary(name: BinaryIntOp, left: IntRegister, right: IntOperand, into = this.int()): IntRegister {
    this.emit({ op: "intBinary", function: name, target: into, left, right });
    return into;
  }
  add(left: IntRegister, right: IntOperand, into?: IntRegister): IntRegister {
    return this.intBinary("add", left, right, into);
  }
  mul(left: IntRegister, right: IntOperand, into?: IntRegister): IntRegister {
    return this.intBinary("mul", left, right, into);
  }
  address(address: Address, into = this.int()): IntRegister {
    this.emit({ op: "address", target: into, address });
    return into;
  }
  intLoad(address: Address, type: "i32" | "u8" | "i64" = "i32", into = this.int()): IntRegister {
    this.emit({ op: "intLoad", target: into, address, type });
    return into;
  }
  intStore(source: IntRegister, address: Address, type: "i32" | "u8" | "i64" = "i32"): void {
    this.emit({ op: "intStore", source, address, type });
  }

  /** An address: `at(base, 64)`, `at(base, index, 4, 64)`. */
  at(base: IntRegister, displacement?: number): Address;
  at(base: IntRegister, index: IntRegister, scale: 1 | 2 | 4 | 8, displacement?: number): Address;
  at(base: IntRegister, second: number | IntRegister = 0, scale: 1 | 2 | 4 | 8 = 1, displacement = 0): Address {
    return typeof second === "number" ? { base, displacement: second } : { base, index: second, scale, displacement };
  }

  // ---- vectors ----
  constant(value: number, type: "f32" | "i32" = "f32", into = this.vector()): VectorRegister {
    this.emit({ op: "vectorConstant", target: into, value, type });
    return into;
  }
  laneIndex(): VectorRegister {
    const target = this.vector();
    this.emit({ op: "laneIndex", target });
    return target;
  }
  splatInt(source: IntRegister, into = this.vector()): VectorRegister {
    this.emit({ op: "splatInt", target: into, source });
    return into;
  }
  broadcast(address: Address, type: MemoryType = "f32", into = this.vector()): VectorRegister {
    this.emit({ op: "broadcastLoad", target: into, address, type });
    return into;
  }
  load(address: Address, type: MemoryType = "f32", options: LaneOptions = {}, into = this.vector()): VectorRegister {
    this.emit({ op: "load", target: into, address, type, ...options });
    return into;
  }
  store(
    source: VectorRegister,
    address: Address,
    type: MemoryType = "f32",
    options: LaneOptions & { streaming?: boolean } = {},
  ): void {
    this.emit({ op: "store", source, address, type, ...options });
  }
  gather(
    base: IntRegister,
    indices: VectorRegister,
    scale: 1 | 2 | 4 | 8,
    displacement = 0,
    type: MemoryType = "f32",
    options: LaneOptions = {},
  ): VectorRegister {
    const target = this.vector();
    this.emit({ op: "gather", target, base, indices, scale, displacement, type, ...options });
    return target;
  }
  /** accumulator += a·b. */
  fma(accumulator: VectorRegister, a: VectorRegister, b: VectorRegister): void {
    this.emit({ op: "fma", target: accumulator, a, b });
  }
  /** accumulator −= a·b. */
  fnma(accumulator: VectorRegister, a: VectorRegister, b: VectorRegister): void {
    this.emit({ op: "fnma", target: accumulator, a, b });
  }
  binary(name: BinaryVectorOp, left: VectorRegister, right: VectorRegister, into = this.vector()): VectorRegister {
    this.emit({ op: "vectorBinary", function: name, target: into, left, right });
    return into;
  }
  shift(name: "shl" | "shrl" | "shra", source: VectorRegister, count: number, into = this.vector()): VectorRegister {
    this.emit({ op: "shiftConstant", function: name, target: into, source, count });
    return into;
  }
  unary(name: UnaryVectorOp, source: VectorRegister, into = this.vector()): VectorRegister {
    this.emit({ op: "vectorUnary", function: name, target: into, source });
    return into;
  }
  select(mask: VectorRegister, left: VectorRegister, right: VectorRegister, into = this.vector()): VectorRegister {
    this.emit({ op: "select", target: into, mask, left, right });
    return into;
  }
  horizontal(name: HorizontalOp, source: VectorRegister, into = this.vector()): VectorRegister {
    this.emit({ op: "horizontal", function: name, target: into, source });
    return into;
  }
  transpose(registers: readonly VectorRegister[]): void {
    if (registers.length !== 16) throw new InternalError(`transpose takes 16 registers, not ${registers.length}`);
    this.emit({ op: "transpose", registers });
  }
  prefetch(address: Address, level: 1 | 2 = 1): void {
    this.emit({ op: "prefetch", address, level });
  }

  // ---- structure ----
  /** `for (counter = start; counter < end; counter += step) body(counter)`. */
  loop(start: IntOperand, end: IntOperand, step: number, body: (counter: IntRegister) => void): void {
    const counter = this.int();
    this.emit({ op: "loop", counter, start, end, step, body: this.nested(() => body(counter)) });
  }
  while(condition: Condition, body: () => void): void {
    this.emit({ op: "while", condition, body: this.nested(body) });
  }
  if(condition: Condition, then: () => void, otherwise: () => void = () => {}): void {
    this.emit({ op: "if", condition, body: this.nested(then), otherwise: this.nested(otherwise) });
  }
  compare(comparison: Comparison, left: IntRegister, right: IntOperand): Condition {
    return { kind: "int", comparison, left, right };
  }

  build(): Kernel {
    return {
      name: this.name,
      argumentCount: this.argumentCount,
      scratchBytes: this.scratchBytes,
      body: this.statements,
    };
  }

  private nested(body: () => void): Statement[] {
    const outer = this.statements;
    this.statements = [];
    body();
    const inner = this.statements;
    this.statements = outer;
    return inner;
  }
}
