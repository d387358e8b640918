import type { Instruction, IntRegister } from "../../../kernel/ir.ts";
import type { LoweringContext } from "./lowering-context.ts";
import { memoryPlace, none } from "./machine-code.ts";
import { type Operation, operations } from "./operations.ts";

type Of<Name extends Instruction["op"]> = Extract<Instruction, { op: Name }>;

const isInt32 = (value: number): boolean => value >= -(2 ** 31) && value < 2 ** 31;
/** n where value = 2^n, else -1. */
const logarithm = (value: number): number => {
  const exponent = Math.round(Math.log2(value));
  return value > 0 && 2 ** exponent === value ? exponent : -1;
};

export function lowerIntBinary(context: LoweringContext, s: Of<"intBinary">): void {
  const left = context.constantOf(s.left);
  const right = context.constantOf(s.right);
  if (left !== undefined && right !== undefined) {
    const value = evaluate(s.function, left, right);
    if (value !== undefined) {
      context.setConstant(s.target, value);
      return;
    }
  }
  if (right !== undefined && isInt32(right) && withConstant(context, s, right)) return;
  switch (s.function) {
    case "add":
      if (typeof s.right !== "number") {
        addRegisters(context, s, s.right);
        return;
      }
      emitBinary(context, operations.add, s);
      return;
    case "sub":
    case "and":
    case "or":
    case "xor":
      emitBinary(context, operations[s.function], s);
      return;
    case "mul":
      emitBinary(context, operations.imul, s);
      return;
    case "shl":
      emitBinary(context, operations.shlx, s);
      return;
    case "shr":
      emitBinary(context, operations.shrx, s);
      return;
    case "sar":
      emitBinary(context, operations.sarx, s);
      return;
    case "min":
      emitBinary(context, operations.minimum, s);
      return;
    case "max":
      emitBinary(context, operations.maximum, s);
      return;
    case "div":
    case "rem":
      if (context.machine.divisionSlots === none) context.machine.divisionSlots = context.machine.frameSlot(32);
      emitBinary(context, s.function === "div" ? operations.quotient : operations.remainder, s);
      return;
  }
}

/** The value where doubles compute it exactly. */
function evaluate(name: Of<"intBinary">["function"], left: number, right: number): number | undefined {
  const small = left >= 0 && right >= 0 && left < 2 ** 31 && right < 2 ** 31;
  switch (name) {
    case "add":
      return safe(left + right);
    case "sub":
      return safe(left - right);
    case "mul":
      return safe(left * right);
    case "min":
      return Math.min(left, right);
    case "max":
      return Math.max(left, right);
    case "div":
      return small && right > 0 ? Math.floor(left / right) : undefined;
    case "rem":
      return small && right > 0 ? left % right : undefined;
    case "and":
      return small ? left & right : undefined;
    case "or":
      return small ? left | right : undefined;
    case "xor":
      return small ? left ^ right : undefined;
    case "shl":
      return small && right < 32 ? safe(left * 2 ** right) : undefined;
    case "shr":
    case "sar":
      return small && right < 32 ? left >> right : undefined;
  }
}
const safe = (value: number): number | undefined => (Number.isSafeInteger(value) ? value + 0 : undefined);

/** An operation with an immediate; false where the general form is needed. */
function withConstant(context: LoweringContext, s: Of<"intBinary">, value: number): boolean {
  switch (s.function) {
    case "add":
      addConstant(context, s, value);
      return true;
    case "sub":
      if (value === -(2 ** 31)) return false;
      addConstant(context, s, -value);
      return true;
    case "and":
    case "or":
    case "xor":
      emitImmediate(context, operations[s.function], s, value);
      return true;
    case "shl":
      shift(context, operations.shl, s, value);
      if (value <= 3) scaled(context, s.target, s.left, 2 ** value);
      return true;
    case "shr":
    case "sar":
      shift(context, operations[s.function], s, value);
      return true;
    case "mul": {
      const exponent = logarithm(value);
      if (exponent < 0) {
        const source = context.int(s.left);
        context.machine.emitImmediate(operations.imulImmediate, context.writeInt(s.target), source, none, value);
        return true;
      }
      shift(context, operations.shl, s, exponent);
      if (exponent <= 3) scaled(context, s.target, s.left, value);
      return true;
    }
    case "div": {
      const exponent = logarithm(value);
      if (exponent < 0) return false;
      shift(context, operations.shr, s, exponent);
      return true;
    }
    case "rem":
      if (logarithm(value) < 0) return false;
      emitImmediate(context, operations.and, s, value - 1);
      return true;
    default:
      return false;
  }
}

function addConstant(context: LoweringContext, s: Of<"intBinary">, value: number): void {
  if (!context.isSingle(s.target)) {
    emitImmediate(context, operations.add, s, value);
    return;
  }
  const place = context.place({ base: s.left, displacement: value });
  const lea = context.machine.emit(operations.lea, context.writeInt(s.target), none, none);
  context.setMemory(lea, memoryPlace.second, place);
  context.setDerived(s.target, place);
}

function addRegisters(context: LoweringContext, s: Of<"intBinary">, right: IntRegister): void {
  if (!context.isSingle(s.target)) {
    emitBinary(context, operations.add, s);
    return;
  }
  const place = context.place({ base: s.left, index: right, scale: 1, displacement: 0 });
  const lea = context.machine.emit(operations.lea, context.writeInt(s.target), none, none);
  context.setMemory(lea, memoryPlace.second, place);
  context.setDerived(s.target, place);
}

/** target = left·scale may become the scaled index of an address. */
function scaled(context: LoweringContext, target: IntRegister, left: IntRegister, scale: number): void {
  context.setDerived(target, {
    base: none,
    index: context.int(left),
    scale: scale as 1 | 2 | 4 | 8,
    displacement: 0,
  });
}

function shift(context: LoweringContext, operation: Operation, s: Of<"intBinary">, count: number): void {
  const source = context.int(s.left);
  context.machine.emitImmediate(operation, context.writeInt(s.target), source, none, count);
}

function emitImmediate(context: LoweringContext, operation: Operation, s: Of<"intBinary">, value: number): void {
  const source = context.int(s.left);
  const target = context.writeInt(s.target);
  context.machine.emitImmediate(operation, target, source, none, value).immediateOperand = true;
}

function emitBinary(context: LoweringContext, operation: Operation, s: Of<"intBinary">): void {
  const left = context.int(s.left);
  const right = context.intOperand(s.right);
  context.machine.emit(operation, context.writeInt(s.target), left, right);
}

export function lowerIntLoad(context: LoweringContext, s: Of<"intLoad">): void {
  const place = context.place(s.address);
  const operation = s.type === "i64" ? operations.load64 : s.type === "i32" ? operations.load32 : operations.load8;
  const load = context.machine.emit(operation, context.writeInt(s.target), none, none);
  context.setMemory(load, memoryPlace.second, place);
}

export function lowerIntStore(context: LoweringContext, s: Of<"intStore">): void {
  context.emitLoads();
  const operation = s.type === "i64" ? operations.store64 : s.type === "i32" ? operations.store32 : operations.store8;
  const store = context.machine.emit(operation, none, context.int(s.source), none);
  context.setMemory(store, memoryPlace.target, context.place(s.address));
}
