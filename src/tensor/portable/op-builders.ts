/** How each op is built again from its inputs and attributes, through the same functions that check what users pass. */
import { DataError } from "../../errors.ts";
import type { DType } from "../../graph/dtype.ts";
import type { Attributes, AttributeValue, Node } from "../../graph/node.ts";
import { ops } from "../../ops/index.ts";
import { isDType } from "./program.ts";

type Pair = readonly [number, number];

/** Attributes that came from a file: each is asked for by name and type. */
export class AttributeReader {
  private readonly values: Attributes;
  private readonly where: string;
  constructor(values: Attributes, where: string) {
    this.values = values;
    this.where = where;
  }
  private read<Value>(name: string, what: string, test: (value: AttributeValue) => boolean): Value {
    const value = Object.hasOwn(this.values, name) ? this.values[name] : undefined;
    if (value === undefined || !test(value)) throw new DataError(`${this.where}: attribute "${name}" must be ${what}.`);
    return value as unknown as Value;
  }
  integer(name: string): number {
    return this.read(name, "an integer", Number.isSafeInteger);
  }
  integers(name: string): readonly number[] {
    return this.read(name, "a list of integers", isIntegers);
  }
  pair(name: string): Pair {
    return this.read(name, "a pair of integers", isPair);
  }
  pairs(name: string): readonly Pair[] {
    return this.read(name, "a list of pairs of integers", (value) => Array.isArray(value) && value.every(isPair));
  }
  number(name: string): number {
    return this.read(name, "a number", (value) => typeof value === "number");
  }
  flag(name: string): boolean {
    return this.read(name, "true or false", (value) => typeof value === "boolean");
  }
  dtype(name: string): DType {
    return this.read(name, "a dtype", isDType);
  }
  /** Strides, dilation and padding of a window. */
  geometry(): { strides: Pair; dilation: Pair; padding: readonly [Pair, Pair] } {
    const padding = this.pairs("padding");
    if (padding.length !== 2) throw new DataError(`${this.where}: attribute "padding" must be two pairs of integers.`);
    return { strides: this.pair("strides"), dilation: this.pair("dilation"), padding: [padding[0], padding[1]] };
  }
}

const isIntegers = (value: AttributeValue): boolean => Array.isArray(value) && value.every(Number.isSafeInteger);
const isPair = (value: AttributeValue): boolean => isIntegers(value) && (value as readonly number[]).length === 2;

/** Number of inputs, and how the node is made of them. */
interface Builder {
  /** -1 for any number from one on. */
  readonly inputs: number;
  readonly build: (inputs: readonly Node[], read: AttributeReader) => Node;
}

const unary = (op: (x: Node) => Node): Builder => ({ inputs: 1, build: ([x]) => op(x) });
const binary = (op: (left: Node, right: Node) => Node): Builder => ({ inputs: 2, build: ([x, y]) => op(x, y) });
const reduction = (op: (x: Node, axes: readonly number[]) => Node): Builder => ({
  inputs: 1,
  build: ([x], read) => op(x, read.integers("axes")),
});
const convolution = (
  build: (inputs: readonly Node[], read: AttributeReader, options: ConvolutionOptions) => Node,
): Builder => ({
  inputs: 2,
  build: (inputs, read) => build(inputs, read, { ...read.geometry(), groups: read.integer("groups") }),
});
type ConvolutionOptions = ReturnType<AttributeReader["geometry"]> & { readonly groups: number };
const accumulation = (read: AttributeReader) => ({ axis: read.integer("axis"), reverse: read.flag("reverse") });
/** Seed and counter come expanded to the shape of the result. */
const random = (op: (shape: readonly number[], seed: Node, counter: Node) => Node): Builder => ({
  inputs: 2,
  build: (inputs, read) => {
    const [seed, counter] = inputs.map((input) => (input.op === ops.expand ? input.inputs[0] : input));
    return op(read.integers("shape"), seed, counter);
  },
});

/** A slice as its attributes give it, with Python's bounds. */
function sliceOf(x: Node, read: AttributeReader): Node {
  const [starts, sizes, steps] = [read.integers("starts"), read.integers("sizes"), read.integers("steps")];
  const ranges = starts.map((start, axis) => {
    const size = sizes[axis];
    const step = steps[axis];
    if (!(size > 0)) return { start: 0, stop: 0 };
    const last = start + (size - 1) * step;
    const stop = step > 0 ? last + 1 : last - 1;
    return stop < 0 ? { start, step } : { start, stop, step };
  });
  return ops.slice(x, ranges);
}

const unaryNames = [
  ...([
    "abs",
    "atan",
    "ceil",
    "cos",
    "erf",
    "exp",
    "expm1",
    "floor",
    "log",
    "log1p",
    "logicalNot",
    "neg",
    "normalCdf",
  ] as const),
  ...(["relu", "round", "rsqrt", "sigmoid", "sign", "sin", "sqrt", "tanh", "trunc"] as const),
];
const binaryNames = [
  ...(["add", "bitwiseAnd", "bitwiseOr", "bitwiseXor", "div", "eq", "floorDivide", "ge", "gt", "le"] as const),
  ...(["logicalAnd", "logicalOr", "logicalXor", "lt", "matmul", "maximum", "minimum", "mul", "ne", "pow"] as const),
  ...(["remainder", "shiftLeft", "shiftRight", "shiftRightLogical", "sub"] as const),
];
const reductionNames = ["all", "amax", "amin", "any", "argmax", "argmin", "prod", "sum"] as const;
const randomNames = ["randomBits", "randomNormal", "randomTruncatedNormal", "randomUniform"] as const;
const poolingNames = ["windowArgmax", "windowMax", "windowSum"] as const;

const table: ReadonlyMap<string, Builder> = new Map<keyof typeof ops, Builder>([
  ...unaryNames.map((name) => [name, unary(ops[name])] as const),
  ...binaryNames.map((name) => [name, binary(ops[name])] as const),
  ...reductionNames.map((name) => [name, reduction(ops[name] as (x: Node, axes: readonly number[]) => Node)] as const),
  ...randomNames.map((name) => [name, random(ops[name])] as const),
  ...poolingNames.map((name): [keyof typeof ops, Builder] => [
    name,
    { inputs: 1, build: ([x], read) => ops[name](x, read.pair("window"), read.geometry()) },
  ]),
  [
    "argsort",
    { inputs: 1, build: ([x], r) => ops.argsort(x, { axis: r.integer("axis"), descending: r.flag("descending") }) },
  ],
  ["bitcast", { inputs: 1, build: ([x], read) => ops.bitcast(x, read.dtype("dtype") as "f32" | "i32") }],
  ["cast", { inputs: 1, build: ([x], read) => ops.cast(x, read.dtype("dtype")) }],
  ["checkIndices", { inputs: 1, build: ([x], read) => ops.checkIndices(x, read.integer("limit")) }],
  ["concat", { inputs: -1, build: (inputs, read) => ops.concat(inputs, read.integer("axis")) }],
  ["constant", { inputs: 0, build: (_, r) => ops.constant(r.number("value"), r.integers("shape"), r.dtype("dtype")) }],
  ["iota", { inputs: 0, build: (_, r) => ops.iota(r.integers("shape"), r.integer("axis"), r.dtype("dtype")) }],
  ["conv2d", convolution(([x, w], _, options) => ops.conv2d(x, w, options))],
  ["conv2dInputGradient", convolution(([g, w], r, options) => ops.conv2dInputGradient(g, w, r.pair("size"), options))],
  [
    "conv2dWeightGradient",
    convolution(([x, g], r, options) => ops.conv2dWeightGradient(x, g, r.pair("window"), options)),
  ],
  ["cumulativeProduct", { inputs: 1, build: ([x], read) => ops.cumulativeProduct(x, accumulation(read)) }],
  ["cumulativeSum", { inputs: 1, build: ([x], read) => ops.cumulativeSum(x, accumulation(read)) }],
  ["linearRecurrence", { inputs: 2, build: ([f, x], read) => ops.linearRecurrence(f, x, accumulation(read)) }],
  ["expand", { inputs: 1, build: ([x], read) => ops.expand(x, read.integers("shape")) }],
  ["flip", { inputs: 1, build: ([x], read) => ops.flip(x, read.integers("axes")) }],
  ["gather", { inputs: 2, build: ([x, i], read) => ops.gather(x, i, read.integer("axis")) }],
  ["pad", { inputs: 1, build: ([x], read) => ops.pad(x, read.pairs("padding"), read.number("value")) }],
  ["permute", { inputs: 1, build: ([x], read) => ops.permute(x, read.integers("axes")) }],
  ["reshape", { inputs: 1, build: ([x], read) => ops.reshape(x, read.integers("shape")) }],
  ["scatterAdd", { inputs: 2, build: ([x, i], r) => ops.scatterAdd(x, i, r.integer("axis"), r.integer("size")) }],
  [
    "scatterAddAlongAxis",
    { inputs: 2, build: ([x, i], r) => ops.scatterAddAlongAxis(x, i, r.integer("axis"), r.integers("shape")) },
  ],
  ["slice", { inputs: 1, build: ([x], read) => sliceOf(x, read) }],
  ["takeAlongAxis", { inputs: 2, build: ([x, i], read) => ops.takeAlongAxis(x, i, read.integer("axis")) }],
  ["where", { inputs: 3, build: ([condition, x, y]) => ops.where(condition, x, y) }],
  [
    "windowCount",
    {
      inputs: 0,
      build: (_, read) => {
        const { strides, padding } = read.geometry();
        const [first, second] = read.pairs("counted");
        return ops.windowCount(read.pair("size"), read.pair("window"), { strides, padding, counted: [first, second] });
      },
    },
  ],
  ["windowPick", { inputs: 2, build: ([x, t], r) => ops.windowPick(x, t, r.pair("window"), r.geometry()) }],
  [
    "windowPickTranspose",
    { inputs: 2, build: ([y, t], r) => ops.windowPickTranspose(y, t, r.pair("size"), r.pair("window"), r.geometry()) },
  ],
  [
    "windowSumTranspose",
    { inputs: 1, build: ([y], r) => ops.windowSumTranspose(y, r.pair("size"), r.pair("window"), r.geometry()) },
  ],
]);

/** Whether an op can be saved and built again. */
export const hasBuilder = (name: string): boolean => table.has(name);

/** Builds one op; `where` names its place in errors. */
export function buildOp(name: string, inputs: readonly Node[], attributes: Attributes, where: string): Node {
  const builder = table.get(name);
  if (!builder) throw new DataError(`${where}: there is no op "${name}".`);
  const expected = builder.inputs;
  if (expected < 0 ? inputs.length === 0 : inputs.length !== expected) {
    throw new DataError(
      `${where}: ${name} takes ${expected < 0 ? "at least one input" : `${expected} inputs`}, not ${inputs.length}.`,
    );
  }
  return builder.build(inputs, new AttributeReader(attributes, where));
}
