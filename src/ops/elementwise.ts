/** The two shapes that most elementwise ops have: a function of one tensor, a function of two broadcast tensors. */
import { type DType, promote } from "../graph/dtype.ts";
import type { Node, TensorType } from "../graph/node.ts";
import { type ScalarExpression, type ScalarFunction, scalarCall } from "../kernel/scalar.ts";
import { defineOp, noAttributes, type OpFunction, type OpSpec, type WorkedCase } from "./define.ts";
import { promoted, requireDType, toFloat } from "./prepare.ts";

type Cases<Args extends readonly unknown[]> = readonly [WorkedCase<Args>, ...WorkedCase<Args>[]];
type SimpleFunction = Exclude<ScalarFunction, "cast" | "bitcast">;

export interface UnarySpec {
  readonly name: SimpleFunction | "relu" | "logicalNot" | "atan";
  readonly summary: string;
  /** Dtypes that the function keeps; without it integers and masks become f32 first. */
  readonly keeps?: readonly DType[];
  /** Dtypes for which the function is the identity (rounding of integers). */
  readonly identity?: readonly DType[];
  /** Without it the scalar function of the op's own name. */
  readonly expression?: (x: ScalarExpression) => ScalarExpression;
  /** From the gradient of the result, the input and the result. */
  readonly gradient: ((gradient: Node, x: Node, y: Node) => Node) | { readonly none: string };
  readonly cases: Cases<[x: Node]>;
}

/** Defines an elementwise function of one tensor. */
export function defineUnary(spec: UnarySpec): OpFunction<[x: Node]> {
  const { name, keeps, identity, gradient } = spec;
  const expression = spec.expression ?? ((x) => scalarCall(name as SimpleFunction, x));
  return defineOp({
    name,
    summary: spec.summary,
    prepare: (x: Node) => {
      if (identity?.includes(x.dtype)) return { inputs: [x], attributes: noAttributes };
      if (keeps) requireDType(name, x.dtype, keeps);
      return { inputs: [keeps ? x : toFloat(x)], attributes: noAttributes };
    },
    shortcut: ([x]) => (identity?.includes(x.dtype) ? x : undefined),
    infer: ([x]) => x,
    meaning: () => ({ kind: "elementwise", expression: ([x]) => expression(x) }),
    gradient:
      typeof gradient === "function" ? (seed, { inputs, output }) => [gradient(seed, inputs[0], output)] : gradient,
    cases: spec.cases,
  });
}

export interface BinarySpec {
  readonly name: string;
  readonly summary: string;
  /** Common dtype of the inputs (PyTorch's promotion unless given); throws for what the op does not take. */
  readonly inputs?: (left: DType, right: DType) => DType;
  /** "bool" for comparisons; otherwise that of the inputs. */
  readonly output?: "bool";
  readonly expression: (left: ScalarExpression, right: ScalarExpression) => ScalarExpression;
  /** Gradient for each input, each only called where it is needed. */
  readonly gradient:
    | {
        readonly left: (gradient: Node, a: Node, b: Node, y: Node) => Node;
        readonly right: (gradient: Node, a: Node, b: Node, y: Node) => Node;
      }
    | { readonly none: string };
  readonly cases: Cases<[left: Node, right: Node]>;
}

/** Defines an elementwise function of two tensors, which are promoted to one dtype and broadcast. */
export function defineBinary(spec: BinarySpec): OpFunction<[left: Node, right: Node]> {
  const { name, gradient } = spec;
  const common = spec.inputs ?? promote;
  return defineOp({
    name,
    summary: spec.summary,
    prepare: (left: Node, right: Node) => ({
      inputs: promoted(name, left, right, common(left.dtype, right.dtype)),
      attributes: noAttributes,
    }),
    infer: ([left]): TensorType => (spec.output ? { shape: left.shape, dtype: spec.output } : left),
    meaning: () => ({ kind: "elementwise", expression: ([left, right]) => spec.expression(left, right) }),
    gradient:
      "none" in gradient
        ? gradient
        : (seed, { inputs: [a, b], output, needs }) => [
            needs[0] ? gradient.left(seed, a, b, output) : undefined,
            needs[1] ? gradient.right(seed, a, b, output) : undefined,
          ],
    cases: spec.cases,
  } satisfies OpSpec<[left: Node, right: Node], Record<string, never>>);
}

/** Promotion for ops that compute with numbers: masks are refused. */
export function numeric(name: string): (left: DType, right: DType) => DType {
  return (left, right) => {
    const dtype = promote(left, right);
    requireDType(name, dtype, ["f32", "i32", "u8"]);
    return dtype;
  };
}
