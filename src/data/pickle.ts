/**
 * Reads Python pickles without running anything: numbers, strings, bytes, lists, tuples, dictionaries, and objects only of the callables that the caller
 * names, which are functions of ours. Everything else is refused. Memory is bounded by the input: lengths are checked against what is left of it, and
 * repeated parts are references.
 */
import { DataError } from "../errors.ts";

/** What a pickled callable stands for. `build` takes a state that is set afterwards (`__setstate__`). */
export interface PickleCallable {
  readonly call: (args: readonly unknown[]) => unknown;
}
/** An object that takes a state. */
export interface PickleBuildable {
  setState(state: unknown): void;
}

class Mark {}
const mark = new Mark();

/** A dictionary; keys are strings, numbers or whatever was pickled. Bytes as keys are decoded, as Python 2 wrote them. */
export type PickleDictionary = Map<unknown, unknown>;

/** One character for each byte. (`TextDecoder` means windows-1252 by "latin1", in newer versions of Node truly so.) */
const latin1 = {
  decode: (bytes: Uint8Array): string => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("latin1"),
};
const utf8 = new TextDecoder("utf-8", { fatal: true });

class Reader {
  readonly bytes: Uint8Array;
  readonly name: string;
  private readonly view: DataView;
  at = 0;

  constructor(bytes: Uint8Array, name: string) {
    this.bytes = bytes;
    this.name = name;
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }
  fail(problem: string): never {
    throw new DataError(`${this.name}: not a pickle that is read here: ${problem}, at byte ${this.at}.`);
  }
  take(count: number): Uint8Array {
    if (!(count >= 0) || this.at + count > this.bytes.length) this.fail(`truncated (${count} bytes wanted)`);
    this.at += count;
    return this.bytes.subarray(this.at - count, this.at);
  }
  u8(): number {
    return this.take(1)[0]!;
  }
  private number(bytes: number, read: () => number): number {
    this.take(bytes);
    return read();
  }
  u16(): number {
    return this.number(2, () => this.view.getUint16(this.at - 2, true));
  }
  u32(): number {
    return this.number(4, () => this.view.getUint32(this.at - 4, true));
  }
  i32(): number {
    return this.number(4, () => this.view.getInt32(this.at - 4, true));
  }
  f64(): number {
    return this.number(8, () => this.view.getFloat64(this.at - 8, false));
  }
  length64(): number {
    return this.number(8, () => Number(this.view.getBigUint64(this.at - 8, true)));
  }
  line(): string {
    const end = this.bytes.indexOf(10, this.at);
    if (end < 0) this.fail("truncated in a line");
    const text = latin1.decode(this.bytes.subarray(this.at, end));
    this.at = end + 1;
    return text;
  }
  text(count: number): string {
    try {
      return utf8.decode(this.take(count));
    } catch (cause) {
      if (cause instanceof DataError) throw cause;
      return this.fail("a string that is not UTF-8");
    }
  }
}

/** Text in which only what is beyond byte values is escaped, as protocol 0 has it. */
function rawUnicode(line: string): string {
  return line.replace(/\\u([0-9a-fA-F]{4})|\\U([0-9a-fA-F]{8})/g, (_, short?: string, long?: string) =>
    String.fromCodePoint(Math.min(0x10ffff, Number.parseInt(short ?? long ?? "0", 16))),
  );
}

/** A two's complement integer; beyond 53 bits it is refused. */
function longInteger(reader: Reader, bytes: Uint8Array): number {
  let value = 0n;
  if (bytes.length > 8) reader.fail(`an integer of ${bytes.length} bytes`);
  for (let index = bytes.length - 1; index >= 0; index--) value = (value << 8n) | BigInt(bytes[index]!);
  const signed = Number(BigInt.asIntN(Math.max(8, bytes.length * 8), value));
  return Number.isSafeInteger(signed) ? signed : reader.fail("an integer beyond 53 bits");
}

/**
 * The value of a pickle (protocols 0 to 5).
 * @param callables what the names `module.function` stand for; any other name ends the reading.
 * @throws DataError for truncated data, opcodes or names that are not allowed.
 */
export function readPickle(
  bytes: Uint8Array,
  name: string,
  callables: Readonly<Record<string, PickleCallable>>,
): unknown {
  const reader = new Reader(bytes, name);
  const stack: unknown[] = [];
  const memo = new Map<number, unknown>();

  const pop = (): unknown => (stack.length === 0 ? reader.fail("its stack is empty") : stack.pop());
  const top = (): unknown => (stack.length === 0 ? reader.fail("its stack is empty") : stack[stack.length - 1]);
  const popToMark = (): unknown[] => {
    const at = stack.lastIndexOf(mark);
    if (at < 0) reader.fail("a mark is missing");
    const items = stack.splice(at + 1);
    stack.pop();
    return items;
  };
  const get = (key: number): unknown => (memo.has(key) ? memo.get(key) : reader.fail(`nothing was kept as ${key}`));
  const callable = (qualified: string): PickleCallable => {
    if (Object.hasOwn(callables, qualified)) return callables[qualified]!;
    return reader.fail(`it wants to call ${JSON.stringify(qualified.slice(0, 80))}, which is not allowed`);
  };
  const list = (value: unknown): unknown[] =>
    Array.isArray(value) && !Object.isFrozen(value) ? value : reader.fail("a list was expected");
  const dictionary = (value: unknown): PickleDictionary =>
    value instanceof Map ? value : reader.fail("a dictionary was expected");
  const putAll = (target: PickleDictionary, items: readonly unknown[]): void => {
    if (items.length % 2 !== 0) reader.fail("a key without a value");
    for (let index = 0; index < items.length; index += 2) {
      const key = items[index];
      target.set(key instanceof Uint8Array ? latin1.decode(key) : key, items[index + 1]);
    }
  };
  const tuple = (items: unknown[]): unknown => Object.freeze(items);
  const popMany = (count: number): unknown[] => Array.from({ length: count }, pop).reverse();

  const operations: Readonly<Record<number, () => void>> = {
    // frames and protocol
    128: () => {
      if (reader.u8() > 5) reader.fail("a protocol above 5");
    },
    149: () => {
      reader.take(8);
    },
    // the stack and the memo
    40: () => stack.push(mark), // (
    48: () => pop(), // 0
    49: () => popToMark(), // 1
    50: () => stack.push(top()), // 2
    112: () => memo.set(Number(reader.line()), top()), // p
    113: () => memo.set(reader.u8(), top()), // q
    114: () => memo.set(reader.u32(), top()), // r
    148: () => memo.set(memo.size, top()), // memoize
    103: () => stack.push(get(Number(reader.line()))), // g
    104: () => stack.push(get(reader.u8())), // h
    106: () => stack.push(get(reader.u32())), // j
    // constants and numbers
    78: () => stack.push(null), // N
    136: () => stack.push(true),
    137: () => stack.push(false),
    73: () => {
      const text = reader.line();
      stack.push(text === "00" ? false : text === "01" ? true : Number(text));
    },
    74: () => stack.push(reader.i32()), // J
    75: () => stack.push(reader.u8()), // K
    77: () => stack.push(reader.u16()), // M
    76: () => stack.push(Number(reader.line().replace(/L$/, ""))), // L
    138: () => stack.push(longInteger(reader, reader.take(reader.u8()))),
    139: () => stack.push(longInteger(reader, reader.take(reader.u32()))),
    70: () => stack.push(Number(reader.line())), // F
    71: () => stack.push(reader.f64()), // G
    // strings and bytes; Python 2's strings are bytes
    84: () => stack.push(reader.take(reader.u32())), // T
    85: () => stack.push(reader.take(reader.u8())), // U
    66: () => stack.push(reader.take(reader.u32())), // B
    67: () => stack.push(reader.take(reader.u8())), // C
    142: () => stack.push(reader.take(reader.length64())),
    150: () => stack.push(reader.take(reader.length64())),
    86: () => stack.push(rawUnicode(reader.line())), // V
    88: () => stack.push(reader.text(reader.u32())), // X
    140: () => stack.push(reader.text(reader.u8())),
    141: () => stack.push(reader.text(reader.length64())),
    // containers
    93: () => stack.push([]), // ]
    108: () => stack.push(popToMark()), // l
    97: () => {
      const value = pop();
      list(top()).push(value);
    }, // a
    101: () => {
      const items = popToMark();
      const target = list(top());
      for (const item of items) target.push(item);
    }, // e
    41: () => stack.push(tuple([])), // )
    116: () => stack.push(tuple(popToMark())), // t
    133: () => stack.push(tuple(popMany(1))),
    134: () => stack.push(tuple(popMany(2))),
    135: () => stack.push(tuple(popMany(3))),
    125: () => stack.push(new Map()), // }
    100: () => {
      const target: PickleDictionary = new Map();
      putAll(target, popToMark());
      stack.push(target);
    }, // d
    115: () => {
      const items = popMany(2);
      putAll(dictionary(top()), items);
    }, // s
    117: () => {
      const items = popToMark();
      putAll(dictionary(top()), items);
    }, // u
    // objects of the callables that are known
    99: () => stack.push(callable(`${reader.line()}.${reader.line()}`)), // c
    147: () => {
      const [module, attribute] = popMany(2);
      stack.push(callable(`${String(module)}.${String(attribute)}`));
    },
    82: () => {
      const [known, args] = popMany(2);
      if (!Object.values(callables).includes(known as PickleCallable) || !Array.isArray(args)) {
        reader.fail("it calls something that is no known function");
      }
      stack.push((known as PickleCallable).call(args as readonly unknown[]));
    }, // R
    98: () => {
      const state = pop();
      const target = top() as Partial<PickleBuildable> | null;
      if (typeof target !== "object" || target === null || typeof target.setState !== "function")
        reader.fail("it sets a state where there is none");
      (target as PickleBuildable).setState(state);
    }, // b
  };

  for (;;) {
    const code = reader.u8();
    if (code === 46) return pop(); // .
    const operation = operations[code];
    if (!operation) reader.fail(`opcode 0x${code.toString(16)} is not allowed`);
    operation();
  }
}
