/** Random numbers on the host for data loading: a function of (seed, epoch, index, position), so that neither order nor threads change them. */
import { ArgumentError } from "../errors.ts";

/** A bijection of 32-bit integers in which every bit of the result depends on every bit of `value`. */
function scramble(value: number): number {
  let bits = value | 0;
  bits = Math.imul(bits ^ (bits >>> 16), 0x7feb352d);
  bits = Math.imul(bits ^ (bits >>> 15), 0x846ca68b);
  return bits ^ (bits >>> 16);
}

const golden = 0x9e3779b9;

/** One 32-bit number from several, each of which changes all of it. */
export function mixSeed(...parts: readonly number[]): number {
  let state = 0x51ed270b;
  for (const part of parts) {
    state = scramble((state ^ (part | 0)) + golden);
    // integers above 32 bits differ in their upper part alone
    const upper = Math.floor(part / 2 ** 32);
    if (upper !== 0) state = scramble(state ^ upper);
  }
  return state >>> 0;
}

/**
 * A counter-based generator. Two generators with the same key give the same numbers; generators of neighbouring keys have nothing in common.
 *
 * @example
 * ```ts
 * const random = new HostRandom(42, 3, 17); // seed, epoch, index of the example
 * const flip = random.chance(0.5);
 * ```
 */
export class HostRandom {
  private readonly first: number;
  private readonly second: number;
  private counter = 0;

  constructor(seed: number, epoch = 0, index = 0) {
    this.first = mixSeed(seed, epoch, index);
    this.second = mixSeed(this.first, index, epoch, seed);
  }

  /** The next 32 random bits, as an integer from 0 to 2³² − 1. */
  bits(): number {
    const position = this.counter++;
    return scramble(scramble(this.first + Math.imul(position, golden)) ^ this.second) >>> 0;
  }
  /** Uniform in [low, high), with 53 random bits. */
  uniform(low = 0, high = 1): number {
    const upper = this.bits() >>> 5;
    const lower = this.bits() >>> 6;
    return low + (high - low) * ((upper * 67108864 + lower) / 9007199254740992);
  }
  /** A whole number from 0 to `count` − 1, each with the same probability. */
  integer(count: number): number {
    if (!(count >= 1))
      throw new ArgumentError(`random integer: expected at least one number to choose from, received ${count}.`);
    return Math.floor(this.uniform() * count);
  }
  /** True with a probability. */
  chance(probability: number): boolean {
    return this.uniform() < probability;
  }
  /** Normal with mean 0 and standard deviation 1 (Box and Muller, 1958). */
  normal(): number {
    const radius = Math.sqrt(-2 * Math.log(1 - this.uniform()));
    return radius * Math.cos(2 * Math.PI * this.uniform());
  }
  /** Random bytes. */
  bytes(count: number): Uint8Array {
    const bytes = new Uint8Array(count);
    for (let at = 0; at < count; at += 4) {
      const bits = this.bits();
      bytes[at] = bits;
      bytes[at + 1] = bits >>> 8;
      bytes[at + 2] = bits >>> 16;
      bytes[at + 3] = bits >>> 24;
    }
    return bytes;
  }
  /** The numbers 0 … `count` − 1 in random order (Fisher and Yates). */
  permutation(count: number): Int32Array {
    const order = Int32Array.from({ length: count }, (_, position) => position);
    for (let last = count - 1; last > 0; last--) {
      const other = this.integer(last + 1);
      const moved = order[last]!;
      order[last] = order[other]!;
      order[other] = moved;
    }
    return order;
  }
}
