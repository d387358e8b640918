/** What happens to elements on their way, written once for synchronous and asynchronous iteration. */
import { ArgumentError } from "../../errors.ts";
import { noGrad, Tensor } from "../../tensor/index.ts";
import type { HostRandom } from "../host-random.ts";
import { collate, looked, settled, spread } from "./elements.ts";

/** State of one pass. `accept` takes an element and puts what comes of it into `out`; false ends the pass. */
export interface Stage {
  accept(element: unknown, out: unknown[]): boolean | Promise<boolean>;
  /** What is left at the end. */
  finish?(out: unknown[]): void;
}

/** f(element), the parts of a tuple as arguments. */
export function mapping(change: (...parts: readonly unknown[]) => unknown): Stage {
  return {
    accept: (element, out) => {
      const result = noGrad(() => {
        const value = change(...spread(element));
        // noGrad takes synchronous callbacks only; what an asynchronous one computes after its first await has no gradient path to lose
        return value instanceof Promise ? { promise: value } : { value };
      });
      if ("promise" in result) {
        return (result.promise as Promise<unknown>).then((value: unknown) => {
          out.push(settled(value));
          return true;
        });
      }
      out.push(settled(result.value));
      return true;
    },
  };
}

/** Elements for which a test holds. */
export function choosing(test: (...parts: readonly unknown[]) => unknown): Stage {
  const decide = (answer: unknown, element: unknown, out: unknown[]): boolean => {
    if (answer instanceof Tensor ? answer.item() : answer) out.push(element);
    return true;
  };
  return {
    accept: (element, out) => {
      const answer = test(...spread(element));
      return answer instanceof Promise
        ? answer.then((value: unknown) => decide(value, element, out))
        : decide(answer, element, out);
    },
  };
}

/** Groups of `size` elements, stacked. */
export function batching(size: number, dropRemainder: boolean): Stage {
  let waiting: unknown[] = [];
  const release = (out: unknown[]): void => {
    out.push(collate(waiting));
    waiting = [];
  };
  return {
    accept: (element, out) => {
      waiting.push(element);
      if (waiting.length === size) release(out);
      return true;
    },
    finish: (out) => {
      if (waiting.length > 0 && !dropRemainder) release(out);
    },
  };
}

/** A random one of the last `size` elements at a time, as in TensorFlow: the whole data set only with a buffer of its size. */
export function shuffling(size: number, random: HostRandom): Stage {
  const buffer: unknown[] = [];
  return {
    accept: (element, out) => {
      if (buffer.length < size) {
        buffer.push(element);
        return true;
      }
      const place = random.integer(size);
      out.push(buffer[place]);
      buffer[place] = element;
      return true;
    },
    finish: (out) => {
      for (let left = buffer.length; left > 0; left--) {
        const place = random.integer(left);
        out.push(buffer[place]);
        buffer[place] = buffer[left - 1];
      }
    },
  };
}

/** The first `count` elements. */
export function taking(count: number): Stage {
  let taken = 0;
  return {
    accept: (element, out) => {
      out.push(element);
      return ++taken < count;
    },
  };
}

/** All but the first `count` elements. */
export function skipping(count: number): Stage {
  let skipped = 0;
  return {
    accept: (element, out) => {
      if (skipped++ >= count) out.push(element);
      return true;
    },
  };
}

/** Elements with their numbers. */
export function numbering(start: number): Stage {
  let next = start;
  return {
    accept: (element, out) => {
      out.push([next++, looked(element)]);
      return true;
    },
  };
}

function expectSynchronous(answer: boolean | Promise<boolean>): boolean {
  if (answer instanceof Promise) {
    answer.catch(() => {});
    throw new ArgumentError(
      "Dataset: a function of this pipeline is asynchronous: iterate with `for await`, or use forEachAsync.",
    );
  }
  return answer;
}

/** A pass through a stage. */
export function* passThrough(source: Iterable<unknown>, stage: Stage): Generator<unknown> {
  const out: unknown[] = [];
  for (const element of source) {
    const more = expectSynchronous(stage.accept(element, out));
    yield* out.splice(0);
    if (!more) return;
  }
  stage.finish?.(out);
  yield* out;
}

/** An asynchronous pass through a stage. */
export async function* passThroughAsync(source: AsyncIterable<unknown>, stage: Stage): AsyncGenerator<unknown> {
  const out: unknown[] = [];
  for await (const element of source) {
    const more = await stage.accept(element, out);
    yield* out.splice(0);
    if (!more) return;
  }
  stage.finish?.(out);
  yield* out;
}
