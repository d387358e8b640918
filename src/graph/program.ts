import type { Op } from "../ops/define.ts";
import type { Attributes, TensorType } from "./node.ts";

/** One node of a program, detached from live tensors so that it can be cached. Inputs are indices into `GraphProgram.nodes`. */
export interface ProgramNode {
  /** `undefined` for an input of the program. */
  readonly op: Op | undefined;
  readonly inputs: readonly number[];
  readonly attributes: Attributes;
  readonly type: TensorType;
  /** For an input whose memory holds the axes in another order than its type: axis i in memory is axis stored[i]. Gone in canonical form. */
  readonly stored?: readonly number[];
  /** For an input: the value of a variable, which often stays the same from run to run. */
  readonly variable?: true;
}

/** What a program computes: a node's value, written to a fresh buffer or over one of the inputs (donation). */
export interface ProgramOutput {
  readonly node: number;
  /**
   * Position in `GraphProgram.inputs` of the input whose storage this output overwrites (an optimizer's update).
   * The schedule orders every reader of the old value before the write, or writes through a temporary.
   */
  readonly overwrites?: number;
}

/** A closed tensor graph: what the schedule compiles. `nodes` is in topological order. */
export interface GraphProgram {
  readonly nodes: readonly ProgramNode[];
  /** Indices of the nodes that are inputs, in the order in which the caller passes their addresses. */
  readonly inputs: readonly number[];
  readonly outputs: readonly ProgramOutput[];
  /** The structure as text: equal keys mean interchangeable programs. */
  readonly key: string;
}
