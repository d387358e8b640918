/** Work across lanes: horizontal combinations and the 16 x 16 transpose. */
import type { HorizontalOp, Instruction } from "../../../kernel/ir.ts";
import type { LoweringContext } from "./lowering-context.ts";
import type { MachineFunction } from "./machine-code.ts";
import { none } from "./machine-code.ts";
import { type Operation, operations, type Width } from "./operations.ts";

type Of<Name extends Instruction["op"]> = Extract<Instruction, { op: Name }>;

const horizontalOperations: { readonly [Name in HorizontalOp]: Operation } = {
  fadd: operations.vaddps,
  fmul: operations.vmulps,
  fmin: operations.vminps,
  fmax: operations.vmaxps,
  imin: operations.vpminsd,
  imax: operations.vpmaxsd,
  iadd: operations.vpaddd,
  and: operations.vpand,
  or: operations.vpor,
};

/** Folds 16 lanes to 8, 4, 2 and 1; the lower lanes are always the first input. */
export function lowerHorizontal(context: LoweringContext, s: Of<"horizontal">): void {
  const { machine } = context;
  const operation = horizontalOperations[s.function];
  const combine = (left: number, right: number, width: Width): number => {
    const result = machine.vector();
    machine.emit(operation, result, left, right, width);
    return result;
  };
  const shuffle = (shuffling: Operation, source: number, immediate: number, width: Width): number => {
    const result = machine.vector();
    machine.emitImmediate(shuffling, result, none, source, immediate, width);
    return result;
  };
  const low = context.part(s.source, 0);
  const high = context.avx512 ? shuffle(operations.vextract256, low, 1, 2) : context.part(s.source, 1);
  const eight = combine(low, high, 1);
  const four = combine(eight, shuffle(operations.vextract128, eight, 1, 1), 0);
  const two = combine(four, shuffle(operations.vpermilps, four, 0x0e, 0), 0);
  const one = combine(two, shuffle(operations.vmovshdup, two, 0, 0), 0);
  context.beginWrite(s.target);
  for (let half = 0; half < context.parts(s.target); half++)
    machine.emit(operations.vbroadcastss, context.own(s.target, half), none, one);
}

export function lowerTranspose(context: LoweringContext, s: Of<"transpose">): void {
  const { machine, avx512 } = context;
  const halves = context.halves;
  const rows: number[][] = [];
  for (let half = 0; half < halves; half++) rows.push(s.registers.map((register) => context.part(register, half)));
  for (const register of s.registers) context.beginWrite(register);
  const target = (row: number, half: number) => context.own(s.registers[row], half);
  if (avx512) {
    const columns = transpose16(machine, rows[0]);
    for (let row = 0; row < 16; row++) machine.emit(operations.vmove, target(row, 0), none, columns[row]);
    return;
  }
  // Four 8 x 8 blocks; block (r, c) lands at (c, r).
  const results: number[][] = [];
  for (let block = 0; block < 2; block++)
    for (let half = 0; half < 2; half++) results.push(transpose8(machine, rows[half].slice(block * 8, block * 8 + 8)));
  for (let block = 0; block < 2; block++)
    for (let half = 0; half < 2; half++)
      for (let row = 0; row < 8; row++)
        machine.emit(operations.vmove, target(half * 8 + row, block), none, results[block * 2 + half][row]);
}

function pair(machine: MachineFunction, operation: Operation, a: number, b: number, immediate = 0): number {
  const result = machine.vector();
  machine.emitImmediate(operation, result, a, b, immediate);
  return result;
}

/**
 * In each group of four rows: within every 128-bit lane, the 4 x 4 blocks are transposed. Row 4g + i of the result holds column i (mod 4) of
 * rows 4g … 4g+3, one block per 128-bit lane.
 */
function transposeBlocks(machine: MachineFunction, rows: readonly number[]): number[] {
  const result: number[] = [];
  for (let group = 0; group < rows.length; group += 4) {
    const [a, b, c, d] = rows.slice(group, group + 4);
    const ab = pair(machine, operations.vunpcklps, a, b);
    const AB = pair(machine, operations.vunpckhps, a, b);
    const cd = pair(machine, operations.vunpcklps, c, d);
    const CD = pair(machine, operations.vunpckhps, c, d);
    result.push(pair(machine, operations.vunpcklpd, ab, cd), pair(machine, operations.vunpckhpd, ab, cd));
    result.push(pair(machine, operations.vunpcklpd, AB, CD), pair(machine, operations.vunpckhpd, AB, CD));
  }
  return result;
}

function transpose8(machine: MachineFunction, rows: readonly number[]): number[] {
  const blocks = transposeBlocks(machine, rows);
  const result: number[] = [];
  for (const immediate of [0x20, 0x31])
    for (let i = 0; i < 4; i++) result.push(pair(machine, operations.vperm2f128, blocks[i], blocks[4 + i], immediate));
  return result;
}

function transpose16(machine: MachineFunction, rows: readonly number[]): number[] {
  const blocks = transposeBlocks(machine, rows);
  const result = new Array<number>(16).fill(none);
  for (let i = 0; i < 4; i++) {
    // Lanes of 128 bits: even ones (0, 2) and odd ones (1, 3) of two groups of rows, then of all four.
    const evenLow = pair(machine, operations.vshuff32x4, blocks[i], blocks[4 + i], 0x88);
    const oddLow = pair(machine, operations.vshuff32x4, blocks[i], blocks[4 + i], 0xdd);
    const evenHigh = pair(machine, operations.vshuff32x4, blocks[8 + i], blocks[12 + i], 0x88);
    const oddHigh = pair(machine, operations.vshuff32x4, blocks[8 + i], blocks[12 + i], 0xdd);
    result[i] = pair(machine, operations.vshuff32x4, evenLow, evenHigh, 0x88);
    result[8 + i] = pair(machine, operations.vshuff32x4, evenLow, evenHigh, 0xdd);
    result[4 + i] = pair(machine, operations.vshuff32x4, oddLow, oddHigh, 0x88);
    result[12 + i] = pair(machine, operations.vshuff32x4, oddLow, oddHigh, 0xdd);
  }
  return result;
}
