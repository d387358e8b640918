/** Lowers one op, runs its kernels in the interpreter and compares with the op's meaning. Inputs may lie in any layout. */
import { bytesPerElement, type DType, viewOf } from "../../../src/graph/dtype.ts";
import type { Node } from "../../../src/graph/node.ts";
import { sizeOf, stridesOf } from "../../../src/graph/shape.ts";
import { interpretKernel } from "../../../src/kernel/interpreter.ts";
import type { MachineDescription } from "../../../src/kernel/ir.ts";
import { scalarCall, scalarConstant, scalarInput, scalarPosition } from "../../../src/kernel/scalar.ts";
import { verifyKernel } from "../../../src/kernel/verifier.ts";
import type { Epilogue, Lowering, OperandView, Strategy, StrategyRequest } from "../../../src/schedule/strategy.ts";
import { assertClose } from "../../../src/testing/allclose.ts";
import { leafData, valuesOf } from "../../../src/testing/nodes.ts";

export const machine: MachineDescription = {
  name: "avx2",
  vectorRegisters: 8,
  broadcastOperand: false,
  l1Bytes: 32 * 1024,
  l2Bytes: 512 * 1024,
};

/** How an input lies in memory: as it is, with its axes stored in reverse order, or every other element of a wider last axis, from an offset. */
export type Layout = "rowMajor" | "transposed" | "strided";

interface Placed {
  readonly view: OperandView;
  readonly memory: ArrayBuffer;
}

function place(operand: number, node: Node, layout: Layout): Placed {
  const { shape, dtype } = node;
  const data = leafData(node);
  const rowMajor = stridesOf(shape);
  let strides = rowMajor;
  let offset = 0;
  if (layout === "transposed") strides = stridesOf([...shape].reverse()).reverse();
  if (layout === "strided") {
    strides = rowMajor.map((stride) => 2 * stride);
    offset = 3;
  }
  const memory = new ArrayBuffer(
    (offset + (layout === "strided" ? 2 : 1) * Math.max(1, data.length)) * bytesPerElement[dtype],
  );
  const elements = viewOf(dtype, memory);
  for (let i = 0; i < data.length; i++) {
    let at = offset;
    for (let axis = 0; axis < shape.length; axis++)
      at += strides[axis] * (Math.floor(i / rowMajor[axis]) % shape[axis]);
    elements[at] = data[i];
  }
  return { view: { operand, dtype, offset, strides }, memory };
}

/** Runs every task of every step, last task first; temporaries start as garbage so that a read of what nobody wrote shows. */
export function interpret(lowering: Lowering, operands: readonly ArrayBuffer[], status = new ArrayBuffer(4)): void {
  const temporaries = lowering.temporaries.map((bytes) => new Uint8Array(bytes).fill(0xff).buffer);
  for (const step of lowering.steps) {
    verifyKernel(step.kernel);
    const memory = step.arguments.map((argument) =>
      argument.kind === "status"
        ? status
        : argument.kind === "operand"
          ? operands[argument.index]
          : temporaries[argument.index],
    );
    for (let task = step.tasks - 1; task >= 0; task--) interpretKernel(step.kernel, { arguments: memory, task });
  }
}

/**
 * Checks a strategy on the op that built `node` from leaves. `fused` adds the position along the last axis to the result (f32) in the epilogue,
 * or stores it once more in place of that (other dtypes). `largest` is what the sum behind one element may reach on its way, as a bound.
 */
export function checkStrategy(
  strategy: Strategy,
  node: Node,
  options: { layouts?: readonly Layout[]; fused?: boolean; relative?: number; largest?: number } = {},
): void {
  const op = node.op!;
  const placed = node.inputs.map((input, index) => place(index, input, options.layouts?.[index] ?? "rowMajor"));
  const inputs = node.inputs.map((input) => input.type);
  const { shape, dtype } = node;
  const size = sizeOf(shape);
  const memory = (type: DType): ArrayBuffer => new Uint8Array((size + 5) * bytesPerElement[type]).fill(0xee).buffer;
  const results = [memory(dtype), memory(dtype)];
  const viewOfResult = (operand: number, offset: number): OperandView => ({
    operand,
    dtype,
    offset,
    strides: stridesOf(shape),
  });
  const first = placed.length;
  const value = scalarInput(0, dtype);
  const fusable = options.fused && dtype === "f32" && shape.length > 0;
  const expression = fusable
    ? scalarCall("add", value, {
        kind: "call",
        function: "cast",
        inputs: [scalarPosition(shape.length - 1)],
        dtype: "f32",
      })
    : value;
  const stores = [{ expression, view: viewOfResult(first, 3) }];
  if (options.fused)
    stores.push({
      expression: fusable ? scalarCall("mul", value, scalarConstant(2)) : value,
      view: viewOfResult(first + 1, 0),
    });
  const epilogue: Epilogue = { loads: [], stores };
  const request: StrategyRequest = {
    opName: op.opName,
    meaning: op.meaning(inputs, node.attributes, node.type),
    inputs,
    output: node.type,
    views: placed.map(({ view }) => view),
    epilogue,
    machine,
  };
  interpret(strategy(request), [...placed.map(({ memory }) => memory), ...results]);
  const [expected] = valuesOf([node]);
  const last = shape[shape.length - 1] ?? 1;
  // sums cancel: errors are relative to the largest element, or to what a sum may reach on its way
  const scale = expected.reduce(
    (most, x) => (Number.isFinite(x) ? Math.max(most, Math.abs(x)) : most),
    options.largest ?? 1,
  );
  const close = { relative: options.relative ?? 1e-6, absolute: 2e-6 * scale };
  const stored = viewOf(dtype, results[0]);
  const guard = new Uint8Array(results[0], 0, 3 * bytesPerElement[dtype]);
  if (!guard.every((byte) => byte === 0xee)) throw new Error("wrote before the result");
  if (!new Uint8Array(results[0], (3 + size) * bytesPerElement[dtype]).every((byte) => byte === 0xee)) {
    throw new Error("wrote behind the result");
  }
  assertClose(
    Array.from(stored.subarray(3, 3 + size)),
    Array.from(expected, (x, i) => (fusable ? x + (i % last) : x)),
    close,
  );
  if (options.fused) {
    assertClose(
      Array.from(viewOf(dtype, results[1]).subarray(0, size)),
      Array.from(expected, (x) => (fusable ? x * 2 : x)),
      close,
    );
  }
}
