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
import { batchTerms, forStripSize, matrixAddress, packedStrip, stripStart } from "./matmul.ts";
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

/** Where the task holds a packed panel. */
function packedPanel(state: TaskState, panel: IntRegister): IntRegister {
  const { k, plan } = state;
  if (!plan.stripsOutside) return state.scratchB!;
  return localAddress(k, state.scratchB!, panel, state.firstPanel, plan.block * plan.width * 4);
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
  const tile = (panel: IntRegister, columns: number, strip: IntRegister, rows: number, packing = false): void =>
    emitTile(state, first, count, { panel, columns, strip, rows, packing });
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

interface Tile {
  readonly panel: IntRegister;
  readonly columns: number;
  readonly strip: IntRegister;
  readonly rows: number;
  /** Reads B where it lies and leaves it packed in the scratch for the strips that follow. */
  readonly packing: boolean;
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

function emitTile(state: TaskState, first: IntOperand, count: IntOperand, tile: Tile): void {
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
  else if (state.packedA) aPointer = packedStrip(k, plan, address(state.packedA), batch, strip, first, count);
  else {
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
  const ahead =
    emitUpdatePrefetch(state, row, column, rows, columns) ?? emitPanelPrefetch(state, first, panel, columns, strip);
  const streamed = state.packedA !== undefined && plan.strips.count > 1;
  emitReduction(k, {
    eachIteration: (a) => {
      ahead?.();
      // Strips follow each other in memory: fetch the next one from the last-level cache while this one is used.
      if (streamed)
        for (let line = 0; line < unroll * aStep; line += 64) k.prefetch(k.at(a, plan.block * aStep + line), 2);
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
 * Starts to fetch what the epilogue will read of this tile (the weight that an update overwrites) while the reduction runs: one row of the
 * tile per iteration. Returns what each iteration does.
 */
function emitUpdatePrefetch(
  state: TaskState,
  row: IntRegister,
  column: IntRegister,
  rows: number,
  columns: number,
): (() => void) | undefined {
  const { k, plan, request, address, batch } = state;
  const axis = plan.batch.length;
  const view = request.epilogue.loads.find(
    (load) => load.strides[axis] !== 0 && load.strides[axis + 1] === 1 && load.dtype === "f32",
  );
  if (!view || plan.blocks > 1 || plan.k < 4 * unroll) return undefined;
  const pointer = k.intMove(matrixAddress(k, address(operand(view.operand)), view, batch, row, column));
  const stride = 4 * view.strides[axis];
  const end = k.address(k.at(pointer, rows * stride));
  return () => {
    for (let line = 0; line < columns; line += 16) k.prefetch(k.at(pointer, 4 * line), 2);
    k.intBinary("min", k.add(pointer, stride), end, pointer);
  };
}

/**
 * Starts to fetch the part of B that this task packs next, spread over the tiles of the current one: rows of the next block where columns are
 * contiguous, the next panel where the reduction is.
 */
function emitPanelPrefetch(
  state: TaskState,
  first: IntOperand,
  panel: IntRegister,
  columns: number,
  strip: IntRegister,
): (() => void) | undefined {
  const { k, plan, address, batch } = state;
  const { b, width, block, blocks } = plan;
  if (plan.packB === "step" || plan.k < 4 * unroll) return undefined;
  const [bStep, bColumn] = b.strides.slice(-2);
  const base = (row: IntOperand, column: IntOperand): IntRegister =>
    matrixAddress(k, address(operand(b.operand)), b, batch, row, column);
  const local = state.firstStrip === 0 ? strip : k.intBinary("sub", strip, state.firstStrip);
  const iterations = Math.floor(block / unroll);
  if (bColumn === 1 && blocks > 1) {
    const rows = Math.ceil(unroll / plan.stripsPerTask);
    const next = k.add(asRegister(k, first), block);
    const row = k.intBinary("min", k.add(next, k.mul(local, iterations * rows)), plan.k - 1);
    const pointer = k.intMove(base(row, k.mul(panel, width)));
    const end = base(plan.k - rows, k.mul(panel, width));
    return () => {
      for (let r = 0; r < rows; r++)
        for (let line = 0; line < columns; line += 16) k.prefetch(k.at(pointer, 4 * (r * bStep + line)), 2);
      k.intBinary("min", k.add(pointer, 4 * rows * bStep), end, pointer);
    };
  }
  if (bStep === 1 && blocks === 1 && bColumn === plan.k) {
    const lines = Math.ceil((width * plan.k * 4) / 64 / (iterations * plan.stripsPerTask));
    const end = base(0, plan.n);
    const start = k.add(base(0, k.mul(k.add(panel, 1), width)), k.mul(local, iterations * lines * 64));
    const pointer = k.intBinary("min", start, end);
    return () => {
      for (let line = 0; line < lines; line++) k.prefetch(k.at(pointer, 64 * line), 2);
      k.intBinary("min", k.add(pointer, 64 * lines), end, pointer);
    };
  }
  return undefined;
}

function accumulatorAddress(state: TaskState, panel: IntRegister, strip: IntRegister): IntRegister {
  const { k, plan } = state;
  const tile = plan.strips.big * plan.width * 4;
  const byPanel = localAddress(k, state.scratchC!, panel, state.firstPanel, plan.stripsPerTask * tile);
  return localAddress(k, byPanel, strip, state.firstStrip, tile);
}
