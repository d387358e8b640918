/** Which modules a module is made of, and in which modes they are: what a program traced through it depends on besides its arguments. */
import { AnyModule } from "./any-module.ts";

type Properties = Readonly<Record<string, unknown>>;

interface Place {
  readonly module: AnyModule;
  readonly name: string;
  readonly child: AnyModule | undefined;
}

/** Properties of a module that hold another, or nothing. */
function placesOf(module: AnyModule): Place[] {
  return Object.entries(module as unknown as Properties).flatMap(([name, value]): Place[] => {
    if (value === undefined || value === null) return [{ module, name, child: undefined }];
    return value instanceof AnyModule ? [{ module, name, child: value }] : [];
  });
}

/**
 * The modules inside a module at one time. Asked before every call of a compiled module, so whether they still are the same takes tens of nanoseconds a module where a
 * walk through them takes hundreds.
 */
export class ModuleSnapshot {
  /** The modes of all modules, as text. */
  readonly modes: string;
  private readonly made: number;
  private readonly modules: readonly AnyModule[];
  private readonly training: readonly boolean[];
  /** How many properties each has: one more may be another module. */
  private readonly properties: readonly number[];
  /** Child i is the property `names[i]` of `parents[i]`. A place that holds nothing yet has no child; it may get a module. */
  private readonly parents: readonly AnyModule[];
  private readonly names: readonly string[];
  private readonly children: readonly (AnyModule | undefined)[];

  constructor(root: AnyModule) {
    this.made = AnyModule.made;
    this.modules = root.modules();
    this.training = this.modules.map(({ training }) => training);
    this.modes = this.training.map((training) => (training ? 1 : 0)).join("");
    const places = this.modules.flatMap((module) => placesOf(module));
    this.parents = places.map(({ module }) => module);
    this.names = places.map(({ name }) => name);
    this.children = places.map(({ child }) => child);
    this.properties = this.modules.map((module) => Object.keys(module).length);
  }

  /** Whether modules, places and modes are what they were. */
  holds(): boolean {
    const { modules, training, properties, parents, names, children } = this;
    // what was made since may be part of any module
    if (AnyModule.made !== this.made) return false;
    for (let i = 0; i < modules.length; i++) if (modules[i]!.training !== training[i]) return false;
    for (let i = 0; i < children.length; i++)
      if (((parents[i] as unknown as Properties)[names[i]!] ?? undefined) !== children[i]) return false;
    for (let i = 0; i < modules.length; i++) if (Object.keys(modules[i]!).length !== properties[i]) return false;
    return true;
  }

  /** Whether another one has the same modules at the same places. */
  hasModulesOf(other: ModuleSnapshot): boolean {
    const same = <Value>(left: readonly Value[], right: readonly Value[]): boolean =>
      left.length === right.length && left.every((value, index) => value === right[index]);
    return (
      same(this.modules, other.modules) &&
      same(this.parents, other.parents) &&
      same(this.names, other.names) &&
      same(this.children, other.children)
    );
  }
}
