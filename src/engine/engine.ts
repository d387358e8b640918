/**
 * Lazy evaluation: collects the pending graph under what is asked for, has its program run once and gives the results to their nodes.
 * Assignments to variables wait here and are committed by the next computation.
 */
import { ArgumentError, GradientError, StaleTensorError } from "../errors.ts";
import { isLeaf, type RequestedOutput } from "../graph/build-program.ts";
import { viewOf } from "../graph/dtype.ts";
import { bytesOf, dataNode, Node, type NodeValue, nextMark, type VariableCell } from "../graph/node.ts";
import { permute } from "../ops/index.ts";
import type { Target } from "../targets/target.ts";
import { findNonFinite } from "./debug.ts";
import { bindFactors, type FactoredGradient, factoredGradient, takeFactors } from "./gradient-storage.ts";
import type { CachedProgram } from "./plan-cache.ts";
import { type EngineStatistics, ProgramRunner, placeholderError } from "./program-runner.ts";
import { beforePermutations, reordered, shownOrder } from "./reordered.ts";
import { savedForBackward } from "./saved-for-backward.ts";
import { viewOfValue } from "./value-view.ts";

/**
 * Nodes that may wait before the engine computes on its own. Divisible by most small numbers: in a loop that never reads, the limit then falls on the same
 * place of the body every time, and the same program is found again.
 */
const pendingLimit = 5_040;
/** Tensors marked to be kept, or gradients of tapes, that may wait for a step. */
const keptLimit = 500;

export class Engine extends ProgramRunner {
  // emptied by taking a new one: a Set that lives on keeps alive, until the next full collection, what it has held since the last
  private assigned = new Set<VariableCell>();
  private kept = new Set<Node>();
  private deferred = new Set<Node>();
  private pendingNodes = 0;
  /** Debug mode: programs run op by op and the first NaN is named. */
  debug = false;
  /** While a function is traced for `compile`, computing is an error. */
  tracing = false;

  /** Changes the target; compiled programs are dropped, values stay. */
  setTarget(target: Target): void {
    if (this.tracing) throw new ArgumentError("setTarget: not inside a compiled function.");
    this.commit();
    this.recycled.clear();
    this.changeTarget(target);
  }
  override execute(
    entry: CachedProgram,
    leaves: readonly Node[],
    inputs: readonly NodeValue[],
    outputs: readonly NodeValue[],
  ): void {
    super.execute(entry, leaves, inputs, outputs);
    this.pendingNodes = 0;
  }
  override statistics(): EngineStatistics {
    const { trackedBytes, ...rest } = super.statistics();
    return { ...rest, trackedBytes: trackedBytes + this.recycled.bytes + this.kept.size * 64 };
  }

  // ---- variables ----

  /** Makes `value` the variable's next value; takes effect with the next computation. */
  assign(cell: VariableCell, value: Node): void {
    cell.pending = value;
    this.assigned.add(cell);
  }
  /** The cells whose assignments wait, taken over by the caller (tracing). */
  takeAssignments(): VariableCell[] {
    const cells = [...this.assigned];
    this.assigned = new Set();
    return cells;
  }
  /** Computes all waiting assignments. */
  commit(): void {
    if (this.assigned.size > 0) this.compute([]);
  }
  /** Marks a tensor to be computed by the next step that overwrites a variable, so that it can be read afterwards. */
  keep(node: Node): void {
    if (isLeaf(node) || this.tracing) return;
    this.kept.add(node);
    // a loop that keeps and never steps stays bounded
    if (this.kept.size > keptLimit) this.compute([...this.kept]);
  }

  /**
   * Counts a node that was built and not computed. Past `pendingLimit` of them without any computation the newest is computed, so that
   * a loop that never reads stays bounded; the count, not the clock, decides.
   */
  noteNode(node: Node): void {
    if (++this.pendingNodes < pendingLimit || this.tracing || isLeaf(node)) return;
    // what follows a backward() is the update of its step: cut in two, a deep network's step would be two programs
    if (this.deferred.size > 0 && this.pendingNodes < 8 * pendingLimit) return;
    this.compute([node, ...this.kept]);
  }

  /** Takes back the storage of a gradient that its only holder drops, unless the value was handed out. */
  recycle(node: Node): void {
    if (node.shared) return;
    for (const stored of node.value ? [node] : takeFactors(node)) {
      if (!stored.value) continue;
      this.recycled.give(stored.value, bytesOf(stored.type));
      stored.value = undefined;
      stored.shared = true;
    }
  }

  /** Nodes that are computed together (the gradients of one `backward()`): with the next step, or when something is read that needs one of them. */
  defer(nodes: readonly Node[]): void {
    for (const node of nodes) if (!isLeaf(node)) this.deferred.add(node);
  }
  /** Whether these nodes need something deferred, or are part of what a waiting `backward()` went through: one program then computes both. */
  private needDeferred(roots: readonly Node[]): boolean {
    if (this.deferred.size === 0) return false;
    const mark = nextMark();
    const stack = [...roots];
    for (let node = stack.pop(); node; node = stack.pop()) {
      if (node.mark === mark || isLeaf(node)) continue;
      if (this.deferred.has(node) || node.consumed) return true;
      node.mark = mark;
      stack.push(...node.inputs);
    }
    return false;
  }
  /** Computes the deferred nodes if a loop that never reads has gathered many of them. */
  boundDeferred(): void {
    if (this.deferred.size > keptLimit) this.computeDeferred();
  }
  /** Computes the deferred nodes. */
  computeDeferred(): void {
    if (this.deferred.size > 0) this.compute([...this.deferred]);
  }
  /** Computes what was marked to be kept, before a compiled function overwrites variables. */
  computeKept(): void {
    if (this.kept.size > 0) this.compute([...this.kept]);
  }
  /** Forgets the deferred nodes (they belong to a trace). */
  dropDeferred(): void {
    if (this.deferred.size > 0) this.deferred = new Set();
  }

  /** The deferred nodes that are computed now, with these roots or a step: whole, or large ones as their factors. */
  private takeDeferred(roots: readonly Node[], step: boolean): { gradients: Node[]; factored: FactoredGradient[] } {
    const gradients: Node[] = [];
    const factored: FactoredGradient[] = [];
    if (this.deferred.size > 0 && (step || this.needDeferred(roots))) {
      for (const node of this.deferred) {
        const factors = step && !roots.includes(node) ? factoredGradient(node) : undefined;
        if (factors) factored.push(factors);
        else if (!isLeaf(node)) gradients.push(node);
      }
      this.deferred = new Set();
    }
    return { gradients, factored };
  }

  // ---- computing ----

  /** Computes nodes, together with waiting assignments, in one program. */
  compute(roots: readonly Node[], options: { readonly saveForBackward?: boolean } = {}): void {
    if (this.tracing) {
      throw new GradientError("a value was read inside a compiled function: return the tensor and read it outside.");
    }
    const cells = [...this.assigned];
    const { gradients, factored } = this.takeDeferred(roots, cells.length > 0);
    // gradients come first, so that a program does not depend on which of its results is read first
    const wanted = new Set<Node>(gradients);
    for (const root of roots) {
      if (viewOfValue(root)) continue;
      if (root.leaf?.kind === "placeholder") throw placeholderError();
      // who asks for a gradient in another order gets it from what is stored: nor does a program depend on how a door shows it
      if (!root.requiresGrad && wanted.has(beforePermutations(root, wanted))) continue;
      wanted.add(root);
    }
    this.forgetComputed();
    if (cells.length > 0) for (const node of this.kept) wanted.add(node);
    const nodes: Node[] = [];
    for (const node of wanted) if (node.value === undefined) nodes.push(node);
    if (nodes.length === 0 && cells.length === 0) return;
    if (options.saveForBackward !== false) {
      for (const node of savedForBackward(nodes)) if (node.value === undefined && !wanted.has(node)) nodes.push(node);
    }
    try {
      this.run(nodes, factored, cells);
    } catch (error) {
      // nothing was overwritten: the variables are as they were, and what was about to happen to them is forgotten
      for (const cell of cells) cell.pending = undefined;
      for (const node of nodes) this.kept.delete(node);
      throw error;
    } finally {
      if (cells.length > 0) this.assigned = new Set();
    }
  }

  /** Forgets what was to be kept and has been computed. */
  private forgetComputed(): void {
    if (this.kept.size === 0) return;
    const waiting = new Set<Node>();
    for (const node of this.kept) if (!isLeaf(node)) waiting.add(node);
    this.kept = waiting;
  }

  /** `nodes` get their values; of the factors of large gradients only these gradients know. */
  private run(nodes: Node[], factored: readonly FactoredGradient[], cells: readonly VariableCell[]): void {
    const assignments = cells.map((cell) => ({ node: cell.pending as Node, overwrites: variableLeaf(cell) }));
    if (this.debug) {
      findNonFinite([...nodes, ...assignments.map(({ node }) => node)], (node) => this.computeAlone(node));
    }
    const missing = this.debug ? nodes.filter((node) => node.value === undefined) : nodes;
    const requests = (): RequestedOutput[] => [...stored.map((node) => ({ node })), ...assignments];
    let stored = withFactors(missing, factored);
    let built = this.build(requests());
    // what was asked to be kept, or would be computed a second time, is stored now that it is computed anyway
    const again = built.recomputed.filter((node) => !missing.includes(node));
    const others = [...this.kept].filter((node) => !missing.includes(node));
    if (others.length > 0) {
      const computed = new Set(built.computed);
      for (const node of others) if (computed.has(node)) again.push(node);
    }
    if (again.length > 0) {
      missing.push(...new Set(again));
      stored = withFactors(missing, factored);
      built = this.build(requests());
    }
    this.prepareVariables(built.leaves);
    const entry = this.lookUp(built);
    const inputs = built.leaves.map((leaf, index) => this.inputValue(leaf, index, entry));
    const outputs = stored.map(({ type }) => this.recycled.take(bytesOf(type)) ?? this.target.allocate(bytesOf(type)));
    for (const cell of cells) outputs.push(cell.value as NodeValue);
    // before the run, which leaves nothing of the graph in the processor's caches
    for (const node of built.computed) node.passed = true;
    this.execute(entry, built.leaves, inputs, outputs);
    if (factored.length > 0) {
      bindFactors(
        factored,
        new Map(stored.slice(missing.length).map((node, i) => [node, outputs[missing.length + i]])),
      );
    }
    for (let index = 0; index < missing.length; index++) {
      const node = missing[index];
      node.value = outputs[index];
      if (!node.requiresGrad || node.consumed) node.inputs = noInputs;
    }
    this.forgetComputed();
    for (const cell of cells) this.committed(cell);
  }

  private committed(cell: VariableCell): void {
    const node = cell.pending as Node;
    this.written(cell);
    cell.pending = undefined;
    // nobody else computed the node: from now on it is the variable at this version
    if (!isLeaf(node)) {
      node.leaf = { kind: "variable", cell, version: cell.version };
      node.inputs = noInputs;
    }
  }

  /** Checks versions and computes initial values that are still missing. */
  prepareVariables(leaves: readonly Node[]): void {
    const fresh = new Set<VariableCell>();
    for (const { leaf, value } of leaves) {
      if (value !== undefined || leaf?.kind !== "variable") continue;
      if (leaf.version !== leaf.cell.version) {
        throw new StaleTensorError(
          `this tensor depends on ${leaf.cell.name} as it was before its last update, and was not computed in time. ` +
            "Read it before the optimizer's step, or mark it with keep() so that the step computes it.",
        );
      }
      if (leaf.cell.value === undefined) fresh.add(leaf.cell);
    }
    if (fresh.size > 0) this.initialize([...fresh]);
  }

  /** Computes the initial values of variables in one program. Their storage is theirs alone: it will be overwritten. */
  initialize(cells: readonly VariableCell[]): void {
    const missing = cells.filter((cell) => cell.value === undefined);
    const computed = missing.filter((cell) => cell.order || !viewOfValue(cell.initial as Node));
    for (const cell of missing) {
      const source = (cell.initial as Node).value;
      if (!source || cell.order) continue;
      const storage = this.target.allocate(bytesOf(cell.type));
      const bytes = bytesOf(cell.type);
      new Uint8Array(storage.buffer, storage.byteOffset, bytes).set(
        new Uint8Array(source.buffer, source.byteOffset, bytes),
      );
      cell.value = storage;
      cell.initial = undefined;
    }
    if (computed.length === 0) return;
    const inMemory = ({ initial, order }: VariableCell) =>
      order ? permute(initial as Node, order) : (initial as Node);
    const values = this.runApart(computed.map(inMemory));
    computed.forEach((cell, index) => {
      cell.value = values[index];
      cell.initial = undefined;
    });
  }

  /** The value of a node, computed if need be. */
  read(node: Node): NodeValue {
    if (node.value) return node.value;
    if (node.leaf?.kind === "variable") {
      this.commit();
      this.prepareVariables([node]);
      return this.inShownOrder(node.leaf.cell) ?? this.runApart([node])[0];
    }
    if (node.leaf?.kind === "number") {
      const storage = this.target.allocate(bytesOf(node.type));
      viewOf(node.dtype, storage.buffer, storage.byteOffset, 1)[0] = node.leaf.value;
      return storage;
    }
    if (!this.reorder(node)) this.compute([node]);
    // a gradient was computed as its variable lies in memory, and is only now seen in the order of its axes
    if (!node.value && !this.reorder(node)) this.compute([node]);
    if (!node.value) throw placeholderError();
    return node.value;
  }

  /** Gives a permutation of a computed value its value, if that is done without a program. */
  private reorder(node: Node): boolean {
    const source = beforePermutations(node);
    if (source === node || !source.value || this.tracing) return false;
    const value = reordered(source.value, source.type, shownOrder(node));
    if (!value) return false;
    if (value === source.value) {
      source.shared = true;
      node.shared = true;
    }
    node.value = value;
    if (!node.requiresGrad || node.consumed) node.inputs = [];
    return true;
  }

  /** A variable's value with its axes in their own order: a copy where memory holds another, `undefined` where a program should make it. */
  private inShownOrder({ order, type, value }: VariableCell): NodeValue | undefined {
    if (!order) return value;
    const inMemory = { shape: order.map((axis) => type.shape[axis]), dtype: type.dtype };
    return reordered(
      value as NodeValue,
      inMemory,
      order.map((_, axis) => order.indexOf(axis)),
    );
  }

  /** Values of nodes from a program of their own, in storage of their own; the nodes themselves stay as they are. */
  private runApart(nodes: readonly Node[]): NodeValue[] {
    const built = this.build(nodes.map((node) => ({ node })));
    this.prepareVariables(built.leaves);
    const entry = this.lookUp(built);
    const inputs = built.leaves.map((leaf, index) => this.inputValue(leaf, index, entry));
    const outputs = nodes.map(({ type }) => this.target.allocate(bytesOf(type)));
    this.execute(entry, built.leaves, inputs, outputs);
    return outputs;
  }

  /** Debug mode: one op as a program of its own, over the values of its inputs. */
  private computeAlone(node: Node): NodeValue {
    const inputs = node.inputs.map((input) => dataNode(input.type, this.read(input)));
    return this.runApart([new Node(node.op, inputs, node.attributes, node.type)])[0];
  }
}

const noInputs: readonly Node[] = [];

/** Nodes to be stored, and after them the factors that are not among them. */
function withFactors(nodes: readonly Node[], factored: readonly FactoredGradient[]): readonly Node[] {
  if (factored.length === 0) return nodes;
  return [...new Set([...nodes, ...factored.flatMap(({ factors }) => factors)])];
}

/** A leaf for a variable at its current version. */
export function variableLeaf(cell: VariableCell, requiresGrad = false): Node {
  return new Node(undefined, [], {}, cell.type, {
    leaf: { kind: "variable", cell, version: cell.version },
    requiresGrad,
  });
}
