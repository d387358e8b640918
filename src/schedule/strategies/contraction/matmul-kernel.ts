import type { IntOperand, IntRegister } from "../../../kernel/ir.ts";
import type { StepArgument, StrategyRequest } from "../../strategy.ts";
import { asRegister, epilogueArguments, type LoweringBuilder, offsetAddress, operand, splitTask } from "./lowering.ts";
import { forStripSize, matrixAddress, stripStart } from "./matmul-address.ts";
import type { MatmulPlan } from "./matmul-plan.ts";
import { fetchStripsOfNextTask } from "./matmul-prefetch.ts";
import { emitTile, localAddress, packedPanel, type TaskState } from "./matmul-tile.ts";
import { emitPanelCopy } from "./pack.ts";

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
      scratchB:
        plan.packB === "task"
          ? k.scratch((plan.stripsOutside ? panelsPerTask : 1) * plan.block * plan.width * 4)
          : undefined,
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
  const { a } = plan;
  const [aRow, aStep] = a.strides.slice(-2);
  if (state.scratchA) {
    const scratch = state.scratchA;
    if (aRow === 1 && plan.strips.bigCount === plan.strips.count && plan.strips.count % plan.stripsPerTask === 0) {
      emitStripsCopy(state, scratch, asRegister(k, state.firstStrip), first, count);
    } else
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
  emitTiles(state, first, count);
}

/** Packs all strips of a task together, a row of memory at a time, so that each page of A is visited once. */
function emitStripsCopy(
  state: TaskState,
  scratch: IntRegister,
  strip: IntRegister,
  first: IntOperand,
  count: IntOperand,
): void {
  const { k, plan, address } = state;
  const { a, strips, stripsPerTask, block } = plan;
  const aStep = a.strides[plan.batch.length + 1];
  const source = k.intMove(
    matrixAddress(k, address(operand(a.operand)), a, state.batch, stripStart(k, plan, strip), first),
  );
  const size = 4 * strips.big;
  const end = offsetAddress(k, scratch, [[count, size]]);
  k.loop(scratch, end, size, (destination) => {
    for (let s = 0; s < stripsPerTask; s++)
      for (let lane = 0; lane < strips.big; lane += 16) {
        const options = strips.big - lane < 16 ? { lanes: strips.big - lane } : {};
        const value = k.load(k.at(source, s * size + 4 * lane), "f32", options);
        k.store(value, k.at(destination, s * block * size + 4 * lane), "f32", options);
      }
    k.add(source, 4 * aStep, source);
  });
}

/** Packs one panel of B into the task's scratch, which holds one panel, or all of the task's where strips are the outer loop. */
function emitPanelPacking(
  state: TaskState,
  panel: IntRegister,
  columns: number,
  first: IntOperand,
  count: IntOperand,
): void {
  const { k, plan, address } = state;
  const { b, width } = plan;
  const [stepStride, laneStride] = b.strides.slice(-2);
  emitPanelCopy(k, {
    source: matrixAddress(k, address(operand(b.operand)), b, state.batch, first, k.mul(panel, width)),
    laneStride,
    stepStride,
    lanes: columns,
    count,
    countRest: plan.k % 16,
    destination: packedPanel(state, panel),
    width,
  });
}

/** Every tile of a task. The matrix that passes through is the outer loop, so that its part stays in the first-level cache. */
function emitTiles(state: TaskState, first: IntOperand, count: IntOperand): void {
  const { k, plan } = state;
  const { big, bigCount, count: stripCount } = plan.strips;
  const { width, panels, lastColumns } = plan;
  const strips = (visit: (strip: IntRegister, rows: number) => void, skip: 0 | 1 = 0): void => {
    const to = state.endStrip;
    const from =
      typeof state.firstStrip === "number"
        ? state.firstStrip + skip
        : skip
          ? k.add(state.firstStrip, 1)
          : state.firstStrip;
    const bigs = (start: IntOperand, end: IntOperand): void => k.loop(start, end, 1, (strip) => visit(strip, big));
    const smalls = (start: IntOperand, end: IntOperand): void =>
      k.loop(start, end, 1, (strip) => visit(strip, big - 1));
    if (bigCount === stripCount) bigs(from, to);
    else if (typeof from === "number") {
      bigs(from, bigCount);
      smalls(bigCount, stripCount);
    } else {
      bigs(from, k.intBinary("min", asRegister(k, to), bigCount));
      smalls(k.intBinary("max", from, bigCount), to);
    }
  };
  const columns = (visit: (panel: IntRegister, columns: number) => void): void => {
    const { firstPanel: from, endPanel: to } = state;
    if (lastColumns === width || panels === 1) {
      k.loop(from, to, 1, (panel) => visit(panel, panels === 1 ? lastColumns : width));
      return;
    }
    k.loop(from, typeof to === "number" ? panels - 1 : k.intBinary("min", to, panels - 1), 1, (panel) =>
      visit(panel, width),
    );
    k.loop(typeof from === "number" ? panels - 1 : k.intBinary("max", from, panels - 1), to, 1, (panel) =>
      visit(panel, lastColumns),
    );
  };
  const fetchesStrips =
    plan.stripsOutside && plan.blocks === 1 && plan.packA === "task" && plan.a.strides[plan.batch.length] === 1;
  const tile = (panel: IntRegister, columns: number, strip: IntRegister, rows: number, packing = false): void => {
    if (fetchesStrips) fetchStripsOfNextTask(state, panel, strip);
    emitTile(state, first, count, { panel, columns, strip, rows, packing });
  };
  const pack = (panel: IntRegister, width: number): void => emitPanelPacking(state, panel, width, first, count);
  const contiguous = plan.b.strides[plan.batch.length + 1] === 1;
  if (plan.stripsOutside) {
    if (state.scratchB) columns(pack);
    strips((strip, rows) => columns((panel, width) => tile(panel, width, strip, rows)));
  } else if (state.scratchB && contiguous)
    columns((panel, width) => {
      const strip = asRegister(k, state.firstStrip);
      if (typeof state.firstStrip === "number") tile(panel, width, strip, big, true);
      else forStripSize(k, plan, strip, (rows) => tile(panel, width, strip, rows, true));
      strips((other, rows) => tile(panel, width, other, rows), 1);
    });
  else
    columns((panel, width) => {
      if (state.scratchB) pack(panel, width);
      strips((strip, rows) => tile(panel, width, strip, rows));
    });
}
