/**
 * The canonical form of a program: permutations move towards the outputs through everything that does not mind the order of axes, and cancel where they
 * meet. So a network written channels-first runs on the channels-last kernels without moving an activation, and two programs that differ only in how
 * their axes are ordered on the way become one.
 *
 * Every value is held as a base and an order: axis i of the value is axis order[i] of the base. A permutation only changes the order. Elementwise
 * work, reductions and simple movements go to the base. Where an op needs the axes as they are, or operands disagree, a permutation is made after all.
 */
import { programOf, structureOf } from "../graph/build-program.ts";
import type { Attributes, TensorType } from "../graph/node.ts";
import type { GraphProgram, ProgramNode } from "../graph/program.ts";
import { type Shape, sameShape, sizeOf } from "../graph/shape.ts";
import { type ScalarExpression, scalarInput } from "../kernel/scalar.ts";
import type { Meaning, Op } from "../ops/define.ts";
import { expand, matmul, permute, reshape } from "../ops/index.ts";

/** A program and, for each of its inputs, the position of that input in the program it was made from. */
export interface CanonicalProgram {
  readonly program: GraphProgram;
  readonly inputs: readonly number[];
}

type Order = readonly number[];
interface Placed {
  readonly base: number;
  /** `undefined`: the value is the base. */
  readonly order: Order | undefined;
}

/** Canonicalizes a program; one without permutations is returned as it is. */
export function canonicalProgram(program: GraphProgram): CanonicalProgram {
  if (!program.nodes.some((node) => node.op === permute || node.stored)) {
    return { program, inputs: program.inputs.map((_, index) => index) };
  }
  const rewriter = new Rewriter();
  const placed: Placed[] = [];
  for (const node of program.nodes) {
    const inputs = node.inputs.map((input) => placed[input]);
    placed.push(node.op ? rewriter.apply(node.op, node.attributes, node.type, inputs) : rewriter.leaf(node));
  }
  const leaves = program.inputs.map((input) => placed[input].base);
  const outputs = program.outputs.map(({ node, overwrites }) => {
    if (overwrites === undefined) return { node: rewriter.asItIs(placed[node]) };
    const { stored } = program.nodes[program.inputs[overwrites]];
    const value = stored ? permuted(placed[node], stored) : placed[node];
    return { node: rewriter.asItIs(value), overwrites: leaves[overwrites] };
  });
  rewriter.transposeProducts(outputs.map(({ node }) => node));
  const result = programOf(rewriter.nodes, outputs);
  return { program: result.program, inputs: result.inputs.map((input) => leaves.indexOf(input)) };
}

/** The order of `order` followed by `axes`. */
const compose = (order: Order | undefined, axes: Order): Order => (order ? axes.map((axis) => order[axis]) : axes);
const inverse = (order: Order): number[] => order.map((_, axis) => order.indexOf(axis));
const isIdentity = (order: Order): boolean => order.every((axis, index) => axis === index);
const permuted = ({ base, order }: Placed, axes: Order): Placed => {
  const composed = compose(order, axes);
  return { base, order: isIdentity(composed) ? undefined : composed };
};
const sameOrder = (left: Order | undefined, right: Order | undefined): boolean =>
  left === right || (left !== undefined && right !== undefined && left.join() === right.join());
/** Moves entries that belong to the axes of a value to the axes of its base. */
function toBase<T>(entries: readonly T[], order: Order): T[] {
  const moved = new Array<T>(entries.length);
  order.forEach((axis, index) => {
    moved[axis] = entries[index];
  });
  return moved;
}

class Rewriter {
  readonly nodes: ProgramNode[] = [];
  private readonly meanings: (Meaning | undefined)[] = [];
  private readonly byStructure = new Map<string, number>();

  leaf({ stored, ...node }: ProgramNode): Placed {
    if (!stored) return { base: this.push(node, undefined), order: undefined };
    const shape = stored.map((axis) => node.type.shape[axis]);
    return { base: this.push({ ...node, type: { ...node.type, shape } }, undefined), order: inverse(stored) };
  }

  /** Node `node` as the original program has it: the permutation is made if there is one. */
  asItIs({ base, order }: Placed): number {
    return order ? this.permuted(base, order) : base;
  }

  apply(op: Op, attributes: Attributes, type: TensorType, inputs: readonly Placed[]): Placed {
    if (op === permute) return permuted(inputs[0], attributes.axes as Order);
    return (
      this.reordered(op, attributes, type, inputs) ?? {
        base: this.add(
          op,
          inputs.map((input) => this.asItIs(input)),
          attributes,
        ),
        order: undefined,
      }
    );
  }

  /** The op on the bases of its operands, where that is the same up to the order of axes. */
  private reordered(op: Op, attributes: Attributes, type: TensorType, inputs: readonly Placed[]): Placed | undefined {
    const leading = inputs.find((input) => input.order !== undefined);
    const order = leading?.order;
    if (!order) return undefined;
    const types = inputs.map((input) => this.typeOf(input));
    const meaning = op.meaning(types, attributes, type);
    if (meaning.kind === "elementwise") {
      if (readsPosition(meaning, types)) return undefined;
      const bases = inputs.map((input) => this.alignedWith(order, input));
      if (bases.some((base) => base === undefined)) return undefined;
      return this.under(order, type, op, bases as number[], attributes);
    }
    if (meaning.kind === "reduce") return this.reduced(op, meaning, type, inputs[0]);
    if (op.opName === "concat" && inputs.every((input) => sameOrder(input.order, order))) {
      const bases = inputs.map((input) => input.base);
      return this.under(order, type, op, bases, { ...attributes, axis: order[attributes.axis as number] });
    }
    if (inputs.length !== 1) return undefined;
    const { base } = inputs[0];
    if (op.opName === "pad") {
      const padding = toBase(attributes.padding as readonly (readonly [number, number])[], order);
      return this.under(order, type, op, [base], { ...attributes, padding });
    }
    if (op.opName === "slice") {
      const { starts, sizes, steps } = attributes as Record<"starts" | "sizes" | "steps", readonly number[]>;
      const ranges = { starts: toBase(starts, order), sizes: toBase(sizes, order), steps: toBase(steps, order) };
      return this.under(order, type, op, [base], { ...attributes, ...ranges });
    }
    if (op === expand && type.shape.length === order.length) {
      return this.under(order, type, op, [base], { ...attributes, shape: toBase(type.shape, order) });
    }
    return undefined;
  }

  /** A node over bases whose result has the given type once its axes are in `order`. */
  private under(
    order: Order,
    type: TensorType,
    op: Op,
    bases: readonly number[],
    attributes: Attributes,
  ): Placed | undefined {
    const inferred = op.infer(
      bases.map((base) => this.nodes[base].type),
      attributes,
    );
    if (!sameShape(inferred.shape, toBase(type.shape, order))) return undefined;
    return { base: this.add(op, bases, attributes), order };
  }

  private reduced(
    op: Op,
    meaning: Extract<Meaning, { kind: "reduce" }>,
    type: TensorType,
    input: Placed,
  ): Placed | undefined {
    const order = input.order as Order;
    // the first of equal elements is another one in another order
    const positions = meaning.combine === "argmax" || meaning.combine === "argmin";
    if (positions && meaning.axes.length !== 1) return undefined;
    const axes = meaning.axes.map((axis) => order[axis]).sort((left, right) => left - right);
    const kept = order.filter((axis) => !axes.includes(axis));
    const remaining = [...kept].sort((left, right) => left - right);
    const after = kept.map((axis) => remaining.indexOf(axis));
    const base = this.add(op, [input.base], { axes });
    if (!sameShape(this.nodes[base].type.shape, toBase(type.shape, after))) return undefined;
    return { base, order: isIdentity(after) ? undefined : after };
  }

  /** What must be computed with to have `input` beside a base whose axes are in `order`; `undefined` where that would move data for nothing. */
  private alignedWith(order: Order, input: Placed): number | undefined {
    if (sameOrder(input.order, order)) return input.base;
    const { base } = input;
    const small = sizeOf(this.nodes[base].type.shape) === 1;
    if (!small && !this.isGenerated(base) && this.nodes[base].op !== expand) return undefined;
    const axes = compose(input.order, inverse(order));
    return isIdentity(axes) ? base : this.permuted(base, axes);
  }

  /** Values made from nothing but shapes and single numbers (random masks, constants) cost the same in any order. */
  private isGenerated(index: number): boolean {
    const { op, inputs, type } = this.nodes[index];
    if (sizeOf(type.shape) === 1) return true;
    if (!op || this.meanings[index]?.kind !== "elementwise") return false;
    return inputs.every((input) => this.isGenerated(input) || this.nodes[input].op === expand);
  }

  /** A base with its axes reordered: as a reshape, or inside an expansion, where nothing has to move. */
  private permuted(base: number, order: Order): number {
    const { op, inputs, attributes, type } = this.nodes[base];
    const shape = order.map((axis) => type.shape[axis]);
    if (op?.opName === "constant") return this.add(op, [], { ...attributes, shape });
    if (keepsElements(type.shape, order)) return this.reshaped(base, shape);
    if (op === expand) {
      const source = this.nodes[inputs[0]].type.shape;
      const aligned = [...new Array<number>(type.shape.length - source.length).fill(1), ...source];
      if (sizeOf(source) === 1) return this.add(expand, inputs, { shape });
      if (keepsElements(aligned, order)) {
        const within = order.map((axis) => aligned[axis]);
        return this.add(expand, [this.reshaped(inputs[0], withoutLeadingOnes(within))], { shape });
      }
    }
    return this.add(permute, [base], { axes: order });
  }

  private reshaped(base: number, shape: Shape): number {
    const { op, inputs, type } = this.nodes[base];
    if (sameShape(type.shape, shape)) return base;
    if (op === reshape) return this.reshaped(inputs[0], shape);
    return this.add(reshape, [base], { shape });
  }

  private add(op: Op, inputs: readonly number[], attributes: Attributes): number {
    if (op === reshape) {
      const [input] = inputs;
      const source = this.nodes[input];
      const shape = attributes.shape as Shape;
      if (sameShape(source.type.shape, shape)) return input;
      if (source.op === reshape) return this.reshaped(source.inputs[0], shape);
    }
    const types = inputs.map((input) => this.nodes[input].type);
    const type = op.infer(types, attributes);
    return this.push({ op, inputs, attributes, type }, op.meaning(types, attributes, type));
  }

  private push(node: ProgramNode, meaning: Meaning | undefined): number {
    const key = node.op ? structureOf(node) : "";
    const known = node.op && this.byStructure.get(key);
    if (known !== undefined) return known;
    const index = this.nodes.push(node) - 1;
    this.meanings.push(meaning);
    if (node.op) this.byStructure.set(key, index);
    return index;
  }

  private typeOf({ base, order }: Placed): TensorType {
    const { type } = this.nodes[base];
    return order ? { shape: order.map((axis) => type.shape[axis]), dtype: type.dtype } : type;
  }

  /** The transpose of a product that nobody else reads is the product of the transposes, the other way round: no element has to move. */
  transposeProducts(outputs: readonly number[]): void {
    const uses = new Int32Array(this.nodes.length);
    const seen = new Uint8Array(this.nodes.length);
    const stack = [...outputs];
    for (const output of outputs) uses[output]++;
    for (let index = stack.pop(); index !== undefined; index = stack.pop()) {
      if (seen[index]) continue;
      seen[index] = 1;
      for (const input of this.nodes[index].inputs) {
        uses[input]++;
        stack.push(input);
      }
    }
    const single = (index: number): boolean => uses[index] === 1;
    const count = this.nodes.length;
    for (let index = 0; index < count; index++) {
      const { op, inputs, attributes } = this.nodes[index];
      if (!seen[index] || op !== permute || !single(inputs[0])) continue;
      const order = attributes.axes as Order;
      const rank = order.length;
      const swapsLast = order.every(
        (axis, at) => axis === (at === rank - 1 ? rank - 2 : at === rank - 2 ? rank - 1 : at),
      );
      if (!swapsLast || !this.endsInProduct(inputs[0], single)) continue;
      this.nodes[index] = this.nodes[this.transposed(inputs[0], order)];
    }
  }

  /** Whether a value is a product, or elementwise work on one and on values that cost the same in any order, and nobody else reads them. */
  private endsInProduct(index: number, single: (index: number) => boolean): boolean {
    const { op, inputs } = this.nodes[index];
    const meaning = this.meanings[index];
    if (!single(index)) return false;
    if (op === matmul) return true;
    if (meaning?.kind !== "elementwise" || inputs.length === 0) return false;
    const types = inputs.map((input) => this.nodes[input].type);
    if (readsPosition(meaning, types)) return false;
    const others = inputs.filter((input) => !this.endsInProduct(input, single));
    return (
      others.length < inputs.length &&
      others.every((input) => this.nodes[input].op === expand || this.isGenerated(input))
    );
  }

  private transposed(index: number, order: Order): number {
    const { op, inputs, attributes } = this.nodes[index];
    if (op === matmul) {
      const [left, right] = inputs.map((input) => this.moved(input, order));
      return this.add(matmul, [right, left], attributes);
    }
    if (op === undefined || op === expand || this.isGenerated(index)) return this.permuted(index, order);
    return this.add(
      op,
      inputs.map((input) => this.transposed(input, order)),
      attributes,
    );
  }

  /** A node with its axes reordered, where it may itself be a permutation. */
  private moved(index: number, order: Order): number {
    const { op, inputs, attributes } = this.nodes[index];
    const axes = op === permute ? compose(attributes.axes as Order, order) : order;
    const source = op === permute ? inputs[0] : index;
    return isIdentity(axes) ? source : this.add(permute, [source], { axes });
  }
}

/** Whether the elements lie in the same row-major order when the axes of a shape are reordered: only axes of size 1 move. */
function keepsElements(shape: Shape, order: Order): boolean {
  const moving = order.filter((axis) => shape[axis] !== 1);
  return moving.every((axis, index) => index === 0 || axis > moving[index - 1]);
}

function withoutLeadingOnes(shape: Shape): Shape {
  const first = shape.findIndex((extent) => extent !== 1);
  return first < 0 ? [] : shape.slice(first);
}

/** Whether an elementwise op uses the position of an element, so that its axes cannot be reordered. */
function readsPosition(meaning: Extract<Meaning, { kind: "elementwise" }>, types: readonly TensorType[]): boolean {
  const seen = new Set<ScalarExpression>();
  const visit = (expression: ScalarExpression): boolean => {
    if (seen.has(expression)) return false;
    seen.add(expression);
    if (expression.kind === "position") return true;
    return expression.kind === "call" && expression.inputs.some(visit);
  };
  return visit(meaning.expression(types.map((type, index) => scalarInput(index, type.dtype))));
}
