/** One program from several traces that differ in the size of the batch. */
import { type BatchNumber, isBatchNumber, type PortableProgram } from "./program.ts";

/** Traces that no single program stands for; the message says where they part. */
export class NotUniform extends Error {}

/**
 * The program that gives each of the traces at its size of the batch: numbers that are alike stay, numbers that differ are plus + times · batch,
 * found from the first two traces and checked with the others. Anything else that differs is `NotUniform`.
 */
export function unifyTraces(traces: readonly PortableProgram[], sizes: readonly number[]): PortableProgram {
  const unify = (values: readonly unknown[], path: string): unknown => {
    const [first] = values;
    if (values.every((value) => typeof value === "number")) return unifyNumbers(values as number[], sizes, path);
    if (Array.isArray(first)) {
      if (!values.every((value) => Array.isArray(value) && value.length === first.length)) throw new NotUniform(path);
      return first.map((_, index) =>
        unify(
          values.map((value) => (value as unknown[])[index]),
          `${path}[${index}]`,
        ),
      );
    }
    if (first !== null && typeof first === "object") {
      const names = Object.keys(first);
      const alike = values.every(
        (value) =>
          value !== null &&
          typeof value === "object" &&
          Object.keys(value).length === names.length &&
          names.every((name) => Object.hasOwn(value, name)),
      );
      if (!alike) throw new NotUniform(path);
      return Object.fromEntries(
        names.map((name) => [
          name,
          unify(
            values.map((value) => (value as Record<string, unknown>)[name]),
            `${path}.${name}`,
          ),
        ]),
      );
    }
    if (values.some((value) => value !== first)) throw new NotUniform(path);
    return first;
  };
  return unify(traces, "program") as PortableProgram;
}

function unifyNumbers(values: readonly number[], sizes: readonly number[], path: string): BatchNumber {
  if (values.every((value) => Object.is(value, values[0]))) return values[0];
  const times = (values[1] - values[0]) / (sizes[1] - sizes[0]);
  const plus = values[0] - times * sizes[0];
  const exact = Number.isSafeInteger(times) && Number.isSafeInteger(plus);
  if (!exact || values.some((value, index) => value !== plus + times * sizes[index])) throw new NotUniform(path);
  return { plus, times };
}

/** Whether a program contains numbers that depend on the batch. */
export function dependsOnBatch(value: unknown): boolean {
  if (Array.isArray(value)) return value.some(dependsOnBatch);
  if (value === null || typeof value !== "object") return false;
  if ("times" in value && isBatchNumber(value)) return true;
  return Object.values(value).some(dependsOnBatch);
}
