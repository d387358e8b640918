/** Modules: callable, nested, with hooks. */
import { UnsupportedError } from "../../errors.ts";
import { isGradEnabled, Tensor, Variable } from "../../tensor/index.ts";
import { AnyModule } from "./any-module.ts";
import { type FullBackwardHook, runWithBackwardHooks } from "./backward-hooks.ts";
import { Parameter } from "./parameter.ts";
import { snapshot } from "./state-dict.ts";
import { PackedSequence } from "./utils/packed-sequence.ts";

/** Ends a registration. */
export interface RemovableHandle {
  remove(): void;
}

/** Runs before `forward`; what it returns (an array) takes the place of the arguments. */
export type ForwardPreHook<Args extends readonly unknown[]> = (module: AnyModule, args: Args) => unknown;
/** Runs after `forward`; what it returns takes the place of the result. */
export type ForwardHook<Args extends readonly unknown[], Result> = (
  module: AnyModule,
  args: Args,
  result: Result,
) => unknown;

type AnyHook = (...args: never[]) => unknown;
type LooseHook = (...args: unknown[]) => unknown;

/** The outermost module whose call runs at this moment. */
let outermost: AnyModule | undefined;

/** Where modules were found in the tree of the outermost one, so that a call does not search for a name that only errors need. */
const places = new WeakMap<AnyModule, { readonly root: AnyModule; readonly name: string }>();

/** How an error names a module: its class and, inside a call, its place in the tree: `Conv2d "features.0"`. */
export function layerName(module: AnyModule): string {
  const name = module.constructor.name;
  if (!outermost || outermost === module) return name;
  const known = places.get(module);
  if (known?.root === outermost) return known.name;
  // all at once: one search for each layer would take the square of their number
  const root = outermost;
  places.set(module, { root, name });
  for (const [place, part] of root.namedModules()) {
    places.set(part, { root, name: place === "" ? part.constructor.name : `${part.constructor.name} "${place}"` });
  }
  return places.get(module)!.name;
}

/** Results of the outermost call are computed by the next step, so that they can be read after it. */
function keepTensors(value: unknown): void {
  if (value instanceof Tensor || value instanceof PackedSequence) value.keep();
  else if (Array.isArray(value)) for (const entry of value) keepTensors(entry);
  else if (value !== null && typeof value === "object" && Object.getPrototypeOf(value) === Object.prototype) {
    for (const entry of Object.values(value)) keepTensors(entry);
  }
}

let nextHook = 0;

function registered<Hook>(hooks: Map<number, Hook>, hook: Hook): RemovableHandle {
  const key = nextHook++;
  hooks.set(key, hook);
  return {
    remove: () => {
      hooks.delete(key);
    },
  };
}

/**
 * Base of all networks and layers. A subclass makes its parts in the constructor (or as class fields) and says in `forward` what it
 * computes; it is called like a function. Parts are found among the instance's own properties: `Module`, `Parameter` and registered buffers.
 * Arrays are not searched, as in PyTorch: use `ModuleList`. After torch.nn.Module.
 *
 * A module with other arguments than one tensor, or another result, names them: `class Pair extends nn.Module<[Tensor, Tensor], Tensor[]>`.
 *
 * @example
 * ```ts
 * class Net extends nn.Module {
 *   hidden = new nn.Linear(64, 32);
 *   output = new nn.Linear(32, 10);
 *   override forward(x: Tensor): Tensor {
 *     return this.output(this.hidden(x).relu());
 *   }
 * }
 * const net = new Net();
 * net(torch.randn(8, 64)).shape; // [8, 10]
 * ```
 */
export class Module<Args extends readonly unknown[] = [Tensor], Result = Tensor> extends AnyModule {
  readonly #preHooks = new Map<number, AnyHook>();
  readonly #hooks = new Map<number, AnyHook>();
  readonly #backwardHooks = new Map<number, FullBackwardHook>();

  /** What the module computes; subclasses override it. Call the module, not this method: `module(x)` also runs the hooks. */
  override forward(..._args: Args): Result {
    throw new UnsupportedError(
      `${this.constructor.name}: the class does not say what it computes; override forward().`,
    );
  }

  /** @internal What `module(...args)` does. */
  invoke(...args: Args): Result {
    const outer = outermost;
    outermost ??= this;
    try {
      const result = this.#run(args) as Result;
      if (outer === undefined && isGradEnabled()) keepTensors(result);
      return result;
    } finally {
      outermost = outer;
    }
  }

  #run(given: readonly unknown[]): unknown {
    let args = given;
    for (const hook of this.#preHooks.values()) {
      const replaced = (hook as LooseHook)(this, args);
      if (replaced !== undefined) args = Array.isArray(replaced) ? replaced : [replaced];
    }
    const hooks = [...this.#backwardHooks.values()];
    let result = runWithBackwardHooks(this, hooks, args, (inputs) => this.forward(...(inputs as unknown as Args)));
    for (const hook of this.#hooks.values()) {
      const replaced = (hook as LooseHook)(this, args, result);
      if (replaced !== undefined) result = replaced;
    }
    return result;
  }

  /**
   * A module of its own with equal parts and values; parameters that are shared stay shared inside it. Hooks are not copied. The constructor does
   * not run again, so a class with private `#fields` must override this. As `copy.deepcopy(module)` in Python.
   */
  clone(): this {
    return clonedModule(this, new Map()) as this;
  }

  // ---- hooks ----

  /** Runs a function before each `forward`, with the arguments; what it returns replaces them. */
  registerForwardPreHook(hook: ForwardPreHook<Args>): RemovableHandle {
    return registered(this.#preHooks, hook);
  }
  /** Runs a function after each `forward`, with arguments and result; what it returns replaces the result. */
  registerForwardHook(hook: ForwardHook<Args, Result>): RemovableHandle {
    return registered(this.#hooks, hook);
  }
  /**
   * Runs a function in `backward()` with the gradients of the module's inputs and outputs; a tensor that it returns takes the place of the input's
   * gradient. The gradients are pending: reading one computes it.
   */
  registerFullBackwardHook(hook: FullBackwardHook): RemovableHandle {
    return registered(this.#backwardHooks, hook);
  }
}

function clonedModule(module: AnyModule, copies: Map<object, object>): AnyModule {
  const copy = Reflect.construct(Module, [], module.constructor as new () => Module) as Module;
  copies.set(module, copy);
  (copy as unknown as { copyRegistrations(source: AnyModule): void }).copyRegistrations(module);
  for (const [key, value] of Object.entries(module)) {
    const part: unknown = clonedValue(value, copies);
    Object.defineProperty(copy, key, { value: part, writable: true, enumerable: true, configurable: true });
  }
  return copy;
}

/** Modules and variables are copied, also in arrays and plain objects; everything else is a value, and shared. */
function clonedValue(value: unknown, copies: Map<object, object>): unknown {
  if (value === null || (typeof value !== "object" && typeof value !== "function")) return value;
  const known = copies.get(value);
  if (known) return known;
  if (value instanceof AnyModule) return clonedModule(value, copies);
  if (value instanceof Variable) {
    const { name, requiresGrad } = value;
    const content = snapshot(value);
    const copy =
      value instanceof Parameter
        ? new Parameter(content, { name, requiresGrad })
        : new Variable(content, { name, trainable: requiresGrad });
    copies.set(value, copy);
    return copy;
  }
  if (Array.isArray(value)) return value.map((entry) => clonedValue(entry, copies));
  if (Object.getPrototypeOf(value) === Object.prototype) {
    return Object.fromEntries(Object.entries(value).map(([key, entry]) => [key, clonedValue(entry, copies)]));
  }
  return value;
}
