/**
 * For strategy authors: the elementwise work that follows a result while it is in registers.
 *
 * ```ts
 * const epilogue = new EpilogueEmitter(k, request.epilogue, request.output, (operand) => k.argument(operand));
 * // per register tile, at the position of its first element along every axis but the last:
 * const tile = epilogue.at([n, row, column], firstChannel);
 * for (pixel …) for (vector …) tile.finish(accumulator[pixel][vector], [0, 0, pixel, 16 * vector], { lanes });
 * ```
 * Everything that is equal between the elements of a tile (bias vectors, a learning rate) is loaded once per tile.
 * Finish every element exactly once: an epilogue may update storage in place.
 */
import { InternalError } from "../errors.ts";
import { bytesPerElement } from "../graph/dtype.ts";
import type { TensorType } from "../graph/node.ts";
import type { KernelBuilder } from "../kernel/builder.ts";
import type { IntOperand, IntRegister, VectorRegister } from "../kernel/ir.ts";
import type { ScalarExpression } from "../kernel/scalar.ts";
import { ExpressionScope, hoistConstants } from "./emit-expression.ts";
import { gatherLanes, type Lanes, loadBroadcast, loadLanes, storeLanes } from "./emit-memory.ts";
import type { Epilogue, OperandView } from "./strategy.ts";

/** Whether the epilogue only stores the result, as it is, to one contiguous buffer of the output's shape. */
export function isPlainStore(epilogue: Epilogue): boolean {
  return epilogue.stores.length === 1 && epilogue.stores[0].expression.kind === "input";
}

/** Emits the epilogue of one kernel. Make it before the loops: constants are hoisted and operands' addresses fetched here. */
export class EpilogueEmitter {
  readonly k: KernelBuilder;
  readonly epilogue: Epilogue;
  readonly output: TensorType;
  readonly constants: ExpressionScope;
  private readonly bases = new Map<number, IntRegister>();

  /** `operandAddress(index)` is the register that holds the address of operand `index`, valid where the tiles are emitted. */
  constructor(
    k: KernelBuilder,
    epilogue: Epilogue,
    output: TensorType,
    operandAddress: (operand: number) => IntRegister,
    options: { readonly hoistConstants?: boolean } = {},
  ) {
    this.k = k;
    this.epilogue = epilogue;
    this.output = output;
    this.constants = hoistConstants(k, options.hoistConstants ? epilogue.stores.map((store) => store.expression) : []);
    for (const view of [...epilogue.loads, ...epilogue.stores.map((store) => store.view)]) {
      if (!this.bases.has(view.operand)) this.bases.set(view.operand, operandAddress(view.operand));
    }
  }

  /** The tile whose first element is at `outer` (every axis but the last) and `last` along the last axis (default 0). */
  at(outer: readonly IntOperand[], last: IntOperand = 0): EpilogueTile {
    return new EpilogueTile(this, this.output.shape.length === 0 ? [] : [...outer, last]);
  }

  base(operand: number): IntRegister {
    return this.bases.get(operand)!;
  }
}

/** One register tile: pointers are fixed, elements lie at constant offsets. */
export class EpilogueTile {
  private readonly emitter: EpilogueEmitter;
  private readonly start: readonly IntOperand[];
  private readonly pointers = new Map<string, { readonly register: IntRegister; readonly displacement: number }>();
  private readonly loaded = new Map<string, VectorRegister>();
  private readonly laneOffsets = new Map<number, VectorRegister>();
  private readonly scope: ExpressionScope;

  constructor(emitter: EpilogueEmitter, start: readonly IntOperand[]) {
    this.emitter = emitter;
    this.start = start;
    this.scope = new ExpressionScope(emitter.k, { input: () => unreachableInput() }, emitter.constants);
    for (const view of [...emitter.epilogue.loads, ...emitter.epilogue.stores.map((store) => store.view)])
      this.pointer(view);
  }

  /**
   * Applies the epilogue to 16 consecutive results along the last axis, `offsets` (one per axis) from the tile's first element. Gives the
   * values of expressions that are not stored.
   */
  finish(
    result: VectorRegister,
    offsets: readonly number[],
    lanes: Lanes = {},
    others: readonly ScalarExpression[] = [],
  ): VectorRegister[] {
    const { k, epilogue, output } = this.emitter;
    const axes = output.shape.length;
    const scope = this.scope.fork({
      input: (index) => (index === 0 ? result : this.load(epilogue.loads[index - 1], index - 1, offsets, lanes)),
      position: (axis) => this.position(axis, offsets[axis]),
    });
    const values = epilogue.stores.map((store) => scope.emit(store.expression));
    const unstored = others.map((expression) => scope.emit(expression));
    epilogue.stores.forEach(({ view }, index) => {
      if (axes > 0 && view.strides[axes - 1] !== 1 && output.shape[axes - 1] !== 1)
        throw new InternalError("an epilogue stores along the last axis with stride 1");
      const { register, displacement } = this.pointer(view);
      const here = displacement + displacementOf(view, offsets);
      const taken = axes === 0 ? { lanes: 1 } : { ...lanes, streaming: view.streaming };
      storeLanes(k, values[index], k.at(register, here), view.dtype, taken);
    });
    return unstored;
  }

  private load(view: OperandView, index: number, offsets: readonly number[], lanes: Lanes): VectorRegister {
    const { k, output } = this.emitter;
    const displacement = displacementOf(view, offsets);
    const stride = output.shape.length === 0 ? 0 : view.strides[output.shape.length - 1];
    const varies = stride !== 0;
    const key = `${index} ${displacement} ${varies ? (lanes.mask?.id ?? lanes.lanes ?? 16) : ""}${lanes.mask ? "m" : ""}`;
    const known = this.loaded.get(key);
    if (known) return known;
    const pointer = this.pointer(view);
    const address = k.at(pointer.register, pointer.displacement + displacement);
    let value: VectorRegister;
    if (stride === 1) value = loadLanes(k, address, view.dtype, lanes);
    else if (stride === 0) value = loadBroadcast(k, address, view.dtype);
    else value = gatherLanes(k, k.address(address), this.laneOffset(stride), view.dtype, lanes);
    this.loaded.set(key, value);
    return value;
  }

  private position(axis: number, offset: number): VectorRegister {
    const { k, output } = this.emitter;
    const start = this.start[axis];
    const first =
      typeof start === "number" ? k.constant(start + offset, "i32") : k.splatInt(offset ? k.add(start, offset) : start);
    return axis === output.shape.length - 1 ? k.binary("iadd", first, this.laneOffset(1)) : first;
  }

  private laneOffset(stride: number): VectorRegister {
    const { k } = this.emitter;
    let register = this.laneOffsets.get(stride);
    if (!register) {
      register = stride === 1 ? k.laneIndex() : k.binary("imul", k.laneIndex(), k.constant(stride, "i32"));
      this.laneOffsets.set(stride, register);
    }
    return register;
  }

  /** Address of the tile's first element in a view: a register and a constant displacement, shared between equal views. */
  private pointer(view: OperandView): { readonly register: IntRegister; readonly displacement: number } {
    const { k } = this.emitter;
    const size = bytesPerElement[view.dtype];
    const key = `${view.operand} ${size} ${view.offset} ${view.strides.join(" ")}`;
    const known = this.pointers.get(key);
    if (known) return known;
    let register = this.emitter.base(view.operand);
    let displacement = view.offset * size;
    this.start.forEach((position, axis) => {
      const bytes = view.strides[axis] * size;
      if (bytes === 0) return;
      if (typeof position === "number") displacement += position * bytes;
      else if (bytes === 1 || bytes === 4) register = k.address(k.at(register, position, bytes));
      else register = k.add(register, k.mul(position, bytes));
    });
    const pointer = { register, displacement };
    this.pointers.set(key, pointer);
    return pointer;
  }
}

function displacementOf(view: OperandView, offsets: readonly number[]): number {
  let elements = 0;
  for (let axis = 0; axis < view.strides.length; axis++) elements += view.strides[axis] * offsets[axis];
  return elements * bytesPerElement[view.dtype];
}

function unreachableInput(): never {
  throw new InternalError("an epilogue tile has no inputs of its own");
}
