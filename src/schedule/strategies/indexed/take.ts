/** gather and takeAlongAxis: reads whose place along one axis comes from an index tensor. */
import { bytesPerElement } from "../../../graph/dtype.ts";
import { sizeOf, stridesOf } from "../../../graph/shape.ts";
import type { KernelBuilder } from "../../../kernel/builder.ts";
import type { IntOperand, IntRegister, VectorRegister } from "../../../kernel/ir.ts";
import { gatherLanes, memoryTypeOf } from "../../emit-memory.ts";
import { collapse } from "../../loops/collapse.ts";
import { type Operand, type Pointers, StrideLanes } from "../../loops/nest.ts";
import type { Strategy, StrategyRequest } from "../../strategy.ts";
import { operand } from "../contraction/lowering.ts";
import { parametersOf, withResult } from "./buffers.ts";
import { emitSpace, spaceTasks } from "./space.ts";

/** Result element p is data[Σ dataStrides · p + indexStride · indices[Σ indexStrides · p]]. */
interface Take {
  readonly extents: readonly number[];
  readonly dataStrides: readonly number[];
  readonly indexStrides: readonly number[];
  readonly indexStride: number;
  /** Elements of the data along the indexed axis: indices are clamped to it (the guard has stopped the program if that changes any). */
  readonly limit: number;
}

function lowerTake(request: StrategyRequest, take: Take) {
  const [data, indices] = request.views;
  const { dtype } = request.output;
  return withResult(request, (lowering, result) => {
    if (take.limit === 0) return; // Every index is out of range: the guard stops the program before this step.
    const rowMajor = stridesOf(take.extents);
    const space = collapse(
      take.extents,
      take.extents.map(() => 0),
      [take.dataStrides, take.indexStrides, rowMajor],
      new Set(),
    );
    const { extents, strides } = space;
    const size = bytesPerElement[dtype];
    const bytes = sizeOf(extents) * (2 * size + 4);
    lowering.step(
      `${request.opName}_${extents.join("x")}`,
      [operand(data.operand), operand(indices.operand), result.argument],
      { tasks: spaceTasks(extents), flops: 0, bytes },
      (k, _address, indexOf) => {
        const operands: Operand[] = [
          { argument: indexOf(operand(data.operand)), dtype, offset: data.offset, strides: strides[0] },
          { argument: indexOf(operand(indices.operand)), dtype: "i32", offset: indices.offset, strides: strides[1] },
          { argument: indexOf(result.argument), dtype, offset: result.byteOffset / size, strides: strides[2] },
        ];
        emitTake(k, extents, operands, take);
      },
    );
  });
}

function emitTake(k: KernelBuilder, extents: readonly number[], operands: readonly Operand[], take: Take): void {
  const inner = extents.length - 1;
  const [data, index, result] = operands;
  const size = bytesPerElement[data.dtype];
  const lanesOf = new StrideLanes(k);
  lanesOf.prepare([data.strides[inner], index.strides[inner]]);
  const store = (pointers: Pointers, value: VectorRegister, position: IntOperand, lanes: { lanes?: number }): void => {
    const base = pointers.register(2);
    const displacement = pointers.displacement(2);
    const at =
      typeof position === "number"
        ? k.at(base, displacement + position * size)
        : k.at(base, position, size as 1 | 4, displacement);
    // Bytes are copied as they are: masks stay 0 or 1.
    k.store(value, at, memoryTypeOf(result.dtype), lanes);
  };
  const raw = data.dtype === "bool" ? "u8" : data.dtype;

  if (index.strides[inner] !== 0) {
    const zero = k.constant(0, "i32");
    const last = k.constant(take.limit - 1, "i32");
    const stride = k.constant(take.indexStride, "i32");
    emitSpace(k, extents, operands, (pointers) => {
      const base = k.address(k.at(pointers.register(0), pointers.displacement(0)));
      return (position, lanes) => {
        const wanted = pointers.load(1, inner, position, 0, lanes, lanesOf.get);
        const inside = k.binary("imin", k.binary("imax", wanted, zero), last);
        let place = take.indexStride === 1 ? inside : k.binary("imul", inside, stride);
        let from = base;
        if (data.strides[inner] !== 0) {
          place = k.binary("iadd", place, lanesOf.get(data.strides[inner]));
          from = moved(k, base, position, data.strides[inner] * size);
        }
        store(pointers, gatherLanes(k, from, place, raw, lanes), position, lanes);
      };
    });
    return;
  }
  emitSpace(k, extents, operands, (pointers) => {
    const wanted = k.intLoad(k.at(pointers.register(1), pointers.displacement(1)), "i32");
    const inside = k.intBinary("min", k.intBinary("max", wanted, 0), take.limit - 1);
    const shift = k.mul(inside, take.indexStride * size);
    const base = k.address(k.at(k.add(pointers.register(0), shift), pointers.displacement(0)));
    const stride = data.strides[inner];
    return (position, lanes) => {
      const from = moved(k, base, position, stride * size);
      const value =
        stride === 1
          ? k.load(k.at(from), memoryTypeOf(raw), lanes)
          : gatherLanes(k, from, lanesOf.get(stride), raw, lanes);
      store(pointers, value, position, lanes);
    };
  });
}

/** base + position · bytes. */
function moved(k: KernelBuilder, base: IntRegister, position: IntOperand, bytes: number): IntRegister {
  if (position === 0 || bytes === 0) return base;
  if (typeof position === "number") return k.address(k.at(base, position * bytes));
  return k.add(base, k.mul(position, bytes));
}

/** y[…, i…, …] = x[…, indices[i…], …]. */
export const gatherStrategy: Strategy = (request) => {
  const [data, indices] = request.inputs;
  const [dataView, indexView] = request.views;
  const { axis } = parametersOf<{ axis: number }>(request);
  const none = indices.shape.map(() => 0);
  return lowerTake(request, {
    extents: request.output.shape,
    dataStrides: [...dataView.strides.slice(0, axis), ...none, ...dataView.strides.slice(axis + 1)],
    indexStrides: [
      ...data.shape.slice(0, axis).map(() => 0),
      ...indexView.strides,
      ...data.shape.slice(axis + 1).map(() => 0),
    ],
    indexStride: dataView.strides[axis],
    limit: data.shape[axis],
  });
};

/** y[…, i, …] = x[…, indices[…, i, …], …]. */
export const takeAlongAxisStrategy: Strategy = (request) => {
  const [dataView, indexView] = request.views;
  const { axis } = parametersOf<{ axis: number }>(request);
  return lowerTake(request, {
    extents: request.output.shape,
    dataStrides: dataView.strides.map((stride, i) => (i === axis ? 0 : stride)),
    indexStrides: indexView.strides,
    indexStride: dataView.strides[axis],
    limit: request.inputs[0].shape[axis],
  });
};
