import { unreachable } from "../errors.ts";
import type { Address, Condition, IntOperand, IntRegister, Kernel, Statement, VectorRegister } from "./ir.ts";

/**
 * Readable text of a kernel. Registers are renumbered in order of first appearance, so kernels of the same structure print the same
 * whatever their register ids are.
 *
 * @param mark a statement whose line is marked with `>`, for error messages
 */
export function printKernel(kernel: Kernel, mark?: Statement): string {
  return `kernel ${kernel.name} ${new Printer(mark).kernel(kernel)}`;
}

const comparisonSigns = { lt: "<", le: "<=", gt: ">", ge: ">=", eq: "==", ne: "!=" } as const;

class Printer {
  private readonly mark: Statement | undefined;
  private text = "";
  private indent = "  ";
  private readonly ints: string[] = [];
  private readonly vectors: string[] = [];
  private intCount = 0;
  private vectorCount = 0;

  constructor(mark: Statement | undefined) {
    this.mark = mark;
  }

  kernel(kernel: Kernel): string {
    this.text = `(arguments ${kernel.argumentCount}, scratch ${kernel.scratchBytes})\n`;
    this.block(kernel.body);
    return this.text;
  }

  private block(statements: readonly Statement[]): void {
    for (const statement of statements) {
      const indent = statement === this.mark ? `>${this.indent.slice(1)}` : this.indent;
      // The line is made first: it numbers the registers of a loop's header before those of its body.
      const line = this.line(statement);
      this.text += `${indent}${line}\n`;
      if (statement.op === "loop" || statement.op === "while" || statement.op === "if") this.nested(statement);
    }
  }

  private nested(statement: Extract<Statement, { body: readonly Statement[] }>): void {
    const outer = this.indent;
    this.indent = `${outer}  `;
    this.block(statement.body);
    if (statement.op === "if" && statement.otherwise.length > 0) {
      this.text += `${outer}else\n`;
      this.block(statement.otherwise);
    }
    this.indent = outer;
  }

  private line(s: Statement): string {
    switch (s.op) {
      case "intConstant":
        return `${this.int(s.target)} = ${s.value}`;
      case "argument":
        return `${this.int(s.target)} = argument ${s.index}`;
      case "task":
        return `${this.int(s.target)} = task`;
      case "scratch":
        return `${this.int(s.target)} = scratch`;
      case "intMove":
        return `${this.int(s.target)} = ${this.int(s.source)}`;
      case "intBinary":
        return `${this.int(s.target)} = ${s.function} ${this.int(s.left)}, ${this.operand(s.right)}`;
      case "address":
        return `${this.int(s.target)} = address ${this.address(s.address)}`;
      case "intLoad":
        return `${this.int(s.target)} = intLoad.${s.type} ${this.address(s.address)}`;
      case "intStore":
        return `intStore.${s.type} ${this.address(s.address)}, ${this.int(s.source)}`;
      case "vectorConstant":
        return `${this.vector(s.target)} = constant.${s.type} ${number(s.value)}`;
      case "laneIndex":
        return `${this.vector(s.target)} = laneIndex`;
      case "splatInt":
        return `${this.vector(s.target)} = splatInt ${this.int(s.source)}`;
      case "broadcastLoad":
        return `${this.vector(s.target)} = broadcast.${s.type} ${this.address(s.address)}`;
      case "load":
        return `${this.vector(s.target)} = load.${s.type} ${this.address(s.address)}${this.lanes(s)}`;
      case "store": {
        const name = s.streaming ? "streamingStore" : "store";
        return `${name}.${s.type} ${this.address(s.address)}, ${this.vector(s.source)}${this.lanes(s)}`;
      }
      case "gather": {
        const place = `[${this.int(s.base)} + ${this.vector(s.indices)}*${s.scale}${signed(s.displacement)}]`;
        return `${this.vector(s.target)} = gather.${s.type} ${place}${this.lanes(s)}`;
      }
      case "fma":
      case "fnma":
        return `${this.vector(s.target)} = ${s.op} ${this.vector(s.a)}, ${this.vector(s.b)}`;
      case "vectorBinary":
        return `${this.vector(s.target)} = ${s.function} ${this.vector(s.left)}, ${this.vector(s.right)}`;
      case "shiftConstant":
        return `${this.vector(s.target)} = ${s.function} ${this.vector(s.source)}, ${s.count}`;
      case "vectorUnary":
        return `${this.vector(s.target)} = ${s.function} ${this.vector(s.source)}`;
      case "select": {
        const branches = `${this.vector(s.left)}, ${this.vector(s.right)}`;
        return `${this.vector(s.target)} = select ${this.vector(s.mask)}, ${branches}`;
      }
      case "horizontal":
        return `${this.vector(s.target)} = horizontal.${s.function} ${this.vector(s.source)}`;
      case "transpose":
        return `transpose ${s.registers.map((register) => this.vector(register)).join(", ")}`;
      case "prefetch":
        return `prefetch.${s.level} ${this.address(s.address)}`;
      case "loop": {
        const range = `${this.operand(s.start)} to ${this.operand(s.end)} step ${s.step}`;
        return `for ${this.int(s.counter)} = ${range}`;
      }
      case "while":
        return `while ${this.condition(s.condition)}`;
      case "if":
        return `if ${this.condition(s.condition)}`;
      default:
        return unreachable(s, "statement");
    }
  }

  private int(register: IntRegister): string {
    const name = this.ints[register.id];
    if (name !== undefined) return name;
    const fresh = `i${this.intCount++}`;
    this.ints[register.id] = fresh;
    return fresh;
  }

  private vector(register: VectorRegister): string {
    const name = this.vectors[register.id];
    if (name !== undefined) return name;
    const fresh = `v${this.vectorCount++}`;
    this.vectors[register.id] = fresh;
    return fresh;
  }

  private operand(operand: IntOperand): string {
    return typeof operand === "number" ? `${operand}` : this.int(operand);
  }

  private address(address: Address): string {
    const index = address.index === undefined ? "" : ` + ${this.int(address.index)}*${address.scale ?? 1}`;
    return `[${this.int(address.base)}${index}${signed(address.displacement)}]`;
  }

  private lanes(s: { readonly lanes?: number; readonly mask?: VectorRegister }): string {
    const mask = s.mask === undefined ? "" : ` mask ${this.vector(s.mask)}`;
    return s.lanes === undefined || s.lanes === 16 ? mask : ` lanes ${s.lanes}${mask}`;
  }

  private condition(condition: Condition): string {
    if (condition.kind === "anyLane") return `anyLane ${this.vector(condition.mask)}`;
    return `${this.int(condition.left)} ${comparisonSigns[condition.comparison]} ${this.operand(condition.right)}`;
  }
}

const signed = (value: number): string => (value === 0 ? "" : value < 0 ? ` - ${-value}` : ` + ${value}`);
/** `-0` must not print like `0`. */
const number = (value: number): string => (Object.is(value, -0) ? "-0" : `${value}`);
