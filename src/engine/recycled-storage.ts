import type { NodeValue } from "../graph/node.ts";

/** Storage that waited while this many others came and went belongs to a model that is no longer trained. */
const patience = 10_000;

interface Waiting {
  readonly values: NodeValue[];
  /** When storage of this size was last given or taken. */
  used: number;
}

/**
 * Storage of values that nobody can see any more, for values of the same size. New memory is handed out by the system page by page, at a cost of
 * several times that of writing it, and each piece of it, small or large, is work for the garbage collector: a training loop that stores its gradients would
 * spend a good part of its time there.
 */
export class RecycledStorage {
  private readonly free = new Map<number, Waiting>();
  private held = 0;
  private clock = 0;

  /** Bytes that wait to be used again. */
  get bytes(): number {
    return this.held;
  }

  /** Takes storage over; the caller no longer reads or writes it. */
  give(value: NodeValue, bytes: number): void {
    const waiting = this.free.get(bytes) ?? { values: [], used: 0 };
    waiting.values.push(value);
    waiting.used = ++this.clock;
    this.free.set(bytes, waiting);
    this.held += bytes;
    if (this.clock % 1000 === 0) this.dropForgotten();
  }

  /** Storage of exactly this size, with any content. */
  take(bytes: number): NodeValue | undefined {
    const waiting = this.free.get(bytes);
    const value = waiting?.values.pop();
    if (!waiting || !value) return undefined;
    waiting.used = ++this.clock;
    this.held -= bytes;
    return value;
  }

  private dropForgotten(): void {
    for (const [bytes, { values, used }] of this.free) {
      if (this.clock - used < patience) continue;
      this.held -= bytes * values.length;
      this.free.delete(bytes);
    }
  }

  /** Leaves everything to the garbage collector. */
  clear(): void {
    this.free.clear();
    this.held = 0;
  }
}
