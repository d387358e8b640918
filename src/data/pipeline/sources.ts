/** Where elements come from, and pipelines put together. Each source can be passed through synchronously or asynchronously, any number of times. */
import { ArgumentError } from "../../errors.ts";
import { Bundle, Row, type Table } from "./elements.ts";
import { passThrough, passThroughAsync, type Stage } from "./stages.ts";

/** Number of elements: Infinity for pipelines without end, undefined where only a pass will tell. */
export type Cardinality = number | undefined;

export interface Source {
  readonly cardinality: Cardinality;
  /** A new synchronous pass. */
  iterate(): Iterable<unknown>;
  /** A new asynchronous pass. */
  iterateAsync(): AsyncIterable<unknown>;
}

async function* made(elements: Iterable<unknown>): AsyncGenerator<unknown> {
  yield* elements;
}

/** Elements that a function makes anew for each pass. */
export function generated(
  make: () => Iterable<unknown> | AsyncIterable<unknown>,
  cardinality: Cardinality = undefined,
): Source {
  return {
    cardinality,
    iterate: () => {
      const elements = make();
      if (Symbol.iterator in elements) return elements;
      throw new ArgumentError("Dataset: its generator is asynchronous: iterate with `for await`, or use forEachAsync.");
    },
    iterateAsync: () => {
      const elements = make();
      return Symbol.asyncIterator in elements ? elements : made(elements);
    },
  };
}

/** The rows of a table. */
export function rowsOf(table: Table): Source {
  return generated(function* () {
    for (let index = 0; index < table.count; index++) yield new Row(table, index);
  }, table.count);
}

/** A source with a stage behind it; the stage is made anew for each pass. */
export function staged(source: Source, stage: () => Stage, cardinality: Cardinality): Source {
  return {
    cardinality,
    iterate: () => passThrough(source.iterate(), stage()),
    iterateAsync: () => passThroughAsync(source.iterateAsync(), stage()),
  };
}

/** All passes of sources, one after the other. */
export function sequence(sources: () => Iterable<Source>, cardinality: Cardinality): Source {
  return {
    cardinality,
    *iterate() {
      for (const source of sources()) yield* source.iterate();
    },
    async *iterateAsync() {
      for (const source of sources()) yield* source.iterateAsync();
    },
  };
}

/** A source `count` times, or without end; one that turns out to be empty ends. */
export function repeated(source: Source, count: number): Source {
  const { cardinality } = source;
  return {
    cardinality:
      cardinality === undefined
        ? count === Number.POSITIVE_INFINITY
          ? count
          : undefined
        : cardinality === 0
          ? 0
          : cardinality * count,
    *iterate() {
      for (let pass = 0; pass < count; pass++) {
        let any = false;
        for (const element of source.iterate()) {
          any = true;
          yield element;
        }
        if (!any) return;
      }
    },
    async *iterateAsync() {
      for (let pass = 0; pass < count; pass++) {
        let any = false;
        for await (const element of source.iterateAsync()) {
          any = true;
          yield element;
        }
        if (!any) return;
      }
    },
  };
}

/** Elements of several sources side by side, as long as all have one. `arrange` gives an element of their parts. */
export function zipped(sources: readonly Source[], arrange: (parts: Bundle) => unknown): Source {
  const known = sources.map(({ cardinality }) => cardinality);
  return {
    cardinality: known.includes(undefined) ? undefined : Math.min(...(known as number[])),
    *iterate() {
      const iterators = sources.map((source) => source.iterate()[Symbol.iterator]());
      try {
        for (;;) {
          const parts: unknown[] = [];
          for (const iterator of iterators) {
            const next = iterator.next();
            if (next.done) return;
            parts.push(next.value);
          }
          yield arrange(new Bundle(parts));
        }
      } finally {
        for (const iterator of iterators) iterator.return?.();
      }
    },
    async *iterateAsync() {
      const iterators = sources.map((source) => source.iterateAsync()[Symbol.asyncIterator]());
      try {
        for (;;) {
          const results = await Promise.all(iterators.map((iterator) => iterator.next()));
          if (results.some(({ done }) => done)) return;
          yield arrange(new Bundle(results.map(({ value }) => value)));
        }
      } finally {
        for (const iterator of iterators) await iterator.return?.();
      }
    },
  };
}

/** The elements of the first complete pass, given again in later ones. */
export function cached(source: Source): Source {
  let stored: unknown[] | undefined;
  return {
    cardinality: source.cardinality,
    *iterate() {
      if (stored) {
        yield* stored;
        return;
      }
      const elements: unknown[] = [];
      for (const element of source.iterate()) {
        elements.push(element);
        yield element;
      }
      stored = elements;
    },
    async *iterateAsync() {
      if (stored) {
        yield* stored;
        return;
      }
      const elements: unknown[] = [];
      for await (const element of source.iterateAsync()) {
        elements.push(element);
        yield element;
      }
      stored = elements;
    },
  };
}

/** Asks for up to `count` elements ahead where iteration is asynchronous. */
export function prefetched(source: Source, count: number): Source {
  return {
    cardinality: source.cardinality,
    iterate: () => source.iterate(),
    async *iterateAsync() {
      const iterator = source.iterateAsync()[Symbol.asyncIterator]();
      const ahead: Promise<IteratorResult<unknown>>[] = [];
      const ask = (): void => {
        const next = iterator.next();
        // a failure is seen when its turn comes, not as one that nobody handles
        next.catch(() => {});
        ahead.push(next);
      };
      try {
        while (ahead.length < count) ask();
        for (let next = await ahead.shift(); next && !next.done; next = await ahead.shift()) {
          ask();
          yield next.value;
        }
      } finally {
        await iterator.return?.();
      }
    },
  };
}
