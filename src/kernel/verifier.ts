import { CompileError, unreachable } from "../errors.ts";
import type { Address, Condition, IntOperand, IntRegister, Kernel, Statement, VectorRegister } from "./ir.ts";
import { printKernel } from "./printer.ts";

/**
 * Checks that a kernel keeps the rules of the IR: registers are assigned on every path before they are used (a loop that may run zero times
 * assigns nothing), loop counters are not assigned in the body, and every number is in its range.
 *
 * @throws CompileError with the printed kernel, the offending line marked with `>`
 */
export function verifyKernel(kernel: Kernel): void {
  new Verifier(kernel).run();
}

const tableIndexLimit = 4096;
const isInt32 = (value: number): boolean => Number.isInteger(value) && value >= -(2 ** 31) && value < 2 ** 31;

class Verifier {
  private readonly kernel: Kernel;
  private statement: Statement | undefined;
  /** Assigned registers by id, and the order of their assignment, so that leaving a branch can take back what it assigned. */
  private readonly ints: boolean[] = [];
  private readonly vectors: boolean[] = [];
  private readonly trail: (IntRegister | VectorRegister)[] = [];
  private readonly counters: boolean[] = [];

  constructor(kernel: Kernel) {
    this.kernel = kernel;
  }

  run(): void {
    const { argumentCount, scratchBytes } = this.kernel;
    if (!Number.isInteger(argumentCount) || argumentCount < 0 || argumentCount > tableIndexLimit)
      this.fail(`argumentCount ${argumentCount} is not an integer from 0 to ${tableIndexLimit}`);
    if (!Number.isSafeInteger(scratchBytes) || scratchBytes < 0)
      this.fail(`scratchBytes ${scratchBytes} is not a size`);
    this.block(this.kernel.body);
  }

  private fail(message: string): never {
    const where = this.statement === undefined ? "" : `${this.statement.op}: `;
    throw new CompileError(`kernel ${this.kernel.name}: ${where}${message}`, printKernel(this.kernel, this.statement));
  }

  private block(statements: readonly Statement[]): void {
    for (const statement of statements) {
      this.statement = statement;
      this.check(statement);
    }
  }

  private check(s: Statement): void {
    switch (s.op) {
      case "intConstant":
        if (!Number.isSafeInteger(s.value)) this.fail(`value ${s.value} is not a safe integer`);
        this.assignInt(s.target);
        return;
      case "argument":
        if (!Number.isInteger(s.index) || s.index < 0 || s.index >= this.kernel.argumentCount)
          this.fail(`index ${s.index} of ${this.kernel.argumentCount} arguments`);
        this.assignInt(s.target);
        return;
      case "task":
      case "scratch":
        this.assignInt(s.target);
        return;
      case "intMove":
        this.useInt(s.source);
        this.assignInt(s.target);
        return;
      case "intBinary":
        this.useInt(s.left);
        this.operand(s.right);
        if (s.right === 0 && (s.function === "div" || s.function === "rem")) this.fail("division by zero");
        if (typeof s.right === "number" && (s.function === "shl" || s.function === "shr" || s.function === "sar"))
          this.range(s.right, 0, 63, "shift count");
        this.assignInt(s.target);
        return;
      case "address":
        this.address(s.address);
        this.assignInt(s.target);
        return;
      case "intLoad":
        this.address(s.address);
        this.assignInt(s.target);
        return;
      case "intStore":
        this.address(s.address);
        this.useInt(s.source);
        return;
      case "vectorConstant":
        if (s.type === "i32" && !(Number.isInteger(s.value) && s.value >= -(2 ** 31) && s.value < 2 ** 32))
          this.fail(`value ${s.value} is not a 32-bit integer`);
        this.assignVector(s.target);
        return;
      case "laneIndex":
        this.assignVector(s.target);
        return;
      case "splatInt":
        this.useInt(s.source);
        this.assignVector(s.target);
        return;
      case "broadcastLoad":
        this.address(s.address);
        this.assignVector(s.target);
        return;
      case "load":
        this.address(s.address);
        this.lanes(s);
        this.assignVector(s.target);
        return;
      case "store":
        this.address(s.address);
        this.lanes(s);
        this.useVector(s.source);
        return;
      case "gather":
        this.useInt(s.base);
        this.useVector(s.indices);
        this.scaleAndDisplacement(s.scale, s.displacement);
        this.lanes(s);
        this.assignVector(s.target);
        return;
      case "fma":
      case "fnma":
        this.useVector(s.a);
        this.useVector(s.b);
        this.useVector(s.target);
        return;
      case "vectorBinary":
        this.useVector(s.left);
        this.useVector(s.right);
        this.assignVector(s.target);
        return;
      case "shiftConstant":
        this.useVector(s.source);
        this.range(s.count, 0, 31, "shift count");
        this.assignVector(s.target);
        return;
      case "vectorUnary":
      case "horizontal":
        this.useVector(s.source);
        this.assignVector(s.target);
        return;
      case "select":
        this.useVector(s.mask);
        this.useVector(s.left);
        this.useVector(s.right);
        this.assignVector(s.target);
        return;
      case "transpose":
        if (s.registers.length !== 16 || new Set(s.registers.map((register) => register.id)).size !== 16)
          this.fail("needs 16 distinct registers");
        for (const register of s.registers) this.useVector(register);
        return;
      case "prefetch":
        this.range(s.level, 1, 2, "level");
        this.address(s.address);
        return;
      case "loop":
        this.loop(s);
        return;
      case "while":
        this.condition(s.condition);
        this.branch(s.body, false);
        return;
      case "if":
        this.if(s);
        return;
      default:
        unreachable(s, "statement");
    }
  }

  private loop(s: Extract<Statement, { op: "loop" }>): void {
    this.operand(s.start);
    this.operand(s.end);
    this.range(s.step, 1, 2 ** 31 - 1, "step");
    const { start, end, counter } = s;
    this.assignInt(counter);
    this.counters[counter.id] = true;
    this.branch(s.body, typeof start === "number" && typeof end === "number" && start < end);
    this.counters[counter.id] = false;
    // The counter has no value after the loop: a target may count down instead.
    this.ints[counter.id] = false;
  }

  /** Checks a body; what it assigns stays assigned only if it certainly runs. */
  private branch(body: readonly Statement[], runs: boolean): void {
    const mark = this.trail.length;
    this.block(body);
    if (!runs) this.takeBack(mark);
  }

  private if(s: Extract<Statement, { op: "if" }>): void {
    this.condition(s.condition);
    const mark = this.trail.length;
    this.block(s.body);
    const first = this.takeBack(mark);
    this.block(s.otherwise);
    const second = this.takeBack(mark);
    if (first.length === 0 || second.length === 0) return;
    for (const register of first) {
      if (second.some((other) => other.kind === register.kind && other.id === register.id)) {
        if (register.kind === "int") this.assignInt(register);
        else this.assignVector(register);
      }
    }
  }

  private takeBack(mark: number): (IntRegister | VectorRegister)[] {
    const taken = this.trail.splice(mark);
    for (const register of taken) (register.kind === "int" ? this.ints : this.vectors)[register.id] = false;
    return taken;
  }

  private assignInt(register: IntRegister): void {
    if (register.kind !== "int") this.fail("an int register is needed where a vector register is given");
    if (this.counters[register.id]) this.fail("assigns the counter of a loop in its body");
    if (this.ints[register.id]) return;
    this.ints[register.id] = true;
    this.trail.push(register);
  }
  private assignVector(register: VectorRegister): void {
    if (register.kind !== "vector") this.fail("a vector register is needed where an int register is given");
    if (this.vectors[register.id]) return;
    this.vectors[register.id] = true;
    this.trail.push(register);
  }
  private useInt(register: IntRegister): void {
    if (register.kind !== "int") this.fail("an int register is needed where a vector register is given");
    if (!this.ints[register.id]) this.fail(`int register ${register.id} is used before it is assigned`);
  }
  private useVector(register: VectorRegister): void {
    if (register.kind !== "vector") this.fail("a vector register is needed where an int register is given");
    if (!this.vectors[register.id]) this.fail(`vector register ${register.id} is used before it is assigned`);
  }
  private operand(operand: IntOperand): void {
    if (typeof operand !== "number") this.useInt(operand);
    else if (!Number.isSafeInteger(operand)) this.fail(`${operand} is not a safe integer`);
  }
  private address(address: Address): void {
    this.useInt(address.base);
    if (address.index !== undefined) this.useInt(address.index);
    this.scaleAndDisplacement(address.scale ?? 1, address.displacement);
  }
  private scaleAndDisplacement(scale: number, displacement: number): void {
    if (scale !== 1 && scale !== 2 && scale !== 4 && scale !== 8) this.fail(`scale ${scale} is not 1, 2, 4 or 8`);
    if (!isInt32(displacement)) this.fail(`displacement ${displacement} is not a 32-bit integer`);
  }
  private lanes(s: { readonly lanes?: number; readonly mask?: VectorRegister }): void {
    if (s.lanes !== undefined) this.range(s.lanes, 1, 16, "lanes");
    if (s.mask === undefined) return;
    if (s.lanes !== undefined && s.lanes !== 16) this.fail("takes either lanes or a mask, not both");
    this.useVector(s.mask);
  }
  private condition(condition: Condition): void {
    if (condition.kind === "anyLane") {
      this.useVector(condition.mask);
      return;
    }
    this.useInt(condition.left);
    this.operand(condition.right);
  }
  private range(value: number, low: number, high: number, what: string): void {
    if (!Number.isInteger(value) || value < low || value > high)
      this.fail(`${what} ${value} is not an integer from ${low} to ${high}`);
  }
}
