/** Loops over time as one node: however long the sequence, the body is built, differentiated and compiled once. */
import { ArgumentError, DTypeError, ShapeError } from "../errors.ts";
import { gradEnabled } from "../graph/grad-mode.ts";
import type { Node } from "../graph/node.ts";
import { formatShape, sameShape } from "../graph/shape.ts";
import { closeBody } from "./capture.ts";
import { placeholderNode } from "./graft.ts";
import { residualsOf } from "./residuals.ts";
import { gradientOf } from "./scan-gradient.ts";
import { type BodyInput, finalOf, type LoopBody, scanNode, sequenceOf, stepOf } from "./scan-node.ts";

/** What a step gives back: the carries of the next step, and what is stacked over all steps. */
export interface StepResult {
  readonly carries: readonly Node[];
  readonly outputs: readonly Node[];
}

export interface ScanOptions {
  /** From the last element of the sequences to the first; outputs stay at the place of their inputs. */
  readonly reverse?: boolean;
  /** Number of steps; needed only without sequences. */
  readonly length?: number;
}

export interface ScanResult {
  /** After the last step. */
  readonly carries: Node[];
  /** [T, …] each. */
  readonly outputs: Node[];
  /** Each carry after every step, [T, …]. */
  readonly history: Node[];
}

/**
 * Runs `step` once for each element of the first axis of `sequences`: carries go from step to step, outputs are stacked. The step is
 * traced once. Nodes from outside that it uses are constants of the loop, and gradients flow to them.
 */
export function scan(
  step: (carries: readonly Node[], elements: readonly Node[]) => StepResult,
  initial: readonly Node[],
  sequences: readonly Node[],
  options: ScanOptions = {},
): ScanResult {
  const length = lengthOf(sequences, options.length);
  const elements = sequences.map(({ shape, dtype }) => placeholderNode({ shape: shape.slice(1), dtype }));
  for (const { dtype, shape } of initial) checkFloat("carry", dtype, shape);
  const carried = initial.map(({ type }) => placeholderNode(type));
  const { carries, outputs } = step(carried, elements);
  checkCarries(initial, carries);
  for (const { dtype, shape } of outputs) checkFloat("output", dtype, shape);
  const results = [...new Set([...carries, ...outputs])];
  const inputs: BodyInput[] = [
    ...carried.map((placeholder, i): BodyInput => {
      return { placeholder, source: { kind: "carry", result: results.indexOf(carries[i]), initial: initial[i] } };
    }),
    ...elements.map((placeholder, i): BodyInput => {
      return { placeholder, source: { kind: "sequence", sequence: sequences[i], shift: 0 } };
    }),
  ];
  const packed = buildLoop({ length, reverse: options.reverse ?? false, inputs, results });
  const { node, loop } = packed;
  return {
    carries: carries.map((carry) => finalOf(node, loop, results.indexOf(carry))),
    outputs: outputs.map((output) => sequenceOf(node, loop, results.indexOf(output))),
    history: carries.map((carry) => sequenceOf(node, loop, results.indexOf(carry))),
  };
}

/** Closes a body, adds to its results what its gradient will read, and makes the node. */
export function buildLoop(open: LoopBody): { readonly node: Node; readonly loop: LoopBody } {
  const closed = closeBody(open.results, open.inputs);
  const plain = { ...open, ...closed };
  const differentiable = gradEnabled() && closed.inputs.some(({ source }) => sourceNeedsGradient(source));
  const loop = differentiable ? { ...plain, results: [...plain.results, ...residualsOf(plain)] } : plain;
  const node = scanNode(loop, (bound, gradient, context) => gradientOf(bound, gradient, context, buildLoop));
  return { node, loop };
}

function sourceNeedsGradient(source: BodyInput["source"]): boolean {
  if (source.kind === "constant") return source.value.requiresGrad;
  if (source.kind === "carry") return source.initial.requiresGrad;
  return source.sequence.requiresGrad || (source.shift !== 0 && source.initial.requiresGrad);
}

function lengthOf(sequences: readonly Node[], given: number | undefined): number {
  for (const { shape } of sequences) {
    if (shape.length === 0)
      throw new ShapeError("scan: a sequence needs a first axis to run along, received a scalar.");
  }
  const lengths = [...new Set([...sequences.map(({ shape }) => shape[0]), ...(given === undefined ? [] : [given])])];
  if (lengths.length > 1) {
    throw new ShapeError(
      `scan: all sequences must have one length, received ${sequences.map(({ shape }) => formatShape(shape)).join(", ")}` +
        `${given === undefined ? "" : ` and length ${given}`}.`,
    );
  }
  if (lengths.length === 0)
    throw new ArgumentError("scan: without sequences the number of steps must be given as length.");
  if (!Number.isInteger(lengths[0]) || lengths[0] < 1) {
    throw new ShapeError(`scan: there must be at least one step, received a length of ${lengths[0]}.`);
  }
  return lengths[0];
}

function checkFloat(what: string, dtype: string, shape: readonly number[]): void {
  if (dtype !== "f32") {
    throw new DTypeError(
      `scan: every ${what} must be f32, received ${dtype} ${formatShape(shape)}; convert with .cast("f32").`,
    );
  }
}

function checkCarries(initial: readonly Node[], carries: readonly Node[]): void {
  if (carries.length !== initial.length) {
    throw new ArgumentError(`scan: the step returned ${carries.length} carries, expected ${initial.length}.`);
  }
  carries.forEach(({ shape, dtype }, i) => {
    checkFloat("carry", dtype, shape);
    if (!sameShape(shape, initial[i].shape)) {
      throw new ShapeError(
        `scan: carry ${i} enters a step with shape ${formatShape(initial[i].shape)} and leaves it with ${formatShape(shape)}; ` +
          "a carry keeps its shape.",
      );
    }
  });
}

/** One step of a result of `scan`, without the axis of time. */
export { stepOf };
