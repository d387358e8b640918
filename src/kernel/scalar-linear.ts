import type { ScalarExpression } from "./scalar.ts";

/** One distinct subexpression; `inputs` are positions of earlier steps. */
export interface ScalarStep {
  readonly expression: ScalarExpression;
  readonly inputs: readonly number[];
}

/**
 * The distinct subexpressions of an expression graph, each after its inputs; the last one is the expression itself.
 * Shared nodes appear once, and the walk does not recurse, so deep chains are fine.
 */
export function linearize(expression: ScalarExpression): ScalarStep[] {
  const steps: ScalarStep[] = [];
  const position = new Map<ScalarExpression, number>();
  const stack: ScalarExpression[] = [expression];
  while (stack.length > 0) {
    const current = stack[stack.length - 1];
    if (position.has(current)) {
      stack.pop();
      continue;
    }
    const inputs = current.kind === "call" ? current.inputs : [];
    const pending = inputs.filter((input) => !position.has(input));
    if (pending.length > 0) {
      for (let i = pending.length - 1; i >= 0; i--) stack.push(pending[i]);
      continue;
    }
    stack.pop();
    position.set(current, steps.length);
    steps.push({ expression: current, inputs: inputs.map((input) => position.get(input) as number) });
  }
  return steps;
}
