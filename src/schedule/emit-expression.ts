/**
 * Emits scalar expressions for 16 lanes at a time. Values are numbered while they are emitted, so equal subexpressions share a register.
 *
 * In registers f32 and i32 are themselves, u8 is an i32 lane in 0 … 255, and bool is a mask: all ones or all zeros.
 * Expressions must have been decomposed (`kernel/decompositions`); what is left maps to one or a few instructions each. `min` and `max` of f32
 * are the machine's (the second input where unordered or equal): the decomposition of an op's `max` adds the NaN rule.
 */
import { InternalError } from "../errors.ts";
import type { DType } from "../graph/dtype.ts";
import type { KernelBuilder } from "../kernel/builder.ts";
import type { BinaryVectorOp, MachineDescription, UnaryVectorOp, VectorRegister } from "../kernel/ir.ts";
import { type ScalarExpression, type ScalarFunction, scalarCall } from "../kernel/scalar.ts";
import { linearize } from "../kernel/scalar-linear.ts";

/** What an expression reads while it is emitted. Registers given here must not be assigned again while the scope is in use. */
export interface ExpressionInputs {
  readonly input: (index: number) => VectorRegister;
  /** The position along an axis as i32 lanes; only needed by expressions that use positions. */
  readonly position?: (axis: number) => VectorRegister;
}

/**
 * Emits `expressions` and returns one register each; equal parts are computed once.
 *
 * ```ts
 * const [y] = emitExpressions(k, [relu], (index) => loaded[index]);
 * ```
 * Pass `constants` (from `hoistConstants`, called before the loop) to keep constants out of a loop body.
 */
export function emitExpressions(
  k: KernelBuilder,
  expressions: readonly ScalarExpression[],
  inputs: (index: number) => VectorRegister,
  positions?: (axis: number) => VectorRegister,
  constants?: ExpressionScope,
): VectorRegister[] {
  const scope = new ExpressionScope(k, { input: inputs, position: positions }, constants);
  return expressions.map((expression) => scope.emit(expression));
}

/** Emits the constants of expressions now, before a loop; pass the result as the parent of scopes inside it. */
export function hoistConstants(k: KernelBuilder, expressions: readonly ScalarExpression[]): ExpressionScope {
  const scope = new ExpressionScope(k, {
    input: (index) => {
      throw new InternalError(`hoistConstants: input ${index} is not a constant`);
    },
  });
  const seen = new Set<ScalarExpression>();
  const visit = (expression: ScalarExpression): void => {
    if (seen.has(expression)) return;
    seen.add(expression);
    if (expression.kind === "constant") scope.emit(expression);
    else if (expression.kind === "call") expression.inputs.forEach(visit);
  };
  for (const expression of expressions) visit(expression);
  return scope;
}

/**
 * Emits the same expressions for several vectors, one scope each, operation by operation in turn: the vectors' chains lie side by side, so that a
 * processor finds work while one waits, however long they are. Does nothing where registers are too few; each scope then emits its own later.
 */
export function emitInTurn(
  machine: MachineDescription,
  scopes: readonly ExpressionScope[],
  expressions: readonly ScalarExpression[],
): void {
  if (scopes.length < 2 || machine.vectorRegisters < 32) return;
  for (const expression of expressions) {
    for (const { expression: part } of linearize(expression)) for (const scope of scopes) scope.emit(part);
  }
}

const floatBinary: Partial<Record<ScalarFunction, BinaryVectorOp>> = {
  add: "fadd",
  sub: "fsub",
  mul: "fmul",
  div: "fdiv",
  min: "fmin",
  max: "fmax",
};
const integerBinary: Partial<Record<ScalarFunction, BinaryVectorOp>> = {
  add: "iadd",
  sub: "isub",
  mul: "imul",
  min: "imin",
  max: "imax",
  bitAnd: "and",
  bitOr: "or",
  bitXor: "xor",
  shiftLeft: "shl",
  shiftRightLogical: "shrl",
  shiftRightArithmetic: "shra",
};
const maskBinary: Partial<Record<ScalarFunction, BinaryVectorOp>> = {
  and: "and",
  or: "or",
  xor: "xor",
  bitAnd: "and",
  bitOr: "or",
  bitXor: "xor",
  ne: "xor",
  add: "or",
  mul: "and",
  max: "or",
  min: "and",
};
const floatUnary: Partial<Record<ScalarFunction, UnaryVectorOp>> = {
  sqrt: "fsqrt",
  floor: "ffloor",
  ceil: "fceil",
  round: "froundeven",
  trunc: "ftrunc",
};

const isNonzero = (expression: ScalarExpression): boolean => expression.kind === "constant" && expression.value !== 0;

/**
 * A choice of the smaller or larger of two f32 as the machine's `min` or `max`, which give the second where the two are unordered or equal: the
 * choice itself where it is strict, and otherwise where one is a constant, for only zeros are equal and differ.
 */
function asExtreme(expression: ScalarExpression): ScalarExpression | undefined {
  if (expression.kind !== "call" || expression.function !== "select" || expression.dtype !== "f32") return undefined;
  const [condition, first, second] = expression.inputs;
  if (condition.kind !== "call" || condition.inputs[0].dtype !== "f32") return undefined;
  const strict = condition.function === "lt" || condition.function === "gt";
  if (!strict && condition.function !== "le" && condition.function !== "ge") return undefined;
  if (!strict && !isNonzero(first) && !isNonzero(second)) return undefined;
  const swapped = condition.function === "gt" || condition.function === "ge";
  const [smaller, larger] = swapped ? condition.inputs.toReversed() : condition.inputs;
  if (first === smaller && second === larger) return scalarCall("min", first, second);
  if (first === larger && second === smaller) return scalarCall("max", first, second);
  return undefined;
}

/** Numbered values of one straight piece of code. A child scope (a loop body) sees the values of its parent. */
export class ExpressionScope {
  private readonly k: KernelBuilder;
  private readonly inputs: ExpressionInputs;
  private readonly parent: ExpressionScope | undefined;
  private readonly byExpression = new Map<ScalarExpression, VectorRegister>();
  private readonly byLeaf = new Map<number, VectorRegister>();
  private readonly byNumber: Map<string, VectorRegister>;

  constructor(
    k: KernelBuilder,
    inputs: ExpressionInputs,
    parent?: ExpressionScope,
    numbers: Map<string, VectorRegister> = new Map(),
  ) {
    this.k = k;
    this.inputs = inputs;
    this.parent = parent;
    this.byNumber = numbers;
  }

  /** A scope in the same straight piece of code with other inputs (the next element of a register tile): equal values are still shared. */
  fork(inputs: ExpressionInputs): ExpressionScope {
    return new ExpressionScope(this.k, inputs, this.parent, this.byNumber);
  }

  /** The register that holds an expression; emits what is missing. */
  emit(expression: ScalarExpression): VectorRegister {
    const known = this.find(expression);
    if (known) return known;
    const register = this.compute(expression);
    this.byExpression.set(expression, register);
    return register;
  }

  /** Gives an expression a register that was computed elsewhere. */
  define(expression: ScalarExpression, register: VectorRegister): void {
    this.byExpression.set(expression, register);
  }

  find(expression: ScalarExpression): VectorRegister | undefined {
    return this.byExpression.get(expression) ?? this.parent?.find(expression);
  }

  private findNumber(key: string): VectorRegister | undefined {
    return this.byNumber.get(key) ?? this.parent?.findNumber(key);
  }

  /** Inputs are keyed by their index, positions by -1 - axis. */
  private leaf(key: number, make: (index: number) => VectorRegister): VectorRegister {
    const known = this.byLeaf.get(key);
    if (known) return known;
    const register = make(key);
    this.byLeaf.set(key, register);
    return register;
  }

  private numbered(key: string, make: () => VectorRegister): VectorRegister {
    const known = this.findNumber(key);
    if (known) return known;
    const register = make();
    this.byNumber.set(key, register);
    return register;
  }

  private compute(expression: ScalarExpression): VectorRegister {
    switch (expression.kind) {
      case "input":
        return this.leaf(expression.index, this.inputs.input);
      case "position": {
        const { position } = this.inputs;
        if (!position) throw new InternalError("this kernel gives no positions to its expressions");
        return this.leaf(-1 - expression.axis, () => position(expression.axis));
      }
      case "constant":
        return this.constant(expression.value, expression.dtype);
      case "call": {
        const extreme = asExtreme(expression);
        if (extreme) return this.emit(extreme);
        const inputs = expression.inputs.map((input) => this.emit(input));
        const from = expression.inputs[0].dtype;
        let key = `${expression.function} ${from} ${expression.dtype}`;
        for (let input = 0; input < inputs.length; input++) key += ` ${inputs[input].id}`;
        return this.numbered(key, () => this.call(expression.function, inputs, from, expression.dtype));
      }
    }
  }

  private constant(value: number, dtype: DType): VectorRegister {
    const type = dtype === "f32" ? "f32" : "i32";
    const bits = dtype === "bool" ? (value ? -1 : 0) : value;
    return this.numbered(`= ${type} ${Object.is(bits, -0) ? "-0" : bits}`, () => this.k.constant(bits, type));
  }

  private call(name: ScalarFunction, inputs: readonly VectorRegister[], from: DType, to: DType): VectorRegister {
    if (name === "cast") return this.cast(inputs[0], from, to);
    if (name === "bitcast") return inputs[0];
    if (name === "select") return this.k.select(inputs[0], inputs[1], inputs[2]);
    if (from === "f32") return this.float(name, inputs);
    if (from === "bool") return this.mask(name, inputs);
    return this.integer(name, inputs, from);
  }

  private float(name: ScalarFunction, inputs: readonly VectorRegister[]): VectorRegister {
    const a = inputs[0];
    const b = inputs[1];
    const c = inputs[2];
    const { k } = this;
    const binary = floatBinary[name];
    if (binary) return k.binary(binary, a, b);
    const unary = floatUnary[name];
    if (unary) return k.unary(unary, a);
    switch (name) {
      case "lt":
        return k.binary("flt", a, b);
      case "le":
        return k.binary("fle", a, b);
      case "gt":
        return k.binary("flt", b, a);
      case "ge":
        return k.binary("fle", b, a);
      case "eq":
        return k.binary("feq", a, b);
      case "ne":
        return k.binary("fne", a, b);
      case "neg":
        return k.binary("xor", a, this.constant(-2147483648, "i32"));
      case "abs":
        return k.binary("and", a, this.constant(0x7fffffff, "i32"));
      case "fma": {
        const sum = k.unary("move", c);
        k.fma(sum, a, b);
        return sum;
      }
      default:
        throw new InternalError(`expression function "${name}" on f32 must be decomposed before it is emitted`);
    }
  }

  private integer(name: ScalarFunction, inputs: readonly VectorRegister[], dtype: DType): VectorRegister {
    const a = inputs[0];
    const b = inputs[1];
    const { k } = this;
    const binary = integerBinary[name];
    if (binary) return this.wrap(k.binary(binary, a, b), name, dtype);
    switch (name) {
      case "lt":
        return k.binary("ilt", a, b);
      case "gt":
        return k.binary("ilt", b, a);
      case "le":
        return this.not(k.binary("ilt", b, a));
      case "ge":
        return this.not(k.binary("ilt", a, b));
      case "eq":
        return k.binary("ieq", a, b);
      case "ne":
        return this.not(k.binary("ieq", a, b));
      case "neg":
        return this.wrap(k.binary("isub", this.constant(0, "i32"), a), name, dtype);
      case "abs":
        return dtype === "u8" ? a : k.binary("imax", a, k.binary("isub", this.constant(0, "i32"), a));
      case "sign":
        return k.binary(
          "imax",
          k.binary("imin", a, this.constant(1, "i32")),
          this.constant(dtype === "u8" ? 0 : -1, "i32"),
        );
      case "floor":
      case "ceil":
      case "round":
      case "trunc":
        return a;
      case "fma":
        throw new InternalError("fma is f32 only");
      default:
        throw new InternalError(`expression function "${name}" on ${dtype} must be decomposed before it is emitted`);
    }
  }

  /** u8 arithmetic wraps at 256. */
  private wrap(value: VectorRegister, name: ScalarFunction, dtype: DType): VectorRegister {
    if (
      dtype !== "u8" ||
      !(name === "add" || name === "sub" || name === "mul" || name === "neg" || name === "shiftLeft")
    )
      return value;
    return this.k.binary("and", value, this.constant(255, "i32"));
  }

  private mask(name: ScalarFunction, inputs: readonly VectorRegister[]): VectorRegister {
    const a = inputs[0];
    const b = inputs[1];
    const { k } = this;
    const binary = maskBinary[name];
    if (binary) return k.binary(binary, a, b);
    switch (name) {
      case "not":
        return this.not(a);
      case "eq":
        return this.not(k.binary("xor", a, b));
      case "lt":
        return k.binary("andnot", a, b);
      case "gt":
        return k.binary("andnot", b, a);
      case "le":
        return this.not(k.binary("andnot", b, a));
      case "ge":
        return this.not(k.binary("andnot", a, b));
      default:
        throw new InternalError(`expression function "${name}" on bool must be decomposed before it is emitted`);
    }
  }

  private not(mask: VectorRegister): VectorRegister {
    return this.k.binary("xor", mask, this.constant(-1, "i32"));
  }

  private cast(a: VectorRegister, from: DType, to: DType): VectorRegister {
    const { k } = this;
    if (from === to) return a;
    if (to === "bool") {
      if (from === "f32") return k.binary("fne", a, this.constant(0, "f32"));
      return this.not(k.binary("ieq", a, this.constant(0, "i32")));
    }
    if (from === "bool") return k.binary("and", a, this.constant(1, to === "f32" ? "f32" : "i32"));
    if (to === "f32") return k.unary("itof", a);
    const whole = from === "f32" ? k.unary("ftoi", a) : a;
    return to === "u8" ? k.binary("and", whole, this.constant(255, "i32")) : whole;
  }
}
