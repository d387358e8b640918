/** What the scheduler asks of a strategy, and what it gets back: kernels over operands and temporaries, placed in memory by the scheduler. */
import type { DType } from "../graph/dtype.ts";
import type { TensorType } from "../graph/node.ts";
import type { Kernel, MachineDescription } from "../kernel/ir.ts";
import type { ScalarExpression } from "../kernel/scalar.ts";
import type { Meaning } from "../ops/define.ts";

/** Where the elements of an operand lie: element number `offset + Σ strides[axis] · position[axis]` of buffer `operand`. */
export interface OperandView {
  /** Index into the request's operands (one buffer each). */
  readonly operand: number;
  readonly dtype: DType;
  readonly offset: number;
  /** In elements, one per axis of the iteration space it is indexed by (0 where it is broadcast). */
  readonly strides: readonly number[];
  /** Stores only: nobody reads this soon and it is larger than the caches; its rows begin on cache lines, so whole vectors may go past the caches. */
  readonly streaming?: boolean;
}

/**
 * Elementwise work on a result while it is in registers. The iteration space is the result's own shape.
 * Expression input 0 is the result; input i + 1 is `loads[i]`.
 */
export interface Epilogue {
  readonly loads: readonly OperandView[];
  readonly stores: readonly { readonly expression: ScalarExpression; readonly view: OperandView }[];
}

/** Max pooling of a convolution's result while its rows are in the first-level cache; the windows tile the result without a rest. */
export interface FusedPooling {
  readonly window: readonly [height: number, width: number];
  /** What is pooled, an expression as in the epilogue's stores. */
  readonly expression: ScalarExpression;
  /** Where the largest elements go and, if wanted, the first maximal taps: views over the pooled shape. */
  readonly largest: readonly OperandView[];
  readonly taps: readonly OperandView[];
}

/** A gradient that max pooling's backward pass would spread over windows side by side, each element to the tap that was the largest. */
export interface SpreadGradient {
  /** The input that is spread: its view is over the pooled shape. */
  readonly input: number;
  readonly window: readonly [height: number, width: number];
  /** The taps, a view over the pooled shape. */
  readonly taps: OperandView;
}

/** One op with its operands' views and the elementwise work that follows it. */
export interface StrategyRequest {
  readonly opName: string;
  readonly meaning: Meaning;
  /** Types of the op's inputs and result, before the epilogue. */
  readonly inputs: readonly TensorType[];
  readonly output: TensorType;
  /** One per op input, strides over that input's own axes. Any strides: transposes and broadcasts have been folded in. */
  readonly views: readonly OperandView[];
  /** Without fusion: one store of input 0 to the result's buffer. */
  readonly epilogue: Epilogue;
  /** Max pooling only: the first maximal taps (what `argmax` over the same window gives) are wanted as well, stored here. */
  readonly taps?: readonly OperandView[];
  /** Convolutions only, where `takesPooling` allows it. */
  readonly pooling?: FusedPooling;
  /** Gradients of convolutions only, where `takesSpread` allows it. `inputs` has the type of what is spread. */
  readonly spread?: SpreadGradient;
  readonly machine: MachineDescription;
}

export type StepArgument =
  | { readonly kind: "operand"; readonly index: number; readonly byteOffset?: number }
  | { readonly kind: "temporary"; readonly index: number; readonly byteOffset?: number }
  /** The program's status word; only guards write it. */
  | { readonly kind: "status" };

export interface LoweredStep {
  readonly kernel: Kernel;
  readonly arguments: readonly StepArgument[];
  readonly tasks: number;
  readonly flops: number;
  readonly bytes: number;
  /** After this step the status word is checked. */
  readonly checksStatus?: boolean;
}

/** Kernels in order; `temporaries[i]` is the size in bytes of temporary i (64-byte aligned, contents undefined at first). */
export interface Lowering {
  readonly steps: readonly LoweredStep[];
  readonly temporaries: readonly number[];
  /** For the explanation, in place of a line for each step. */
  readonly summary?: readonly string[];
}

/** Lowers one request. A strategy never chooses by batch size in a way that changes an example's arithmetic. */
export type Strategy = (request: StrategyRequest) => Lowering;

/** Checks that every element of an index operand (i32 or u8) lies in [0, limit). Runs before anything is overwritten. */
export interface GuardRequest {
  readonly type: TensorType;
  /** Where the indices lie; operand 0, strides over the axes of `type`. */
  readonly view: OperandView;
  readonly limit: number;
  /** Written to the status word (i32) when an index is outside. */
  readonly code: number;
  readonly machine: MachineDescription;
}
export type GuardStrategy = (request: GuardRequest) => Lowering;
