import type { KernelBuilder } from "../../../kernel/builder.ts";
import type { IntOperand, IntRegister } from "../../../kernel/ir.ts";
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
} from "./lowering.ts";
import { batchTerms, forPanelSize, forStripSize, matrixAddress, stripStart } from "./matmul.ts";
import type { MatmulPlan } from "./matmul-plan.ts";
import { emitPanelCopy } from "./pack.ts";
import { emitReduction, zeroAccumulators } from "./reduction.ts";

/** What the body of a task knows: where its matrices start and which part of the reduction is under way. */
interface TaskState {
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

const unroll = 4;

/** The product itself: tasks of `stripsPerTask` x `panelsPerTask` tiles, the reduction in blocks that fit the first-level cache. */
export function emitMatmulStep(
  request: StrategyRequest,
  plan: MatmulPlan,
  lowering: LoweringBuilder,
  packedA: StepArgument | undefined,
  packedB: StepArgument | undefined,
): void {
  const { strips, panels, stripsPerTask, panelsPerTask, batches, m, n } = plan;
  const stripTasks = Math.ceil(strips.count / stripsPerTask);
  const panelTasks = Math.ceil(panels / panelsPerTask);
  const sources = [
    packedA ?? operand(plan.a.operand),
    packedB ?? operand(plan.b.operand),
    ...epilogueArguments(request),
  ];
  const work = {
    tasks: batches * stripTasks * panelTasks,
    flops: 2 * batches * m * n * plan.k,
    bytes: 4 * batches * (m * plan.k + plan.k * n + m * n),
  };
  lowering.step(`matmul_${m}x${plan.k}x${n}`, sources, work, (k, address) => {
    const indices = splitTask(k, k.task(), [...plan.batch, stripTasks, panelTasks]);
    const [stripTask, panelTask] = indices.slice(-2);
    const range = (task: IntOperand, size: number, total: number): [IntOperand, IntOperand] => {
      if (typeof task === "number") return [0, total];
      const first = k.mul(task, size);
      return [first, total % size === 0 ? k.add(first, size) : k.intBinary("min", k.add(first, size), total)];
    };
    const [firstStrip, endStrip] = range(stripTask, stripsPerTask, strips.count);
    const [firstPanel, endPanel] = range(panelTask, panelsPerTask, panels);
    const state: TaskState = {
      k,
      request,
      plan,
      address,
      firstStrip,
      endStrip,
      firstPanel,
      endPanel,
      packedA,
      packedB,
      batch: indices.slice(0, -2),
      scratchA: plan.packA === "task" ? k.scratch(stripsPerTask * plan.block * strips.big * 4) : undefined,
      scratchB: plan.packB === "task" ? k.scratch(panelsPerTask * plan.block * plan.width * 4) : undefined,
      scratchC: plan.blocks > 1 ? k.scratch(stripsPerTask * panelsPerTask * strips.big * plan.width * 4) : undefined,
    };
    if (plan.blocks === 1) emitBlock(state, 0, plan.k);
    else
      k.loop(0, plan.k, plan.block, (first) => {
        const exact = plan.k % plan.block === 0;
        const count = exact
          ? plan.block
          : k.intBinary("min", k.intBinary("sub", k.intConstant(plan.k), first), plan.block);
        emitBlock(state, first, count);
      });
  });
}

/** One block of the reduction: pack what the task packs, then every tile of the task. */
function emitBlock(state: TaskState, first: IntOperand, count: IntOperand): void {
  const { k, plan, address } = state;
  const { a, b } = plan;
  const [aRow, aStep] = a.strides.slice(-2);
  const [bStep, bColumn] = b.strides.slice(-2);
  if (state.scratchB) {
    const scratch = state.scratchB;
    k.loop(state.firstPanel, state.endPanel, 1, (panel) => {
      const source = matrixAddress(k, address(operand(b.operand)), b, state.batch, first, k.mul(panel, plan.width));
      const destination = localAddress(k, scratch, panel, state.firstPanel, plan.block * plan.width * 4);
      forPanelSize(k, plan, panel, (lanes) =>
        emitPanelCopy(k, {
          source,
          laneStride: bColumn,
          stepStride: bStep,
          lanes,
          count,
          countRest: plan.k % 16,
          destination,
          width: plan.width,
        }),
      );
    });
  }
  if (state.scratchA) {
    const scratch = state.scratchA;
    k.loop(state.firstStrip, state.endStrip, 1, (strip) => {
      const source = matrixAddress(k, address(operand(a.operand)), a, state.batch, stripStart(k, plan, strip), first);
      const destination = localAddress(k, scratch, strip, state.firstStrip, plan.block * plan.strips.big * 4);
      forStripSize(k, plan, strip, (lanes) =>
        emitPanelCopy(k, {
          source,
          laneStride: aRow,
          stepStride: aStep,
          lanes,
          count,
          countRest: plan.k % 16,
          destination,
          width: plan.strips.big,
        }),
      );
    });
  }
  k.loop(state.firstPanel, state.endPanel, 1, (panel) => {
    forPanelSize(k, plan, panel, (columns) => {
      const { big, bigCount, count: stripCount } = plan.strips;
      const from = state.firstStrip;
      const to = state.endStrip;
      const tiles = (start: IntOperand, end: IntOperand, rows: number): void =>
        k.loop(start, end, 1, (strip) => emitTile(state, first, count, panel, columns, strip, rows));
      if (bigCount === stripCount) return tiles(from, to, big);
      if (typeof from === "number") {
        tiles(0, bigCount, big);
        tiles(bigCount, stripCount, big - 1);
      } else {
        tiles(from, k.intBinary("min", asRegister(k, to), bigCount), big);
        tiles(k.intBinary("max", from, bigCount), to, big - 1);
      }
    });
  });
}

function localAddress(
  k: KernelBuilder,
  base: IntRegister,
  index: IntRegister,
  first: IntOperand,
  bytes: number,
): IntRegister {
  const local = first === 0 ? index : k.intBinary("sub", index, first);
  return offsetAddress(k, base, [[local, bytes]]);
}

function emitTile(
  state: TaskState,
  first: IntOperand,
  count: IntOperand,
  panel: IntRegister,
  columns: number,
  strip: IntRegister,
  rows: number,
): void {
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
  else if (state.packedA)
    aPointer = offsetAddress(k, address(state.packedA), [
      ...batchTerms(plan, batch, strips.count * plan.k * aStep),
      [strip, plan.k * aStep],
      [first, aStep],
    ]);
  else {
    aPointer = matrixAddress(k, address(operand(plan.a.operand)), plan.a, batch, row, first);
    [aRow, aStep] = plan.a.strides.slice(-2).map((stride) => 4 * stride);
  }
  let bPointer: IntRegister;
  let bStep = width * 4;
  if (state.scratchB) bPointer = localAddress(k, state.scratchB, panel, state.firstPanel, plan.block * bStep);
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
  emitReduction(k, {
    rows: accumulators.map((list, r) => ({ accumulators: list, displacement: r * aRow })),
    vectors,
    lastLanes: plan.packB === "direct" ? lastLanes : 16,
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

function accumulatorAddress(state: TaskState, panel: IntRegister, strip: IntRegister): IntRegister {
  const { k, plan } = state;
  const tile = plan.strips.big * plan.width * 4;
  const byPanel = localAddress(k, state.scratchC!, panel, state.firstPanel, plan.stripsPerTask * tile);
  return localAddress(k, byPanel, strip, state.firstStrip, tile);
}
