import { unreachable } from "../../../errors.ts";
import type { Comparison, Condition, Kernel, Statement } from "../../../kernel/ir.ts";
import type { X86Features } from "../features.ts";
import { analyzeKernel, constantBits } from "./analysis.ts";
import { lowerIntBinary, lowerIntLoad, lowerIntStore } from "./lower-int.ts";
import { lowerBroadcast, lowerGather, lowerLoad, lowerStore } from "./lower-memory.ts";
import { lowerHorizontal, lowerTranspose } from "./lower-shuffle.ts";
import { lowerFma, lowerSelect, lowerShift, lowerSplat, lowerVectorBinary, lowerVectorUnary } from "./lower-vector.ts";
import { LoweringContext } from "./lowering-context.ts";
import { MachineFunction, memoryPlace, none } from "./machine-code.ts";
import { type Operation, operations } from "./operations.ts";

/** Turns a verified kernel into machine operations over virtual registers. */
export function lowerKernel(kernel: Kernel, features: X86Features): MachineFunction {
  const machine = new MachineFunction(features);
  const lowering = new Lowering(new LoweringContext(kernel, machine, analyzeKernel(kernel)));
  lowering.block(kernel.body);
  return machine;
}

const jumps: { readonly [Name in Comparison]: { readonly taken: Operation; readonly opposite: Operation } } = {
  lt: { taken: operations.jl, opposite: operations.jge },
  le: { taken: operations.jle, opposite: operations.jg },
  gt: { taken: operations.jg, opposite: operations.jle },
  ge: { taken: operations.jge, opposite: operations.jl },
  eq: { taken: operations.je, opposite: operations.jne },
  ne: { taken: operations.jne, opposite: operations.je },
};

function compareConstants(comparison: Comparison, left: number, right: number): boolean {
  switch (comparison) {
    case "lt":
      return left < right;
    case "le":
      return left <= right;
    case "gt":
      return left > right;
    case "ge":
      return left >= right;
    case "eq":
      return left === right;
    case "ne":
      return left !== right;
  }
}

const isInt32 = (value: number): boolean => value >= -(2 ** 31) && value < 2 ** 31;

class Lowering {
  private readonly context: LoweringContext;
  private readonly machine: MachineFunction;
  private loopDepth = 0;

  constructor(context: LoweringContext) {
    this.context = context;
    this.machine = context.machine;
  }

  block(statements: readonly Statement[]): void {
    for (let at = 0; at < statements.length; at++) this.statement(statements[at]);
  }

  private statement(s: Statement): void {
    const { context, machine } = this;
    switch (s.op) {
      case "intConstant":
        context.setConstant(s.target, s.value);
        return;
      case "argument": {
        const load = machine.emit(operations.load64, context.writeInt(s.target), none, none);
        const place = { base: context.argumentTable, index: none, scale: 8, displacement: s.index * 8 } as const;
        context.setMemory(load, memoryPlace.second, place);
        return;
      }
      case "task":
      case "scratch": {
        const source = s.op === "task" ? context.task : context.scratch;
        if (context.isSingle(s.target)) context.setAlias(s.target, source);
        else machine.emit(operations.move, context.writeInt(s.target), none, source);
        return;
      }
      case "intMove": {
        const constant = context.constantOf(s.source);
        if (constant !== undefined && context.isSingle(s.target)) context.setConstant(s.target, constant);
        else {
          const source = context.int(s.source);
          machine.emit(operations.move, context.writeInt(s.target), none, source);
        }
        return;
      }
      case "intBinary":
        lowerIntBinary(context, s);
        return;
      case "address": {
        const place = context.place(s.address);
        const target = context.writeInt(s.target);
        context.setMemory(machine.emit(operations.lea, target, none, none), memoryPlace.second, place);
        context.setDerived(s.target, place);
        return;
      }
      case "intLoad":
        lowerIntLoad(context, s);
        return;
      case "intStore":
        lowerIntStore(context, s);
        return;
      case "vectorConstant": {
        const register = context.constants.splat(constantBits(s.value, s.type));
        context.copy(s.target, register, register, true);
        return;
      }
      case "laneIndex":
        context.copy(s.target, context.constants.laneIndex(0), context.constants.laneIndex(context.halves - 1), true);
        return;
      case "splatInt":
        lowerSplat(context, s);
        return;
      case "broadcastLoad":
        lowerBroadcast(context, s);
        return;
      case "load":
        lowerLoad(context, s);
        return;
      case "store":
        lowerStore(context, s);
        return;
      case "gather":
        lowerGather(context, s);
        return;
      case "fma":
      case "fnma":
        lowerFma(context, s);
        return;
      case "vectorBinary":
        lowerVectorBinary(context, s);
        return;
      case "shiftConstant":
        lowerShift(context, s);
        return;
      case "vectorUnary":
        lowerVectorUnary(context, s);
        return;
      case "select":
        lowerSelect(context, s);
        return;
      case "horizontal":
        lowerHorizontal(context, s);
        return;
      case "transpose":
        lowerTranspose(context, s);
        return;
      case "prefetch": {
        const operation = s.level === 1 ? operations.prefetch1 : operations.prefetch2;
        context.setMemory(machine.emit(operation, none, none, none), memoryPlace.second, context.place(s.address));
        return;
      }
      case "loop":
        this.loop(s);
        return;
      case "while":
        this.while(s);
        return;
      case "if":
        this.if(s);
        return;
      default:
        unreachable(s, "statement");
    }
  }

  private loop(s: Extract<Statement, { op: "loop" }>): void {
    const { context, machine } = this;
    const start = context.constantOf(s.start);
    const end = context.constantOf(s.end);
    const constant = start !== undefined && end !== undefined;
    const turns = constant ? Math.ceil((end - start) / s.step) : Number.NaN;
    if (turns <= 0) return;
    if (turns === 1) {
      context.setKnown(s.counter, start as number);
      this.block(s.body);
      return;
    }
    const mark = this.enterLoop(s.body);
    const head = machine.label();
    if (constant && (context.analysis.intUses[s.counter.id] ?? 0) === 0) {
      const counter = context.openCounter(s.counter);
      machine.emitImmediate(operations.constant, counter, none, none, turns);
      this.loopBody(head, s.body);
      machine.emitImmediate(operations.countDown, counter, counter, none, 1).immediateOperand = true;
      machine.emitJump(operations.jne, head);
      machine.emitJump(operations.loopEnd, head);
      this.leaveLoop(mark);
      return;
    }
    const first = typeof s.start === "number" ? none : context.int(s.start);
    const exit = machine.label();
    const counter = context.openCounter(s.counter);
    if (start !== undefined) machine.emitImmediate(operations.constant, counter, none, none, start);
    else machine.emit(operations.move, counter, none, first);
    const last = end !== undefined && isInt32(end) ? none : context.intOperand(s.end);
    if (!constant) {
      this.compare(counter, last, end);
      machine.emitJump(operations.jge, exit);
    }
    this.loopBody(head, s.body);
    machine.emitImmediate(operations.add, counter, counter, none, s.step).immediateOperand = true;
    this.compare(counter, last, end);
    machine.emitJump(operations.jl, head);
    machine.emitJump(operations.loopEnd, head);
    if (!constant) machine.emitLabel(exit);
    context.closeCounter(counter);
    this.leaveLoop(mark);
  }

  private loopBody(head: number, body: readonly Statement[]): void {
    this.machine.emitJump(operations.loopBegin, head);
    this.block(body);
    this.context.settle();
  }

  private while(s: Extract<Statement, { op: "while" }>): void {
    const { machine } = this;
    const mark = this.enterLoop(s.body);
    const head = machine.label();
    const exit = machine.label();
    this.jump(s.condition, false, exit);
    this.loopBody(head, s.body);
    this.jump(s.condition, true, head);
    machine.emitJump(operations.loopEnd, head);
    machine.emitLabel(exit);
    this.leaveLoop(mark);
  }

  private if(s: Extract<Statement, { op: "if" }>): void {
    const { context, machine } = this;
    const known = this.staticCondition(s.condition);
    if (known !== undefined) {
      // The branch is no block of its own, but what it makes is the same for code after it as in any branch.
      this.block(known ? s.body : s.otherwise);
      return;
    }
    context.settle();
    const otherwise = machine.label();
    this.jump(s.condition, false, otherwise);
    this.branch(s.body);
    if (s.otherwise.length === 0) {
      machine.emitLabel(otherwise);
      return;
    }
    const end = machine.label();
    machine.emitJump(operations.jmp, end);
    machine.emitLabel(otherwise);
    this.branch(s.otherwise);
    machine.emitLabel(end);
  }

  private branch(body: readonly Statement[]): void {
    const mark = this.context.constants.enterScope();
    this.block(body);
    this.context.settle();
    this.context.constants.leaveScope(mark);
  }

  /** Constants used in a loop nest are made before its outermost loop. */
  private enterLoop(body: readonly Statement[]): number {
    this.context.settle();
    if (this.loopDepth === 0) this.hoistConstants(body);
    this.loopDepth++;
    return this.context.constants.enterScope();
  }
  private leaveLoop(mark: number): void {
    this.context.constants.leaveScope(mark);
    this.loopDepth--;
  }

  private hoistConstants(body: readonly Statement[]): void {
    const { context } = this;
    for (let at = 0; at < body.length; at++) {
      const s = body[at];
      if (s.op === "vectorConstant") context.constants.splat(constantBits(s.value, s.type));
      else if (s.op === "laneIndex")
        for (let half = 0; half < context.halves; half++) context.constants.laneIndex(half);
      else if (s.op === "load" || s.op === "store" || s.op === "gather") this.hoistMasks(s);
      else if (s.op === "loop" || s.op === "while") this.hoistConstants(s.body);
      else if (s.op === "if") {
        this.hoistConstants(s.body);
        this.hoistConstants(s.otherwise);
      }
    }
  }

  private hoistMasks(s: Extract<Statement, { op: "load" | "store" | "gather" }>): void {
    const { context } = this;
    const lanes = s.lanes ?? 16;
    const partial = lanes !== 16 || (s.op === "gather" && s.mask === undefined);
    if (!partial) return;
    if (context.avx512) context.constants.laneMask(lanes);
    else if (s.op !== "store") {
      context.constants.halfMask(Math.min(lanes, 8));
      if (lanes > 8) context.constants.halfMask(lanes - 8);
    }
  }

  /** Which way a condition goes if that is known now. */
  private staticCondition(condition: Condition): boolean | undefined {
    if (condition.kind !== "int") return undefined;
    const left = this.context.constantOf(condition.left);
    const right = this.context.constantOf(condition.right);
    return left === undefined || right === undefined ? undefined : compareConstants(condition.comparison, left, right);
  }

  /** Jumps if the condition is what is wanted. */
  private jump(condition: Condition, wanted: boolean, label: number): void {
    const { context, machine } = this;
    if (condition.kind === "int") {
      const right = context.constantOf(condition.right);
      const register = right !== undefined && isInt32(right) ? none : context.intOperand(condition.right);
      this.compare(context.int(condition.left), register, right);
      const pair = jumps[condition.comparison];
      machine.emitJump(wanted ? pair.taken : pair.opposite, label);
      return;
    }
    this.testMask(condition.mask);
    machine.emitJump(wanted ? operations.jne : operations.je, label);
  }

  private testMask(mask: Extract<Condition, { kind: "anyLane" }>["mask"]): void {
    const { context, machine } = this;
    if (context.avx512) {
      let register = context.isMask(mask) ? context.maskRegister(mask) : none;
      if (register === none) {
        register = machine.mask();
        machine.emit(operations.vpmovd2m, register, none, context.part(mask, 0));
      }
      machine.emit(operations.kortest, none, register, register);
      return;
    }
    let lanes = context.part(mask, 0);
    if (context.parts(mask) === 2) {
      const both = machine.vector();
      machine.emit(operations.vpor, both, lanes, context.part(mask, 1));
      lanes = both;
    }
    const bits = machine.int();
    machine.emit(operations.vmovmskps, bits, none, lanes);
    machine.emit(operations.test32, none, bits, bits);
  }

  /** Sets the flags: against an immediate where `register` is none. */
  private compare(left: number, register: number, immediate: number | undefined): void {
    const { machine } = this;
    if (register !== none) machine.emit(operations.compare, none, left, register);
    else if (immediate === 0) machine.emit(operations.test, none, left, left);
    else machine.emitImmediate(operations.compare, none, left, none, immediate as number).immediateOperand = true;
  }
}
