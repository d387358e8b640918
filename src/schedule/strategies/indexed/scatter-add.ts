/** scatterAdd and scatterAddAlongAxis: sums at places that an index tensor names, in one fixed order. */
import { bytesPerElement } from "../../../graph/dtype.ts";
import { sizeOf, stridesOf } from "../../../graph/shape.ts";
import type { KernelBuilder } from "../../../kernel/builder.ts";
import type { IntOperand, IntRegister } from "../../../kernel/ir.ts";
import type { Strategy } from "../../strategy.ts";
import { offsetAddress, splitTask } from "../contraction/lowering.ts";
import { addZeros, parametersOf, rowMajorInput, startOf, withResult } from "./buffers.ts";

/**
 * Rows of the result that one task owns. Each task looks through all indices, so that few large ones are better, as long as there are enough to
 * share and a task's rows stay in the second-level cache.
 */
function rowsPerTask(size: number, inner: number): number {
  const least = Math.floor(2048 / inner);
  const most = Math.floor(65536 / inner);
  return Math.min(size, Math.max(1, least, Math.min(most, Math.ceil(size / 32))));
}

/**
 * y[outer, indices[i], inner] += x[outer, i, inner]. Each task owns a range of rows of the result and goes through all indices in order: no
 * two tasks write one element, and no index can reach outside a range, whatever its value.
 */
export const scatterAddStrategy: Strategy = (request) =>
  withResult(request, (lowering, result) => {
    const { axis } = parametersOf<{ axis: number }>(request);
    const { shape, dtype } = request.output;
    const count = sizeOf(request.inputs[1].shape);
    const outer = sizeOf(shape.slice(0, axis));
    const size = shape[axis];
    const inner = sizeOf(shape.slice(axis + 1));
    const rows = rowsPerTask(size, inner);
    const ranges = Math.ceil(size / rows);
    const updates = rowMajorInput(lowering, request, 0);
    const indices = rowMajorInput(lowering, request, 1);
    const add = dtype === "f32" ? "fadd" : "iadd";
    const bytes = 4 * outer * (2 * count * inner + size * inner) + 4 * count;
    lowering.step(
      `scatterAdd_${outer}x${size}x${inner}_${count}`,
      [updates.argument, indices.argument, result.argument],
      { tasks: outer * ranges, flops: outer * count * inner, bytes },
      (k, address) => {
        const [group, range] = splitTask(k, k.task(), [outer, ranges]);
        const x = offsetAddress(k, startOf(k, address, updates), [[group, 4 * count * inner]]);
        const y = offsetAddress(k, startOf(k, address, result), [[group, 4 * size * inner]]);
        const index = startOf(k, address, indices);
        const first = typeof range === "number" ? k.intConstant(range * rows) : k.mul(range, rows);
        const end = k.intBinary("min", k.add(first, rows), size);
        const zero = k.constant(0, "i32");
        k.loop(first, end, 1, (row) => {
          const place = k.add(y, k.mul(row, 4 * inner));
          alongRow(k, inner, (at, lanes) =>
            k.store(zero, { ...at, base: place }, dtype === "f32" ? "f32" : "i32", lanes),
          );
        });
        const [before, past] = [k.splatInt(first), k.splatInt(end)];
        const update = (i: IntRegister): void => {
          const wanted = k.intLoad(k.at(index, i, 4));
          k.if(k.compare("ge", wanted, first), () => {
            k.if(k.compare("lt", wanted, end), () => {
              const from = k.add(x, k.mul(i, 4 * inner));
              const to = k.add(y, k.mul(wanted, 4 * inner));
              const type = dtype === "f32" ? "f32" : "i32";
              alongRow(k, inner, (at, lanes) => {
                const sum = k.binary(
                  add,
                  k.load({ ...at, base: to }, type, lanes),
                  k.load({ ...at, base: from }, type, lanes),
                );
                k.store(sum, { ...at, base: to }, type, lanes);
              });
            });
          });
        };
        // Most indices belong to other tasks: sixteen are looked at together.
        const block = (start: IntOperand, lanes: number): void => {
          const at = typeof start === "number" ? k.at(index, 4 * start) : k.at(index, start, 4);
          const wanted = k.load(at, "i32", lanes < 16 ? { lanes } : {});
          const inside = k.binary("andnot", k.binary("ilt", wanted, before), k.binary("ilt", wanted, past));
          const last = typeof start === "number" ? count : k.add(start, 16);
          k.if({ kind: "anyLane", mask: inside }, () => k.loop(start, last, 1, update));
        };
        const whole = count - (count % 16);
        if (whole > 0) k.loop(0, whole, 16, (start) => block(start, 16));
        if (whole < count) block(whole, count - whole);
      },
    );
  });

/** Vectors of a row of 32-bit elements: calls back with an address to complete with a base. */
function alongRow(
  k: KernelBuilder,
  length: number,
  visit: (at: { displacement: number; index?: IntRegister; scale?: 1 | 2 | 4 | 8 }, lanes: { lanes?: number }) => void,
): void {
  const main = length - (length % 16);
  if (main > 64) k.loop(0, main, 16, (position) => visit({ displacement: 0, index: position, scale: 4 }, {}));
  else for (let position = 0; position < main; position += 16) visit({ displacement: 4 * position }, {});
  if (main < length) visit({ displacement: 4 * main }, { lanes: length - main });
}

/**
 * y[…, indices[…, i, …], …] += x[…, i, …]. The result is cleared, then each line of the updates is added element by element; lines write
 * different elements. An index outside the axis is skipped (its guard has stopped the program).
 */
export const scatterAddAlongAxisStrategy: Strategy = (request) =>
  withResult(request, (lowering, result) => {
    const { axis } = parametersOf<{ axis: number }>(request);
    const { shape, dtype } = request.output;
    const indexShape = request.inputs[1].shape;
    const count = indexShape[axis];
    const updates = rowMajorInput(lowering, request, 0);
    const indices = rowMajorInput(lowering, request, 1);
    addZeros(lowering, result);
    const others = indexShape.map((extent, i) => (i === axis ? 1 : extent));
    const lines = sizeOf(others);
    if (lines * count === 0) return;
    const linesPerTask = Math.max(1, Math.floor(4096 / count));
    const size = bytesPerElement[dtype];
    const fromStrides = stridesOf(indexShape).map((stride) => stride * size);
    const toStrides = stridesOf(shape).map((stride) => stride * size);
    const type = dtype === "f32" ? "f32" : "i32";
    lowering.step(
      `scatterAddAlongAxis_${shape.join("x")}_${count}`,
      [updates.argument, indices.argument, result.argument],
      { tasks: Math.ceil(lines / linesPerTask), flops: lines * count, bytes: 4 * lines * count * 4 },
      (k, address) => {
        const x = startOf(k, address, updates);
        const index = startOf(k, address, indices);
        const y = startOf(k, address, result);
        const first = k.mul(k.task(), linesPerTask);
        const end = k.intBinary("min", k.add(first, linesPerTask), lines);
        k.loop(first, end, 1, (line) => {
          const position = splitTask(k, line, others);
          const from = offsetAddress(
            k,
            k.intConstant(0),
            position.map((p, i) => [p, fromStrides[i]] as const),
          );
          const to = offsetAddress(
            k,
            y,
            position.map((p, i) => [p, toStrides[i]] as const),
          );
          k.loop(0, count, 1, (i) => {
            const offset = k.add(from, k.mul(i, fromStrides[axis]));
            const wanted = k.intLoad(k.at(index, offset, 1));
            k.if(k.compare("ge", wanted, 0), () => {
              k.if(k.compare("lt", wanted, shape[axis]), () => {
                const place = k.add(to, k.mul(wanted, toStrides[axis]));
                const sum = k.binary(
                  dtype === "f32" ? "fadd" : "iadd",
                  k.load(k.at(place), type, { lanes: 1 }),
                  k.load(k.at(x, offset, 1), type, { lanes: 1 }),
                );
                k.store(sum, k.at(place), type, { lanes: 1 });
              });
            });
          });
        });
      },
    );
  });
