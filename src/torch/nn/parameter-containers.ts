/** Modules made of parameters: a list, a dictionary. */
import { ArgumentError } from "../../errors.ts";
import type { Tensor } from "../../tensor/index.ts";
import { Module } from "./module.ts";
import { Parameter } from "./parameter.ts";

const asParameter = (value: Tensor): Parameter => (value instanceof Parameter ? value : new Parameter(value));

/** One line for each parameter, as PyTorch prints them. */
function lines(entries: readonly (readonly [string, Parameter])[]): string {
  return entries
    .map(([name, { shape }]) => `(${name}): Parameter containing: [torch.float32 of size ${shape.join("x")}]`)
    .join("\n");
}

/** A list of parameters that its owner's `parameters()` finds; tensors become parameters. After torch.nn.ParameterList. */
export class ParameterList extends Module<never[], never> {
  readonly [index: number]: Parameter;
  constructor(values: Iterable<Tensor> = []) {
    super();
    this.extend(values);
  }
  override get length(): number {
    return this.ownParameters().length;
  }
  /** The parameter at a position; negative counts from the end. */
  at(index: number): Parameter {
    const own = this.ownParameters();
    const found = own.at(index);
    if (!found)
      throw new ArgumentError(`ParameterList: position ${index} is outside a list of ${own.length} parameters.`);
    return found[1];
  }
  append(value: Tensor): this {
    this.registerParameter(String(this.length), asParameter(value));
    return this;
  }
  extend(values: Iterable<Tensor>): this {
    for (const value of values) this.append(value);
    return this;
  }
  [Symbol.iterator](): IterableIterator<Parameter> {
    return this.ownParameters()
      .map(([, parameter]) => parameter)
      .values();
  }
  override extraRepr(): string {
    return lines(this.ownParameters());
  }
}

/** Parameters by name that their owner's `parameters()` finds; tensors become parameters. After torch.nn.ParameterDict. */
export class ParameterDict extends Module<never[], never> {
  constructor(values: Readonly<Record<string, Tensor>> = {}) {
    super();
    for (const [name, value] of Object.entries(values)) this.set(name, value);
  }
  /** The parameter of a name; an unknown name is an error. */
  get(name: string): Parameter {
    const found = this.entries().find(([key]) => key === name);
    if (!found)
      throw new ArgumentError(`ParameterDict: no parameter "${name}"; there are ${this.keys().join(", ") || "none"}.`);
    return found[1];
  }
  set(name: string, value: Tensor): this {
    this.registerParameter(name, asParameter(value));
    return this;
  }
  has(name: string): boolean {
    return this.keys().includes(name);
  }
  override get length(): number {
    return this.entries().length;
  }
  keys(): string[] {
    return this.entries().map(([name]) => name);
  }
  values(): Parameter[] {
    return this.entries().map(([, parameter]) => parameter);
  }
  entries(): [name: string, parameter: Parameter][] {
    return this.ownParameters();
  }
  [Symbol.iterator](): IterableIterator<[name: string, parameter: Parameter]> {
    return this.entries().values();
  }
  override extraRepr(): string {
    return lines(this.entries());
  }
}
