/** Outputs, targets and weights of examples, brought into one order. */
import { ArgumentError } from "../errors.ts";
import { Tensor } from "../tensor/index.ts";
import { isRecord, leavesOf, type Structure, type TensorStructure } from "./structure.ts";

/** One output of a model. */
export interface OutputSlot {
  /** The output's name: of its layer, or the key under which the model gives it. */
  readonly name: string | undefined;
  readonly prediction: Tensor;
}

/** The outputs in order. A record comes in the order of the model's output names, or else alphabetically, as in Keras. */
export function outputSlots(predictions: TensorStructure, outputNames: readonly string[] | undefined): OutputSlot[] {
  if (isRecord(predictions)) {
    const keys = Object.keys(predictions);
    const named = outputNames?.length === keys.length && outputNames.every((name) => Object.hasOwn(predictions, name));
    return (named ? outputNames : keys.sort()).map((name) => ({
      name,
      prediction: (predictions as Readonly<Record<string, Tensor>>)[name],
    }));
  }
  return leavesOf<Tensor>(predictions).map((prediction, index) => ({ name: outputNames?.[index], prediction }));
}

/**
 * Values for outputs: one for each, by position or by name; undefined where there is none. With `expected`, a list may hold values for these
 * outputs alone.
 */
export function valuesFor<Value>(
  what: string,
  slots: readonly OutputSlot[],
  given: Structure<Value> | undefined,
  expected?: readonly boolean[],
): (Value | undefined)[] {
  if (given === undefined) return slots.map(() => undefined);
  const names = slots.map(({ name }, index) => name ?? String(index));
  if (isRecord(given)) {
    const strange = Object.keys(given).find((name) => !names.includes(name));
    if (strange !== undefined) {
      throw new ArgumentError(`${what}: there is no output "${strange}"; the model's outputs are ${names.join(", ")}.`);
    }
    return names.map((name) =>
      Object.hasOwn(given, name) ? (given as Readonly<Record<string, Value>>)[name] : undefined,
    );
  }
  const list = leavesOf(given);
  if (list.length === slots.length) return [...list];
  if (expected && list.length === expected.filter(Boolean).length) {
    let next = 0;
    return expected.map((wanted) => (wanted ? list[next++] : undefined));
  }
  throw new ArgumentError(
    `${what}: expected ${slots.length === 1 ? "one value" : `${slots.length} values, one for each output (${names.join(", ")})`}, received ${list.length}.`,
  );
}

/** Weights of examples for each output: one tensor is for all of them. */
export function weightsFor(
  slots: readonly OutputSlot[],
  given: TensorStructure | undefined,
  expected: readonly boolean[],
): (Tensor | undefined)[] {
  if (given instanceof Tensor) return slots.map(() => given);
  return valuesFor<Tensor>("sampleWeight", slots, given, expected);
}
