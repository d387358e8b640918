import { bytesPerElement } from "../../../graph/dtype.ts";
import { sizeOf } from "../../../graph/shape.ts";
import type { KernelBuilder } from "../../../kernel/builder.ts";
import type { IntRegister } from "../../../kernel/ir.ts";
import type { Strategy } from "../../strategy.ts";
import { offsetAddress, operand, splitTask } from "../contraction/lowering.ts";
import { parametersOf, startOf, withResult } from "./buffers.ts";

/**
 * The stable order of each line by a bottom-up merge sort. An element becomes one 64-bit number, key · 2³² + position, with a key that is ordered
 * like the elements (NaN largest, −0 = 0; inverted for descending order), so equal elements cannot be confused and comparing is one instruction.
 */
export const argsortStrategy: Strategy = (request) =>
  withResult(request, (lowering, result) => {
    const { axis, descending } = parametersOf<{ axis: number; descending: boolean }>(request);
    const [{ shape, dtype }] = request.inputs;
    const [view] = request.views;
    const count = shape[axis];
    const others = shape.map((extent, i) => (i === axis ? 1 : extent));
    const lines = sizeOf(others);
    const linesPerTask = Math.max(1, Math.floor(1024 / count));
    const size = bytesPerElement[dtype];
    const source = operand(view.operand);
    let stride = 4;
    const resultStrides = shape.map(() => 0);
    for (let i = shape.length - 1; i >= 0; i--) {
      resultStrides[i] = stride;
      stride *= shape[i];
    }
    const work = { tasks: Math.ceil(lines / linesPerTask), flops: 0, bytes: 8 * lines * count };
    lowering.step(`argsort_${shape.join("x")}`, [source, result.argument], work, (k, address) => {
      const x = offsetAddress(k, address(source), [], view.offset * size);
      const y = startOf(k, address, result);
      const buffers = [k.scratch(8 * count), k.scratch(8 * count)] as const;
      const first = k.mul(k.task(), linesPerTask);
      const end = k.intBinary("min", k.add(first, linesPerTask), lines);
      k.loop(first, end, 1, (line) => {
        const position = splitTask(k, line, others);
        const from = offsetAddress(
          k,
          x,
          position.map((p, i) => [p, view.strides[i] * size] as const),
        );
        const to = offsetAddress(
          k,
          y,
          position.map((p, i) => [p, resultStrides[i]] as const),
        );
        k.loop(0, count, 1, (i) => {
          const bits = k.intLoad(k.at(k.add(from, k.mul(i, view.strides[axis] * size))));
          const key = dtype === "f32" ? emitFloatKey(k, bits) : bits;
          const ordered = descending ? k.intBinary("xor", key, -1) : key;
          k.intStore(k.add(k.intBinary("shl", ordered, 32), i), k.at(buffers[0], i, 8), "i64");
        });
        const sorted = emitMergeSort(k, buffers, count);
        k.loop(0, count, 1, (i) => {
          const element = k.intLoad(k.at(sorted, i, 8), "i64");
          k.intStore(element, k.at(k.add(to, k.mul(i, resultStrides[axis]))), "i32");
        });
      });
    });
  });

/** A signed integer that is ordered like an f32 given by its (sign-extended) bits. */
function emitFloatKey(k: KernelBuilder, bits: IntRegister): IntRegister {
  const magnitude = k.intBinary("and", bits, 0x7fffffff);
  // Negative numbers: larger magnitudes are smaller numbers.
  const key = k.intBinary("xor", bits, k.intBinary("and", k.intBinary("sar", bits, 63), 0x7fffffff));
  k.if(k.compare("eq", magnitude, 0), () => k.intConstant(0, key));
  k.if(k.compare("gt", magnitude, 0x7f800000), () => k.intConstant(0x7fffffff, key));
  return key;
}

/** Sorts `count` 64-bit numbers that start in `buffers[0]`; returns the buffer that holds them in the end. */
function emitMergeSort(k: KernelBuilder, buffers: readonly [IntRegister, IntRegister], count: number): IntRegister {
  const from = k.intMove(buffers[0]);
  const to = k.intMove(buffers[1]);
  const width = k.intConstant(1);
  k.while(k.compare("lt", width, count), () => {
    const low = k.intConstant(0);
    k.while(k.compare("lt", low, count), () => {
      const middle = k.intBinary("min", k.add(low, width), count);
      const high = k.intBinary("min", k.add(middle, width), count);
      emitMerge(k, from, to, low, middle, high);
      k.intMove(high, low);
    });
    const swap = k.intMove(from);
    k.intMove(to, from);
    k.intMove(swap, to);
    k.add(width, width, width);
  });
  return from;
}

/** Merges [low, middle) and [middle, high) of one buffer into [low, high) of the other. */
function emitMerge(
  k: KernelBuilder,
  from: IntRegister,
  to: IntRegister,
  low: IntRegister,
  middle: IntRegister,
  high: IntRegister,
): void {
  const left = k.intMove(low);
  const right = k.intMove(middle);
  const takeFrom = (side: IntRegister, place: IntRegister): void => {
    k.intStore(k.intLoad(k.at(from, side, 8), "i64"), k.at(to, place, 8), "i64");
    k.add(side, 1, side);
  };
  k.loop(low, high, 1, (place) => {
    k.if(
      k.compare("ge", left, middle),
      () => takeFrom(right, place),
      () =>
        k.if(
          k.compare("ge", right, high),
          () => takeFrom(left, place),
          () => {
            const a = k.intLoad(k.at(from, left, 8), "i64");
            const b = k.intLoad(k.at(from, right, 8), "i64");
            k.if(
              k.compare("lt", a, b),
              () => {
                k.intStore(a, k.at(to, place, 8), "i64");
                k.add(left, 1, left);
              },
              () => {
                k.intStore(b, k.at(to, place, 8), "i64");
                k.add(right, 1, right);
              },
            );
          },
        ),
    );
  });
}
