/** The part of a module that does not depend on what it computes: what is inside it, its state, its modes and how it is printed. */
import { ArgumentError, type TriviumError, UnsupportedError } from "../../errors.ts";
import { Callable } from "../../nn/callable.ts";
import { Tensor, Variable } from "../../tensor/index.ts";
import { atEntry } from "../../tensor/lift.ts";
import { moduleText } from "./module-text.ts";
import { Buffer, Parameter } from "./parameter.ts";
import { type LoadResult, loadStateDict, type StateDict, snapshot } from "./state-dict.ts";

/** What calling a module does, with the types of its `forward`. */
interface ModuleCall {
  (...args: Parameters<this["forward"]>): ReturnType<this["forward"]>;
  forward(...args: readonly never[]): unknown;
}
const CallableModule = Callable as unknown as abstract new () => ModuleCall;

function joined(prefix: string, name: string): string {
  return prefix === "" ? name : `${prefix}.${name}`;
}

/** A module of any arguments and results. Subclass `Module`, not this. */
export abstract class AnyModule extends CallableModule {
  /** @internal Modules made so far, of all models. */
  static made = 0;
  /** Whether layers that differ in training (Dropout, BatchNorm) behave as in training. */
  training = true;
  readonly #persistent = new Map<string, boolean>();

  constructor() {
    super();
    AnyModule.made++;
  }

  // ---- what is inside ----

  /** Modules that this one holds as properties, with their names, each once. */
  namedChildren(): [name: string, module: AnyModule][] {
    const seen = new Set<unknown>();
    return this.#own(
      (value): value is AnyModule => value instanceof AnyModule && !seen.has(value) && !!seen.add(value),
    );
  }
  /** Modules that this one holds as properties, each once. */
  children(): AnyModule[] {
    return this.namedChildren().map(([, module]) => module);
  }

  /** This module (named `prefix`, by default the empty string) and all modules inside it, depth first, each once. */
  namedModules(prefix = ""): [name: string, module: AnyModule][] {
    const found = new Map<AnyModule, string>();
    walk(this, prefix, (module, name) => {
      if (found.has(module)) return false;
      found.set(module, name);
      return true;
    });
    return [...found].map(([module, name]) => [name, module]);
  }
  /** This module and all modules inside it, each once. */
  modules(): AnyModule[] {
    return this.namedModules().map(([, module]) => module);
  }

  /** Parameters with PyTorch's names (`conv1.weight`), each once; without `recurse` only the module's own. */
  namedParameters(prefix = "", recurse = true): [name: string, parameter: Parameter][] {
    return this.#named(prefix, recurse, (module) => module.ownParameters());
  }
  /** Parameters of this module and of those inside it, each once: what an optimizer takes. */
  parameters(recurse = true): Parameter[] {
    return this.namedParameters("", recurse).map(([, parameter]) => parameter);
  }
  /** Buffers (running statistics, fixed tables) with their names, each once. */
  namedBuffers(prefix = "", recurse = true): [name: string, buffer: Tensor][] {
    return this.#named(prefix, recurse, (module) => module.ownBuffers().map(({ name, buffer }) => [name, buffer]));
  }
  /** Buffers of this module and of those inside it, each once. */
  buffers(recurse = true): Tensor[] {
    return this.namedBuffers("", recurse).map(([, buffer]) => buffer);
  }

  /** The module at a path such as `"features.0"`; the empty path is this module. */
  getSubmodule(path: string): AnyModule {
    let module: AnyModule = this;
    for (const name of path === "" ? [] : path.split(".")) {
      const next = Object.entries(module).find(([key]) => key === name)?.[1] as unknown;
      if (!(next instanceof AnyModule)) throw notFound(this, "module", path, module, name);
      module = next;
    }
    return module;
  }
  /** The parameter at a path such as `"features.0.weight"`. */
  getParameter(path: string): Parameter {
    const [module, name] = this.#ownerOf(path);
    const found = module.ownParameters().find(([key]) => key === name);
    if (!found) throw notFound(this, "parameter", path, module, name);
    return found[1];
  }
  /** The buffer at a path such as `"norm.running_mean"`. */
  getBuffer(path: string): Tensor {
    const [module, name] = this.#ownerOf(path);
    const found = module.ownBuffers().find((entry) => entry.name === name);
    if (!found) throw notFound(this, "buffer", path, module, name);
    return found.buffer;
  }
  #ownerOf(path: string): [AnyModule, string] {
    const dot = path.lastIndexOf(".");
    return [this.getSubmodule(dot < 0 ? "" : path.slice(0, dot)), path.slice(dot + 1)];
  }

  /** @internal Modules among this module's own properties; one that stands at two places is there twice. */
  ownModules(): [name: string, module: AnyModule][] {
    return this.#own((value): value is AnyModule => value instanceof AnyModule);
  }
  /** @internal Parameters among this module's own properties. */
  ownParameters(): [name: string, parameter: Parameter][] {
    return this.#own((value): value is Parameter => value instanceof Parameter);
  }
  /** @internal Registered buffers that hold a tensor. */
  ownBuffers(): { name: string; buffer: Tensor; persistent: boolean }[] {
    return [...this.#persistent].flatMap(([name, persistent]) => {
      const buffer = (this as unknown as Record<string, unknown>)[name];
      return buffer instanceof Tensor ? [{ name, buffer, persistent }] : [];
    });
  }
  #own<Kind>(is: (value: unknown) => value is Kind): [string, Kind][] {
    return Object.entries(this).filter((entry): entry is [string, Kind] => is(entry[1]));
  }
  #named<Kind>(
    prefix: string,
    recurse: boolean,
    ownOf: (module: AnyModule) => [string, Kind][],
  ): [name: string, value: Kind][] {
    const seen = new Set<Kind>();
    const result: [string, Kind][] = [];
    for (const [place, module] of recurse ? this.namedModules(prefix) : [[prefix, this] as [string, AnyModule]]) {
      for (const [name, value] of ownOf(module)) {
        if (seen.has(value)) continue;
        seen.add(value);
        result.push([joined(place, name), value]);
      }
    }
    return result;
  }

  // ---- registering ----

  /**
   * Adds a tensor that belongs to the module's state but is not trained. It becomes the property `name`; without `persistent` it is left out
   * of `stateDict()`. Returns the variable that holds it.
   */
  registerBuffer(
    name: string,
    tensor: Tensor | null,
    options: { readonly persistent?: boolean } = {},
  ): Variable | null {
    this.#checkName("registerBuffer", name, (value) => this.#persistent.has(name) || value === undefined);
    const buffer =
      tensor === null || tensor instanceof Variable
        ? tensor
        : new Buffer(tensor, { name: `${this.constructor.name}.${name}` });
    this.#persistent.set(name, options.persistent ?? true);
    this.#define(name, buffer);
    return buffer;
  }
  /** Adds a parameter as the property `name`; null keeps the place free. */
  registerParameter(name: string, parameter: Parameter | null): void {
    this.#checkName("registerParameter", name, (value) => value === undefined || value instanceof Parameter);
    if (parameter !== null && !(parameter instanceof Parameter)) {
      throw new ArgumentError(
        `registerParameter: "${name}" must be an nn.Parameter or null; wrap the tensor in new nn.Parameter(tensor).`,
      );
    }
    this.#define(name, parameter);
  }
  /** Adds a module as the property `name`. */
  registerModule(name: string, module: AnyModule | null): void {
    this.#checkName("registerModule", name, (value) => value === undefined || value instanceof AnyModule);
    if (module !== null && !(module instanceof AnyModule)) {
      throw new ArgumentError(`registerModule: "${name}" must be an nn.Module or null, received ${typeof module}.`);
    }
    this.#define(name, module);
  }
  /** PyTorch's older name of `registerModule`. */
  addModule(name: string, module: AnyModule | null): void {
    this.registerModule(name, module);
  }
  /** @internal Takes over which properties are buffers. */
  protected copyRegistrations(source: AnyModule): void {
    for (const [name, persistent] of source.#persistent) this.#persistent.set(name, persistent);
  }
  #checkName(operation: string, name: string, free: (value: unknown) => boolean): void {
    if (name === "" || name.includes(".")) {
      throw new ArgumentError(`${operation}: a name must not be empty or contain ".", received "${name}".`);
    }
    const present = (this as unknown as Record<string, unknown>)[name];
    if (present !== null && !free(present)) {
      throw new ArgumentError(`${operation}: ${this.constructor.name} already has a property "${name}".`);
    }
  }
  #define(name: string, value: unknown): void {
    Object.defineProperty(this, name, { value, writable: true, enumerable: true, configurable: true });
  }

  // ---- state ----

  /**
   * Copies of all parameters and persistent buffers under PyTorch's names, in PyTorch's order: a module's own parameters, its buffers, then
   * its children. A parameter that is shared stands under each of its names.
   */
  stateDict(prefix = ""): StateDict {
    return Object.fromEntries(stateEntries(this, prefix).map(([name, { get }]) => [name, snapshot(get())]));
  }

  /**
   * Replaces parameters and buffers by the tensors of a state dict. Missing and unexpected keys (unless `strict` is false) and wrong shapes
   * are one `StateDictError` that lists them all; nothing is changed then.
   */
  loadStateDict(dict: StateDict, options: { readonly strict?: boolean } = {}): LoadResult {
    return atEntry(this.loadStateDict, () => loadStateDict(this, stateEntries(this, ""), dict, options.strict ?? true));
  }

  /** Switches training behaviour on or off, here and in every module inside. */
  train(mode = true): this {
    for (const module of this.modules()) module.training = mode;
    return this;
  }
  /** `train(false)`. */
  eval(): this {
    return this.train(false);
  }
  /** Calls a function with every module inside and then this one. */
  override apply(fn: (module: AnyModule) => void): this {
    for (const child of this.children()) child.apply(fn);
    fn(this);
    return this;
  }
  /** Freezes or unfreezes all parameters. */
  requiresGrad_(flag = true): this {
    for (const parameter of this.parameters()) parameter.requiresGrad = flag;
    return this;
  }
  /** Forgets the gradients of all parameters. */
  zeroGrad(): void {
    for (const parameter of this.parameters()) parameter.grad = undefined;
  }

  // ---- devices and dtypes: there is one of each ----

  /** Nothing to do: modules compute on the CPU in f32. Another device or dtype is an `UnsupportedError`. */
  to(...wanted: readonly unknown[]): this {
    for (const value of wanted) {
      if (typeof value === "string" && !["cpu", "f32", "float32", "float"].includes(value)) {
        throw new UnsupportedError(
          `${this.constructor.name}.to("${value}"): modules compute on the CPU in f32; leave the call out, or pass "cpu".`,
        );
      }
    }
    return this;
  }
  /** Nothing to do: modules compute on the CPU. */
  cpu(): this {
    return this;
  }
  /** Nothing to do: modules compute in f32. */
  float(): this {
    return this;
  }

  // ---- printing ----

  /** What stands in the parentheses of `toString()`. */
  extraRepr(): string {
    return "";
  }
  /** As PyTorch prints it. */
  override toString(): string {
    return moduleText(this);
  }
  [Symbol.for("nodejs.util.inspect.custom")](): string {
    return this.toString();
  }
}

/** Visits modules depth first, going inside where `visit` says so; a module inside itself is an error. */
function walk(
  module: AnyModule,
  name: string,
  visit: (module: AnyModule, name: string) => boolean,
  above: readonly AnyModule[] = [],
): void {
  if (above.includes(module)) {
    throw new ArgumentError(
      `${above[0].constructor.name}: the module "${name}" (${module.constructor.name}) contains itself; modules must form a tree ` +
        `(parts may be shared). To refer to a module without owning it, hold it in a function or an array.`,
    );
  }
  if (!visit(module, name)) return;
  const path = [...above, module];
  // a module is a function, and few properties are: the test before the dear one
  const properties = module as unknown as Readonly<Record<string, unknown>>;
  for (const child of Object.keys(module)) {
    const value = properties[child];
    if (typeof value === "function" && value instanceof AnyModule) walk(value, joined(name, child), visit, path);
  }
}

/** A place of the state: how to read it and how to replace what stands there. */
export interface StateEntry {
  readonly get: () => Tensor;
  readonly replace: (value: Tensor) => void;
}

/** Every name of the state with its place; shared parameters under each of their names. */
function stateEntries(root: AnyModule, prefix: string): [name: string, entry: StateEntry][] {
  const result: [string, StateEntry][] = [];
  const place = (module: AnyModule, name: string, tensor: Tensor): StateEntry => ({
    get: () => tensor,
    replace: (value) => {
      (module as unknown as Record<string, unknown>)[name] = value;
    },
  });
  walk(root, prefix.replace(/\.$/, ""), (module, at) => {
    for (const [name, value] of module.ownParameters()) result.push([joined(at, name), place(module, name, value)]);
    for (const { name, buffer, persistent } of module.ownBuffers()) {
      if (persistent) result.push([joined(at, name), place(module, name, buffer)]);
    }
    return true;
  });
  return result;
}

function notFound(root: AnyModule, what: string, path: string, at: AnyModule, name: string): TriviumError {
  const there = Object.entries(at)
    .filter(([, value]) => value instanceof AnyModule || value instanceof Tensor)
    .map(([key]) => key);
  return new ArgumentError(
    `${root.constructor.name}: no ${what} "${path}": ${at.constructor.name} has no "${name}"` +
      `${there.length > 0 ? `, only ${there.join(", ")}` : ""}.`,
  );
}
