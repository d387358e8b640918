/** What layers share: shapes, their errors, and what an object holds. */
import { ShapeError } from "../errors.ts";
import type { BatchShape } from "./config.ts";
import type { AnyLayer } from "./layer.ts";
import { isRecord } from "./structure.ts";

/** The error for an input of the wrong rank or size, in one form for all layers. */
export function inputError(layer: AnyLayer, inputShape: BatchShape, expected: string): ShapeError {
  return new ShapeError(
    `${layer.className} "${layer.name}": expected ${expected}, received an input of shape ${formatBatchShape(inputShape)}.`,
  );
}

export function formatBatchShape(shape: BatchShape): string {
  return shape.length === 1 ? `(${shape[0] ?? "None"},)` : `(${shape.map((extent) => extent ?? "None").join(", ")})`;
}

/** A size that must be known. */
export function knownSize(layer: AnyLayer, shape: BatchShape, axis: number, what: string): number {
  const size = shape.at(axis);
  if (typeof size !== "number") throw inputError(layer, shape, `a known ${what}`);
  return size;
}

/** The shape of a tensor with its batch axis left open. */
export function batchShape({ shape }: { readonly shape: BatchShape }): BatchShape {
  return shape.length === 0 ? shape : [null, ...shape.slice(1)];
}

export function unique<Value>(values: readonly Value[]): Value[] {
  return [...new Set(values)];
}

export type Type<Value> = abstract new (...args: never[]) => Value;

/** Instances of a class among the properties of an object, in arrays and plain records too. */
export function heldBy<Value>(owner: object, type: Type<Value>): Value[] {
  const found = new Set<Value>();
  const visit = (value: unknown): void => {
    if (value instanceof type) found.add(value);
    else if (Array.isArray(value)) {
      // lists of numbers may be long and hold nothing
      if (typeof value[0] === "object" || typeof value[0] === "function") value.forEach(visit);
    } else if (isRecord(value)) Object.values(value).forEach(visit);
  };
  for (const [name, value] of Object.entries(owner)) if (name !== "inboundNodes") visit(value);
  return [...found];
}
