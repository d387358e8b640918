/** Inputs and results of indexed kernels as plain row-major buffers: copies where a view is anything else, a pass for a fused epilogue. */
import { InternalError } from "../../../errors.ts";
import { bytesPerElement, type DType } from "../../../graph/dtype.ts";
import type { Attributes } from "../../../graph/node.ts";
import { sizeOf, stridesOf } from "../../../graph/shape.ts";
import type { KernelBuilder } from "../../../kernel/builder.ts";
import type { IntRegister } from "../../../kernel/ir.ts";
import { scalarInput } from "../../../kernel/scalar.ts";
import { EpilogueEmitter } from "../../emit-epilogue.ts";
import { memoryTypeOf } from "../../emit-memory.ts";
import { type Operand, StrideLanes } from "../../loops/nest.ts";
import { pointwiseKernel } from "../../loops/pointwise.ts";
import type { Lowering, OperandView, StepArgument, StrategyRequest } from "../../strategy.ts";
import { type AddressOf, epilogueArguments, LoweringBuilder, offsetAddress, operand } from "../contraction/lowering.ts";
import { emitSpace, spaceTasks } from "./space.ts";

/** A tensor that lies row-major from byte `byteOffset` of an argument. */
export interface RowMajor {
  readonly argument: StepArgument;
  readonly byteOffset: number;
  readonly dtype: DType;
  readonly shape: readonly number[];
}

/** The parameters that an indexed op's meaning carries. */
export function parametersOf<P extends Attributes>(request: StrategyRequest): P {
  const { meaning } = request;
  if (meaning.kind !== "indexed" || !meaning.parameters) {
    throw new InternalError(`${request.opName}: expected an indexed op with parameters`);
  }
  return meaning.parameters as P;
}

/** Where a row-major tensor begins. */
export function startOf(k: KernelBuilder, address: AddressOf, tensor: RowMajor): IntRegister {
  return offsetAddress(k, address(tensor.argument), [], tensor.byteOffset);
}

function isRowMajor(view: OperandView, shape: readonly number[]): boolean {
  const strides = stridesOf(shape);
  return shape.every((extent, axis) => extent === 1 || view.strides[axis] === strides[axis]);
}

/** An input of the request as it lies if that is row-major, else a copy in a temporary. */
export function rowMajorInput(lowering: LoweringBuilder, request: StrategyRequest, index: number): RowMajor {
  const { shape, dtype } = request.inputs[index];
  const view = request.views[index];
  if (isRowMajor(view, shape)) {
    return { argument: operand(view.operand), byteOffset: view.offset * bytesPerElement[dtype], dtype, shape };
  }
  const copy = lowering.temporary(sizeOf(shape));
  const { kernel, tasks } = pointwiseKernel({
    name: `row_major_${shape.join("x")}`,
    extents: shape,
    reduceAxes: [],
    fullLoads: [{ argument: 0, dtype, offset: view.offset, strides: view.strides }],
    keptLoads: [],
    members: [{ level: "full", expression: scalarInput(0, dtype), dtype, stores: [{ argument: 1 }] }],
    argumentCount: 2,
    machine: request.machine,
  });
  const bytes = 2 * sizeOf(shape) * bytesPerElement[dtype];
  lowering.add({ kernel, arguments: [operand(view.operand), copy], tasks, flops: 0, bytes });
  return { argument: copy, byteOffset: 0, dtype, shape };
}

/**
 * A lowering whose kernels write the op's result row-major: to the place where the epilogue wants it if it only stores, otherwise to a
 * temporary that a last pass reads.
 */
export function withResult(
  request: StrategyRequest,
  emit: (lowering: LoweringBuilder, result: RowMajor) => void,
): Lowering {
  const lowering = new LoweringBuilder();
  const { shape, dtype } = request.output;
  if (sizeOf(shape) === 0) return lowering.build();
  const { loads, stores } = request.epilogue;
  const view = stores[0].view;
  const plain =
    stores.length === 1 &&
    loads.length === 0 &&
    stores[0].expression.kind === "input" &&
    view.dtype === dtype &&
    isRowMajor(view, shape);
  if (plain) {
    emit(lowering, {
      argument: operand(view.operand),
      byteOffset: view.offset * bytesPerElement[dtype],
      dtype,
      shape,
    });
    return lowering.build();
  }
  const temporary = lowering.temporary(sizeOf(shape));
  emit(lowering, { argument: temporary, byteOffset: 0, dtype, shape });
  addEpilogue(lowering, request, temporary, { operand: 0, dtype, offset: 0, strides: stridesOf(shape) });
  return lowering.build();
}

/** A pass that reads the op's result from a view and applies the epilogue. */
export function addEpilogue(
  lowering: LoweringBuilder,
  request: StrategyRequest,
  source: StepArgument,
  view: OperandView,
): void {
  const { shape, dtype } = request.output;
  const extents = shape.length === 0 ? [1] : shape;
  const bytes = 2 * sizeOf(shape) * bytesPerElement[dtype];
  const work = { tasks: spaceTasks(extents), flops: sizeOf(shape), bytes };
  lowering.step(
    `${request.opName}_epilogue_${shape.join("x")}`,
    [source, ...epilogueArguments(request)],
    work,
    (k, address, indexOf) => {
      const from: Operand = {
        argument: indexOf(source),
        dtype,
        offset: view.offset,
        strides: shape.length === 0 ? [0] : view.strides,
      };
      const emitter = new EpilogueEmitter(k, request.epilogue, request.output, (index) => address(operand(index)));
      const strides = new StrideLanes(k);
      strides.prepare([from.strides[extents.length - 1]]);
      emitSpace(k, extents, [from], (pointers, outer) => (position, lanes) => {
        const value = pointers.load(0, extents.length - 1, position, 0, lanes, strides.get);
        emitter.at(outer, position).finish(
          value,
          extents.map(() => 0),
          lanes,
        );
      });
    },
  );
}

/** A step that fills a row-major tensor with zeros. */
export function addZeros(lowering: LoweringBuilder, tensor: RowMajor): void {
  const size = sizeOf(tensor.shape);
  const bytes = bytesPerElement[tensor.dtype];
  const place: Operand = { argument: 0, dtype: tensor.dtype, offset: tensor.byteOffset / bytes, strides: [1] };
  lowering.step(
    `zeros_${size}`,
    [tensor.argument],
    { tasks: spaceTasks([size]), flops: 0, bytes: size * bytes },
    (k) => {
      const zero = k.constant(0, "i32");
      emitSpace(k, [size], [place], (pointers) => (position, lanes) => {
        const displacement = pointers.displacement(0);
        const base = pointers.register(0);
        const at =
          typeof position === "number"
            ? k.at(base, displacement + position * bytes)
            : k.at(base, position, bytes as 1 | 4, displacement);
        k.store(zero, at, memoryTypeOf(tensor.dtype), lanes);
      });
    },
  );
}
