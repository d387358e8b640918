/**
 * What programs made of weights alone, kept from run to run: packed weights, transformed filters, constants of a normalisation.
 *
 * A prepared value lies with one of the variables that it was made of and nowhere else. So it is freed when that variable is, it serves every program that
 * has the same work to do, and two models that share a program have each their own. It is used while all its sources are what they were;
 * storage is taken only when a second run in a row finds them unchanged: a training loop, which writes its weights at every step, has none.
 */
import { OutOfMemoryError } from "../errors.ts";
import type { Node, NodeValue, PreparedStorage, PreparedValue, VariableCell } from "../graph/node.ts";
import type { Preparation } from "../schedule/plan.ts";
import type { RecycledStorage } from "./recycled-storage.ts";

/** Prepared values of one variable: programs for other shapes may want others. The oldest goes first. */
const perVariable = 4;
/** Kinds that are remembered; beyond, all are forgotten, and values are made once more. */
const kindLimit = 10_000;
/** From this size on storage begins on a cache line, as kernels expect of what they made themselves. */
const alignedBytes = 1024;

export class PreparedValues {
  private readonly recycled: RecycledStorage;
  private readonly allocate: (bytes: number) => NodeValue;
  private readonly limit: number;
  private readonly kinds = new Map<string, number>();
  private nextKind = 0;
  private held = 0;
  /** Counts what went with its variable. */
  private readonly freed = new FinalizationRegistry<number>((bytes) => {
    this.held -= bytes;
  });

  /** Beyond `limit` bytes programs do the work in every run, in the arena. */
  constructor(recycled: RecycledStorage, allocate: (bytes: number) => NodeValue, limit: number) {
    this.recycled = recycled;
    this.allocate = allocate;
    this.limit = limit;
  }

  /** Bytes of all prepared values. */
  get bytes(): number {
    return this.held;
  }

  /** A number that stands for a preparation's key. */
  kindOf(key: string): number {
    let kind = this.kinds.get(key);
    if (kind === undefined) {
      if (this.kinds.size >= kindLimit) this.kinds.clear();
      kind = this.nextKind++;
      this.kinds.set(key, kind);
    }
    return kind;
  }

  /** Where a run finds the results of a preparation, or leaves them; `undefined` while they are not worth keeping. */
  find({ inputs, bytes }: Preparation, kind: number, leaves: readonly Node[]): PreparedStorage | undefined {
    const owner = ownerAmong(inputs, leaves);
    if (!owner) return undefined;
    owner.prepared ??= [];
    let known: PreparedValue | undefined;
    for (const value of owner.prepared) if (value.kind === kind) known = value;
    // asked for every preparation of every run
    if (known?.results && holds(known.sources, inputs, leaves)) return known.results;
    const sources = sourcesOf(inputs, leaves);
    if (!sources) return undefined;
    if (!known) {
      if (owner.prepared.length >= perVariable) this.release(owner.prepared.shift()!);
      owner.prepared.push({ kind, sources, results: undefined });
      return undefined;
    }
    if (!same(known.sources, sources)) {
      this.release(known);
      known.sources = sources;
      return undefined;
    }
    known.results ??= this.take(Math.max(bytes, alignedBytes));
    return known.results;
  }

  /** Forgets what was made of a variable: it has been written. */
  drop(cell: VariableCell): void {
    for (const value of cell.prepared ?? []) this.release(value);
    cell.prepared = undefined;
  }

  private take(bytes: number): PreparedStorage | undefined {
    if (this.held + bytes > this.limit) return undefined;
    let storage: NodeValue;
    try {
      storage = this.recycled.take(bytes) ?? this.allocate(bytes);
    } catch (error) {
      // faster with it, right without
      if (error instanceof OutOfMemoryError) return undefined;
      throw error;
    }
    const results = { storage, bytes, filled: false };
    this.held += bytes;
    this.freed.register(results, bytes, results);
    return results;
  }

  private release(value: PreparedValue): void {
    const { results } = value;
    if (!results) return;
    value.results = undefined;
    this.freed.unregister(results);
    this.held -= results.bytes;
    this.recycled.give(results.storage, results.bytes);
  }
}

/** The variable that keeps what is made of these inputs. */
function ownerAmong(inputs: readonly number[], leaves: readonly Node[]): VariableCell | undefined {
  for (const input of inputs) {
    const { leaf, value } = leaves[input];
    if (value === undefined && leaf?.kind === "variable") return leaf.cell;
  }
  return undefined;
}

/** What inputs are, in numbers; `undefined` if one is data, which may be other data in the next run. */
function sourcesOf(inputs: readonly number[], leaves: readonly Node[]): number[] | undefined {
  const sources: number[] = [];
  for (const input of inputs) {
    const { leaf, value } = leaves[input];
    if (value === undefined && leaf?.kind === "variable") sources.push(leaf.cell.serial, leaf.cell.version);
    else if (leaf?.kind === "number" && !leaf.refresh) sources.push(0, leaf.value);
    else return undefined;
  }
  return sources;
}

/** Whether inputs are what sources say. */
function holds(sources: readonly number[], inputs: readonly number[], leaves: readonly Node[]): boolean {
  for (let i = 0; i < inputs.length; i++) {
    const { leaf, value } = leaves[inputs[i]];
    const first = sources[2 * i];
    const second = sources[2 * i + 1];
    if (value === undefined && leaf?.kind === "variable") {
      if (leaf.cell.serial !== first || leaf.cell.version !== second) return false;
    } else if (leaf?.kind !== "number" || leaf.refresh || first !== 0 || !Object.is(leaf.value, second)) return false;
  }
  return true;
}

function same(left: readonly number[], right: readonly number[]): boolean {
  return left.length === right.length && left.every((value, index) => Object.is(value, right[index]));
}
