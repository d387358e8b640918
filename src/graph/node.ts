import type { Op } from "../ops/define.ts";
import { bytesPerElement, type DType } from "./dtype.ts";
import { type Shape, sizeOf } from "./shape.ts";

/** What is known of a tensor without computing it. */
export interface TensorType {
  readonly shape: Shape;
  readonly dtype: DType;
}

/** Bytes that a value of this type takes. */
export function bytesOf({ shape, dtype }: TensorType): number {
  return sizeOf(shape) * bytesPerElement[dtype];
}

/** Structural attributes: part of a program's key, so plain data only. Numbers that change every step are tensors, never attributes. */
export type AttributeValue =
  | number
  | string
  | boolean
  | readonly AttributeValue[]
  | { readonly [name: string]: AttributeValue };
export type Attributes = { readonly [name: string]: AttributeValue };

/** Storage that a node's value lives in: bytes of an ArrayBuffer, from an offset. */
export interface NodeValue {
  readonly buffer: ArrayBuffer;
  readonly byteOffset: number;
  /** Where it lies in memory, once a target has asked: it never moves. */
  address?: number;
}

/** Where a leaf's value comes from when it has not been computed by a program. */
export type Leaf =
  /** Data that exists (the node's `value`). */
  | { readonly kind: "data" }
  /**
   * A number the user passed: an argument of the program, never part of its key. `refresh` gives the value at each replay of a
   * compiled function (learning rates, random counters); elsewhere `value` holds, so that recomputation repeats it.
   */
  | {
      readonly kind: "number";
      readonly value: number;
      readonly refresh?: () => number;
      /** The key of a random operation that draws from the default generator. */
      readonly draws?: "seed" | "counter";
    }
  /** An argument of a compiled function while it is traced. */
  | { readonly kind: "placeholder"; readonly index: number }
  /** A variable at a version; `cell` is the engine's variable. */
  | { readonly kind: "variable"; readonly cell: VariableCell; readonly version: number };

/** Storage of a prepared value. */
export interface PreparedStorage {
  readonly storage: NodeValue;
  readonly bytes: number;
  /** Whether a run has left the value here. */
  filled: boolean;
}

/** What a program made of variables, kept with one of them, so that it goes when that variable goes. */
export interface PreparedValue {
  /** Stands for the kernels that make it. */
  readonly kind: number;
  /** What it is made of: serial number and version of each variable, 0 and its value for each number. */
  sources: readonly number[];
  /** From the second run in a row with the same sources on. */
  results: PreparedStorage | undefined;
}

/** The part of a variable that the graph sees. */
export interface VariableCell {
  readonly name: string;
  /** Tells this variable from any other. */
  readonly serial: number;
  readonly type: TensorType;
  /** Order of the axes in memory where it differs from that of `type`: axis i in memory is axis order[i]. */
  readonly order?: readonly number[];
  version: number;
  value: NodeValue | undefined;
  /** The initial value while it has not been computed; `value` is then undefined. */
  initial: Node | undefined;
  /** An assigned value that has not been computed yet; the next computation commits it. */
  pending: Node | undefined;
  /** What programs made of this version, to be used again (`engine/prepared-values.ts`). */
  prepared: PreparedValue[] | undefined;
  /** Scratch for graph walks, as a node's. */
  mark: number;
  position: number;
}

/** Sees the gradient of a node; what it returns takes the gradient's place. */
export type GradientHook = (gradient: Node) => Node | undefined;

let nextSerial = 1;
const noOptions = {};

/** A pure, single-output operation, or a leaf. Two things hang on it and are dropped separately: its value and its provenance. */
export class Node {
  /** Creation order; a topological order of any graph. */
  readonly serial: number = nextSerial++;
  readonly op: Op | undefined;
  readonly attributes: Attributes;
  readonly type: TensorType;
  /** Set for leaves; a node that a variable took over at a commit becomes a leaf for that version. */
  leaf: Leaf | undefined;
  /** Provenance; emptied (`dropProvenance`) once nobody can ask for a gradient through this node. */
  inputs: readonly Node[];
  /** Whether a trainable variable or a tensor with `requiresGrad` is upstream. */
  requiresGrad: boolean;
  /** The computed value, if any. */
  value: NodeValue | undefined;
  /** Set when `backward()` consumed the provenance, for PyTorch's error on a second call. */
  consumed = false;
  /** Set when a program computed the node without storing it: the second program that needs it stores it. */
  passed = false;
  /** Set when a public function returned a tensor for this node: a tape keeps what its user may hold. */
  exposed = false;
  /** For leaves: the tensor or variable whose accumulated gradient belongs to this leaf. */
  owner: object | undefined;
  /** Callbacks that see the node's gradient once all of it is there, and may put another in its place. */
  hooks: GradientHook[] | undefined;
  /** Somebody else may hold the value: its storage must not be used again when the node is dropped. */
  shared = false;
  /** Scratch for graph walks: the walk that saw this node last, and its index there. */
  mark = 0;
  position = 0;

  constructor(
    op: Op | undefined,
    inputs: readonly Node[],
    attributes: Attributes,
    type: TensorType,
    options: { leaf?: Leaf; requiresGrad?: boolean; value?: NodeValue } = noOptions,
  ) {
    this.op = op;
    this.inputs = inputs;
    this.attributes = attributes;
    this.type = type;
    this.leaf = options.leaf;
    this.requiresGrad = options.requiresGrad ?? false;
    this.value = options.value;
  }

  get shape(): Shape {
    return this.type.shape;
  }
  get dtype(): DType {
    return this.type.dtype;
  }
}

/** A leaf for a number: its value is an argument of the program, its dtype part of the key. */
export function numberNode(
  value: number,
  dtype: DType = "f32",
  refresh?: () => number,
  draws?: "seed" | "counter",
): Node {
  return new Node(undefined, [], {}, { shape: [], dtype }, { leaf: { kind: "number", value, refresh, draws } });
}
/** A leaf for data that exists. */
export function dataNode(type: TensorType, value: NodeValue, requiresGrad = false): Node {
  return new Node(undefined, [], {}, type, { leaf: { kind: "data" }, value, requiresGrad });
}

let currentMark = 0;
/** A fresh mark for one graph walk (`node.mark === mark` means seen). */
export function nextMark(): number {
  return ++currentMark;
}
/** The serial that the next node will get: separates what existed before from what is built after. */
export function serialNow(): number {
  return nextSerial;
}
