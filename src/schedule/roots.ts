/**
 * Roots: the values that some kernel computes as such, because they are reductions or come from a strategy, because they must lie in memory,
 * or because computing them again at each use would cost more than a store and a load. All other values are inlined where they are used.
 */
import { identityAccess, isIdentity } from "./access.ts";
import { Inliner, resolveView, templateOf } from "./inline.ts";
import { countCalls } from "./loops/body.ts";
import type { LastingInputs } from "./preparations.ts";
import { type TensorGraph, type Value, withoutReshape } from "./tensor-graph.ts";

export type RootKind = "none" | "pointwise" | "reduce" | "strategy";

export interface Roots {
  readonly kindOf: readonly RootKind[];
  /** 1 for values made of variables that the program does not write and of numbers: the same in every run until a variable is written. */
  readonly lasting: Uint8Array;
  /** Why a pointwise value is a root, for the explanation. */
  readonly reasons: ReadonlyMap<number, string>;
}

/** Work that is done again at each use rather than stored: scalar functions per element, and reads. */
const cheapCalls = 6;
const cheapReads = 2;
/** Work per element of a small value that is read by many elements. */
const cheapBroadcast = 12;
const cheapScalar = 300;
/** A chain longer than this is cut, so that kernels stay of a size that compiles fast. */
const longestChain = 200;

export function findRoots(graph: TensorGraph, lastingInputs: LastingInputs): Roots {
  const { values } = graph;
  const lasting = madeOfWeights(graph, lastingInputs);
  const kindOf: RootKind[] = values.map((value) => kindOfMeaning(value));
  const reasons = new Map<number, string>();
  const mark = (id: number, reason: string): void => {
    if (kindOf[id] !== "none" || values[id].programInput >= 0) return;
    kindOf[id] = "pointwise";
    reasons.set(id, reason);
  };
  const inMemory = (value: Value): boolean => value.programInput >= 0 || kindOf[value.id] !== "none";
  const needView = (id: number, reason: string): void => {
    const view = resolveView(graph, id, inMemory);
    if ("blocked" in view) mark(view.blocked, reason);
    // Contractions walk their operands forwards only.
    else if (view.access.strides.some((stride) => stride < 0)) mark(withoutReshape(graph, id), `${reason}, reversed`);
  };
  // The steps of a loop are addresses into its operands, so these lie in one run each.
  const needRun = (id: number, reason: string): void => {
    needView(id, reason);
    const view = resolveView(graph, id, inMemory);
    const { type } = values[id];
    if ("value" in view && isIdentity({ offset: 0, strides: view.access.strides }, type.shape)) return;
    mark(withoutReshape(graph, id), reason);
  };
  for (const { value } of graph.outputs) mark(withoutReshape(graph, value), "output");
  for (const { value } of graph.guards) needView(value, "checked indices");
  for (const value of values) {
    if (kindOf[value.id] !== "strategy") continue;
    const need = value.meaning?.kind === "scan" ? needRun : needView;
    for (const input of value.inputs) need(input, `operand of ${value.opName}`);
  }
  markJoined(graph, kindOf, mark);
  markLasting(graph, lasting, kindOf, mark);
  markShared(graph, kindOf, mark);
  markUnfoldable(graph, kindOf, mark);
  return { kindOf, lasting, reasons };
}

function kindOfMeaning(value: Value): RootKind {
  switch (value.meaning?.kind) {
    case "reduce":
      return "reduce";
    case "matmul":
    case "conv2d":
    case "window":
    case "indexed":
    case "scan":
      return "strategy";
    default:
      return "none";
  }
}

/** Pieces, and elements, from which on a reduction had better read what is joined of them. */
const manyPieces = 4;
const manyJoined = 4096;

/** What reductions read of many pieces joined: only an elementwise kernel reads them one after the other. */
function markJoined(graph: TensorGraph, kindOf: readonly RootKind[], mark: (id: number, reason: string) => void): void {
  const pieces = new Int32Array(graph.values.length);
  for (const { id, meaning, inputs, programInput } of graph.values) {
    if (meaning?.kind === "reduce" && pieces[inputs[0]] >= manyPieces && graph.values[inputs[0]].size >= manyJoined)
      mark(withoutReshape(graph, inputs[0]), "joined for a reduction");
    if (programInput >= 0 || kindOf[id] !== "none") continue;
    if (meaning?.kind === "movement") pieces[id] = meaning.pieces.length;
    for (const input of inputs) pieces[id] = Math.max(pieces[id], pieces[input]);
  }
}

/** Which values are made of lasting inputs, with a variable among them. */
function madeOfWeights({ values }: TensorGraph, inputs: LastingInputs): Uint8Array {
  const numbers = 2;
  const lasting = new Uint8Array(values.length);
  if (inputs.length === 0) return lasting;
  for (const value of values) {
    const { id, programInput } = value;
    if (programInput >= 0)
      lasting[id] = inputs[programInput] === undefined ? 0 : inputs[programInput] === "variable" ? 1 : numbers;
    else if (value.inputs.every((input) => lasting[input] !== 0))
      lasting[id] = value.inputs.some((input) => lasting[input] === 1) ? 1 : numbers;
  }
  return lasting.map((kind) => (kind === 1 ? 1 : 0));
}

/**
 * What is made of weights alone and read beside data (factor and summand of a normalisation) is computed as such: it is kept while the weights stay the
 * same, and each element that reads it is spared the work. A single operation is not worth that.
 */
function markLasting(
  { values }: TensorGraph,
  lasting: Uint8Array,
  kindOf: readonly RootKind[],
  mark: (id: number, reason: string) => void,
): void {
  const readBesideData = new Uint8Array(values.length);
  for (let id = values.length - 1; id >= 0; id--) {
    const { meaning, inputs } = values[id];
    const moves = kindOf[id] === "none" && (meaning?.kind === "movement" || meaning?.kind === "reshape");
    for (const input of inputs) if (!lasting[id] || (moves && readBesideData[id])) readBesideData[input] = 1;
  }
  const calls = new Float64Array(values.length);
  for (const value of values) {
    const { id, meaning, inputs, size } = value;
    if (!lasting[id] || kindOf[id] !== "none" || value.programInput >= 0) continue;
    for (const input of new Set(inputs)) calls[id] += calls[input];
    if (meaning?.kind !== "elementwise") continue;
    calls[id] += countCalls([templateOf(value)]);
    if (readBesideData[id] && size > 1 && calls[id] > 1) mark(id, "made of weights alone");
  }
}

/** Values that are used more than once and cost more than a load, or that are broadcast and cost more than a little. */
function markShared(graph: TensorGraph, kindOf: RootKind[], mark: (id: number, reason: string) => void): void {
  const { values } = graph;
  const uses = new Int32Array(values.length);
  const enlarged = new Uint8Array(values.length);
  for (let id = values.length - 1; id >= 0; id--) {
    const value = values[id];
    const kind = value.meaning?.kind;
    const passes = kindOf[id] === "none" && (kind === "movement" || kind === "reshape");
    for (const input of value.inputs) {
      uses[input] += passes ? uses[id] : 1;
      if (kindOf[id] === "none" && (value.size > values[input].size || enlarged[id])) enlarged[input] = 1;
    }
  }
  const calls = new Float64Array(values.length);
  const reads = new Float64Array(values.length);
  for (const value of values) {
    const { id } = value;
    if (value.programInput >= 0 || kindOf[id] !== "none") {
      reads[id] = value.size === 1 ? 0 : 1;
      continue;
    }
    for (const input of new Set(value.inputs)) {
      calls[id] += kindOf[input] === "none" ? calls[input] : 0;
      reads[id] += reads[input];
    }
    if (value.meaning?.kind !== "elementwise") continue;
    calls[id] += countCalls([templateOf(value)]);
    let reason: string | undefined;
    if (calls[id] > longestChain && uses[id] > 0) {
      reason = "end of a long chain";
    } else if (value.size === 1) {
      if (calls[id] > cheapScalar) reason = "long scalar formula";
    } else if (enlarged[id] && calls[id] > cheapBroadcast) reason = "broadcast";
    else if (uses[id] > 1 && (calls[id] > cheapCalls || reads[id] > cheapReads)) reason = `used ${uses[id]} times`;
    if (reason) {
      mark(id, reason);
      reads[id] = 1;
      calls[id] = 0;
    }
  }
}

/** Values under a movement that does not fold into an access (a transposed tensor that is flattened, for example). */
function markUnfoldable(graph: TensorGraph, kindOf: RootKind[], mark: (id: number, reason: string) => void): void {
  // Backwards: what is marked on the way comes before and is looked at in its turn.
  for (let id = graph.values.length - 1; id >= 0; id--) {
    const value = graph.values[id];
    if (kindOf[id] !== "pointwise" && kindOf[id] !== "reduce") continue;
    const start = kindOf[value.id] === "reduce" ? value.inputs[0] : value.id;
    const { shape } = graph.values[start].type;
    for (;;) {
      const inliner = new Inliner(
        graph,
        shape,
        (other) =>
          other.id !== value.id && (other.programInput >= 0 || kindOf[other.id] !== "none") ? "load" : "inline",
        0,
      );
      if (inliner.inline(start, identityAccess(shape))) break;
      const failed = inliner.failedAt;
      if (failed === undefined || failed === value.id || kindOf[failed] !== "none") break;
      mark(failed, "does not fold into a read");
    }
  }
}
