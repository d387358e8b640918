/** Programs as JSON, and the checks of JSON from anywhere. */
import { DataError } from "../../errors.ts";
import {
  type BatchNumber,
  isDType,
  type PortableEntry,
  type PortableGraph,
  type PortableLoop,
  type PortableProgram,
  type PortableShape,
  type PortableSource,
  type PortableValue,
} from "./program.ts";

type Fields = { readonly [name: string]: unknown };

/** Far more than networks have; a file that claims more is damaged. */
const mostEntries = 200_000;
const mostAxes = 64;

/** A program as JSON text can hold it: numbers that JSON has no form for are marked. */
export function programToJson(program: PortableProgram): unknown {
  const convert = (value: unknown): unknown => {
    if (typeof value === "number") {
      if (Number.isFinite(value) && !Object.is(value, -0)) return value;
      return { number: Object.is(value, -0) ? "-0" : String(value) };
    }
    if (Array.isArray(value)) return value.map(convert);
    if (value === null || typeof value !== "object") return value;
    return Object.fromEntries(Object.entries(value).map(([name, part]) => [name, convert(part)]));
  };
  return convert(program);
}

/**
 * Checks the form of a program from a file: every field of its type, every reference to something before it. Whether its parts fit together shows
 * when it is built (`validateProgram`).
 * @throws DataError
 */
export function programFromJson(json: unknown, where: string): PortableProgram {
  return new Parser(where).program(json);
}

class Parser {
  private readonly where: string;
  private count = 0;
  constructor(where: string) {
    this.where = where;
  }
  private fail(what: string): never {
    throw new DataError(`${this.where}: ${what}.`);
  }
  private fields(value: unknown, what: string): Fields {
    if (value === null || typeof value !== "object" || Array.isArray(value)) this.fail(`${what} is damaged`);
    return value as Fields;
  }
  private list(value: unknown, what: string, most = mostEntries): readonly unknown[] {
    if (!Array.isArray(value) || value.length > most) this.fail(`${what} is damaged`);
    return value as readonly unknown[];
  }
  private below(value: unknown, limit: number, what: string): number {
    if (!Number.isInteger(value) || (value as number) < 0 || (value as number) >= limit)
      this.fail(`${what} refers to ${String(value)}, of ${limit}`);
    return value as number;
  }
  private text(value: unknown, what: string): string {
    if (typeof value !== "string") this.fail(`${what} is no text`);
    return value as string;
  }
  private flag(value: unknown, what: string): boolean {
    if (typeof value !== "boolean") this.fail(`${what} is neither true nor false`);
    return value as boolean;
  }
  private dtype(value: unknown, what: string): PortableProgram["arguments"][number]["dtype"] {
    if (!isDType(value)) return this.fail(`${what} has an unknown dtype`);
    return value;
  }
  private number(value: unknown, what: string): BatchNumber {
    if (typeof value === "number") return value;
    const { number, plus, times } = this.fields(value, what);
    if (number === "-0" || number === "NaN" || number === "Infinity" || number === "-Infinity") return Number(number);
    if (!Number.isSafeInteger(plus) || !Number.isSafeInteger(times)) this.fail(`${what} is no number`);
    return { plus: plus as number, times: times as number };
  }
  private shape(value: unknown, what: string): PortableShape {
    return this.list(value, `the shape of ${what}`, mostAxes).map((extent) =>
      this.number(extent, `the shape of ${what}`),
    );
  }
  private value(value: unknown, what: string, depth = 0): PortableValue {
    if (typeof value === "string" || typeof value === "boolean") return value;
    if (depth > 4) this.fail(`${what} is damaged`);
    if (Array.isArray(value)) return value.map((part) => this.value(part, what, depth + 1));
    return this.number(value, what);
  }

  program(json: unknown): PortableProgram {
    const fields = this.fields(json, "the program");
    const args = this.list(fields.arguments, "its arguments").map((argument, index) => {
      const { shape, dtype } = this.fields(argument, `argument ${index}`);
      return { shape: this.shape(shape, `argument ${index}`), dtype: this.dtype(dtype, `argument ${index}`) };
    });
    const graph = this.graph(fields, "node", args.length, true);
    const updates = this.list(fields.updates, "its updates").map((update) => {
      const { name, value } = this.fields(update, "an update");
      return { name: this.text(name, "an update"), value: this.below(value, graph.entries.length, "an update") };
    });
    return { ...graph, arguments: args, updates };
  }

  private graph(fields: Fields, what: string, args: number, outermost: boolean): PortableGraph {
    const given = this.list(fields.entries, "its list of nodes");
    this.count += given.length;
    if (this.count > mostEntries) this.fail(`more than ${mostEntries} nodes`);
    const entries = given.map((entry, position) => this.entry(entry, position, `${what} ${position}`, args, outermost));
    const outputs = this.list(fields.outputs, "its outputs").map((output) =>
      this.below(output, entries.length, "an output"),
    );
    return { entries, outputs };
  }

  private entry(json: unknown, position: number, what: string, args: number, outermost: boolean): PortableEntry {
    const fields = this.fields(json, what);
    const { kind } = fields;
    if (!outermost && kind !== "argument" && kind !== "op") this.fail(`${what} has no place in a loop`);
    const type = () => ({ dtype: this.dtype(fields.dtype, what), shape: this.shape(fields.shape, what) });
    switch (kind) {
      case "argument":
        return { kind, index: this.below(fields.index, args, what), ...type() };
      case "tensor":
        return { kind, name: this.text(fields.name, what), ...type() };
      case "number":
        return { kind, value: this.number(fields.value, what), dtype: this.dtype(fields.dtype, what) };
      case "seed":
        return { kind };
      case "counter":
        return { kind, order: this.below(fields.order, mostEntries, what) };
      case "op": {
        const op = this.text(fields.op, what);
        const inputs = this.list(fields.inputs, what).map((input) =>
          this.below(input, position, `an input of ${what}`),
        );
        const attributes = Object.fromEntries(
          Object.entries(this.fields(fields.attributes, `the attributes of ${what}`)).map(([name, value]) => [
            name,
            this.value(value, `attribute "${name}" of ${what}`),
          ]),
        );
        const common = { kind, op, inputs, attributes, ...type() };
        if (fields.loop === undefined) return common;
        if (!outermost) this.fail(`${what} is a loop in a loop`);
        return { ...common, loop: this.loop(fields.loop, what, inputs.length) };
      }
      default:
        return this.fail(`${what} is of an unknown kind`);
    }
  }

  private loop(json: unknown, what: string, inputs: number): PortableLoop {
    const fields = this.fields(json, `the loop of ${what}`);
    const given = this.list(fields.sources, `the sources of ${what}`);
    const body = this.graph(this.fields(fields.body, `the body of ${what}`), `${what}, loop node`, given.length, false);
    const sources = given.map((source): PortableSource => {
      const { kind, result, initial, input, shift } = this.fields(source, `a source of ${what}`);
      if (kind === "constant") return { kind, input: this.below(input, inputs, what) };
      if (kind === "carry") {
        return {
          kind,
          result: this.below(result, body.outputs.length, what),
          initial: this.below(initial, inputs, what),
        };
      }
      if (kind !== "sequence" || (shift !== -1 && shift !== 0 && shift !== 1))
        this.fail(`a source of ${what} is damaged`);
      const first = shift === 0 ? -1 : this.below(initial, inputs, what);
      return { kind: "sequence", input: this.below(input, inputs, what), shift: shift as number, initial: first };
    });
    return {
      length: this.number(fields.length, `the length of ${what}`),
      reverse: this.flag(fields.reverse, `the direction of ${what}`),
      sources,
      body,
    };
  }
}
