/** Programs: finding or compiling them, binding their inputs, running them, and what can be seen of that. */
import { ArgumentError, GradientError, type TriviumError } from "../errors.ts";
import { type BuiltProgram, countOps, type RequestedOutput } from "../graph/build-program.ts";
import type { Node, NodeValue, PreparedStorage, VariableCell } from "../graph/node.ts";
import type { StepTiming, Target } from "../targets/target.ts";
import { CanonicalForms } from "./canonical-forms.ts";
import { explainNewKey } from "./explain.ts";
import { NumberInputs } from "./number-inputs.ts";
import { type CachedProgram, PlanCache } from "./plan-cache.ts";
import { PreparedValues } from "./prepared-values.ts";
import { RecycledStorage } from "./recycled-storage.ts";

/** What the engine has done so far; `trackedBytes` is what it holds now. */
export interface EngineStatistics {
  /** Programs compiled. */
  readonly compilations: number;
  /** Time that compiling them took. */
  readonly compileMilliseconds: number;
  /** Programs run. */
  readonly runs: number;
  /** Kernels run. */
  readonly kernels: number;
  /** How often each op was executed. */
  readonly opCounts: Readonly<Record<string, number>>;
  /** Arena, compiled programs, what they made of weights, and nodes that wait to be computed. */
  readonly trackedBytes: number;
  readonly cachedPrograms: number;
}

/** One run of a program, with the time of each of its kernels. */
export interface ProfiledRun {
  /** When it began, in milliseconds on the clock of `performance.now()`. */
  readonly start: number;
  /** Time until the call came back: kernels, binding of inputs and waking of threads. */
  readonly milliseconds: number;
  /** In the order in which they ran. */
  readonly kernels: readonly StepTiming[];
}

export interface EngineOptions {
  /** Bytes of compiled programs kept; the least recently used go first. */
  readonly cacheBytes?: number;
  /** Bytes of what programs made of weights (packed, transformed) and keep while these stay the same; beyond, they make it in every run. */
  readonly preparedBytes?: number;
}

/** The part of the engine that knows programs and no pending graph. */
export class ProgramRunner {
  private currentTarget: Target | undefined;
  private readonly chooseTarget: () => Target;
  private readonly cache: PlanCache;
  private readonly forms = new CanonicalForms();
  protected readonly recycled = new RecycledStorage();
  private readonly prepared: PreparedValues;
  private readonly retiredCounts = new Map<string, number>();
  private compilations = 0;
  private compileMilliseconds = 0;
  private runs = 0;
  private kernels = 0;
  private lastExplanation: () => string = () => "nothing has been computed yet";
  private profiling: ProfiledRun[] | undefined;

  constructor(chooseTarget: () => Target, options: EngineOptions = {}) {
    this.chooseTarget = chooseTarget;
    this.cache = new PlanCache(options.cacheBytes ?? 256 * 1024 * 1024, (entry) => this.retire(entry));
    const allocate = (bytes: number): NodeValue => this.target.allocate(bytes);
    this.prepared = new PreparedValues(this.recycled, allocate, options.preparedBytes ?? 1024 ** 3);
  }

  get target(): Target {
    this.currentTarget ??= this.chooseTarget();
    return this.currentTarget;
  }
  /** A variable has been written: what was made of its old value is of no use to anybody. */
  written(cell: VariableCell): void {
    cell.version++;
    if (cell.prepared) this.prepared.drop(cell);
  }
  /** Compiled programs are dropped. */
  protected changeTarget(target: Target): void {
    this.cache.clear();
    this.currentTarget = target;
  }

  /** Runs a program of the cache; `compile` replays through it too. `leaves` are where its inputs come from. */
  execute(
    entry: CachedProgram,
    leaves: readonly Node[],
    inputs: readonly NodeValue[],
    outputs: readonly NodeValue[],
  ): void {
    const { executable, preparedKinds } = entry;
    const { preparations } = executable;
    const kept: (PreparedStorage | undefined)[] | undefined = preparations.length > 0 ? [] : undefined;
    if (kept) {
      for (let i = 0; i < preparations.length; i++)
        kept.push(this.prepared.find(preparations[i], preparedKinds[i], leaves));
    }
    if (this.profiling) {
      const start = performance.now();
      const kernels = executable.profile(inputs, outputs, kept);
      this.profiling.push({ start, milliseconds: performance.now() - start, kernels });
    } else executable.run(inputs, outputs, kept);
    entry.runs++;
    this.runs++;
    this.kernels += executable.kernelCount;
    kept?.forEach((results, index) => {
      if (results?.filled) this.kernels -= preparations[index].steps.length;
      else if (results) results.filled = true;
    });
  }

  /** The program under `outputs`, in canonical form. */
  build(outputs: readonly RequestedOutput[]): BuiltProgram {
    return this.forms.build(outputs);
  }

  /** The compiled program of a graph, from the cache if its structure is known. */
  lookUp(built: BuiltProgram): CachedProgram {
    const { program } = built;
    const found = this.cache.get(program.key);
    if (found) return found;
    const reason = explainNewKey(
      program.key,
      [...this.cache.values()].map((entry) => entry.key),
    );
    const start = performance.now();
    const executable = this.target.compile(program);
    this.compileMilliseconds += performance.now() - start;
    this.compilations++;
    // printed only when asked: it takes a good part of the time of compiling
    this.lastExplanation = () => `compiled because: ${reason}\n${executable.explain()}`;
    const entry: CachedProgram = {
      key: program.key,
      executable,
      numbers: new NumberInputs(),
      opCounts: countOps(program),
      preparedKinds: executable.preparations.map(({ key }) => this.prepared.kindOf(key)),
      runs: 0,
      bytes: executable.bytes + program.key.length * 2,
    };
    this.cache.add(entry);
    return entry;
  }

  /** Storage of an input: where the data lies, or the number written into the program's own storage. */
  inputValue(leaf: Node, index: number, entry: CachedProgram): NodeValue {
    if (leaf.value) return leaf.value;
    const source = leaf.leaf;
    if (source?.kind === "variable") return source.cell.value as NodeValue;
    if (source?.kind === "number") return entry.numbers.write(index, leaf.dtype, source.value);
    throw placeholderError();
  }

  // ---- seeing inside ----

  statistics(): EngineStatistics {
    const counts = new Map(this.retiredCounts);
    for (const entry of this.cache.values()) addCounts(counts, entry);
    return {
      compilations: this.compilations,
      compileMilliseconds: this.compileMilliseconds,
      runs: this.runs,
      kernels: this.kernels,
      opCounts: Object.fromEntries(counts),
      trackedBytes: this.cache.bytes + this.arenaBytes() + this.prepared.bytes,
      cachedPrograms: this.cache.size,
    };
  }
  /** Why the last program was compiled, its kernels, fusion and arena map. */
  explain(): string {
    return this.lastExplanation();
  }
  /** Runs a callback with per-kernel timing; returns the timings of each program run inside. */
  profile(callback: () => void): StepTiming[][] {
    const stop = this.startProfiling();
    try {
      callback();
    } finally {
      stop();
    }
    return stop().map(({ kernels }) => [...kernels]);
  }
  /** Times every kernel from now on, until the function that this returns is called, which gives the runs. */
  startProfiling(): () => readonly ProfiledRun[] {
    if (this.profiling)
      throw new ArgumentError(
        "engine.startProfiling: a profile is being taken already; stop it before starting another.",
      );
    const runs: ProfiledRun[] = [];
    this.profiling = runs;
    return () => {
      if (this.profiling === runs) this.profiling = undefined;
      return runs;
    };
  }

  private arenaBytes(): number {
    let largest = 0;
    for (const entry of this.cache.values()) largest = Math.max(largest, entry.executable.arenaBytes);
    return largest;
  }
  private retire(entry: CachedProgram): void {
    addCounts(this.retiredCounts, entry);
    entry.executable.dispose();
  }
}

function addCounts(counts: Map<string, number>, entry: CachedProgram): void {
  for (const [name, count] of entry.opCounts) counts.set(name, (counts.get(name) ?? 0) + count * entry.runs);
}

/** The error for a tensor that stands for an argument of a compiled function. */
export function placeholderError(): TriviumError {
  return new GradientError(
    "this tensor was made inside a compiled function and exists only there: return it from the function to read it.",
  );
}
