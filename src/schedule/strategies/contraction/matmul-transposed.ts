/**
 * A · B where B is large and lies transposed, as the weight does in the input gradient of a dense layer: Cᵀ = Bᵀ · Aᵀ. Rows of Bᵀ are broadcast
 * from where they lie, in the order in which the memory holds them, and A, packed once, is in the lanes; only the result is transposed, in
 * registers. Each output is the same fma chain as ever.
 */
import { sizeOf } from "../../../graph/shape.ts";
import type { KernelBuilder } from "../../../kernel/builder.ts";
import type { IntOperand, IntRegister, MachineDescription } from "../../../kernel/ir.ts";
import type { StepArgument, StrategyRequest } from "../../strategy.ts";
import {
  type AddressOf,
  asRegister,
  epilogueArguments,
  finishTile,
  type LoweringBuilder,
  offsetAddress,
  operand,
  splitTask,
  touchedViews,
} from "./lowering.ts";
import { unroll } from "./matmul-plan.ts";
import { emitPanelCopy } from "./pack.ts";
import { fetchAhead } from "./prefetch.ts";
import { emitReduction, zeroAccumulators } from "./reduction.ts";
import { balancedStrips, rowLimit, stripAt } from "./tile.ts";

/** Columns of the result that one task finishes at a time: whole lines of every row. */
const groupColumns = 48;
/** Rows of Bᵀ that a tile reads: more would compete for the same lines of the first-level cache. */
const mostColumns = 8;
/** Work of one task, about. */
const taskFlops = 5e7;

/** Decisions about one such product; none of them changes the arithmetic of an output. */
export interface TransposedPlan {
  readonly m: number;
  readonly n: number;
  readonly k: number;
  /** Vectors of 16 rows of the result per tile, and panels of so many. */
  readonly vectors: number;
  readonly panels: number;
  /** Most columns of the result per tile. */
  readonly columns: number;
}

/** The plan where this way pays: B larger than the second-level cache, a panel of A and the rows of a group together smaller. */
export function planTransposed(request: StrategyRequest, machine: MachineDescription): TransposedPlan | undefined {
  const { shape } = request.output;
  const [m, n] = shape.slice(-2);
  const k = request.inputs[0].shape.at(-1)!;
  const [step, column] = request.views[1].strides.slice(-2);
  if (sizeOf(shape) !== m * n || step !== 1 || column < k || n < m) return undefined;
  if (m % 16 !== 0 || n % 16 !== 0 || 4 * k * n <= machine.l2Bytes) return undefined;
  // Packing B costs n · k, transposing the result m · n.
  if (k < 256 || k < 2 * m) return undefined;
  const vectors = [4, 3, 2, 1].find((count) => (m / 16) % count === 0 && rowLimit(machine, count) >= 4)!;
  const columns = Math.min(mostColumns, rowLimit(machine, vectors));
  // So few chains keep the multipliers busy only just; what is transposed while it is packed has more.
  if (vectors === 1 && rowLimit(machine, 1) > mostColumns && m > 16) return undefined;
  if (4 * k * (16 * vectors + groupColumns) > 0.75 * machine.l2Bytes) return undefined;
  return { m, n, k, vectors, panels: m / 16 / vectors, columns };
}

interface TaskState {
  readonly k: KernelBuilder;
  readonly request: StrategyRequest;
  readonly plan: TransposedPlan;
  readonly address: AddressOf;
  readonly packed: StepArgument;
  /** Tiles of one group and panel, [column][row of the panel]. */
  readonly scratch: IntRegister;
}

/** Emits the product: A packed in one step, the tiles in another. */
export function emitTransposedMatmul(request: StrategyRequest, plan: TransposedPlan, lowering: LoweringBuilder): void {
  const { m, n, k: length } = plan;
  const packed = packRows(request, plan, lowering);
  const groups = Math.floor(n / groupColumns);
  const groupsPerTask = Math.max(1, Math.round(taskFlops / (2 * m * length * groupColumns)));
  const rest = n - groups * groupColumns;
  const wholeTasks = Math.ceil(groups / groupsPerTask);
  const work = {
    tasks: wholeTasks + (rest > 0 ? 1 : 0),
    flops: 2 * m * n * length,
    bytes: 4 * (m * length + length * n + m * n),
  };
  const sources = [operand(request.views[1].operand), packed, ...epilogueArguments(request)];
  lowering.step(`matmul_${m}x${length}x${n}`, sources, work, (k, address) => {
    const { vectors } = plan;
    const state: TaskState = {
      k,
      request,
      plan,
      address,
      packed,
      scratch: k.scratch(4 * groupColumns * 16 * vectors),
    };
    const task = k.task();
    const whole = (): void => {
      const first = k.mul(task, groupsPerTask * groupColumns);
      const end = k.intBinary("min", k.add(first, groupsPerTask * groupColumns), groups * groupColumns);
      k.loop(first, end, groupColumns, (column) => {
        // After the last group of a task comes the first of the next, which this thread does as a rule.
        emitGroup(state, column, groupColumns, k.add(column, groupColumns));
      });
    };
    if (rest === 0) whole();
    else if (wholeTasks === 0) emitGroup(state, asRegister(k, 0), rest, asRegister(k, rest));
    else
      k.if(k.compare("lt", task, wholeTasks), whole, () =>
        emitGroup(state, asRegister(k, groups * groupColumns), rest, asRegister(k, n)),
      );
  });
}

/** A as [panel][k][rows of the panel]. */
function packRows(request: StrategyRequest, plan: TransposedPlan, lowering: LoweringBuilder): StepArgument {
  const { m, k: length, vectors, panels } = plan;
  const [a] = request.views;
  const packed = lowering.temporary(m * length);
  const blocks = panels * vectors;
  const work = { tasks: blocks, flops: 0, bytes: 8 * m * length };
  lowering.step(`pack_rows_${m}x${length}`, [operand(a.operand), packed], work, (k, address) => {
    const [panel, vector] = splitTask(k, k.task(), [panels, vectors]);
    const [rowStride, stepStride] = a.strides.slice(-2);
    emitPanelCopy(k, {
      source: offsetAddress(
        k,
        address(operand(a.operand)),
        [
          [panel, 64 * vectors * rowStride],
          [vector, 64 * rowStride],
        ],
        4 * a.offset,
      ),
      laneStride: rowStride,
      stepStride,
      lanes: 16,
      count: length,
      countRest: length % 16,
      destination: offsetAddress(k, address(packed), [
        [panel, 64 * vectors * length],
        [vector, 64],
      ]),
      width: 16 * vectors,
    });
  });
  return packed;
}

/** All rows of `count` columns of the result: panel by panel, tiles into scratch, then transposed out of it. */
function emitGroup(state: TaskState, column: IntRegister, count: number, following: IntRegister): void {
  const { k, plan, request, address } = state;
  const { panels } = plan;
  const b = request.views[1];
  const rowBytes = 4 * b.strides.at(-1)!;
  const strips = balancedStrips(count, plan.columns);
  const start = offsetAddress(k, address(operand(b.operand)), [[column, rowBytes]], 4 * b.offset);
  const next = offsetAddress(k, address(operand(b.operand)), [[following, rowBytes]], 4 * b.offset);
  // The rows of the next group come from memory while this one computes, an equal share during each tile.
  const shareBytes = Math.ceil((groupColumns * rowBytes) / (panels * strips.count) / 64) * 64;
  const size = 64 * plan.vectors;
  const tiles = (panel: IntRegister): void => {
    const share = offsetAddress(k, next, [[panel, strips.count * shareBytes]]);
    const strip = (index: IntRegister, first: IntOperand, columns: number): void =>
      emitTile(state, {
        panel,
        columns,
        row: offsetAddress(k, start, [[first, rowBytes]]),
        next: { start: offsetAddress(k, share, [[index, shareBytes]]), bytes: shareBytes },
        destination: offsetAddress(k, state.scratch, [[first, size]]),
      });
    let index = 0;
    while (index < strips.count) {
      const { start: first, size: columns } = stripAt(strips, index);
      const same = index < strips.bigCount ? strips.bigCount : strips.count - strips.bigCount;
      const base = index;
      k.loop(index, index + same, 1, (number) => {
        const position = k.add(k.mul(number, columns), first - base * columns);
        strip(number, position, columns);
      });
      index += same;
    }
  };
  k.loop(0, panels, 1, (panel) => {
    fetchResult(state, panel, column, count);
    tiles(panel);
    emitResult(state, panel, column, count);
  });
}

interface Tile {
  readonly panel: IntRegister;
  readonly columns: number;
  /** First row of Bᵀ. */
  readonly row: IntRegister;
  readonly next: { readonly start: IntRegister; readonly bytes: number };
  readonly destination: IntRegister;
}

function emitTile(state: TaskState, tile: Tile): void {
  const { k, plan, request, address, packed } = state;
  const { vectors, k: length } = plan;
  const rowBytes = 4 * request.views[1].strides.at(-1)!;
  const accumulators = zeroAccumulators(k, tile.columns, vectors);
  emitReduction(k, {
    rows: accumulators.map((list, r) => ({ accumulators: list, displacement: r * rowBytes })),
    vectors,
    a: k.intMove(tile.row),
    aStep: 4,
    b: k.intMove(offsetAddress(k, address(packed), [[tile.panel, 64 * vectors * length]])),
    bStep: 64 * vectors,
    count: length,
    unroll,
    eachIteration: fetchAhead(k, [{ ...tile.next, iterations: Math.floor(length / unroll) }]),
  });
  accumulators.forEach((list, r) => {
    list.forEach((register, v) => {
      k.store(register, k.at(tile.destination, 64 * (r * vectors + v)));
    });
  });
}

/** Fetches what the epilogue of this group and panel reads and writes. */
function fetchResult(state: TaskState, panel: IntRegister, column: IntRegister, count: number): void {
  const { k, plan, request, address } = state;
  const row = request.output.shape.length - 2;
  for (const view of touchedViews(request.epilogue, row)) {
    const stride = 4 * view.strides[row];
    const start = offsetAddress(
      k,
      address(operand(view.operand)),
      [
        [panel, 16 * plan.vectors * stride],
        [column, 4],
      ],
      4 * view.offset,
    );
    k.loop(start, k.address(k.at(start, 16 * plan.vectors * stride)), stride, (pointer) => {
      for (let line = 0; line < count; line += 16) k.prefetch(k.at(pointer, 4 * line), 2);
    });
  }
}

/** Transposes the tiles of a panel, 16 x 16 at a time, and hands them to the epilogue. */
function emitResult(state: TaskState, panel: IntRegister, column: IntRegister, count: number): void {
  const { k, plan, request, address } = state;
  const size = 64 * plan.vectors;
  const batch = request.output.shape.slice(0, -2).map(() => 0);
  k.loop(0, plan.vectors, 1, (vector) => {
    const row = k.mul(k.add(k.mul(panel, plan.vectors), vector), 16);
    const source = offsetAddress(k, state.scratch, [[vector, 64]]);
    k.loop(0, count, 16, (first) => {
      const from = offsetAddress(k, source, [[first, size]]);
      const registers = Array.from({ length: 16 }, (_, index) => k.load(k.at(from, index * size)));
      k.transpose(registers);
      finishTile(
        k,
        request,
        address,
        { outer: [...batch, row], last: k.add(column, first) },
        registers.map((register) => [register]),
        (r) => [...batch, r],
        16,
      );
    });
  });
}
