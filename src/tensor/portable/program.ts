/** Programs as plain data: what is needed to build their graph again in another process, for any size of the batch. */
import { bytesPerElement, type DType } from "../../graph/dtype.ts";

/** A number of a program: fixed, or plus + times · batch. */
export type BatchNumber = number | { readonly plus: number; readonly times: number };
/** An attribute: the only objects are numbers that depend on the batch. */
export type PortableValue = BatchNumber | string | boolean | readonly PortableValue[];
export type PortableShape = readonly BatchNumber[];

/** Where an input of a loop's body comes from; positions are those of the loop's inputs. After `StepSource`. */
export type PortableSource =
  | { readonly kind: "carry"; readonly result: number; readonly initial: number }
  | { readonly kind: "sequence"; readonly input: number; readonly shift: number; readonly initial: number }
  | { readonly kind: "constant"; readonly input: number };

/** A loop over time: one source for each argument of the body. */
export interface PortableLoop {
  readonly length: BatchNumber;
  readonly reverse: boolean;
  readonly sources: readonly PortableSource[];
  readonly body: PortableGraph;
}

/** One place of a graph. `inputs` are positions of earlier places. */
export type PortableEntry =
  | { readonly kind: "argument"; readonly index: number; readonly dtype: DType; readonly shape: PortableShape }
  /** A weight, or a constant tensor of the traced function. */
  | { readonly kind: "tensor"; readonly name: string; readonly dtype: DType; readonly shape: PortableShape }
  | { readonly kind: "number"; readonly value: BatchNumber; readonly dtype: DType }
  | { readonly kind: "seed" }
  /** A counter of the random generator, drawn `order`-th. */
  | { readonly kind: "counter"; readonly order: number }
  | {
      readonly kind: "op";
      readonly op: string;
      readonly inputs: readonly number[];
      readonly attributes: { readonly [name: string]: PortableValue };
      readonly dtype: DType;
      readonly shape: PortableShape;
      readonly loop?: PortableLoop;
    };
export type PortableOp = PortableEntry & { kind: "op" };

export interface PortableGraph {
  readonly entries: readonly PortableEntry[];
  /** Positions of the results. */
  readonly outputs: readonly number[];
}

/** A traced function. */
export interface PortableProgram extends PortableGraph {
  readonly arguments: readonly { readonly shape: PortableShape; readonly dtype: DType }[];
  /** What it writes: tensors by name, and the positions of their new values. */
  readonly updates: readonly { readonly name: string; readonly value: number }[];
}

/** The value for a batch. */
export function atBatch(value: BatchNumber, batch: number): number {
  return typeof value === "number" ? value : value.plus + value.times * batch;
}

export const isBatchNumber = (value: unknown): value is BatchNumber =>
  typeof value === "number" || (value !== null && typeof value === "object" && !Array.isArray(value));

/** Whether a name is that of a dtype. */
export const isDType = (value: unknown): value is DType =>
  typeof value === "string" && Object.hasOwn(bytesPerElement, value);
