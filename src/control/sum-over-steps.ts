/** Sums over all steps of a loop, taken outside of it wherever what is summed is linear in values that are stored anyway. */
import type { Node } from "../graph/node.ts";
import { type Shape, sizeOf } from "../graph/shape.ts";
import { applyOp, type Op } from "../ops/define.ts";
import { add, constant, expand, matmul, mul, pad, permute, reshape, slice, sub, sum } from "../ops/index.ts";
import type { LoopBody } from "./scan-node.ts";
import { stepsOf } from "./scan-node.ts";

/** The values of a body's node at the steps of a loop, as nodes outside. */
export type StepValues =
  | { readonly kind: "same"; readonly value: Node }
  /** `sequence` holds them from step `from` on; `other` is the step that it lacks, if any. */
  | {
      readonly kind: "steps";
      readonly from: number;
      readonly sequence: () => Node;
      readonly other?: { readonly step: number; readonly value: Node };
    };

export interface StepMemory {
  /** Values that exist outside the loop. */
  readonly known: (node: Node) => StepValues | undefined;
  /** Stores a value at every step; the result is read once the loop is built. */
  readonly store: (node: Node) => () => Node;
  /** Adds up inside the loop. */
  readonly accumulate: (node: Node) => () => Node;
}

export class SumOverSteps {
  private readonly loop: LoopBody;
  private readonly memory: StepMemory;

  constructor(loop: LoopBody, memory: StepMemory) {
    this.loop = loop;
    this.memory = memory;
  }

  /** Σ over steps of a node of the body. */
  of(node: Node): () => Node {
    const { inputs, shape } = node;
    const known = this.memory.known(node);
    if (known) return () => this.summed(known, [], shape);
    switch (node.op?.opName) {
      case "add":
      case "sub": {
        const [left, right] = inputs.map((input) => this.of(input));
        const combine = node.op === sub ? sub : add;
        return () => combine(left(), right());
      }
      case "neg":
      case "reshape":
      case "permute":
      case "pad":
      case "slice": {
        if (node.op === pad && node.attributes.value !== 0) break;
        const inner = this.of(inputs[0]);
        return () => again(node, inner());
      }
      case "sum": {
        const axes = node.attributes.axes as readonly number[];
        const values = this.valuesOf(inputs[0]);
        return () => this.summed(values, axes, inputs[0].shape);
      }
      case "matmul":
        if (inputs[0].shape.length === 2) return this.product(inputs[0], inputs[1]);
        break;
      default:
    }
    return this.memory.accumulate(node);
  }

  /** Σ_t a_t · b_t as one product over the steps and the inner axis together. */
  private product(left: Node, right: Node): () => Node {
    // a transposed left operand is stacked as it lies
    const transposed = left.op === permute;
    const source = transposed ? left.inputs[0] : left;
    const [a, b] = [this.valuesOf(source), this.valuesOf(right)];
    const rows = (values: Node): Node => {
      const [steps, first, second] = values.shape;
      if (transposed) return permute(columns(values), [1, 0]);
      return reshape(permute(values, [1, 0, 2]), [first, steps * second]);
    };
    return () => {
      let total: Node | undefined;
      for (const [from, to] of this.segments(a, b)) {
        const [p, q] = [this.segment(a, source.shape, from, to), this.segment(b, right.shape, from, to)];
        if (!p || !q) continue;
        const part = matmul(rows(p), columns(q));
        total = total ? add(total, part) : part;
      }
      return total ?? constant(0, [left.shape[0], right.shape[1]], "f32");
    };
  }

  private summed(values: StepValues, axes: readonly number[], shape: Shape): Node {
    if (values.kind === "same") {
      const once = axes.length > 0 ? sum(values.value, axes) : values.value;
      return mul(once, constant(this.loop.length, once.shape, "f32"));
    }
    let total: Node | undefined;
    for (const [from, to] of this.segments(values, values)) {
      const part = this.segment(values, shape, from, to);
      if (!part) continue;
      const subtotal = sum(part, [0, ...axes.map((axis) => axis + 1)]);
      total = total ? add(total, subtotal) : subtotal;
    }
    const kept = shape.filter((_, axis) => !axes.includes(axis));
    return total ?? constant(0, kept, "f32");
  }

  /** Runs of steps in which each of two values lies in one piece. */
  private segments(a: StepValues, b: StepValues): [number, number][] {
    const { length } = this.loop;
    const cuts = new Set([0, length]);
    for (const values of [a, b]) {
      if (values.kind !== "steps" || !values.other) continue;
      cuts.add(values.other.step);
      cuts.add(values.other.step + 1);
    }
    const sorted = [...cuts].sort((left, right) => left - right);
    return sorted.slice(1).map((to, index) => [sorted[index], to]);
  }

  /** The values of steps `from` to `to`, [to − from, …]; undefined where they are known to be 0. */
  private segment(values: StepValues, shape: Shape, from: number, to: number): Node | undefined {
    if (values.kind === "same") {
      return isZero(values.value) ? undefined : expand(values.value, [to - from, ...shape]);
    }
    const { other } = values;
    if (other && other.step === from) {
      return isZero(other.value) ? undefined : reshape(other.value, [1, ...shape]);
    }
    return stepsOf(values.sequence(), from - values.from, to - values.from);
  }

  /** Where the values of a node are at all steps; stores them if they are nowhere. */
  private valuesOf(node: Node): StepValues {
    const known = this.memory.known(node);
    if (known) return known;
    const { op, inputs, attributes } = node;
    if (op === reshape || op === permute) {
      const inner = this.valuesOf(inputs[0]);
      if (inner.kind === "same") return { kind: "same", value: again(node, inner.value) };
      const moved = (values: Node): Node => {
        const steps = values.shape[0];
        if (op === reshape) return reshape(values, [steps, ...node.shape]);
        return permute(values, [0, ...(attributes.axes as readonly number[]).map((axis) => axis + 1)]);
      };
      const { other } = inner;
      return {
        ...inner,
        sequence: () => moved(inner.sequence()),
        ...(other && { other: { step: other.step, value: again(node, other.value) } }),
      };
    }
    return { kind: "steps", from: 0, sequence: this.memory.store(node) };
  }
}

/** Matrices [steps, m, n] below each other: [steps · m, n]. Cut after they are joined, a run of steps is read in place. */
function columns(values: Node): Node {
  const [steps, first, second] = values.shape;
  const [source] = values.inputs;
  if (values.op === slice && source.shape[1] === first && source.shape[2] === second) {
    const [start] = values.attributes.starts as readonly number[];
    return slice(columns(source), [{ start: start * first, stop: (start + steps) * first }]);
  }
  return reshape(values, [steps * first, second]);
}

/** The op of a one-input node, on another input of the same shape. */
function again({ op, attributes }: Node, input: Node): Node {
  return applyOp(op as Op, [input], attributes);
}

/** Whether a node is made of zeros by its structure. */
function isZero(node: Node): boolean {
  if (node.op === expand || node.op === reshape) return isZero(node.inputs[0]);
  return node.op?.opName === "constant" && node.attributes.value === 0 && sizeOf(node.shape) > 0;
}
