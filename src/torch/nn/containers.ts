/** Modules made of modules: a chain, a list, a dictionary. */
import { ArgumentError } from "../../errors.ts";
import type { Tensor } from "../../tensor/index.ts";
import type { AnyModule } from "./any-module.ts";
import { Module } from "./module.ts";
import { moduleListText } from "./module-text.ts";

/** A module of one tensor and one result, as a chain takes it. */
type Link = Module;
/** A module and its name. */
export type NamedModule = readonly [name: string, module: Link];

/** A position that may count from the end. */
function position(owner: string, index: number, length: number, atEnd = 0): number {
  const at = index < 0 ? index + length : index;
  if (!Number.isInteger(index) || at < 0 || at >= length + atEnd) {
    throw new ArgumentError(`${owner}: position ${index} is outside a container of ${length} modules.`);
  }
  return at;
}

/** Modules under the names 0, 1, 2, …, or under names of their own. */
abstract class Container<Item extends AnyModule, Args extends readonly unknown[], Result> extends Module<Args, Result> {
  readonly [index: number]: Item;

  /** The modules in order; one that stands at two places is there twice. */
  protected items(): [name: string, module: Item][] {
    return this.ownModules() as [string, Item][];
  }
  /** Number of modules. */
  override get length(): number {
    return this.items().length;
  }
  /** The module at a position; negative counts from the end. */
  at(index: number): Item {
    const items = this.items();
    return items[position(this.constructor.name, index, items.length)][1];
  }
  [Symbol.iterator](): IterableIterator<Item> {
    return this.items()
      .map(([, module]) => module)
      .values();
  }
  /** Adds a module at the end. */
  append(module: Item): this {
    this.registerModule(String(this.length), module);
    return this;
  }
  /** Adds modules at the end. */
  extend(modules: Iterable<Item>): this {
    for (const module of modules) this.append(module);
    return this;
  }
  /** Puts a module before position `index`. */
  insert(index: number, module: Item): this {
    const modules = [...this];
    const at = position(this.constructor.name, index, modules.length, 1);
    modules.splice(at, 0, module);
    modules.forEach((item, place) => this.registerModule(String(place), item));
    return this;
  }
}

/**
 * Modules called one after another, each with the result of the one before. Made of modules, of pairs of name and module, or of an object;
 * parts are named 0, 1, 2, … or by those names. After torch.nn.Sequential.
 *
 * @example
 * ```ts
 * const net = new nn.Sequential(new nn.Linear(4, 8), new nn.ReLU(), new nn.Linear(8, 2));
 * net[0]; // the first Linear; its weight is "0.weight"
 * ```
 */
export class Sequential extends Container<Link, [Tensor], Tensor> {
  constructor(...modules: readonly Link[] | readonly [Readonly<Record<string, Link>> | readonly NamedModule[]]) {
    super();
    for (const [name, module] of namedLinks(modules)) {
      if (!(module instanceof Module)) {
        throw new ArgumentError(`Sequential: expected modules, received ${typeof module} at "${name}".`);
      }
      this.registerModule(name, module);
    }
  }
  override forward(x: Tensor): Tensor {
    let value = x;
    for (const part of Object.values(this)) if (part instanceof Module) value = part(value);
    return value;
  }
  /** Adds a module at the end, under a name or its number. */
  add(module: Link, name = String(this.length)): this {
    this.registerModule(name, module);
    return this;
  }
}

function namedLinks(
  given: readonly Link[] | readonly [Readonly<Record<string, Link>> | readonly NamedModule[]],
): readonly NamedModule[] {
  const [first] = given;
  if (given.length === 1 && Array.isArray(first)) return first as readonly NamedModule[];
  if (given.length === 1 && typeof first === "object" && first !== null) {
    return Object.entries(first as Readonly<Record<string, Link>>);
  }
  return (given as readonly Link[]).map((module, index) => [String(index), module]);
}

/**
 * A list of modules that its owner's `parameters()` finds. It is not called itself. After torch.nn.ModuleList.
 *
 * @example
 * ```ts
 * class Tower extends nn.Module {
 *   floors = new nn.ModuleList([new nn.Linear(8, 8), new nn.Linear(8, 8)]);
 *   override forward(x: Tensor): Tensor {
 *     for (const floor of this.floors) x = floor(x).relu();
 *     return x;
 *   }
 * }
 * ```
 */
export class ModuleList<Item extends AnyModule = Module> extends Container<Item, never[], never> {
  constructor(modules: Iterable<Item> = []) {
    super();
    this.extend(modules);
  }
  override toString(): string {
    return moduleListText(this);
  }
}

/** Modules by name that their owner's `parameters()` finds. It is not called itself. After torch.nn.ModuleDict. */
export class ModuleDict<Item extends AnyModule = Module> extends Module<never[], never> {
  constructor(modules: Readonly<Record<string, Item>> | Iterable<readonly [string, Item]> = {}) {
    super();
    this.update(modules);
  }
  /** The module of a name; an unknown name is an error. */
  get(name: string): Item {
    const found = this.entries().find(([key]) => key === name);
    if (!found) {
      throw new ArgumentError(`ModuleDict: no module "${name}"; there are ${this.keys().join(", ") || "none"}.`);
    }
    return found[1];
  }
  /** Adds or replaces a module. */
  set(name: string, module: Item): this {
    this.registerModule(name, module);
    return this;
  }
  has(name: string): boolean {
    return this.keys().includes(name);
  }
  /** Removes a module; returns whether it was there. */
  delete(name: string): boolean {
    return this.has(name) && Reflect.deleteProperty(this, name);
  }
  /** Adds or replaces several modules. */
  update(modules: Readonly<Record<string, Item>> | Iterable<readonly [string, Item]>): this {
    const entries = Symbol.iterator in modules ? modules : Object.entries(modules);
    for (const [name, module] of entries as Iterable<readonly [string, Item]>) this.set(name, module);
    return this;
  }
  override get length(): number {
    return this.entries().length;
  }
  keys(): string[] {
    return this.entries().map(([name]) => name);
  }
  values(): Item[] {
    return this.entries().map(([, module]) => module);
  }
  entries(): [name: string, module: Item][] {
    return this.ownModules() as [string, Item][];
  }
  [Symbol.iterator](): IterableIterator<[name: string, module: Item]> {
    return this.entries().values();
  }
}
