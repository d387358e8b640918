import type { Executable } from "../targets/target.ts";
import type { NumberInputs } from "./number-inputs.ts";

/** A compiled program and what is reused between its runs. */
export interface CachedProgram {
  readonly key: string;
  readonly executable: Executable;
  readonly numbers: NumberInputs;
  /** Ops per run, for statistics. */
  readonly opCounts: ReadonlyMap<string, number>;
  /** What each of the executable's preparations makes (`PreparedValues.kindOf`). */
  readonly preparedKinds: readonly number[];
  runs: number;
  readonly bytes: number;
}

/** Least-recently-used cache of compiled programs with a limit in bytes. */
export class PlanCache {
  private readonly entries = new Map<string, CachedProgram>();
  private readonly limitBytes: number;
  private readonly onEvict: (entry: CachedProgram) => void;
  private total = 0;
  /** What was asked for last: a loop asks for the same program again and again. */
  private latest: CachedProgram | undefined;

  constructor(limitBytes: number, onEvict: (entry: CachedProgram) => void) {
    this.limitBytes = limitBytes;
    this.onEvict = onEvict;
  }

  /** Bytes of code, tables and constants held. */
  get bytes(): number {
    return this.total;
  }
  get size(): number {
    return this.entries.size;
  }

  get(key: string): CachedProgram | undefined {
    if (this.latest?.key === key) return this.latest;
    const entry = this.entries.get(key);
    if (entry) {
      // a Map keeps insertion order: moving an entry to the end makes the first one the least recently used
      this.entries.delete(key);
      this.entries.set(key, entry);
      this.latest = entry;
    }
    return entry;
  }

  /** Adds a program and drops the least recently used ones beyond the limit (never the new one). */
  add(entry: CachedProgram): void {
    this.entries.set(entry.key, entry);
    this.latest = entry;
    this.total += entry.bytes;
    for (const oldest of this.entries.values()) {
      if (this.total <= this.limitBytes || oldest === entry) break;
      this.entries.delete(oldest.key);
      this.total -= oldest.bytes;
      this.onEvict(oldest);
    }
  }

  clear(): void {
    for (const entry of this.entries.values()) this.onEvict(entry);
    this.entries.clear();
    this.latest = undefined;
    this.total = 0;
  }

  values(): IterableIterator<CachedProgram> {
    return this.entries.values();
  }
}
