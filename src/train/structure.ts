/** Values alone, in a list, or by name: what models with several inputs and outputs take and give. */

/** One value, a list of values, or values by name. */
export type Structure<Value> = Value | readonly Value[] | { readonly [name: string]: Value };

/** Whether a value is a record of values: a plain object. */
export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  if (typeof value !== "object" || value === null) return false;
  const prototype = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

/** The values in order: of a list by position, of a record as its names were written. */
export function leavesOf<Value>(structure: Structure<Value>): readonly Value[] {
  if (Array.isArray(structure)) return structure as readonly Value[];
  if (isRecord(structure)) return Object.values(structure) as readonly Value[];
  return [structure as Value];
}

/** The same structure with other values. */
export function mapStructure<Value, Result>(
  structure: Structure<Value>,
  change: (value: Value, key: string | number | undefined) => Result,
): Structure<Result> {
  if (Array.isArray(structure)) return (structure as readonly Value[]).map((value, index) => change(value, index));
  if (isRecord(structure)) {
    return Object.fromEntries(Object.entries(structure).map(([name, value]) => [name, change(value as Value, name)]));
  }
  return change(structure as Value, undefined);
}

/** The same structure with values taken from a list, in the order of `leavesOf`. */
export function packLike<Value>(structure: Structure<unknown>, values: readonly Value[]): Structure<Value> {
  let next = 0;
  return mapStructure(structure, () => values[next++]);
}

/** Text that is the same for equal structures: `1`, `[2]`, `{a,b}`. */
export function structureKey(structure: Structure<unknown> | undefined): string {
  if (structure === undefined) return "0";
  if (Array.isArray(structure)) return `[${structure.length}]`;
  return isRecord(structure) ? `{${Object.keys(structure).map(encodeURIComponent).join()}}` : "1";
}
