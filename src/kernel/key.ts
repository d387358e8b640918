import { unreachable } from "../errors.ts";
import type { Address, Condition, IntOperand, Kernel, Register, Statement } from "./ir.ts";

/**
 * The identity of a kernel: two kernels with the same key compile to the same code. Registers are numbered in order of first appearance, so
 * that their ids do not matter; the name is not part of it. The key is no text to read (see `printKernel`): every kernel of every program
 * needs one, so it is a string of plain code units, made without formatting a single number.
 */
export function kernelKey(kernel: Kernel): string {
  return new KeyWriter().kernel(kernel);
}

/** Code units of operation names and the like, in order of first use; keys live no longer than the process. */
const wordCodes = new Map<string, number>();

function codeOf(word: string): number {
  let code = wordCodes.get(word);
  if (code === undefined) {
    code = wordCodes.size;
    wordCodes.set(word, code);
  }
  return code;
}

/** Marks a number that is not a code unit itself; its 64 bits follow. */
const longNumber = 0xffff;
/** In the place of an optional part. */
const absent = 0xfffe;
const largestUnit = 0xfffd;
const chunk = 4096;

const double = new Float64Array(1);
const doubleUnits = new Uint16Array(double.buffer);

class KeyWriter {
  private readonly units: number[] = [];
  /** Numbers by register id; vectors and integers have ids of their own. */
  private readonly ints: number[] = [];
  private readonly vectors: number[] = [];
  private intCount = 0;
  private vectorCount = 0;

  kernel(kernel: Kernel): string {
    this.number(kernel.argumentCount);
    this.number(kernel.scratchBytes);
    this.block(kernel.body);
    const { units } = this;
    let key = "";
    for (let from = 0; from < units.length; from += chunk)
      key += String.fromCharCode.apply(null, units.slice(from, from + chunk));
    return key;
  }

  private block(statements: readonly Statement[]): void {
    this.number(statements.length);
    for (let at = 0; at < statements.length; at++) this.statement(statements[at]);
  }

  private statement(s: Statement): void {
    const { units } = this;
    units.push(codeOf(s.op));
    switch (s.op) {
      case "intConstant":
        this.register(s.target);
        this.number(s.value);
        return;
      case "argument":
        this.register(s.target);
        this.number(s.index);
        return;
      case "task":
      case "scratch":
      case "laneIndex":
        this.register(s.target);
        return;
      case "intMove":
      case "splatInt":
        this.register(s.target);
        this.register(s.source);
        return;
      case "intBinary":
        units.push(codeOf(s.function));
        this.register(s.target);
        this.register(s.left);
        this.operand(s.right);
        return;
      case "address":
        this.register(s.target);
        this.address(s.address);
        return;
      case "intLoad":
      case "broadcastLoad":
        units.push(codeOf(s.type));
        this.register(s.target);
        this.address(s.address);
        return;
      case "intStore":
        units.push(codeOf(s.type));
        this.register(s.source);
        this.address(s.address);
        return;
      case "vectorConstant":
        units.push(codeOf(s.type));
        this.register(s.target);
        this.number(s.value);
        return;
      case "load":
        units.push(codeOf(s.type));
        this.register(s.target);
        this.address(s.address);
        this.lanes(s.lanes, s.mask);
        return;
      case "store":
        units.push(codeOf(s.type), s.streaming === true ? 1 : 0);
        this.register(s.source);
        this.address(s.address);
        this.lanes(s.lanes, s.mask);
        return;
      case "gather":
        units.push(codeOf(s.type), s.scale);
        this.register(s.target);
        this.register(s.base);
        this.register(s.indices);
        this.number(s.displacement);
        this.lanes(s.lanes, s.mask);
        return;
      case "fma":
      case "fnma":
        this.register(s.target);
        this.register(s.a);
        this.register(s.b);
        return;
      case "vectorBinary":
        units.push(codeOf(s.function));
        this.register(s.target);
        this.register(s.left);
        this.register(s.right);
        return;
      case "shiftConstant":
        units.push(codeOf(s.function), s.count);
        this.register(s.target);
        this.register(s.source);
        return;
      case "vectorUnary":
      case "horizontal":
        units.push(codeOf(s.function));
        this.register(s.target);
        this.register(s.source);
        return;
      case "select":
        this.register(s.target);
        this.register(s.mask);
        this.register(s.left);
        this.register(s.right);
        return;
      case "transpose":
        for (const register of s.registers) this.register(register);
        return;
      case "prefetch":
        units.push(s.level);
        this.address(s.address);
        return;
      case "loop":
        this.operand(s.start);
        this.operand(s.end);
        this.number(s.step);
        this.register(s.counter);
        this.block(s.body);
        return;
      case "while":
        this.condition(s.condition);
        this.block(s.body);
        return;
      case "if":
        this.condition(s.condition);
        this.block(s.body);
        this.block(s.otherwise);
        return;
      default:
        unreachable(s, "statement");
    }
  }

  private register(register: Register): void {
    const isInt = register.kind === "int";
    const numbers = isInt ? this.ints : this.vectors;
    let number = numbers[register.id];
    if (number === undefined) {
      number = isInt ? this.intCount++ : this.vectorCount++;
      numbers[register.id] = number;
    }
    if (number <= largestUnit) this.units.push(number);
    else this.number(number);
  }

  private number(value: number): void {
    const { units } = this;
    // -0 is not 0: what is not a plain small number is written bit by bit
    if (value >= 0 && value <= largestUnit && (value | 0) === value && !Object.is(value, -0)) {
      units.push(value);
      return;
    }
    double[0] = value;
    units.push(longNumber, doubleUnits[0], doubleUnits[1], doubleUnits[2], doubleUnits[3]);
  }

  private operand(operand: IntOperand): void {
    if (typeof operand === "number") {
      this.units.push(0);
      this.number(operand);
    } else {
      this.units.push(1);
      this.register(operand);
    }
  }

  private address(address: Address): void {
    this.register(address.base);
    if (address.index === undefined) this.units.push(absent);
    else {
      this.register(address.index);
      this.units.push(address.scale ?? 1);
    }
    this.number(address.displacement);
  }

  private lanes(lanes: number | undefined, mask: Register | undefined): void {
    this.units.push(lanes ?? 16);
    if (mask === undefined) this.units.push(absent);
    else this.register(mask);
  }

  private condition(condition: Condition): void {
    if (condition.kind === "anyLane") {
      this.units.push(absent);
      this.register(condition.mask);
      return;
    }
    this.units.push(codeOf(condition.comparison));
    this.register(condition.left);
    this.operand(condition.right);
  }
}
