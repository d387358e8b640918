/** Pipelines of pipelines: elements that become several, and groups of elements that are pipelines themselves. */
import { ArgumentError } from "../../errors.ts";
import { looked, mapLeaves } from "./elements.ts";
import { generated, type Source } from "./sources.ts";
import type { Stage } from "./stages.ts";

/** Makes the source of an element. */
export type Open = (element: unknown) => Source | Promise<Source>;

function atOnce(source: Source | Promise<Source>): Source {
  if (!(source instanceof Promise)) return source;
  source.catch(() => {});
  throw new ArgumentError(
    "Dataset: a function of this pipeline is asynchronous: iterate with `for await`, or use forEachAsync.",
  );
}

/** The elements of what each element opens, one source after the other. */
export function flattened(source: Source, open: Open): Source {
  return {
    cardinality: undefined,
    *iterate() {
      for (const element of source.iterate()) yield* atOnce(open(element)).iterate();
    },
    async *iterateAsync() {
      for await (const element of source.iterateAsync()) yield* (await open(element)).iterateAsync();
    },
  };
}

/** One of the sources that are open at a time. */
interface Slot<Iterator> {
  iterator: Iterator | undefined;
}

/**
 * Elements of `slots` sources in turns of `block` elements, as TensorFlow's interleave: a source that has ended makes room where it stood, and the
 * next element is opened there when it is that place's turn.
 */
export function interleaved(source: Source, open: Open, slots: number, block: number): Source {
  return {
    cardinality: undefined,
    *iterate() {
      const outer = source.iterate()[Symbol.iterator]();
      const places: Slot<Iterator<unknown>>[] = Array.from({ length: slots }, () => ({ iterator: undefined }));
      let more = true;
      try {
        for (let turn = 0; more || places.some(({ iterator }) => iterator); turn = (turn + 1) % slots) {
          const slot = places[turn];
          if (!slot.iterator && more) {
            const next = outer.next();
            more = !next.done;
            if (!next.done) slot.iterator = atOnce(open(next.value)).iterate()[Symbol.iterator]();
          }
          for (let taken = 0; taken < block && slot.iterator; taken++) {
            const next = slot.iterator.next();
            if (next.done) slot.iterator = undefined;
            else yield next.value;
          }
        }
      } finally {
        for (const { iterator } of places) iterator?.return?.();
        outer.return?.();
      }
    },
    async *iterateAsync() {
      const outer = source.iterateAsync()[Symbol.asyncIterator]();
      const places: Slot<AsyncIterator<unknown>>[] = Array.from({ length: slots }, () => ({ iterator: undefined }));
      let more = true;
      try {
        for (let turn = 0; more || places.some(({ iterator }) => iterator); turn = (turn + 1) % slots) {
          const slot = places[turn];
          if (!slot.iterator && more) {
            const next = await outer.next();
            more = !next.done;
            if (!next.done) slot.iterator = (await open(next.value)).iterateAsync()[Symbol.asyncIterator]();
          }
          for (let taken = 0; taken < block && slot.iterator; taken++) {
            const next = await slot.iterator.next();
            if (next.done) slot.iterator = undefined;
            else yield next.value;
          }
        }
      } finally {
        for (const { iterator } of places) await iterator?.return?.();
        await outer.return?.();
      }
    },
  };
}

export interface WindowShape {
  readonly size: number;
  /** How far one window begins behind the one before. */
  readonly shift: number;
  /** How far elements of a window are apart. */
  readonly stride: number;
  readonly dropRemainder: boolean;
}

/** Number of windows over so many elements. */
export function windowCount(elements: number, { size, shift, stride, dropRemainder }: WindowShape): number {
  if (!dropRemainder) return Math.ceil(elements / shift);
  return Math.max(0, Math.floor((elements - (size - 1) * stride - 1) / shift) + 1);
}

/** Groups of elements as pipelines; parts of a structure become pipelines of their own, in that structure. */
export function windowing(shape: WindowShape, wrap: (source: Source) => unknown): Stage {
  const { size, shift, stride, dropRemainder } = shape;
  const extent = (size - 1) * stride + 1;
  /** Elements from `start` on, the first of the next window. */
  const kept: unknown[] = [];
  let start = 0;
  let seen = 0;
  const release = (out: unknown[]): void => {
    const chosen = kept.slice(0, extent).filter((_, index) => index % stride === 0);
    out.push(pipelinesOf(chosen, wrap));
    kept.splice(0, shift);
    start += shift;
  };
  return {
    accept: (element, out) => {
      if (seen++ < start) return true;
      kept.push(element);
      if (kept.length === extent) release(out);
      return true;
    },
    finish: (out) => {
      while (!dropRemainder && start < seen) release(out);
    },
  };
}

function pipelinesOf(elements: readonly unknown[], wrap: (source: Source) => unknown): unknown {
  const shown = elements.map(looked);
  const columns = shown.map((element) => {
    const values: unknown[] = [];
    mapLeaves(element, (leaf) => values.push(leaf));
    return values;
  });
  let place = 0;
  return mapLeaves(shown[0], (leaf) => {
    // elements without parts go on as they came, rows of a table as rows
    const column = leaf === shown[0] ? elements : columns.map((values) => values[place]);
    place++;
    return wrap(generated(() => column, column.length));
  });
}
