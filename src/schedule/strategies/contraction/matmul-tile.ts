import type { KernelBuilder } from "../../../kernel/builder.ts";
import type { IntOperand, IntRegister } from "../../../kernel/ir.ts";
import type { StepArgument, StrategyRequest } from "../../strategy.ts";
import { type AddressOf, asRegister, finishTile, offsetAddress, operand } from "./lowering.ts";
import { batchTerms, matrixAddress, packedStrip, stripStart } from "./matmul-address.ts";
import { type MatmulPlan, unroll } from "./matmul-plan.ts";
import { emitEpiloguePrefetch, emitPanelPrefetch } from "./matmul-prefetch.ts";
import { fetchAhead } from "./prefetch.ts";
import { emitReduction, zeroAccumulators } from "./reduction.ts";

/** What the body of a task knows: where its matrices start and which part of the reduction is under way. */
export interface TaskState {
  readonly k: KernelBuilder;
  readonly request: StrategyRequest;
  readonly plan: MatmulPlan;
  readonly address: AddressOf;
  readonly batch: readonly IntOperand[];
  readonly firstStrip: IntOperand;
  readonly endStrip: IntOperand;
  readonly firstPanel: IntOperand;
  readonly endPanel: IntOperand;
  readonly packedA: StepArgument | undefined;
  readonly packedB: StepArgument | undefined;
  readonly scratchA: IntRegister | undefined;
  readonly scratchB: IntRegister | undefined;
  /** Accumulators between two blocks of the reduction. */
  readonly scratchC: IntRegister | undefined;
}

/** One register tile of a task. */
export interface Tile {
  readonly panel: IntRegister;
  readonly columns: number;
  readonly strip: IntRegister;
  readonly rows: number;
  /** Reads B where it lies and leaves it packed in the scratch for the strips that follow. */
  readonly packing: boolean;
}

/** `base` moved to entry number `index` of a table whose entry 0 belongs to `first`. */
export function localAddress(
  k: KernelBuilder,
  base: IntRegister,
  index: IntRegister,
  first: IntOperand,
  bytes: number,
): IntRegister {
  const local = first === 0 ? index : k.intBinary("sub", index, first);
  return offsetAddress(k, base, [[local, bytes]]);
}

/** Where the task holds a packed panel. */
export function packedPanel(state: TaskState, panel: IntRegister): IntRegister {
  const { k, plan } = state;
  if (!plan.stripsOutside) return state.scratchB!;
  return localAddress(k, state.scratchB!, panel, state.firstPanel, plan.block * plan.width * 4);
}

/** One tile: the accumulators of the blocks before, the reduction, and the epilogue or the accumulators for the blocks after. */
export function emitTile(state: TaskState, first: IntOperand, count: IntOperand, tile: Tile): void {
  const { panel, columns, strip, rows, packing } = tile;
  const { k, plan, address, batch } = state;
  const { strips, width } = plan;
  const vectors = Math.ceil(columns / 16);
  const lastLanes = columns - 16 * (vectors - 1);
  const row = stripStart(k, plan, strip);
  const column = k.mul(panel, width);

  let aPointer: IntRegister;
  let aRow = 4;
  let aStep = strips.big * 4;
  if (state.scratchA) aPointer = localAddress(k, state.scratchA, strip, state.firstStrip, plan.block * aStep);
  else if (state.packedA) {
    aPointer = packedStrip(k, plan, address(state.packedA), batch, strip, first, count);
    if (plan.packedAsRows) [aRow, aStep] = [4 * plan.block, 4];
  } else {
    aPointer = matrixAddress(k, address(operand(plan.a.operand)), plan.a, batch, row, first);
    [aRow, aStep] = plan.a.strides.slice(-2).map((stride) => 4 * stride);
  }
  let bPointer: IntRegister;
  let bStep = width * 4;
  if (state.scratchB && !packing) bPointer = packedPanel(state, panel);
  else if (state.packedB)
    bPointer = offsetAddress(k, address(state.packedB), [
      ...batchTerms(plan, batch, plan.panels * plan.k * bStep),
      [panel, plan.k * bStep],
      [first, bStep],
    ]);
  else {
    bPointer = matrixAddress(k, address(operand(plan.b.operand)), plan.b, batch, first, column);
    bStep = 4 * plan.b.strides[plan.batch.length];
  }

  const accumulators = zeroAccumulators(k, rows, vectors);
  const saved = state.scratchC && accumulatorAddress(state, panel, strip);
  const each = (visit: (register: (typeof accumulators)[0][0], displacement: number) => void): void =>
    accumulators.forEach((list, r) => {
      list.forEach((register, v) => {
        visit(register, 4 * (r * width + 16 * v));
      });
    });
  if (saved)
    k.if(k.compare("gt", asRegister(k, first), 0), () =>
      each((register, displacement) => k.load(k.at(saved, displacement), "f32", {}, register)),
    );
  const ahead = [
    emitEpiloguePrefetch(state, row, column, rows, columns),
    emitPanelPrefetch(state, first, panel, columns, strip),
    state.packedA && strips.count > 1 ? fetchStripAhead(k, plan, aPointer) : undefined,
  ];
  emitReduction(k, {
    eachIteration: () => {
      for (const fetch of ahead) fetch?.();
    },
    rows: accumulators.map((list, r) => ({ accumulators: list, displacement: r * aRow })),
    vectors,
    lastLanes: plan.packB === "direct" || packing ? lastLanes : 16,
    copy: packing ? { destination: k.intMove(packedPanel(state, panel)), step: width * 4 } : undefined,
    a: k.intMove(aPointer),
    aStep,
    b: k.intMove(bPointer),
    bStep,
    count,
    countMultiple: plan.k % 16 === 0 ? 16 : 1,
    unroll,
  });
  const finish = (): void =>
    finishTile(
      k,
      state.request,
      address,
      { outer: [...batch, row], last: column },
      accumulators,
      (r) => [...batch.map(() => 0), r],
      lastLanes,
    );
  if (!saved) finish();
  else
    k.if(
      k.compare("lt", asRegister(k, first), (plan.blocks - 1) * plan.block),
      () => each((register, displacement) => k.store(register, k.at(saved, displacement))),
      finish,
    );
}

/**
 * Strips follow each other in memory: fetches the one after the next from the last-level cache while this one is used. One strip takes about as long as
 * a line from there when the other threads read too, so that the next one would come late.
 */
function fetchStripAhead(k: KernelBuilder, plan: MatmulPlan, strip: IntRegister): (() => void) | undefined {
  const bytes = plan.strips.big * plan.block * 4;
  const iterations = Math.floor(plan.block / unroll);
  return fetchAhead(k, [{ start: k.address(k.at(strip, 2 * bytes)), bytes, iterations }]);
}

function accumulatorAddress(state: TaskState, panel: IntRegister, strip: IntRegister): IntRegister {
  const { k, plan } = state;
  const tile = plan.strips.big * plan.width * 4;
  const byPanel = localAddress(k, state.scratchC!, panel, state.firstPanel, plan.stripsPerTask * tile);
  return localAddress(k, byPanel, strip, state.firstStrip, tile);
}
