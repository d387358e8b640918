/**
 * An op is defined once: `defineOp` holds its name, shape and dtype rule, meaning, gradient and worked cases, and the value is also
 * the function that builds nodes. Everything else (oracle comparison on every target, gradient checks, documentation) is derived.
 */
import { gradEnabled } from "../graph/grad-mode.ts";
import { type Attributes, Node, type TensorType } from "../graph/node.ts";
import type { ScanLoop } from "../graph/scan-loop.ts";
import type { ScalarExpression } from "../kernel/scalar.ts";
import { Applications } from "./applications.ts";

/** How a reduction combines elements. `argmax`/`argmin` give the first position (i32), NaN counts as the extreme. */
export type Combine = "sum" | "prod" | "max" | "min" | "any" | "all" | "argmax" | "argmin";

/** `constant + Σ coefficient · position[axis]` over the axes of the output. */
export interface AffineIndex {
  readonly constant: number;
  readonly terms: readonly { readonly axis: number; readonly coefficient: number }[];
}

/** One source of a movement op: input `input`, read at `index` (one per axis of that input). */
export interface MovementPiece {
  readonly input: number;
  readonly index: readonly AffineIndex[];
  /** Only where every index lies inside the input (pad, concat); otherwise the next piece, and in the end `fill`, applies. */
  readonly guarded: boolean;
}

/** Geometry of a 2-d window over NHWC data. Padding is [[top, bottom], [left, right]]. */
export interface WindowGeometry {
  readonly window: readonly [number, number];
  readonly strides: readonly [number, number];
  readonly dilation: readonly [number, number];
  readonly padding: readonly [readonly [number, number], readonly [number, number]];
}

/**
 * What an op computes.
 * - `elementwise`: all inputs have the output's shape (broadcasting is an explicit `expand`); input i is `inputs[i]`.
 * - `movement`: each output element is copied from the first piece that holds it, else `fill`.
 * - `reshape`: same elements, row-major order kept; no arithmetic, usually no copy.
 * - `reduce`: combines over `axes`, which disappear from the shape.
 * - `matmul`: [batch…, m, k] x [batch…, k, n], equal batch axes.
 * - `conv2d`: NHWC data x, HWIO kernel w [kh, kw, c/groups, k], gradient g [n, oh, ow, k].
 *   forward: (x, w) -> g-shape · inputGradient: (g, w) -> x-shape · weightGradient: (x, g) -> w-shape. Closed under differentiation.
 * - `window`: pooling over NHWC. x is [n, h, w, c], y is [n, oh, ow, c]; tap t = i·kw + j is one position of the window, outside taps are skipped.
 *   max: y = max_t x · argmax: first maximal t (u8, or i32 where windows are large) · sum: Σ_t x · sumTranspose: (y) -> x-shape ·
 *   pick: (x, t) -> x at tap t[y] · pickTranspose: (y, t) -> x-shape, y added where its tap is t.
 * - `scan`: a loop over time whose body is a program; the output is one f32 vector that holds every result of every step (`ScanLoop`).
 * - `indexed`: anything with data-dependent addresses or order; `reference` computes it in f64 from row-major inputs, the schedule has
 *   one strategy per op name.
 */
export type Meaning =
  | { readonly kind: "elementwise"; readonly expression: (inputs: readonly ScalarExpression[]) => ScalarExpression }
  | { readonly kind: "movement"; readonly pieces: readonly MovementPiece[]; readonly fill: number }
  | { readonly kind: "reshape" }
  | { readonly kind: "reduce"; readonly combine: Combine; readonly axes: readonly number[] }
  | { readonly kind: "matmul" }
  | {
      readonly kind: "conv2d";
      readonly direction: "forward" | "inputGradient" | "weightGradient";
      readonly geometry: WindowGeometry;
      readonly groups: number;
    }
  | {
      readonly kind: "window";
      readonly combine: "max" | "argmax" | "sum" | "sumTranspose" | "pick" | "pickTranspose";
      readonly geometry: WindowGeometry;
    }
  | { readonly kind: "scan"; readonly loop: ScanLoop }
  | {
      readonly kind: "indexed";
      readonly reference: (
        inputs: readonly ArrayLike<number>[],
        types: readonly TensorType[],
        output: TensorType,
      ) => ArrayLike<number>;
      /** Inputs that hold indices, with the exclusive upper limit; a value outside [0, limit) is an IndexRangeError before anything is overwritten. */
      readonly guards?: readonly { readonly input: number; readonly limit: number }[];
      /** What the op's strategy must know besides the types: axis, direction, order. */
      readonly parameters?: Attributes;
    };

export interface GradientContext<A extends Attributes = Attributes> {
  readonly inputs: readonly Node[];
  readonly output: Node;
  readonly attributes: A;
  /** Which inputs need a gradient; skip work for the others. */
  readonly needs: readonly boolean[];
}

/** Gradient of the loss with respect to each input (undefined where none), given that of the output: a graph expression. */
export type GradientRule<A extends Attributes> = (
  gradient: Node,
  context: GradientContext<A>,
) => readonly (Node | undefined)[];

/** A worked case: special values first of all. `expected` is row-major; compared bit for NaN, to 1e-6 relative otherwise unless `tolerance` says so. */
export interface WorkedCase<Args extends readonly unknown[]> {
  readonly name: string;
  /** Builds the call from constants: `args: (constant) => [constant([2], "f32", [1, NaN])]`. */
  readonly args: (
    constant: (shape: readonly number[], dtype: TensorType["dtype"], data: readonly number[]) => Node,
  ) => Args;
  readonly shape: readonly number[];
  readonly expected: readonly number[];
  readonly tolerance?: number;
  /** No kink, tie or special value nearby: gradients are checked here against differences, to second order. Every differentiable op has such a case. */
  readonly smooth?: boolean;
}

export interface OpSpec<Args extends readonly unknown[], A extends Attributes> {
  readonly name: string;
  /** One sentence with the formula, for the documentation. */
  readonly summary: string;
  /** From what the caller passes to nodes (broadcast, cast) and normalized attributes. */
  readonly prepare: (...args: Args) => { readonly inputs: readonly Node[]; readonly attributes: A };
  /** A node that already is the result (reshape to the same shape, cast to the same dtype): no new node is built. */
  readonly shortcut?: (inputs: readonly Node[], attributes: A) => Node | undefined;
  /** What the caller gets from the built node (`keepDims` adds a reshape here). */
  readonly finish?: (result: Node, ...args: Args) => Node;
  /** Shape and dtype of the result; throws a typed error that names the op. */
  readonly infer: (inputs: readonly TensorType[], attributes: A) => TensorType;
  readonly meaning: (inputs: readonly TensorType[], attributes: A, output: TensorType) => Meaning;
  /** The gradient, or a reason why there is none (integer result, piecewise constant). */
  readonly gradient: GradientRule<A> | { readonly none: string };
  readonly cases: readonly [WorkedCase<NoInfer<Args>>, ...WorkedCase<NoInfer<Args>>[]];
}

/** The definition as the rest of the framework sees it. */
export interface Op {
  readonly opName: string;
  readonly summary: string;
  readonly infer: (inputs: readonly TensorType[], attributes: Attributes) => TensorType;
  readonly meaning: (inputs: readonly TensorType[], attributes: Attributes, output: TensorType) => Meaning;
  readonly gradient: GradientRule<Attributes> | { readonly none: string };
  readonly cases: readonly WorkedCase<readonly never[]>[];
  /** Remembers what the op gives for which inputs; an op that is made for one node has none. */
  readonly applications?: Applications;
}
export type OpFunction<Args extends readonly unknown[]> = Op & ((...args: Args) => Node);

/** For ops without attributes; one shared object, which the program key recognises. */
export const noAttributes: Readonly<Record<string, never>> = Object.freeze({});

/** Builds one node of an op from prepared inputs. */
export function applyOp(op: Op, inputs: readonly Node[], attributes: Attributes): Node {
  if (op.applications) {
    const known = op.applications.of(inputs, attributes, op.infer);
    return makeNode(op, inputs, known.attributes, known.type);
  }
  const types = inputs.map((input) => input.type);
  return makeNode(op, inputs, attributes, op.infer(types, attributes));
}

function makeNode(op: Op, inputs: readonly Node[], attributes: Attributes, type: TensorType): Node {
  const node = new Node(op, inputs, attributes, type);
  // Integers and masks carry no gradient, whatever the op.
  if (type.dtype === "f32" && typeof op.gradient === "function" && gradEnabled()) {
    for (const input of inputs) if (input.requiresGrad) node.requiresGrad = true;
  }
  return node;
}

/** Defines an op. The result is the definition and the function that builds nodes. */
export function defineOp<const Args extends readonly unknown[], A extends Attributes>(
  spec: OpSpec<Args, A>,
): OpFunction<Args> {
  const build = (...args: Args): Node => {
    const { inputs, attributes } = spec.prepare(...args);
    const result = spec.shortcut?.(inputs, attributes) ?? applyOp(op, inputs, attributes);
    return spec.finish ? spec.finish(result, ...args) : result;
  };
  const op = Object.assign(build, {
    opName: spec.name,
    summary: spec.summary,
    infer: spec.infer,
    meaning: spec.meaning,
    gradient: spec.gradient,
    cases: spec.cases,
    applications: new Applications(),
  }) as unknown as OpFunction<Args>;
  Object.defineProperty(build, "name", { value: spec.name });
  return op;
}
