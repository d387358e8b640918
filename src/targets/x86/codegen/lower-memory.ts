import type { Instruction, VectorRegister } from "../../../kernel/ir.ts";
import { lowerByteLoad, lowerByteStore } from "./lower-bytes.ts";
import { maskOf, splatRegister } from "./lower-vector.ts";
import type { LoweringContext, Place } from "./lowering-context.ts";
import { type MachineInstruction, memoryPlace, none } from "./machine-code.ts";
import { type Operation, operations, type Width } from "./operations.ts";

type Of<Name extends Instruction["op"]> = Extract<Instruction, { op: Name }>;

export function lowerBroadcast(context: LoweringContext, s: Of<"broadcastLoad">): void {
  const { machine, analysis } = context;
  const place = context.place(s.address);
  if (s.type === "u8") {
    const byte = machine.int();
    context.setMemory(machine.emit(operations.load8, byte, none, none), memoryPlace.second, place);
    splatRegister(context, s.target, byte);
    return;
  }
  if (context.avx512 && context.isSingleVector(s.target) && analysis.vectorUses[s.target.id] === 1) {
    context.wait(s.target, place, true);
    return;
  }
  context.beginWrite(s.target);
  for (let half = 0; half < context.parts(s.target); half++) {
    const load = machine.emit(operations.vbroadcastss, context.own(s.target, half), none, none);
    context.setMemory(load, memoryPlace.second, place);
  }
}

export function lowerLoad(context: LoweringContext, s: Of<"load">): void {
  const { machine, analysis } = context;
  const place = context.place(s.address);
  const lanes = s.lanes ?? 16;
  if (s.type === "u8") {
    lowerByteLoad(context, s, place);
    return;
  }
  if (lanes === 16 && s.mask === undefined) {
    if (context.isSingleVector(s.target) && analysis.vectorUses[s.target.id] === 1) {
      context.wait(s.target, place, false);
      return;
    }
    context.beginWrite(s.target);
    for (let half = 0; half < context.halves; half++) {
      const load = machine.emit(operations.vmovups, context.own(s.target, half), none, none);
      context.setMemory(load, memoryPlace.second, place, half * 32);
    }
    return;
  }
  if (context.avx512) {
    loadMasked512(context, s, place, lanes);
    return;
  }
  const masks = s.mask === undefined ? undefined : [context.part(s.mask, 0), context.part(s.mask, context.halves - 1)];
  context.beginWrite(s.target);
  for (let half = 0; half < 2; half++) {
    const own = context.own(s.target, half);
    const count = Math.min(8, Math.max(0, lanes - half * 8));
    if (masks !== undefined) loadUnderMask(context, own, masks[half], place, half * 32);
    else loadLanes(context, own, count, place, half * 32);
  }
}

/** Loads whose lanes are a natural width need no mask. */
const naturalLoads: Readonly<Record<number, readonly [Operation, Width]>> = {
  1: [operations.vmovss, 0],
  4: [operations.vmovups, 0],
  8: [operations.vmovups, 1],
};

function loadMasked512(context: LoweringContext, s: Of<"load">, place: Place, lanes: number): void {
  const { machine } = context;
  const natural = s.mask === undefined ? naturalLoads[lanes] : undefined;
  const mask =
    natural !== undefined ? none : s.mask === undefined ? context.constants.laneMask(lanes) : maskOf(context, s.mask);
  context.beginWrite(s.target);
  const [operation, width] = natural ?? [operations.vmovups, machine.width];
  const load = machine.emit(operation, context.own(s.target, 0), none, none, width);
  context.setMemory(load, memoryPlace.second, place);
  load.mask = mask;
  load.zeroing = natural === undefined;
}

function loadUnderMask(context: LoweringContext, target: number, mask: number, place: Place, offset: number): void {
  const load = context.machine.emit(operations.maskLoad, target, mask, none);
  context.setMemory(load, memoryPlace.second, place, offset);
}

/** AVX2: the first lanes of one half, the others 0. */
function loadLanes(context: LoweringContext, target: number, lanes: number, place: Place, offset: number): void {
  const { machine } = context;
  if (lanes === 0) {
    machine.emit(operations.zero, target, none, none);
    return;
  }
  let load: MachineInstruction;
  if (lanes === 8) load = machine.emit(operations.vmovups, target, none, none);
  else if (lanes === 4) load = machine.emit(operations.vmovups, target, none, none, 0);
  else if (lanes === 2) load = machine.emit(operations.vmovq, target, none, none, 0);
  else if (lanes === 1) load = machine.emit(operations.vmovss, target, none, none, 0);
  else {
    loadUnderMask(context, target, context.constants.halfMask(lanes), place, offset);
    return;
  }
  context.setMemory(load, memoryPlace.second, place, offset);
}

export function lowerStore(context: LoweringContext, s: Of<"store">): void {
  const { machine } = context;
  const lanes = s.lanes ?? 16;
  // The source may itself be waiting; every other load is older than this store and must stay so.
  context.emitLoads();
  if (s.type === "u8") {
    lowerByteStore(context, s, context.place(s.address));
    return;
  }
  const place = context.place(s.address);
  if (lanes === 16 && s.mask === undefined) {
    const operation = s.streaming ? operations.storeStreaming : operations.storeVector;
    for (let half = 0; half < context.halves; half++)
      emitStore(context, operation, context.part(s.source, half), place, half * 32, machine.width);
    return;
  }
  if (context.avx512) {
    storeMasked512(context, s, place, lanes);
    return;
  }
  for (let half = 0; half < 2; half++) {
    const source = context.part(s.source, half);
    if (s.mask !== undefined) {
      const store = emitStore(context, operations.storeMasked, source, place, half * 32, machine.width);
      store.third = context.part(s.mask, half);
    } else storeLanes(context, source, Math.min(8, lanes - half * 8), place, half * 32);
  }
}

export function emitStore(
  context: LoweringContext,
  operation: Operation,
  source: number,
  place: Place,
  offset: number,
  width: Width,
): MachineInstruction {
  const store = context.machine.emit(operation, none, source, none, width);
  return context.setMemory(store, memoryPlace.target, place, offset);
}

function storeMasked512(context: LoweringContext, s: Of<"store">, place: Place, lanes: number): void {
  const source = context.part(s.source, 0);
  if (s.mask === undefined && lanes === 1) emitStore(context, operations.storeLane32, source, place, 0, 0);
  else if (s.mask === undefined && (lanes === 4 || lanes === 8))
    emitStore(context, operations.storeVector, source, place, 0, lanes === 4 ? 0 : 1);
  else {
    const mask = s.mask === undefined ? context.constants.laneMask(lanes) : maskOf(context, s.mask);
    emitStore(context, operations.storeVector, source, place, 0, 2).mask = mask;
  }
}

/** AVX2: stores the first lanes of one half in pieces of 16, 8 and 4 bytes (masked stores are slow on several CPUs). */
function storeLanes(context: LoweringContext, source: number, lanes: number, place: Place, offset: number): void {
  if (lanes <= 0) return;
  const { machine } = context;
  if (lanes === 8) {
    emitStore(context, operations.storeVector, source, place, offset, 1);
    return;
  }
  let rest = source;
  let done = 0;
  if (lanes >= 4) {
    emitStore(context, operations.storeVector, source, place, offset, 0);
    done = 4;
    if (lanes > 4) {
      rest = machine.vector();
      machine.emitImmediate(operations.vextract128, rest, none, source, 1);
    }
  }
  if (lanes - done >= 2) emitStore(context, operations.storeLane64, rest, place, offset + done * 4, 0);
  const last = (lanes - done) & 1;
  if (last === 0) return;
  if (lanes - done === 1) emitStore(context, operations.storeLane32, rest, place, offset + done * 4, 0);
  else emitStore(context, operations.storeExtractD, rest, place, offset + (done + 2) * 4, 0).immediate = 2;
}

export function lowerGather(context: LoweringContext, s: Of<"gather">): void {
  const { machine } = context;
  const lanes = s.lanes ?? 16;
  if (s.type === "u8") {
    lowerByteLoad(context, s, {
      base: context.place({ base: s.base, displacement: 0 }).base,
      index: none,
      scale: 1,
      displacement: 0,
    });
    return;
  }
  const place = context.place({ base: s.base, displacement: s.displacement });
  // A gather cannot take two registers of an address besides its vector of indices.
  const base = place.index === none ? place.base : context.int(s.base);
  const displacement = place.index === none ? place.displacement : s.displacement;
  const results: number[] = [];
  for (let half = 0; half < context.halves; half++) {
    const result = machine.vector();
    results.push(result);
    const count = context.avx512 ? lanes : Math.min(8, lanes - half * 8);
    machine.emit(operations.zero, result, none, none);
    if (count <= 0) continue;
    const mask = gatherMask(context, s.mask, count, half);
    const gather = machine.emit(operations.gather, result, none, none);
    context.setMemory(gather, memoryPlace.second, { base, index: none, scale: s.scale, displacement });
    gather.index = context.part(s.indices, half);
    if (context.avx512) gather.mask = mask;
    else gather.third = mask;
  }
  context.beginWrite(s.target);
  for (let half = 0; half < context.halves; half++)
    machine.emit(operations.vmove, context.own(s.target, half), none, results[half]);
}

/** A mask that the gather may destroy. */
function gatherMask(context: LoweringContext, mask: VectorRegister | undefined, lanes: number, half: number): number {
  const { machine } = context;
  if (context.avx512) {
    const source = mask === undefined ? context.constants.laneMask(lanes) : maskOf(context, mask);
    const copy = machine.mask();
    machine.emit(operations.kmove, copy, none, source);
    return copy;
  }
  const source = mask === undefined ? context.constants.halfMask(lanes) : context.part(mask, half);
  const copy = machine.vector();
  machine.emit(operations.vmove, copy, none, source);
  return copy;
}
