import type { Kernel, Register, Statement } from "./ir.ts";

/** Results by kernel: the kernels of equal layers are often the same object. */
const known = new WeakMap<Kernel, ReadonlySet<number>>();

/**
 * Arguments that a kernel may store to. Never too few: a register counts as an address in every argument that any assignment to it could have
 * brought there, and so does a 64-bit integer that is loaded after one was stored.
 */
export function storedArguments(kernel: Kernel): ReadonlySet<number> {
  let stored = known.get(kernel);
  if (!stored) {
    stored = new Origins(kernel).stored;
    known.set(kernel, stored);
  }
  return stored;
}

/** From which arguments the addresses in integer registers come. */
class Origins {
  readonly stored = new Set<number>();
  private readonly origins = new Map<number, Set<number>>();
  /** What integers in memory may point into. */
  private readonly spilled = new Set<number>();
  private changed = true;

  constructor({ body }: Kernel) {
    // a register may be read, in a loop, before the statement that assigns it
    while (this.changed) {
      this.changed = false;
      this.walk(body);
    }
  }

  private walk(statements: readonly Statement[]): void {
    for (const statement of statements) {
      this.visit(statement);
      if ("body" in statement) this.walk(statement.body);
      if (statement.op === "if") this.walk(statement.otherwise);
    }
  }

  private visit(s: Statement): void {
    switch (s.op) {
      case "argument":
        this.flow([s.index], this.of(s.target));
        break;
      case "intMove":
        this.assign(s.target, s.source);
        break;
      case "intBinary":
        this.assign(s.target, s.left, s.right);
        break;
      case "address":
        this.assign(s.target, s.address.base, s.address.index);
        break;
      case "loop":
        this.assign(s.counter, s.start);
        break;
      case "intLoad":
        if (s.type === "i64") this.flow(this.spilled, this.of(s.target));
        break;
      case "intStore":
        if (s.type === "i64") this.flow(this.of(s.source), this.spilled);
        this.store(s.address.base, s.address.index);
        break;
      case "store":
        this.store(s.address.base, s.address.index);
        break;
    }
  }

  private assign(target: Register, ...sources: readonly (Register | number | undefined)[]): void {
    for (const source of sources) if (typeof source === "object") this.flow(this.of(source), this.of(target));
  }

  private store(...parts: readonly (Register | undefined)[]): void {
    for (const part of parts) if (part) this.flow(this.of(part), this.stored);
  }

  private of({ id }: Register): Set<number> {
    let set = this.origins.get(id);
    if (!set) {
      set = new Set();
      this.origins.set(id, set);
    }
    return set;
  }

  private flow(from: Iterable<number>, to: Set<number>): void {
    for (const argument of from) {
      if (to.has(argument)) continue;
      to.add(argument);
      this.changed = true;
    }
  }
}
