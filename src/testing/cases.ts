/** The worked cases of every op as test material: any target, any check, without knowing the op. */
import type { Node } from "../graph/node.ts";
import type { Op, WorkedCase } from "../ops/define.ts";
import { ops } from "../ops/index.ts";
import { leafOf } from "./nodes.ts";

/** One worked case with its call built. */
export interface BuiltCase {
  readonly op: Op;
  readonly case: WorkedCase<readonly never[]>;
  readonly result: Node;
  /** The constants that the case made, in order. */
  readonly leaves: readonly Node[];
}

/** Every (op, case) pair of the table, for `test.each`. */
export function everyCase(): {
  readonly name: string;
  readonly build: (requiresGrad?: boolean) => BuiltCase;
  readonly smooth: boolean;
}[] {
  return Object.values(ops as Record<string, Op>).flatMap((op) =>
    op.cases.map((each) => ({
      name: `${op.opName}: ${each.name}`,
      smooth: each.smooth ?? false,
      build: (requiresGrad = false) => buildCase(op, each, requiresGrad),
    })),
  );
}

/** Calls an op with the arguments of a case; f32 constants take a gradient when asked to. */
export function buildCase(op: Op, each: WorkedCase<readonly never[]>, requiresGrad = false): BuiltCase {
  const leaves: Node[] = [];
  const args = each.args((shape, dtype, data) => {
    const leaf = leafOf(shape, dtype, data, requiresGrad && dtype === "f32");
    leaves.push(leaf);
    return leaf;
  });
  const call = op as unknown as (...args: readonly unknown[]) => Node;
  return { op, case: each, result: call(...args), leaves };
}
