import { atEntry } from "../tensor/lift.ts";

/** What a callable instance is: a function with the methods of its class. */
export interface CallableInstance<Args extends readonly unknown[], Result> {
  (...args: Args): Result;
  /** What `instance(...args)` does; subclasses define it. */
  invoke(...args: Args): Result;
}

class CallableBase {
  constructor() {
    const instance = (...args: unknown[]): unknown =>
      atEntry(instance, () => (instance as unknown as CallableBase).invoke(...args));
    Reflect.deleteProperty(instance, "name");
    Reflect.deleteProperty(instance, "length");
    Object.setPrototypeOf(instance, new.target.prototype as object);
    // biome-ignore lint/correctness/noConstructorReturn: returning the function is what makes the instance callable
    return instance as unknown as CallableBase;
  }
  invoke(..._args: unknown[]): unknown {
    throw new TypeError(`${this.constructor.name} does not define what calling it does`);
  }
}

/**
 * Base of classes whose instances are called like functions: `layer(x)`.
 *
 * A callable instance is an arrow function that has the class's prototype. Its own `name` and `length` are removed, because they are read-only
 * and would make `this.name = …` in a subclass throw. The constant's type gives instances their call signature. Typed errors leave a call with
 * the stack cut there, so that the user's line comes first.
 */
export const Callable = CallableBase as unknown as abstract new <
  Args extends readonly unknown[],
  Result,
>() => CallableInstance<Args, Result>;
