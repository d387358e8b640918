/** What every kind of part of a model shares (initializers, regularizers, constraints, losses, metrics, optimizers): a part is given by name, as instance, as data or as function. */
import { ArgumentError } from "../errors.ts";
import type { Config } from "./config.ts";
import { customClass, type SerializableClass } from "./custom-objects.ts";
import { unknownName } from "./options.ts";

/** A part as data: its class and configuration. A type of its own, not an interface, so that it is a `Config` too. */
export type Serialized = { readonly className: string; readonly config: Config };

interface Part {
  readonly className: string;
  getConfig(): Config;
}

/** What there is of one kind. */
export interface RegistryOptions<Instance extends Part, Fn = never> {
  /** What errors call it, with its article. */
  readonly kind: `${"a" | "an"} ${string}`;
  readonly base: abstract new (...args: never) => Instance;
  /** Makers from a configuration, by class. */
  readonly classes: Readonly<Record<string, (config: Config) => Instance>>;
  /** Makers of what a string stands for; they are told the string. */
  readonly names: Readonly<Record<string, (name: string) => Instance>>;
  /** What makes an instance of a function of the user's own; such an instance cannot be saved. */
  readonly wrapper?: new (
    fn: Fn,
  ) => Instance;
  /** Brings a configuration to what constructors take. */
  readonly revive?: (config: Config) => Config;
}

/** Makers of classes that are constructed with their configuration; what is null there is left to its default. */
export function constructing<Instance>(
  types: Readonly<Record<string, new (options: never) => Instance>>,
): Readonly<Record<string, (config: Config) => Instance>> {
  const make = (type: new (options: never) => Instance) => (config: Config) => {
    const given = Object.entries(config).filter(([, value]) => value !== null);
    return new type(Object.fromEntries(given) as never);
  };
  return Object.fromEntries(Object.entries(types).map(([name, type]) => [name, make(type)]));
}

/** The parts of one kind, those of the user's own included. */
export class Registry<Instance extends Part, Fn = never> {
  private readonly options: RegistryOptions<Instance, Fn>;

  constructor(options: RegistryOptions<Instance, Fn>) {
    this.options = options;
  }

  /** The instance that a name, an instance, a function or a serialised form stands for. */
  get(identifier: string | Instance | Serialized | Fn, owner: string): Instance {
    const { base, wrapper } = this.options;
    if (identifier instanceof base) return identifier;
    if (typeof identifier === "string") return this.named(identifier, owner);
    if (typeof identifier === "function" && wrapper) return new wrapper(identifier as Fn);
    const { className, config } = (identifier ?? {}) as Partial<Serialized>;
    if (typeof className === "string") return this.made(className, config ?? {}, owner);
    const received = identifier === null ? "null" : typeof identifier;
    throw new ArgumentError(
      `${owner}: expected ${this.options.kind}: its name, an instance${wrapper ? ", a function" : ""} or { className, config }, received ${received}.`,
    );
  }

  /** Throws, with the nearest name, unless a string stands for something. */
  checkName(name: string, owner: string): void {
    this.makerOf(name) ?? this.fail(name, owner);
  }

  /** What `get` makes the same instance of. */
  serialize(instance: Instance): Serialized {
    const { kind, base, wrapper } = this.options;
    if (wrapper && instance.constructor === wrapper) {
      throw new ArgumentError(
        `${kind} is a function of your own, which cannot be saved; make it a class that extends ${base.name} and register it with registerKerasSerializable, or save the model's weights only.`,
      );
    }
    const { className } = instance;
    if (!Object.hasOwn(this.options.classes, className) && !customClass(className)) {
      throw new ArgumentError(
        `${className} is ${kind} of your own: register its class with registerKerasSerializable()(${className}) to save it, or save the model's weights only.`,
      );
    }
    return { className, config: instance.getConfig() };
  }

  /** Names may be written in capitals, and a class may be named as itself. */
  private makerOf(name: string): (() => Instance) | undefined {
    const { names, classes } = this.options;
    for (const spelled of [name, name.toLowerCase()]) {
      if (Object.hasOwn(names, spelled)) return () => names[spelled](spelled);
      if (Object.hasOwn(classes, spelled)) return () => classes[spelled]({});
    }
    const custom = customClass(name);
    return custom && (() => this.madeByUser(custom, {}));
  }

  private named(name: string, owner: string): Instance {
    const make = this.makerOf(name) ?? this.fail(name, owner);
    return make();
  }

  private made(className: string, config: Config, owner: string): Instance {
    const { classes, revive = (same) => same } = this.options;
    const custom = customClass(className);
    if (custom) return this.madeByUser(custom, revive(config));
    if (!Object.hasOwn(classes, className)) return this.fail(className, owner, Object.keys(classes));
    return classes[className](revive(config));
  }

  private madeByUser(type: SerializableClass, config: Config): Instance {
    const made = type.fromConfig
      ? type.fromConfig(config)
      : new (type as unknown as new (options: Config) => unknown)(config);
    if (made instanceof this.options.base) return made;
    throw new ArgumentError(`${type.name} is not ${this.options.kind}: it must extend ${this.options.base.name}.`);
  }

  private fail(name: string, owner: string, expected = Object.keys(this.options.names)): never {
    const [, kind] = this.options.kind.split(/ (.*)/);
    throw unknownName(owner, kind, name, expected);
  }
}
