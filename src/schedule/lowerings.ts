import { InternalError } from "../errors.ts";
import type { LoopBody } from "./loops/body.ts";
import { lowerBody } from "./loops/lower-body.ts";
import type { Lowering, Strategy, StrategyRequest } from "./strategy.ts";

/** Ops whose lowering depends on nothing but the data of the request. */
const remembered: ReadonlySet<string> = new Set(["conv2d", "matmul", "window"]);

interface Known {
  readonly data: object;
  /** Made when something else with the same label is lowered: most programs have little that repeats. */
  key: string | undefined;
  readonly lowering: Lowering;
}

/**
 * The lowerings of one program, for one machine. A network repeats its blocks, and the same request gives the same kernels: they are generated, and later
 * recognised and compiled, once.
 */
export class Lowerings {
  private readonly known = new Map<string, Known[]>();

  /** What a strategy makes of a request. */
  ofRequest(strategy: Strategy, request: StrategyRequest): Lowering {
    if (!remembered.has(request.meaning.kind)) return strategy(request);
    const { machine: _, ...data } = request;
    const shapes = [request.output, ...request.inputs].map(({ shape }) => shape.join());
    return this.of(`${request.opName} ${shapes.join(" ")}`, data, () => strategy(request));
  }

  /** The kernels of a loop. */
  ofLoop(body: LoopBody): Lowering {
    const { machine: _, ...data } = body;
    return this.of(body.name, data, () => lowerBody(body));
  }

  /** `label`: part of the data, which tells most requests apart. */
  private of(label: string, data: object, lower: () => Lowering): Lowering {
    const alike = this.known.get(label);
    if (alike === undefined) {
      const lowering = lower();
      this.known.set(label, [{ data, key: undefined, lowering }]);
      return lowering;
    }
    const key = structureKey(data);
    for (const known of alike) {
      known.key ??= structureKey(known.data);
      if (known.key === key) return known.lowering;
    }
    const lowering = lower();
    alike.push({ data, key, lowering });
    return lowering;
  }
}

/**
 * Text that is equal for equal plain data. Parts of expressions that are shared count as shared, for a kernel computes them once; all other objects
 * are told apart by what they hold.
 */
export function structureKey(data: object): string {
  const numbers = new Map<object, number>();
  let key = "";
  const write = (part: unknown): void => {
    switch (typeof part) {
      case "number":
        key += Object.is(part, -0) ? "-0," : `${part},`;
        return;
      case "string":
        key += `${part.length}:${part},`;
        return;
      case "boolean":
      case "undefined":
        key += `${part},`;
        return;
      case "object":
        if (part !== null) {
          writeObject(part);
          return;
        }
    }
    throw new InternalError(`a ${typeof part} among the data of a kernel`);
  };
  const writeObject = (part: object): void => {
    if (Array.isArray(part)) {
      key += "[";
      for (const element of part) write(element);
      key += "]";
      return;
    }
    if ("kind" in part) {
      const number = numbers.get(part);
      if (number !== undefined) {
        key += `#${number},`;
        return;
      }
      numbers.set(part, numbers.size);
    }
    key += "{";
    for (const name in part) {
      key += `${name}:`;
      write((part as Readonly<Record<string, unknown>>)[name]);
    }
    key += "}";
  };
  write(data);
  return key;
}
