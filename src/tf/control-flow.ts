/** `tf.cond` and `tf.whileLoop`: JavaScript's own control flow where values can be read, a selection of results where they cannot. */
import { ArgumentError, DTypeError, ShapeError, UnsupportedError } from "../errors.ts";
import { formatShape, sameShape } from "../graph/shape.ts";
import { engine, Tensor, type TensorLike, withoutAssignments } from "../tensor/index.ts";
import { atEntry } from "../tensor/lift.ts";
import { GraphTensor, Operation } from "./compat-v1/graph.ts";
import { asTensor } from "./convert.ts";
import { where } from "./elementwise.ts";
import { mapNested, nestedLeaves } from "./structure.ts";

/** A condition: JavaScript's, or a tensor with one element. */
export type Condition = boolean | number | Tensor;

/** Whether a condition is known only when a program or a session runs. */
function isOpen(condition: Condition): condition is Tensor {
  return condition instanceof Tensor && (condition instanceof GraphTensor || engine.tracing);
}

function checkScalar(operation: string, condition: Condition): void {
  if (!(condition instanceof Tensor)) return;
  if (condition instanceof GraphTensor && condition.partialType.shape?.includes(null) !== false) return;
  if (condition.size !== 1) {
    throw new ShapeError(
      `${operation}: the condition must have one element, received shape ${formatShape(condition.shape)}. Use tf.where to choose element by element.`,
    );
  }
}

const truth = (condition: Condition): boolean => (condition instanceof Tensor ? condition.item() !== 0 : !!condition);

/** What both branches give, and whether either writes a variable. */
function bothBranches<Result>(condition: Tensor, whenTrue: () => Result, whenFalse: () => Result): [Result, Result] {
  const run = (): [Result, Result] => [whenTrue(), whenFalse()];
  const refusal = (name: string): string =>
    `cond: a branch writes ${name}, but which branch is taken is known only when the program runs, and both are computed. Write the variable outside, with the value that cond gives.`;
  if (!(condition instanceof GraphTensor)) return withoutAssignments(refusal, run);
  const before = condition.graph.getOperations().length;
  const results = run();
  const writer = condition.graph
    .getOperations()
    .slice(before)
    .find(({ writes }) => writes);
  if (writer) throw new UnsupportedError(refusal(`a variable (operation "${writer.name}")`));
  return results;
}

function selected(condition: Tensor, left: unknown, right: unknown): Tensor {
  for (const leaf of [left, right]) {
    if (leaf instanceof Tensor || typeof leaf === "number") continue;
    const received = leaf instanceof Operation ? leaf.toString() : leaf === null ? "null" : typeof leaf;
    throw new UnsupportedError(
      `cond: where the condition is known only when the program runs, branches must give tensors, received ${received}.`,
    );
  }
  const [a, b] = [left, right].map((leaf) => asTensor(leaf as TensorLike));
  // types of a static graph may be known only when it runs
  if (!(condition instanceof GraphTensor) && a.dtype !== b.dtype) {
    throw new DTypeError(`cond: the branches give ${a.dtype} and ${b.dtype}; cast one of them.`);
  }
  if (!(condition instanceof GraphTensor) && !sameShape(a.shape, b.shape)) {
    throw new ShapeError(`cond: the branches give shapes ${formatShape(a.shape)} and ${formatShape(b.shape)}.`);
  }
  return where(condition.reshape([]), a, b);
}

/**
 * What one of two functions gives. Where the condition can be read, only that one is called. Inside `tf.function`, a compiled step or a static graph it
 * cannot: both are computed and their results selected, so both must give tensors of the same types in the same structure, and neither may write a variable.
 *
 * @throws UnsupportedError where a branch would have to be left out and cannot
 * @example
 * ```ts
 * const x = tf.constant(-2);
 * tf.cond(tf.less(x, 0), () => tf.neg(x), () => x).item(); // 2
 * ```
 */
export function cond<Result>(condition: Condition, whenTrue: () => Result, whenFalse: () => Result): Result {
  return atEntry(cond, () => {
    checkScalar("cond", condition);
    if (!isOpen(condition)) return truth(condition) ? whenTrue() : whenFalse();
    const [left, right] = bothBranches(condition, whenTrue, whenFalse);
    const others = nestedLeaves(right);
    if (nestedLeaves(left).length !== others.length) {
      throw new ArgumentError(
        `cond: the branches give ${nestedLeaves(left).length} and ${others.length} values; they must have the same structure.`,
      );
    }
    let next = 0;
    return mapNested(left, (leaf) => selected(condition, leaf, others[next++])) as Result;
  });
}

export interface WhileLoopOptions {
  /** The loop ends after so many rounds in any case. */
  readonly maximumIterations?: number;
}

/**
 * Repeats `body` while the condition on the loop's variables holds; gives the variables after the last round. Each round reads the condition, so inside
 * `tf.function` or a static graph it is not available; `scan` repeats a step a known number of times there.
 *
 * @throws UnsupportedError inside a compiled function or on tensors of a static graph
 * @example
 * ```ts
 * const [x] = tf.whileLoop((value) => tf.greater(tf.norm(value), 1), (value) => [tf.div(value, 2)], [tf.constant([3, 4])]);
 * x.toArray(); // [0.375, 0.5]
 * ```
 */
export function whileLoop<Vars extends readonly unknown[]>(
  condition: (...vars: NoInfer<Vars>) => Condition,
  body: (...vars: NoInfer<Vars>) => readonly [...NoInfer<Vars>],
  loopVars: readonly [...Vars],
  options: WhileLoopOptions = {},
): Vars {
  return atEntry(whileLoop, () => {
    const { maximumIterations = Number.POSITIVE_INFINITY } = options;
    let vars = loopVars as unknown as Vars;
    for (let round = 0; round < maximumIterations; round++) {
      const goesOn = condition(...vars);
      checkScalar("whileLoop", goesOn);
      if (isOpen(goesOn)) {
        throw new UnsupportedError(
          "whileLoop: how often the loop runs depends on a value that is known only when the program runs. Call it outside of the compiled function or the " +
            "static graph, or repeat a fixed number of rounds with scan.",
        );
      }
      if (!truth(goesOn)) break;
      const after = body(...vars);
      if (!Array.isArray(after) || after.length !== vars.length) {
        throw new ArgumentError(
          `whileLoop: the body must give a list of ${vars.length} values, as the loop's variables, received ${Array.isArray(after) ? after.length : typeof after}.`,
        );
      }
      vars = after as unknown as Vars;
    }
    return vars;
  });
}
