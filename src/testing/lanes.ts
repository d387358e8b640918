/** Scalar expressions as machines compute them: decomposed, emitted as a kernel, and run by the kernel interpreter. */
import { type DType, type TensorData, viewOf } from "../graph/dtype.ts";
import { KernelBuilder } from "../kernel/builder.ts";
import { decompose } from "../kernel/decompositions/index.ts";
import { interpretKernel } from "../kernel/interpreter.ts";
import type { Kernel, MemoryType, VectorRegister } from "../kernel/ir.ts";
import { type ScalarExpression, scalarCast, scalarInput } from "../kernel/scalar.ts";
import { emitExpressions, hoistConstants } from "../schedule/emit-expression.ts";

const memoryType: Readonly<Record<DType, MemoryType>> = { f32: "f32", i32: "i32", u8: "u8", bool: "u8" };

/** A kernel that evaluates an expression for `count` elements (a multiple of 16) of its inputs: arguments are the inputs, then the result. */
export function laneKernel(expression: ScalarExpression, inputs: readonly DType[], count: number): Kernel {
  const k = new KernelBuilder("lanes", inputs.length + 1);
  const decomposed = decompose(expression.dtype === "bool" ? scalarCast(expression, "u8") : expression);
  const bases = [...inputs, expression.dtype].map((_, index) => k.argument(index));
  const constants = hoistConstants(k, [decomposed]);
  k.loop(0, count, 16, (i) => {
    const loaded = new Map<number, VectorRegister>();
    const load = (index: number): VectorRegister => {
      const known = loaded.get(index);
      if (known) return known;
      const type = memoryType[inputs[index]];
      const lanes = k.load(k.at(bases[index], i, type === "u8" ? 1 : 4), type);
      const register = inputs[index] === "bool" ? k.binary("isub", k.constant(0, "i32"), lanes) : lanes;
      loaded.set(index, register);
      return register;
    };
    const [result] = emitExpressions(k, [decomposed], load, undefined, constants);
    const type = memoryType[expression.dtype];
    k.store(result, k.at(bases[inputs.length], i, type === "u8" ? 1 : 4), type);
  });
  return k.build();
}

/** Number of vector instructions per 16 elements, constants, loads and the store not counted. */
export function vectorInstructions(expression: ScalarExpression, inputs: readonly DType[]): number {
  const loop = laneKernel(expression, inputs, 16).body.find((statement) => statement.op === "loop");
  if (loop?.op !== "loop") return 0;
  const counted = new Set(["vectorBinary", "vectorUnary", "shiftConstant", "fma", "fnma", "select"]);
  return loop.body.filter(
    (statement) => counted.has(statement.op) && !(statement.op === "vectorUnary" && statement.function === "move"),
  ).length;
}

/** Evaluates `build(inputs)` for every element, as 16-lane machine code would. */
export function evaluateOnLanes(
  build: (...inputs: ScalarExpression[]) => ScalarExpression,
  inputs: readonly { readonly dtype: DType; readonly data: ArrayLike<number> }[],
): TensorData {
  const length = inputs[0].data.length;
  const count = Math.ceil(length / 16) * 16;
  const buffers = inputs.map(({ dtype, data }) => {
    const buffer = new ArrayBuffer(4 * count);
    viewOf(dtype, buffer, 0, length).set(data);
    return buffer;
  });
  const expression = build(...inputs.map(({ dtype }, index) => scalarInput(index, dtype)));
  const result = new ArrayBuffer(4 * count);
  const kernel = laneKernel(
    expression,
    inputs.map(({ dtype }) => dtype),
    count,
  );
  interpretKernel(kernel, { arguments: [...buffers, result] });
  return viewOf(expression.dtype, result, 0, length);
}
