const interval = 10;

/** Lets the event loop run (signals, timers, servers) about every 10 ms of a long computation. */
export class Breather {
  private last = performance.now();

  /** Resolves at once most of the time; after 10 ms of work, when the event loop has had its turn. */
  async pause(): Promise<void> {
    if (performance.now() - this.last < interval) return;
    await new Promise<void>((resolve) => setImmediate(resolve));
    this.last = performance.now();
  }
}
