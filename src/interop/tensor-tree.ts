/** Nested plain data with tensors in it, as JSON and named tensors, and back. */
import { ArgumentError, DataError } from "../errors.ts";
import type { TensorData } from "../graph/dtype.ts";
import { Tensor, tensorView } from "../tensor/index.ts";
import type { JsonValue } from "./model-archive.ts";
import type { NamedTensor } from "./safetensors.ts";

/** A value taken apart: what `tree` is not plain JSON for is marked by objects with the key `#`. */
export interface TensorTree {
  readonly tree: JsonValue;
  readonly tensors: readonly NamedTensor[];
}

const mark = "#";
/** Deeper than any state is; far from where recursion would end. */
const deepest = 200;

type MarkedArray = Float32Array | Int32Array | Uint8Array;
const arrayTypes = { Float32Array, Int32Array, Uint8Array } as const;
const arrayDTypes = { Float32Array: "f32", Int32Array: "i32", Uint8Array: "u8" } as const;
type ArrayType = keyof typeof arrayTypes;

const arrayTypeOf = (value: unknown): ArrayType | undefined =>
  (Object.keys(arrayTypes) as ArrayType[]).find(
    (name) => Object.getPrototypeOf(value) === (arrayTypes[name].prototype as object),
  );

/**
 * Takes a value apart. Tensors are copied as they are at this moment, and named by the path that leads to them; one that stands at two places is
 * stored once.
 * @throws ArgumentError naming the path of what cannot be saved: functions, class instances, cycles.
 */
export function toTensorTree(operation: string, value: unknown): TensorTree {
  const tensors = new Map<Tensor | MarkedArray, NamedTensor>();
  const names = new Set<string>(["", "__metadata__"]);
  const open = new Set<object>();

  const store = (key: Tensor | MarkedArray, path: string, make: (name: string) => NamedTensor): string => {
    const known = tensors.get(key);
    if (known) return known.name;
    let name = path || "value";
    for (let copy = 2; names.has(name); copy++) name = `${path || "value"}#${copy}`;
    names.add(name);
    tensors.set(key, make(name));
    return name;
  };
  const refuse = (path: string, what: string): never => {
    throw new ArgumentError(
      `${operation}: ${path === "" ? "the value" : `"${path}"`} is ${what}; what can be saved are tensors, numbers, strings, booleans, null, and arrays, Maps and plain objects of them (a module or optimizer as its stateDict()).`,
    );
  };
  const encode = (part: unknown, path: string, depth: number): JsonValue => {
    if (part === null || typeof part === "boolean" || typeof part === "string") return part;
    if (part === undefined) return { [mark]: "undefined" };
    if (typeof part === "number") {
      return Number.isFinite(part) && !Object.is(part, -0)
        ? part
        : { [mark]: "number", value: Object.is(part, -0) ? "-0" : String(part) };
    }
    if (part instanceof Tensor) {
      const name = store(part, path, (name) => {
        return { name, dtype: part.dtype, shape: part.shape, data: part.dataSync() };
      });
      return { [mark]: "tensor", name };
    }
    if (typeof part !== "object") return refuse(path, `a ${typeof part}`);
    const type = arrayTypeOf(part);
    if (type) {
      const data = part as MarkedArray;
      const name = store(data, path, (name) => {
        return { name, dtype: arrayDTypes[type], shape: [data.length], data: data.slice() as TensorData };
      });
      return { [mark]: "array", type, name };
    }
    if (open.has(part)) return refuse(path, "an object that contains itself");
    if (depth > deepest) return refuse(path, `nested more than ${deepest} deep`);
    open.add(part);
    const inside = (key: string | number, child: unknown) =>
      encode(child, path === "" ? String(key) : `${path}.${key}`, depth + 1);
    const encoded = encodeContainer(part, inside);
    open.delete(part);
    return encoded ?? refuse(path, `an instance of ${part.constructor?.name ?? "an unknown class"}`);
  };
  return { tree: encode(value, "", 0), tensors: [...tensors.values()] };
}

function encodeContainer(
  part: object,
  inside: (key: string | number, child: unknown) => JsonValue,
): JsonValue | undefined {
  if (Array.isArray(part)) return Array.from(part, (child, index) => inside(index, child));
  if (part instanceof Map) {
    const entries = [...part].map(([key, child], index): JsonValue => {
      const name = typeof key === "string" || typeof key === "number" ? key : `entry ${index}`;
      return [inside(`${name} (key)`, key), inside(name, child)];
    });
    return { [mark]: "map", entries };
  }
  const prototype: unknown = Object.getPrototypeOf(part);
  if (prototype !== Object.prototype && prototype !== null) return undefined;
  const entries = Object.fromEntries(Object.entries(part).map(([key, child]) => [key, inside(key, child)]));
  return mark in entries ? { [mark]: "object", entries } : entries;
}

/**
 * Puts a value together again; `file` names it in errors. Tensors share the storage they were read into.
 * @throws DataError for a tree that is not what `toTensorTree` makes, or that does not match its tensors.
 */
export function fromTensorTree({ tree, tensors }: TensorTree, file: string): unknown {
  const byName = new Map(tensors.map((tensor) => [tensor.name, tensor]));
  const made = new Map<string, Tensor>();
  const unread = new Set(byName.keys());
  const damaged = (what: string): never => {
    throw new DataError(`${file}: its tree is damaged: ${what}.`);
  };
  const named = (name: unknown): NamedTensor => {
    const found = typeof name === "string" ? byName.get(name) : undefined;
    if (!found) return damaged(`it names a tensor ${JSON.stringify(name)} that the file does not hold`);
    unread.delete(found.name);
    return found;
  };
  const decode = (part: JsonValue, depth: number): unknown => {
    if (part === null || typeof part !== "object") return part;
    if (depth > deepest) return damaged(`it is nested more than ${deepest} deep`);
    if (Array.isArray(part)) return part.map((child: JsonValue) => decode(child, depth + 1));
    const object = part as { readonly [key: string]: JsonValue };
    if (!Object.hasOwn(object, mark)) return decodeEntries(object, depth);
    const { name, type, value, entries } = object;
    switch (object[mark]) {
      case "undefined":
        return undefined;
      case "number":
        return value === "-0" || value === "NaN" || value === "Infinity" || value === "-Infinity"
          ? Number(value)
          : damaged(`${JSON.stringify(value)} is no number`);
      case "tensor": {
        const source = named(name);
        const known = made.get(source.name);
        if (known) return known;
        const tensor = tensorView(source.data, source.shape, source.dtype);
        made.set(source.name, tensor);
        return tensor;
      }
      case "array": {
        const source = named(name);
        const known = typeof type === "string" && Object.hasOwn(arrayTypes, type) ? (type as ArrayType) : undefined;
        if (!known || arrayDTypes[known] !== source.dtype) return damaged(`${String(type)} is no array type`);
        return source.data.slice();
      }
      case "map":
        if (!Array.isArray(entries) || !entries.every((entry) => Array.isArray(entry) && entry.length === 2))
          return damaged("a map without entries");
        return new Map(
          (entries as readonly (readonly [JsonValue, JsonValue])[]).map(([key, child]) => [
            decode(key, depth + 1),
            decode(child, depth + 1),
          ]),
        );
      case "object":
        if (entries === null || typeof entries !== "object" || Array.isArray(entries))
          return damaged("an object without entries");
        return decodeEntries(entries as { readonly [key: string]: JsonValue }, depth);
      default:
        return damaged(`the mark ${JSON.stringify(object[mark])} is unknown`);
    }
  };
  // fromEntries defines properties, so that a key such as __proto__ is only a key
  const decodeEntries = (entries: { readonly [key: string]: JsonValue }, depth: number): unknown =>
    Object.fromEntries(Object.entries(entries).map(([key, child]) => [key, decode(child, depth + 1)]));

  const result = decode(tree, 0);
  if (unread.size > 0) damaged(`it does not mention the tensor ${JSON.stringify([...unread][0])}`);
  return result;
}
