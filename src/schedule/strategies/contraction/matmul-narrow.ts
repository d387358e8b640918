/**
 * A · B with so few rows that reading B is the work, as in a dense layer at one row: each task takes a slab of columns as wide as the registers hold, so that
 * every row of B is a long run of memory, and fetches the rows that come next. Each output is the same fma chain as ever.
 */
import { sizeOf } from "../../../graph/shape.ts";
import type { KernelBuilder } from "../../../kernel/builder.ts";
import type { IntRegister, MachineDescription, VectorRegister } from "../../../kernel/ir.ts";
import type { StrategyRequest } from "../../strategy.ts";
import { epilogueArguments, finishTile, type LoweringBuilder, offsetAddress, operand } from "./lowering.ts";
import { zeroAccumulators } from "./reduction.ts";

/** Rows of B ahead of the one in use: what arrives in the time in which memory answers, twice over. */
const rowsAhead = 6;

/** Decisions about one such product; none of them changes the arithmetic of an output. */
export interface NarrowPlan {
  readonly m: number;
  readonly n: number;
  readonly k: number;
  /** Vectors of 16 columns that a task takes, and tasks; the last may take fewer. */
  readonly vectors: number;
  readonly tasks: number;
}

/** The plan where this way pays: B lies in rows and is larger than the second-level cache, and six vectors fit beside each row of A. */
export function planNarrow(request: StrategyRequest, machine: MachineDescription): NarrowPlan | undefined {
  const { shape } = request.output;
  const [m, n] = shape.slice(-2);
  const k = request.inputs[0].shape.at(-1)!;
  const [step, column] = request.views[1].strides.slice(-2);
  if (sizeOf(shape) !== m * n || column !== 1 || step < n || 4 * k * n <= machine.l2Bytes) return undefined;
  // accumulators, one vector of B, and a value of each row of A
  const limit = Math.floor((machine.vectorRegisters - 1 - m) / m);
  const vectors = Math.ceil(n / 16);
  if (limit < 6 || vectors < 8) return undefined;
  // an even number, so that two threads end together
  const tasks = 2 * Math.ceil(Math.ceil(vectors / limit) / 2);
  return { m, n, k, vectors: Math.ceil(vectors / tasks), tasks: Math.ceil(vectors / Math.ceil(vectors / tasks)) };
}

/** Emits the product as one step. */
export function emitNarrowMatmul(request: StrategyRequest, plan: NarrowPlan, lowering: LoweringBuilder): void {
  const { m, n, k: length, vectors, tasks } = plan;
  const work = { tasks, flops: 2 * m * n * length, bytes: 4 * (m * length + length * n + m * n) };
  const sources = [...request.views.map((view) => operand(view.operand)), ...epilogueArguments(request)];
  lowering.step(`matmul_${m}x${length}x${n}`, sources, work, (k, address) => {
    const slab = (columns: number) => (): void => {
      const first = k.mul(k.task(), 16 * vectors);
      const lastLanes = columns - 16 * (Math.ceil(columns / 16) - 1);
      const b = request.views[1];
      const start = offsetAddress(k, address(operand(b.operand)), [[first, 4]], 4 * b.offset);
      const a = offsetAddress(k, address(operand(request.views[0].operand)), [], 4 * request.views[0].offset);
      const accumulators = zeroAccumulators(k, m, Math.ceil(columns / 16));
      emitChains(k, request, plan, { a, b: start, accumulators, lastLanes });
      const batch = request.output.shape.slice(0, -2).map(() => 0);
      finishTile(
        k,
        request,
        address,
        { outer: [...batch, 0], last: first },
        accumulators,
        (r) => [...batch, r],
        lastLanes,
      );
    };
    const last = n - (tasks - 1) * 16 * vectors;
    if (tasks === 1 || last === 16 * vectors) slab(last)();
    else k.if(k.compare("lt", k.task(), tasks - 1), slab(16 * vectors), slab(last));
  });
}

interface Chains {
  /** First elements of A, and of the slab's columns in B. */
  readonly a: IntRegister;
  readonly b: IntRegister;
  readonly accumulators: readonly (readonly VectorRegister[])[];
  /** Columns of the last vector. */
  readonly lastLanes: number;
}

/** `accumulators[row][v] += A[row][step] · B[step][v]` for every step, a row of B at a time. */
function emitChains(k: KernelBuilder, request: StrategyRequest, plan: NarrowPlan, chains: Chains): void {
  const { accumulators, lastLanes } = chains;
  const [aRow, aStep] = request.views[0].strides.slice(-2).map((stride) => 4 * stride);
  const bStep = 4 * request.views[1].strides.at(-2)!;
  const vectors = accumulators[0].length;
  const a = k.intMove(chains.a);
  const step = (b: IntRegister): void => {
    const values = accumulators.map((_, r) => k.broadcast(k.at(a, r * aRow)));
    for (let v = 0; v < vectors; v++) {
      k.prefetch(k.at(b, rowsAhead * bStep + 64 * v), 1);
      const lanes = v === vectors - 1 && lastLanes < 16 ? { lanes: lastLanes } : {};
      const row = k.load(k.at(b, 64 * v), "f32", lanes);
      accumulators.forEach((list, r) => {
        k.fma(list[v], row, values[r]);
      });
    }
    k.add(a, aStep, a);
  };
  k.loop(chains.b, k.add(chains.b, k.intConstant(plan.k * bStep)), bStep, step);
}
