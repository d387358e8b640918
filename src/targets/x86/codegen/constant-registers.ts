import { type MachineFunction, memoryPlace, none, poolBase, setPlace } from "./machine-code.ts";
import { operations } from "./operations.ts";

/** Keys of what is made, besides the 32-bit patterns themselves. */
const laneIndexKey = 2 ** 33;
const laneMaskKey = 2 ** 34;
const halfMaskKey = 2 ** 35;

/** Machine registers that hold constants: each is made where it is first asked for, and given again within the scope that made it. */
export class ConstantRegisters {
  private readonly machine: MachineFunction;
  private readonly intConstant: (value: number) => number;
  private readonly made = new Map<number, number>();
  private trail: number[] = [];

  constructor(machine: MachineFunction, intConstant: (value: number) => number) {
    this.machine = machine;
    this.intConstant = intConstant;
  }

  private cached(key: number, make: () => number): number {
    const known = this.made.get(key);
    if (known !== undefined) return known;
    const register = make();
    this.made.set(key, register);
    this.trail.push(key);
    return register;
  }
  /** 32 bits in all lanes. */
  splat(bits: number): number {
    return this.cached(bits, () => {
      const { machine } = this;
      const register = machine.register(1, { kind: "splat", bits });
      if (bits === 0) machine.emit(operations.zero, register, none, none);
      else {
        const load = machine.emit(operations.vbroadcastss, register, none, none);
        setPlace(load, memoryPlace.second, poolBase, machine.pool.word(bits));
      }
      return register;
    });
  }
  private wholeVector(key: number, words: readonly number[]): number {
    return this.cached(key, () => {
      const { machine } = this;
      const entry = machine.pool.entry(words);
      const register = machine.register(1, { kind: "vector", entry });
      setPlace(machine.emit(operations.vmovups, register, none, none), memoryPlace.second, poolBase, entry);
      return register;
    });
  }
  laneIndex(half: number): number {
    const lanes = this.machine.features.avx512 ? 16 : 8;
    return this.wholeVector(
      laneIndexKey + half,
      Array.from({ length: lanes }, (_, lane) => lane + half * 8),
    );
  }
  /** AVX2: all ones in the first `lanes` of 8 lanes. */
  halfMask(lanes: number): number {
    if (lanes === 8) return this.splat(-1);
    return this.wholeVector(
      halfMaskKey + lanes,
      Array.from({ length: 8 }, (_, lane) => (lane < lanes ? -1 : 0)),
    );
  }
  /** AVX-512: a mask register with the first `lanes` of 16 lanes set. */
  laneMask(lanes: number): number {
    return this.cached(laneMaskKey + lanes, () => {
      const { machine } = this;
      const bits = 2 ** lanes - 1;
      const register = machine.register(2, { kind: "laneMask", bits });
      machine.emit(operations.kmovFromInt, register, none, this.intConstant(bits));
      return register;
    });
  }
  /** Constants made from here on are forgotten by `leaveScope`: code after it may not have run them. */
  enterScope(): number {
    return this.trail.length;
  }
  leaveScope(mark: number): void {
    const { trail, made } = this;
    for (let at = mark; at < trail.length; at++) made.delete(trail[at]);
    trail.length = mark;
  }
}
