/** How tensors stand in arguments and results: in arrays and plain objects. */
import { ArgumentError, DataError } from "../../errors.ts";
import { Tensor } from "../tensor.ts";

/** Positions among a list of tensors; null for nothing. */
export type Structure = number | null | readonly Structure[] | { readonly [name: string]: Structure };

/** Tensors in arrays and plain objects. */
export type TensorStructure =
  | Tensor
  | null
  | undefined
  | readonly TensorStructure[]
  | { readonly [name: string]: TensorStructure };

/** The tensors of a value in order, and how they stand in it. */
export function flattenTensors(value: unknown, what: string): { tensors: Tensor[]; structure: Structure } {
  const tensors: Tensor[] = [];
  const visit = (part: unknown): Structure => {
    if (part === undefined || part === null) return null;
    if (part instanceof Tensor) return tensors.push(part) - 1;
    if (Array.isArray(part)) return part.map(visit);
    if (typeof part === "object" && Object.getPrototypeOf(part) === Object.prototype) {
      return Object.fromEntries(Object.entries(part).map(([name, inner]) => [name, visit(inner)]));
    }
    const found = typeof part === "object" ? ((part as object).constructor?.name ?? "an object") : `a ${typeof part}`;
    throw new ArgumentError(`${what} must be tensors, in arrays or plain objects; found ${found}.`);
  };
  return { structure: visit(value), tensors };
}

/** Puts tensors back where they stood. */
export function unflattenTensors(structure: Structure, tensors: readonly Tensor[]): TensorStructure {
  if (structure === null) return undefined;
  if (typeof structure === "number") return tensors[structure];
  if (Array.isArray(structure)) return structure.map((part: Structure) => unflattenTensors(part, tensors));
  return Object.fromEntries(
    Object.entries(structure as { readonly [name: string]: Structure }).map(([name, part]) => [
      name,
      unflattenTensors(part, tensors),
    ]),
  );
}

/** Checks a structure from a file: every position of `count` tensors once. */
export function checkStructure(value: unknown, count: number, where: string): Structure {
  const seen = new Set<number>();
  const visit = (part: unknown, depth: number): void => {
    if (part === null) return;
    if (typeof part === "number") {
      if (!Number.isInteger(part) || part < 0 || part >= count || seen.has(part))
        throw new DataError(`${where}: its structure names the tensor ${part}, of ${count}.`);
      seen.add(part);
      return;
    }
    if (typeof part !== "object" || depth > 50) throw new DataError(`${where}: its structure is damaged.`);
    for (const inner of Object.values(part)) visit(inner, depth + 1);
  };
  visit(value, 0);
  if (seen.size !== count) throw new DataError(`${where}: its structure names ${seen.size} of ${count} tensors.`);
  return value as Structure;
}
