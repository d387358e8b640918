/** Nested arrays and plain objects of tensors. */

function isPlainObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && Object.getPrototypeOf(value) === Object.prototype;
}

/** The same nested structure with each leaf (anything but an array or plain object) changed. */
export function mapNested(value: unknown, change: (leaf: unknown) => unknown): unknown {
  if (Array.isArray(value)) return value.map((part) => mapNested(part, change));
  if (isPlainObject(value)) {
    return Object.fromEntries(Object.entries(value).map(([key, part]) => [key, mapNested(part, change)]));
  }
  return change(value);
}

/** All leaves in order. */
export function nestedLeaves(value: unknown): unknown[] {
  const leaves: unknown[] = [];
  mapNested(value, (leaf) => leaves.push(leaf));
  return leaves;
}

/** Whether some leaf that is an object passes the test; looks no further than the first. */
export function someLeaf(value: unknown, test: (leaf: unknown) => boolean): boolean {
  if (typeof value !== "object") return false;
  if (Array.isArray(value)) return value.some((part) => someLeaf(part, test));
  if (isPlainObject(value)) return Object.values(value).some((part) => someLeaf(part, test));
  return test(value);
}
