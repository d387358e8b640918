/** Running sums, running products and linear recurrences: serial along the axis, 16 lines at a time where lines lie side by side. */
import { sizeOf } from "../../../graph/shape.ts";
import type { KernelBuilder } from "../../../kernel/builder.ts";
import type { IntOperand, IntRegister, VectorRegister } from "../../../kernel/ir.ts";
import type { Strategy, StrategyRequest } from "../../strategy.ts";
import { offsetAddress, splitTask } from "../contraction/lowering.ts";
import { parametersOf, rowMajorInput, startOf, withResult } from "./buffers.ts";

/** The next value of a line from the one before (undefined at its start) and the elements of the inputs. */
type Step = (
  k: KernelBuilder,
  before: VectorRegister | undefined,
  elements: readonly VectorRegister[],
) => VectorRegister;

const linesPerTask = 64;

function lower(request: StrategyRequest, step: Step) {
  return withResult(request, (lowering, result) => {
    const { axis, reverse } = parametersOf<{ axis: number; reverse: boolean }>(request);
    const { shape, dtype } = request.output;
    const outer = sizeOf(shape.slice(0, axis));
    const count = shape[axis];
    const inner = sizeOf(shape.slice(axis + 1));
    const inputs = request.inputs.map((_, index) => rowMajorInput(lowering, request, index));
    const type = dtype === "f32" ? "f32" : "i32";
    const blocks = Math.ceil(inner / linesPerTask);
    const elements = outer * count * inner;
    lowering.step(
      `${request.opName}_${outer}x${count}x${inner}`,
      [...inputs.map((input) => input.argument), result.argument],
      { tasks: outer * blocks, flops: elements * inputs.length, bytes: 4 * elements * (inputs.length + 1) },
      (k, address) => {
        const [group, block] = splitTask(k, k.task(), [outer, blocks]);
        const start = (base: IntRegister): IntRegister => offsetAddress(k, base, [[group, 4 * count * inner]]);
        const sources = inputs.map((input) => start(startOf(k, address, input)));
        const target = start(startOf(k, address, result));
        const line = (first: IntOperand, lanes: { lanes?: number }): void => {
          const begin = (base: IntRegister): IntRegister =>
            offsetAddress(k, base, [[first, 4]], reverse ? 4 * (count - 1) * inner : 0);
          const from = sources.map((source) => k.intMove(begin(source)));
          const to = k.intMove(begin(target));
          const load = (): VectorRegister[] => from.map((pointer) => k.load(k.at(pointer), type, lanes));
          const advance = (): void => {
            for (const pointer of [...from, to]) k.add(pointer, (reverse ? -4 : 4) * inner, pointer);
          };
          const value = k.unary("move", step(k, undefined, load()));
          k.store(value, k.at(to), type, lanes);
          advance();
          k.loop(1, count, 1, () => {
            k.unary("move", step(k, value, load()), value);
            k.store(value, k.at(to), type, lanes);
            advance();
          });
        };
        const main = inner - (inner % 16);
        const first = typeof block === "number" ? k.intConstant(block * linesPerTask) : k.mul(block, linesPerTask);
        const end = k.intBinary("min", k.add(first, linesPerTask), main);
        if (main > 0) k.loop(first, end, 16, (position) => line(position, {}));
        if (main < inner) {
          k.if(k.compare("ge", k.add(first, linesPerTask), inner), () => line(main, { lanes: inner - main }));
        }
      },
    );
  });
}

/** y_i = x_i + y_{i−1}. */
export const cumulativeSumStrategy: Strategy = (request) => {
  const add = request.output.dtype === "f32" ? "fadd" : "iadd";
  return lower(request, (k, before, [x]) => (before ? k.binary(add, before, x) : x));
};

/** y_i = x_i · y_{i−1}. */
export const cumulativeProductStrategy: Strategy = (request) => {
  const multiply = request.output.dtype === "f32" ? "fmul" : "imul";
  return lower(request, (k, before, [x]) => (before ? k.binary(multiply, before, x) : x));
};

/** y_i = b_i + a_i · y_{i−1}. */
export const linearRecurrenceStrategy: Strategy = (request) =>
  lower(request, (k, before, [factor, term]) => {
    if (!before) return term;
    const next = k.unary("move", term);
    k.fma(next, factor, before);
    return next;
  });
