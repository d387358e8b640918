import type { BinaryVectorOp, Instruction, UnaryVectorOp, VectorRegister } from "../../../kernel/ir.ts";
import { isComparison, isLogic } from "./analysis.ts";
import type { LoweringContext } from "./lowering-context.ts";
import { none } from "./machine-code.ts";
import { type Operation, operations } from "./operations.ts";

type Of<Name extends Instruction["op"]> = Extract<Instruction, { op: Name }>;
type Comparing = "flt" | "fle" | "feq" | "fne" | "ilt" | "ieq";
type Arithmetic = Exclude<BinaryVectorOp, Comparing>;

const binaryOperations: { readonly [Name in Arithmetic]: Operation } = {
  fadd: operations.vaddps,
  fsub: operations.vsubps,
  fmul: operations.vmulps,
  fdiv: operations.vdivps,
  fmin: operations.vminps,
  fmax: operations.vmaxps,
  iadd: operations.vpaddd,
  isub: operations.vpsubd,
  imul: operations.vpmulld,
  imin: operations.vpminsd,
  imax: operations.vpmaxsd,
  and: operations.vpand,
  or: operations.vpor,
  xor: operations.vpxor,
  andnot: operations.vpandn,
  shl: operations.vpsllvd,
  shrl: operations.vpsrlvd,
  shra: operations.vpsravd,
};

/** Comparison predicates of vcmpps (quiet or signalling makes no difference to the result) and vpcmpd. */
const predicates: { readonly [Name in Comparing]: number } = { flt: 1, fle: 2, feq: 0, fne: 4, ilt: 1, ieq: 0 };
/** Predicates with the inputs exchanged: a < b is b > a. */
const exchanged: { readonly [Name in Comparing]: number } = { flt: 14, fle: 13, feq: 0, fne: 4, ilt: 6, ieq: 0 };

/** Immediates of vroundps/vrndscaleps: the mode, and no precision exception. */
const roundingModes = { froundeven: 8, ffloor: 9, fceil: 10, ftrunc: 11 } as const;

const unaryOperations: { readonly [Name in Exclude<UnaryVectorOp, "move">]: Operation } = {
  fsqrt: operations.vsqrtps,
  ffloor: operations.vroundps,
  fceil: operations.vroundps,
  froundeven: operations.vroundps,
  ftrunc: operations.vroundps,
  itof: operations.vcvtdq2ps,
  ftoi: operations.vcvttps2dq,
  ftoiround: operations.vcvtps2dq,
};

export function lowerSplat(context: LoweringContext, s: Of<"splatInt">): void {
  const constant = context.constantOf(s.source);
  if (constant !== undefined) {
    const register = context.constants.splat(Number(BigInt.asIntN(32, BigInt(constant))));
    context.copy(s.target, register, register, true);
    return;
  }
  splatRegister(context, s.target, context.int(s.source));
}

/** All lanes = the low 32 bits of an integer register. */
export function splatRegister(context: LoweringContext, target: VectorRegister, source: number): void {
  const { machine } = context;
  let from = source;
  if (!context.avx512) {
    from = machine.vector();
    machine.emit(operations.vmovd, from, none, source, 0);
  }
  context.beginWrite(target);
  for (let half = 0; half < context.parts(target); half++)
    machine.emit(operations.vpbroadcastd, context.own(target, half), none, from);
}

export function lowerFma(context: LoweringContext, s: Of<"fma" | "fnma">): void {
  const operation = s.op === "fma" ? operations.fma : operations.fnma;
  const swapped = !context.isWaiting(s.b) && context.isWaiting(s.a);
  emitTernary(context, operation, s.target, swapped ? s.b : s.a, swapped ? s.a : s.b);
}

function emitTernary(
  context: LoweringContext,
  operation: Operation,
  target: VectorRegister,
  a: VectorRegister,
  b: VectorRegister,
): void {
  const { machine } = context;
  const load = b.id === a.id ? undefined : context.takeLoad(b);
  const last = context.halves - 1;
  const a0 = context.part(a, 0);
  const a1 = context.part(a, last);
  const b0 = load === undefined ? context.part(b, 0) : none;
  const b1 = load === undefined ? context.part(b, last) : none;
  const c0 = context.part(target, 0);
  const c1 = context.part(target, last);
  context.beginWrite(target);
  const parts = context.parts(target);
  for (let half = 0; half < parts; half++) {
    const own = context.own(target, half);
    const instruction = machine.emit(operation, own, half === 0 ? a0 : a1, half === 0 ? b0 : b1);
    instruction.third = half === 0 ? c0 : c1;
    if (load !== undefined) context.useLoad(instruction, load, half);
  }
}

/** target = left op right on all machine registers of the target; `right` may be a waiting load. */
function emitLanewise(
  context: LoweringContext,
  operation: Operation,
  target: VectorRegister,
  left: VectorRegister | undefined,
  right: VectorRegister,
  immediate: number,
): void {
  const { machine } = context;
  const load = operation.folds && left?.id !== right.id ? context.takeLoad(right) : undefined;
  const last = context.halves - 1;
  const l0 = left === undefined ? none : context.part(left, 0);
  const l1 = left === undefined ? none : context.part(left, last);
  const r0 = load === undefined ? context.part(right, 0) : none;
  const r1 = load === undefined ? context.part(right, last) : none;
  context.beginWrite(target);
  const parts = context.parts(target);
  for (let half = 0; half < parts; half++) {
    const own = context.own(target, half);
    const instruction = machine.emit(operation, own, half === 0 ? l0 : l1, half === 0 ? r0 : r1);
    instruction.immediate = immediate;
    if (load !== undefined) context.useLoad(instruction, load, half);
  }
}

export function lowerVectorUnary(context: LoweringContext, s: Of<"vectorUnary">): void {
  if (s.function === "move") {
    context.copyOf(s.target, s.source);
    return;
  }
  const mode = s.function in roundingModes ? roundingModes[s.function as keyof typeof roundingModes] : 0;
  emitLanewise(context, unaryOperations[s.function], s.target, undefined, s.source, mode);
}

const shiftOperations = {
  shl: operations.vpslldImmediate,
  shrl: operations.vpsrldImmediate,
  shra: operations.vpsradImmediate,
} as const;

export function lowerShift(context: LoweringContext, s: Of<"shiftConstant">): void {
  emitLanewise(context, shiftOperations[s.function], s.target, undefined, s.source, s.count);
}

export function lowerVectorBinary(context: LoweringContext, s: Of<"vectorBinary">): void {
  const name = s.function;
  if (isComparison(name)) lowerComparison(context, s, name as Comparing);
  else if (context.avx512 && isLogic(name) && lowerMaskLogic(context, s)) return;
  else {
    const operation = binaryOperations[name as Arithmetic];
    let { left, right } = s;
    if (operation.commutative && !context.isWaiting(right) && context.isWaiting(left)) [left, right] = [right, left];
    emitLanewise(context, operation, s.target, left, right, 0);
  }
}

function lowerComparison(context: LoweringContext, s: Of<"vectorBinary">, name: Comparing): void {
  const integer = name === "ilt" || name === "ieq";
  let { left, right } = s;
  let predicate = predicates[name];
  if (context.avx512 || !integer) {
    if (!context.isWaiting(right) && context.isWaiting(left)) {
      [left, right] = [right, left];
      predicate = exchanged[name];
    }
    if (context.avx512) {
      compareToMask(context, integer ? operations.vpcmpd : operations.vcmpps, s.target, left, right, predicate);
    } else emitLanewise(context, operations.vcmpps, s.target, left, right, predicate);
  } else if (name === "ieq") {
    if (!context.isWaiting(right) && context.isWaiting(left)) [left, right] = [right, left];
    emitLanewise(context, operations.vpcmpeqd, s.target, left, right, 0);
  } else {
    // There is only "greater": left < right is right > left.
    emitLanewise(context, operations.vpcmpgtd, s.target, right, left, 0);
  }
}

function compareToMask(
  context: LoweringContext,
  operation: Operation,
  target: VectorRegister,
  left: VectorRegister,
  right: VectorRegister,
  predicate: number,
): void {
  const { machine } = context;
  const load = left.id === right.id ? undefined : context.takeLoad(right);
  const a = context.part(left, 0);
  const b = load === undefined ? context.part(right, 0) : none;
  const mask = context.isMask(target) ? context.writeMask(target) : machine.mask();
  const compare = machine.emitImmediate(operation, mask, a, b, predicate);
  if (load !== undefined) context.useLoad(compare, load, 0);
  if (context.isMask(target)) return;
  context.beginWrite(target);
  machine.emit(operations.vpmovm2d, context.own(target, 0), none, mask);
}

const maskOperations = {
  and: operations.kand,
  or: operations.kor,
  xor: operations.kxor,
  andnot: operations.kandn,
} as const;

/** Logic with mask registers; false where it is ordinary vector logic. */
function lowerMaskLogic(context: LoweringContext, s: Of<"vectorBinary">): boolean {
  const { machine } = context;
  const name = s.function as keyof typeof maskOperations;
  if (context.isMask(s.target)) {
    const left = maskInput(context, s.left);
    const right = maskInput(context, s.right);
    machine.emit(maskOperations[name], context.writeMask(s.target), left, right);
    return true;
  }
  const maskedLeft = context.isMask(s.left);
  if (!maskedLeft && !context.isMask(s.right)) return false;
  // A mask and a vector: the vector's lanes under the mask, 0 elsewhere.
  let mask = context.maskRegister(maskedLeft ? s.left : s.right);
  const value = context.part(maskedLeft ? s.right : s.left, 0);
  if (name === "andnot") {
    const inverse = machine.mask();
    machine.emit(operations.knot, inverse, none, mask);
    mask = inverse;
  }
  context.beginWrite(s.target);
  const move = machine.emit(operations.vmovups, context.own(s.target, 0), none, value);
  move.mask = mask;
  move.zeroing = true;
  return true;
}

/** A mask register, also for the constants 0 and -1. */
function maskInput(context: LoweringContext, register: VectorRegister): number {
  if (context.isMask(register)) return context.maskRegister(register);
  return context.constants.laneMask(context.analysis.constantBits[register.id] === 0 ? 0 : 16);
}

/** The mask register that stands for a vector used as a mask (AVX-512). */
export function maskOf(context: LoweringContext, register: VectorRegister): number {
  if (context.isMask(register)) return context.maskRegister(register);
  const mask = context.machine.mask();
  context.machine.emit(operations.vpmovd2m, mask, none, context.part(register, 0));
  return mask;
}

export function lowerSelect(context: LoweringContext, s: Of<"select">): void {
  const { machine, analysis } = context;
  const zeroRight = analysis.constantBits[s.right.id] === 0;
  if (!context.avx512) {
    if (zeroRight) emitLanewise(context, operations.vpand, s.target, s.mask, s.left, 0);
    else if (analysis.constantBits[s.left.id] === 0)
      emitLanewise(context, operations.vpandn, s.target, s.mask, s.right, 0);
    else blendHalves(context, s);
    return;
  }
  const mask = maskOf(context, s.mask);
  const load = s.left.id === s.right.id ? undefined : context.takeLoad(s.left);
  const left = load === undefined ? context.part(s.left, 0) : none;
  const right = zeroRight ? none : context.part(s.right, 0);
  context.beginWrite(s.target);
  const own = context.own(s.target, 0);
  // A broadcast operand needs an operation on 32-bit elements, which a masked move is not.
  const moves = zeroRight && !load?.broadcast;
  const blend = moves
    ? machine.emit(operations.vmovups, own, none, left)
    : machine.emit(operations.vblendmps, own, zeroRight ? context.constants.splat(0) : right, left);
  blend.mask = mask;
  blend.zeroing = moves;
  if (load !== undefined) context.useLoad(blend, load, 0);
}

function blendHalves(context: LoweringContext, s: Of<"select">): void {
  const { machine } = context;
  const last = context.halves - 1;
  const distinct = s.left.id !== s.right.id && s.left.id !== s.mask.id;
  const load = distinct ? context.takeLoad(s.left) : undefined;
  const masks = [context.part(s.mask, 0), context.part(s.mask, last)];
  const lefts = load === undefined ? [context.part(s.left, 0), context.part(s.left, last)] : [none, none];
  const rights = [context.part(s.right, 0), context.part(s.right, last)];
  context.beginWrite(s.target);
  for (let half = 0; half < context.parts(s.target); half++) {
    const blend = machine.emit(operations.vblendvps, context.own(s.target, half), rights[half], lefts[half]);
    blend.third = masks[half];
    if (load !== undefined) context.useLoad(blend, load, half);
  }
}
