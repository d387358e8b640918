/** What a gradient tape records: which operations belong to it, and gradients that flow through these only. */
import { gradients as nodeGradients } from "../autodiff/gradients.ts";
import { defaultEngine } from "../engine/default-engine.ts";
import { differentiableLeaves } from "../engine/saved-for-backward.ts";
import { ArgumentError, GradientError, ShapeError } from "../errors.ts";
import { isLeaf } from "../graph/build-program.ts";
import { withGradMode } from "../graph/grad-mode.ts";
import { type Node, nextMark, serialNow } from "../graph/node.ts";
import { formatShape, sameShape } from "../graph/shape.ts";
import { add, cast, concat, constant, eq, iota, reshape } from "../ops/index.ts";
import { keptGradients } from "./stored-gradient.ts";
import { Tensor } from "./tensor.ts";
import { Variable } from "./variable.ts";

/** Recordings that overlap in time share nodes: only the last of them that is used may let the nodes go. */
interface Group {
  recording: number;
  unfinished: number;
}
let currentGroup: Group = { recording: 0, unfinished: 0 };

/** Whether what is computed now is recorded by a tape or traced by a compiled function: it must be built, not replayed. */
export function recordsOrTraces(): boolean {
  return currentGroup.recording > 0 || defaultEngine.tracing;
}

export interface RecordingOptions {
  /** May be used more than once. */
  readonly persistent?: boolean;
  /** Variables are watched without being named; default true. */
  readonly watchVariables?: boolean;
}

/**
 * Operations between `start` and `pause` (any number of times), and the gradients through them. What was computed outside is a constant, as for
 * `tf.GradientTape`.
 */
export class Recording {
  readonly persistent: boolean;
  private readonly watchVariables: boolean;
  /** Serial numbers [from, to) of the recorded nodes; the last one may be open. */
  private intervals: { from: number; to: number }[] = [];
  private readonly watchedNodes = new Set<Node>();
  private readonly watchedVariables = new Set<Variable>();
  /** Nodes that only this recording made differentiable. */
  private readonly flipped: Node[] = [];
  private group: Group | undefined;
  private active = false;
  private used = false;

  constructor(options: RecordingOptions = {}) {
    this.persistent = options.persistent ?? false;
    this.watchVariables = options.watchVariables ?? true;
  }

  get recording(): boolean {
    return this.active;
  }
  /** Records from now on. */
  start(): void {
    if (this.active) return;
    if (currentGroup.recording === 0) currentGroup = this.group ?? { recording: 0, unfinished: 0 };
    if (this.group !== currentGroup) {
      this.leave();
      this.group = currentGroup;
      this.group.unfinished++;
    }
    currentGroup.recording++;
    this.active = true;
    this.intervals.push({ from: serialNow(), to: Number.POSITIVE_INFINITY });
  }
  /** Records no more, until `start`. */
  pause(): void {
    if (!this.active) return;
    (this.group as Group).recording--;
    this.active = false;
    this.intervals[this.intervals.length - 1].to = serialNow();
  }
  private leave(): void {
    if (this.group) this.group.unfinished--;
    this.group = undefined;
  }
  /** Forgets what was recorded. */
  reset(): void {
    this.pause();
    this.leave();
    for (const node of this.flipped.splice(0)) node.requiresGrad = false;
    this.intervals = [];
    this.watchedNodes.clear();
    this.watchedVariables.clear();
  }

  /** Makes a tensor a source of gradients. */
  watch(tensor: Tensor): void {
    if (tensor instanceof Variable) {
      this.watchedVariables.add(tensor);
      return;
    }
    if (tensor.dtype !== "f32") {
      throw new ArgumentError(`watch: only f32 tensors have gradients, received ${tensor.dtype}.`);
    }
    const { node } = tensor;
    this.watchedNodes.add(node);
    if (node.requiresGrad) return;
    // a pending value without a gradient path becomes a leaf, so that what its gradient needs is found like that of any other
    if (!isLeaf(node) && !defaultEngine.tracing) defaultEngine.compute([node]);
    node.requiresGrad = true;
    this.flipped.push(node);
  }
  get watched(): readonly Variable[] {
    return [...this.watchedVariables];
  }

  /** The trainable variables that a target was computed from. */
  variablesUnder(target: Tensor): Variable[] {
    const owners = differentiableLeaves([target.node]).map(({ owner }) => owner);
    return [...new Set(owners.filter((owner) => owner instanceof Variable))];
  }

  private readonly through = (node: Node): boolean =>
    this.intervals.some(({ from, to }) => node.serial >= from && node.serial < to);

  /** Leaves under the targets for each source: a variable may have been read at several versions. */
  private leavesOf(source: Tensor, leaves: readonly Node[]): readonly Node[] {
    if (!(source instanceof Variable)) {
      const { node } = source;
      // what was neither watched nor recorded is a constant, even if it depends on a variable elsewhere
      return this.watchedNodes.has(node) || this.through(node) || node.owner === source ? [node] : [];
    }
    if (!this.watchVariables && !this.watchedVariables.has(source)) return [];
    return leaves.filter(({ leaf }) => leaf?.kind === "variable" && leaf.cell === source.cell);
  }

  /**
   * Gradients of the sum of the targets with respect to each source, undefined where none flows. Targets, gradients and the model's outputs
   * (what users hold that was computed after the last variable came in) are kept through the next step.
   */
  gradients(
    targets: readonly Tensor[],
    sources: readonly Tensor[],
    seeds?: readonly (Tensor | undefined)[],
  ): (Tensor | undefined)[] {
    targets.forEach((target, index) => {
      const seed = seeds?.[index];
      if (seed && !sameShape(seed.shape, target.shape)) {
        throw new ShapeError(
          `GradientTape.gradient: outputGradients of shape ${formatShape(seed.shape)} for a target of shape ${formatShape(target.shape)}.`,
        );
      }
    });
    const given = seeds?.length ? targets.map((_, index) => seeds[index]?.node) : undefined;
    const [results] = this.once(targets, sources, (roots) => [this.flow(roots, sources, given)]);
    return results.map((node) => node && new Tensor(node));
  }

  /** Derivatives of every element of the target with respect to every element of each source: shape [...target, ...source]. */
  jacobian(target: Tensor, sources: readonly Tensor[]): (Tensor | undefined)[] {
    const { size } = target;
    const rows = this.once([target], sources, (roots) =>
      Array.from({ length: size }, (_, element) => {
        const seed = cast(eq(reshape(iota([size]), target.shape), constant(element, target.shape, "i32")), "f32");
        return this.flow(roots, sources, [seed]);
      }),
    );
    return sources.map((source, index) => {
      const parts = rows.map((row) => row[index]);
      if (parts.every((part) => part === undefined)) return undefined;
      const flat = parts.map((part) => reshape(part ?? constant(0, source.shape, "f32"), [1, source.size]));
      return new Tensor(
        withGradMode(currentGroup.recording > 0, () => reshape(concat(flat, 0), [...target.shape, ...source.shape])),
      );
    });
  }

  /** Differentiates: checks that the tape may, keeps what users read after a step, and lets go of what nobody needs any more. */
  private once(
    targets: readonly Tensor[],
    sources: readonly Tensor[],
    differentiate: (roots: readonly Node[]) => readonly (readonly (Node | undefined)[])[],
  ): readonly (readonly (Node | undefined)[])[] {
    if (this.used && !this.persistent) {
      throw new GradientError(
        "GradientTape.gradient: a tape that is not persistent can compute one set of gradients only. Make it with { persistent: true }.",
      );
    }
    if (!this.persistent) this.pause();
    this.used = true;
    if (!defaultEngine.tracing) defaultEngine.boundDeferred();
    const roots = targets.map((target) => target.node);
    const recorded = roots.filter((root) => root.requiresGrad);
    for (const node of this.recordedAbove(recorded)) {
      if (node.consumed && node.inputs.length === 0 && !this.watchedNodes.has(node)) throw freed();
    }
    const results = differentiate(roots);
    for (const node of this.outputs(recorded)) defaultEngine.keep(node);
    const createGraph = currentGroup.recording > 0;
    const orders = sources.map((source) => (source instanceof Variable ? source.order : undefined));
    const seen = results.map((row) => keptGradients(recorded, row, orders, createGraph));
    this.finish(recorded);
    return seen;
  }

  /** Gradients with respect to each source: of a variable, the sum over the versions that were read. */
  private flow(
    roots: readonly Node[],
    sources: readonly Tensor[],
    seeds: readonly (Node | undefined)[] | undefined,
  ): (Node | undefined)[] {
    const leaves = differentiableLeaves(roots.filter((root) => root.requiresGrad));
    const wanted = sources.map((source) => this.leavesOf(source, leaves));
    // another tape that records sees these gradients too: their own graph is kept
    const createGraph = currentGroup.recording > 0;
    const results = nodeGradients(roots, wanted.flat(), seeds, { createGraph, through: this.through });
    let next = 0;
    return wanted.map((nodes) => {
      const parts = results.slice(next, next + nodes.length).filter((part) => part !== undefined);
      next += nodes.length;
      if (parts.length === 0) return undefined;
      return withGradMode(createGraph, () => parts.reduce((sum, part) => add(sum, part)));
    });
  }

  private recordedAbove(roots: readonly Node[]): Node[] {
    const mark = nextMark();
    const found: Node[] = [];
    const stack = [...roots];
    while (stack.length > 0) {
      const node = stack.pop() as Node;
      if (node.mark === mark || !node.requiresGrad || !node.op || !this.through(node)) continue;
      node.mark = mark;
      found.push(node);
      stack.push(...node.inputs);
    }
    return found;
  }

  /**
   * What users hold and no variable enters after, the outputs of the model. What leads from them to the targets is left out: it can be computed
   * from them after the step too.
   */
  private outputs(roots: readonly Node[]): Node[] {
    const nodes = this.recordedAbove(roots).sort((a, b) => a.serial - b.serial);
    const carriers = new Set<Node>();
    const enters = (node: Node): boolean => node.leaf?.kind === "variable" || carriers.has(node);
    const before = nextMark();
    const tainted: Node[] = [];
    for (const node of nodes) {
      if (!node.inputs.some(enters)) continue;
      // a variable seen through a movement is still the variable
      if (node.inputs.length === 1 && sizeless(node)) carriers.add(node);
      else tainted.push(...node.inputs);
    }
    while (tainted.length > 0) {
      const node = tainted.pop() as Node;
      if (node.mark === before) continue;
      node.mark = before;
      tainted.push(...node.inputs);
    }
    const held = nodes.filter((node) => node.mark !== before && node.exposed && !carriers.has(node));
    const outputs = new Set<Node>();
    for (const node of held) if (needsVariable(node, outputs)) outputs.add(node);
    return [...outputs];
  }

  /** A tape that is not persistent lets go of its operations, unless another one shares them. */
  private finish(roots: readonly Node[]): void {
    if (this.persistent || !this.group) return;
    if (--this.group.unfinished > 0) return;
    for (const node of this.recordedAbove(roots)) {
      node.consumed = true;
      if (isLeaf(node)) node.inputs = [];
    }
    for (const node of this.flipped.splice(0)) node.requiresGrad = false;
  }
}

/** Whether a node cannot be computed from the given ones and data alone. */
function needsVariable(node: Node, given: ReadonlySet<Node>): boolean {
  const mark = nextMark();
  const stack = [node];
  for (let next = stack.pop(); next; next = stack.pop()) {
    if (next.mark === mark || given.has(next)) continue;
    next.mark = mark;
    if (next.leaf?.kind === "variable" && next.value === undefined) return true;
    if (!isLeaf(next)) stack.push(...next.inputs);
  }
  return false;
}

function sizeless(node: Node): boolean {
  const { kind } = (node.op as NonNullable<Node["op"]>).meaning(
    node.inputs.map((input) => input.type),
    node.attributes,
    node.type,
  );
  return kind === "movement" || kind === "reshape";
}

function freed(): GradientError {
  return new GradientError(
    "GradientTape.gradient: a part of the target was differentiated before and its saved values were freed. Use one persistent tape, or compute it again.",
  );
}

/** Makes a tensor that is being traced a source of gradients. */
export function differentiable(tensor: Tensor): Tensor {
  if (tensor.dtype === "f32" && !(tensor instanceof Variable)) tensor.node.requiresGrad = true;
  return tensor;
}
