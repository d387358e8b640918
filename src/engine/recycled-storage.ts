import type { NodeValue } from "../graph/node.ts";

/** Smaller storage costs next to nothing to make. */
const smallest = 64 * 1024;

/**
 * Storage of values that nobody can see any more, for values of the same size. New memory is handed out by the system page by page, at a cost of
 * several times that of writing it: a training loop that stores its gradients would spend a good part of its time there.
 */
export class RecycledStorage {
  private readonly free = new Map<number, NodeValue[]>();
  private held = 0;

  /** Bytes that wait to be used again. */
  get bytes(): number {
    return this.held;
  }

  /** Takes storage over; the caller no longer reads or writes it. */
  give(value: NodeValue, bytes: number): void {
    if (bytes < smallest) return;
    const list = this.free.get(bytes);
    if (list) list.push(value);
    else this.free.set(bytes, [value]);
    this.held += bytes;
  }

  /** Storage of exactly this size, with any content. */
  take(bytes: number): NodeValue | undefined {
    const value = this.free.get(bytes)?.pop();
    if (value) this.held -= bytes;
    return value;
  }

  /** Leaves everything to the garbage collector. */
  clear(): void {
    this.free.clear();
    this.held = 0;
  }
}
