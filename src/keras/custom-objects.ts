/** Classes of the user's own, by the name under which saved models mention them. */
import { ArgumentError } from "../errors.ts";
import type { Config } from "./config.ts";

/** A class whose instances a saved model may hold: it describes itself and can be made from the description. */
export interface SerializableClass {
  // biome-ignore lint/complexity/noBannedTypes: any class, whatever its constructor takes
  readonly prototype: Object;
  readonly name: string;
  /** Makes an instance from what `getConfig` gave; without it the class is constructed with the configuration as options. */
  readonly fromConfig?: (config: Config) => unknown;
}

/** Classes by name, for `loadModel(path, { customObjects })`. */
export type CustomObjects = Readonly<Record<string, SerializableClass>>;

const registered = new Map<string, SerializableClass>();
const nameOf = new Map<SerializableClass, string>();
/** Classes of the load that runs, before the registered ones. */
const scopes: CustomObjects[] = [];

/**
 * Makes a class known to `loadModel`, under the name `package>name` as Keras does. Gives the class back, so that it can be used as a decorator.
 *
 * @example
 * ```ts
 * class Times extends layers.Layer {
 *   readonly factor: number;
 *   constructor({ factor, ...options }: layers.LayerOptions & { factor: number }) {
 *     super(options);
 *     this.factor = factor;
 *   }
 *   override call(x: Tensor) {
 *     return x.mul(this.factor);
 *   }
 *   override getConfig() {
 *     return { ...super.getConfig(), factor: this.factor };
 *   }
 * }
 * registerKerasSerializable("demo")(Times);
 * ```
 */
export function registerKerasSerializable(
  packageName = "Custom",
  name?: string,
): <Class extends SerializableClass>(type: Class) => Class {
  return (type) => {
    const key = `${packageName}>${name ?? type.name}`;
    const other = registered.get(key);
    if (other && other !== type && other.name !== type.name) {
      throw new ArgumentError(`registerKerasSerializable: "${key}" is the name of another class already.`);
    }
    registered.set(key, type);
    nameOf.set(type, key);
    return type;
  };
}

/** The name under which a class is registered. */
export function registeredNameOf(type: SerializableClass): string | undefined {
  return nameOf.get(type);
}

/** A class of the user's own by the name that a saved model holds; undefined when there is none. */
export function customClass(name: string): SerializableClass | undefined {
  const short = name.slice(name.indexOf(">") + 1);
  for (const scope of scopes.toReversed()) {
    if (Object.hasOwn(scope, name)) return scope[name];
    if (Object.hasOwn(scope, short)) return scope[short];
  }
  const exact = registered.get(name);
  if (exact || name.includes(">")) return exact;
  return [...registered].find(([key]) => key.endsWith(`>${name}`))?.[1];
}

/** Runs a callback with further classes known, as `keras.utils.CustomObjectScope` does. */
export function customObjectScope<Result>(objects: CustomObjects | undefined, callback: () => Result): Result {
  if (!objects) return callback();
  scopes.push(objects);
  try {
    return callback();
  } finally {
    scopes.pop();
  }
}
