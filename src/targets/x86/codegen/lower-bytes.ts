/** Loads, stores and gathers of u8: one byte per lane, never touching a byte that is not asked for. */
import type { Instruction } from "../../../kernel/ir.ts";
import { emitStore } from "./lower-memory.ts";
import { maskOf } from "./lower-vector.ts";
import type { LoweringContext, Place } from "./lowering-context.ts";
import { frameBase, memoryPlace, none, setPlace } from "./machine-code.ts";
import { operations } from "./operations.ts";

type Of<Name extends Instruction["op"]> = Extract<Instruction, { op: Name }>;
type Masked = Of<"load" | "store" | "gather">;

export function lowerByteLoad(context: LoweringContext, s: Of<"load" | "gather">, place: Place): void {
  if (s.op === "gather") gatherBytes(context, s, place);
  else if (context.avx512) loadBytes512(context, s, place);
  else if (s.mask !== undefined) loadBytesUnderMask(context, s, place);
  else loadBytes256(context, s, place);
}

function loadBytes512(context: LoweringContext, s: Of<"load">, place: Place): void {
  const { machine } = context;
  const lanes = s.lanes ?? 16;
  const mask = s.mask !== undefined ? maskOf(context, s.mask) : lanes === 16 ? none : context.constants.laneMask(lanes);
  context.beginWrite(s.target);
  const load = machine.emit(operations.vpmovzxbd, context.own(s.target, 0), none, none);
  context.setMemory(load, memoryPlace.second, place);
  load.mask = mask;
  load.zeroing = mask !== none;
}

function loadBytes256(context: LoweringContext, s: Of<"load">, place: Place): void {
  const { machine } = context;
  const lanes = s.lanes ?? 16;
  context.beginWrite(s.target);
  for (let half = 0; half < 2; half++) {
    const own = context.own(s.target, half);
    const count = Math.min(8, lanes - half * 8);
    if (count <= 0) machine.emit(operations.zero, own, none, none);
    else if (count === 8) {
      const load = machine.emit(operations.vpmovzxbd, own, none, none);
      context.setMemory(load, memoryPlace.second, place, half * 8);
    } else machine.emit(operations.vpmovzxbd, own, none, collectBytes(context, place, half * 8, count));
  }
}

/** Up to 7 bytes in the low bytes of a register, in pieces of 4, 2 and 1. */
function collectBytes(context: LoweringContext, place: Place, offset: number, count: number): number {
  const { machine } = context;
  let result = machine.vector();
  let done = 0;
  if (count >= 4) {
    context.setMemory(machine.emit(operations.vmovd, result, none, none, 0), memoryPlace.second, place, offset);
    done = 4;
  } else machine.emit(operations.zero, result, none, none);
  const insert = (bytes: 1 | 2) => {
    const next = machine.vector();
    const operation = bytes === 2 ? operations.vpinsrw : operations.vpinsrb;
    const piece = machine.emitImmediate(operation, next, result, none, done / bytes, 0);
    context.setMemory(piece, memoryPlace.second, place, offset + done);
    result = next;
    done += bytes;
  };
  if (count - done >= 2) insert(2);
  if (count - done >= 1) insert(1);
  return result;
}

export function lowerByteStore(context: LoweringContext, s: Of<"store">, place: Place): void {
  const { machine } = context;
  const lanes = s.lanes ?? 16;
  if (context.avx512) {
    const mask =
      s.mask !== undefined ? maskOf(context, s.mask) : lanes === 16 ? none : context.constants.laneMask(lanes);
    emitStore(context, operations.storeNarrow, context.part(s.source, 0), place, 0, 2).mask = mask;
    return;
  }
  if (s.mask !== undefined) {
    storeBytesUnderMask(context, s, place);
    return;
  }
  const low = narrow(context, context.part(s.source, 0));
  if (lanes <= 8) {
    storeBytes(context, low, lanes, place);
    return;
  }
  const high = narrow(context, context.part(s.source, 1));
  const all = machine.vector();
  machine.emit(operations.vpunpcklqdq, all, low, high, 0);
  storeBytes(context, all, lanes, place);
}

/** AVX2: the low bytes of 8 lanes in the low 8 bytes. */
function narrow(context: LoweringContext, source: number): number {
  const { machine } = context;
  const order = [0x0c080400, -2139062144, -2139062144, -2139062144];
  const grouped = machine.vector();
  const shuffle = machine.emit(operations.vpshufb, grouped, source, none);
  setPlace(shuffle, memoryPlace.second, -3, machine.pool.entry([...order, ...order]));
  const high = machine.vector();
  machine.emitImmediate(operations.vextract128, high, none, grouped, 1);
  const result = machine.vector();
  machine.emit(operations.vpunpckldq, result, grouped, high, 0);
  return result;
}

/** The first bytes of a register, in pieces of 8, 4, 2 and 1. */
function storeBytes(context: LoweringContext, source: number, count: number, place: Place): void {
  if (count === 16) {
    emitStore(context, operations.storeVector, source, place, 0, 0);
    return;
  }
  let done = 0;
  if (count >= 8) {
    emitStore(context, operations.storeLane64, source, place, 0, 0);
    done = 8;
  }
  const pieces = [
    { bytes: 4, operation: operations.storeExtractD },
    { bytes: 2, operation: operations.storeExtractW },
    { bytes: 1, operation: operations.storeExtractB },
  ] as const;
  for (const { bytes, operation } of pieces) {
    if (count - done < bytes) continue;
    emitStore(context, operation, source, place, done, 0).immediate = done / bytes;
    done += bytes;
  }
}

// ---- lane by lane, through the stack: for what the machine has no instruction ----

/** Runs `body` for each lane, jumping over those that the mask leaves out. */
function forEachLane(context: LoweringContext, s: Masked, body: (lane: number) => void): void {
  const { machine } = context;
  const bits = s.mask === undefined ? none : maskBits(context, s.mask);
  for (let lane = 0; lane < (s.lanes ?? 16); lane++) {
    if (bits === none) {
      body(lane);
      continue;
    }
    const skip = machine.label();
    machine.emitImmediate(operations.test32, none, bits, none, 1 << lane).immediateOperand = true;
    machine.emitJump(operations.je, skip);
    body(lane);
    machine.emitLabel(skip);
  }
}

/** The mask as 16 bits of an integer. */
function maskBits(context: LoweringContext, mask: NonNullable<Masked["mask"]>): number {
  const { machine } = context;
  const bits = machine.int();
  if (context.avx512) {
    machine.emit(operations.kmovToInt, bits, none, maskOf(context, mask));
    return bits;
  }
  machine.emit(operations.vmovmskps, bits, none, context.part(mask, 0));
  const high = machine.int();
  machine.emit(operations.vmovmskps, high, none, context.part(mask, 1));
  const shifted = machine.int();
  machine.emitImmediate(operations.shl, shifted, high, none, 8);
  const all = machine.int();
  machine.emit(operations.or, all, bits, shifted);
  return all;
}

/** A vector of the stack frame, as the place of its first lane. */
function frameVector(context: LoweringContext): Place {
  return { base: frameBase, index: none, scale: 1, displacement: context.machine.frameSlot(64) };
}
function storeToFrame(context: LoweringContext, slot: Place, part: (half: number) => number): void {
  for (let half = 0; half < context.halves; half++)
    emitStore(context, operations.storeVector, part(half), slot, half * 32, context.machine.width);
}
function loadFromFrame(context: LoweringContext, s: Of<"load" | "gather">, slot: Place): void {
  const { machine } = context;
  context.beginWrite(s.target);
  for (let half = 0; half < context.halves; half++) {
    const load = machine.emit(operations.vmovups, context.own(s.target, half), none, none);
    context.setMemory(load, memoryPlace.second, slot, half * 32);
  }
}

function copyByte(context: LoweringContext, from: Place, to: Place, offset: number): void {
  const { machine } = context;
  const byte = machine.int();
  context.setMemory(machine.emit(operations.load8, byte, none, none), memoryPlace.second, from);
  emitStore(context, operations.store32, byte, to, offset, machine.width);
}

function loadBytesUnderMask(context: LoweringContext, s: Of<"load">, place: Place): void {
  const slot = frameVector(context);
  storeToFrame(context, slot, () => context.constants.splat(0));
  forEachLane(context, s, (lane) => {
    copyByte(context, { ...place, displacement: place.displacement + lane }, slot, lane * 4);
  });
  loadFromFrame(context, s, slot);
}

function gatherBytes(context: LoweringContext, s: Of<"gather">, place: Place): void {
  const { machine } = context;
  const indices = frameVector(context);
  const slot = frameVector(context);
  storeToFrame(context, indices, (half) => context.part(s.indices, half));
  storeToFrame(context, slot, () => context.constants.splat(0));
  const base = context.int(s.base);
  forEachLane(context, s, (lane) => {
    const index = machine.int();
    const load = machine.emit(operations.load32, index, none, none);
    context.setMemory(load, memoryPlace.second, indices, lane * 4);
    copyByte(context, { ...place, base, index, scale: s.scale, displacement: s.displacement }, slot, lane * 4);
  });
  loadFromFrame(context, s, slot);
}

function storeBytesUnderMask(context: LoweringContext, s: Of<"store">, place: Place): void {
  const { machine } = context;
  const slot = frameVector(context);
  storeToFrame(context, slot, (half) => context.part(s.source, half));
  forEachLane(context, s, (lane) => {
    const byte = machine.int();
    const load = machine.emit(operations.load8, byte, none, none);
    context.setMemory(load, memoryPlace.second, slot, lane * 4);
    emitStore(context, operations.store8, byte, place, lane, machine.width);
  });
}
