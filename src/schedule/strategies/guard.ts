import { bytesPerElement } from "../../graph/dtype.ts";
import { sizeOf } from "../../graph/shape.ts";
import { collapse } from "../loops/collapse.ts";
import { type Operand, StrideLanes } from "../loops/nest.ts";
import type { GuardStrategy } from "../strategy.ts";
import { LoweringBuilder, operand } from "./contraction/lowering.ts";
import { emitSpace, spaceTasks } from "./indexed/space.ts";

/** Reads every index and writes the guard's code into the status word if one lies outside [0, limit). */
export const guard: GuardStrategy = ({ type, view, limit, code }) => {
  const lowering = new LoweringBuilder();
  const size = sizeOf(type.shape);
  if (size === 0) return lowering.build();
  const space = collapse(
    type.shape,
    type.shape.map(() => 0),
    [view.strides],
    new Set(),
  );
  const { extents } = space;
  const inner = extents.length - 1;
  const work = { tasks: spaceTasks(extents), flops: 0, bytes: size * bytesPerElement[type.dtype] };
  lowering.step(`guard_${code}_below_${limit}`, [operand(view.operand), { kind: "status" }], work, (k) => {
    const source: Operand = { argument: 0, dtype: type.dtype, offset: view.offset, strides: space.strides[0] };
    const strides = new StrideLanes(k);
    strides.prepare([source.strides[inner]]);
    const zero = k.constant(0, "i32");
    const last = k.constant(limit - 1, "i32");
    const outside = k.constant(0, "i32");
    emitSpace(k, extents, [source], (pointers) => (position, lanes) => {
      // Lanes left out read as 0, which is inside unless the limit is 0, and then no index is.
      const index = pointers.load(0, inner, position, 0, lanes, strides.get);
      const wrong = k.binary("or", k.binary("ilt", index, zero), k.binary("ilt", last, index));
      k.binary("or", outside, wrong, outside);
    });
    k.if({ kind: "anyLane", mask: outside }, () => {
      k.intStore(k.intConstant(code), k.at(k.argument(1)), "i32");
    });
  });
  return lowering.build();
};
