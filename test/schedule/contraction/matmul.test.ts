import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { MachineDescription } from "../../../src/kernel/ir.ts";
import { matmul } from "../../../src/schedule/strategies/contraction/matmul.ts";
import { planNarrow } from "../../../src/schedule/strategies/contraction/matmul-narrow.ts";
import { planMatmul } from "../../../src/schedule/strategies/contraction/matmul-plan.ts";
import { planTransposed } from "../../../src/schedule/strategies/contraction/matmul-transposed.ts";
import type { OperandView } from "../../../src/schedule/strategy.ts";
import { contiguous, fractions, integers, interpret, narrow, requestOf, wide } from "./harness.ts";

interface Case {
  readonly batch: readonly number[];
  readonly m: number;
  readonly n: number;
  readonly k: number;
  readonly transposeA?: boolean;
  readonly transposeB?: boolean;
}

/** A view of [batch…, rows, columns] whose memory holds the columns first. */
function transposed(operand: number, batch: readonly number[], rows: number, columns: number): OperandView {
  const view = contiguous(operand, [...batch, columns, rows]);
  const rank = view.strides.length;
  return { ...view, strides: [...view.strides.slice(0, -2), view.strides[rank - 1], view.strides[rank - 2]] };
}

function run(
  { batch, m, n, k, transposeA, transposeB }: Case,
  machine: MachineDescription,
  fill: (length: number, seed: number) => Float32Array,
  epilogue: "plain" | "bias" | "update" = "plain",
): { readonly result: Float32Array; readonly operands: Float32Array[]; readonly views: readonly OperandView[] } {
  const count = batch.reduce((p, e) => p * e, 1);
  const views = [
    transposeA ? transposed(0, batch, m, k) : contiguous(0, [...batch, m, k]),
    transposeB ? transposed(1, batch, k, n) : contiguous(1, [...batch, k, n]),
  ];
  const operands = [
    fill(count * m * k, 1),
    fill(count * k * n, 2),
    fill(n, 3),
    fill(count * m * n, 4),
    new Float32Array([epilogue === "update" ? 2 : 0]),
  ];
  const before = operands[3].slice();
  const request = requestOf(
    { kind: "matmul" },
    [
      [...batch, m, k],
      [...batch, k, n],
    ],
    [...batch, m, n],
    { machine, views, epilogue },
  );
  interpret(matmul(request), operands);
  const result = operands[3];
  operands[3] = before;
  return { result, operands, views };
}

function expected(
  test: Case,
  operands: readonly Float32Array[],
  views: readonly OperandView[],
  epilogue = "plain",
): Float32Array {
  const { batch, m, n, k } = test;
  const count = batch.reduce((p, e) => p * e, 1);
  const [a, b] = views.map((view) => view.strides.slice(-2));
  const result = new Float32Array(count * m * n);
  for (let t = 0; t < count; t++)
    for (let i = 0; i < m; i++)
      for (let j = 0; j < n; j++) {
        let sum = 0;
        for (let p = 0; p < k; p++)
          sum += operands[0][t * m * k + i * a[0] + p * a[1]] * operands[1][t * k * n + p * b[0] + j * b[1]];
        const at = (t * m + i) * n + j;
        if (epilogue === "bias") sum = Math.max(sum + operands[2][j], 0);
        if (epilogue === "update") sum = operands[3][at] - 2 * sum;
        result[at] = sum;
      }
  return result;
}

const machines = [wide, narrow];

describe("matmul", () => {
  it("equals the definition for any shape, transposition and epilogue", () => {
    fc.assert(
      fc.property(
        fc.record({
          batch: fc.oneof(fc.constant([]), fc.constant([2]), fc.constant([2, 3])),
          m: fc.integer({ min: 1, max: 37 }),
          n: fc.integer({ min: 1, max: 70 }),
          k: fc.integer({ min: 0, max: 40 }),
          transposeA: fc.boolean(),
          transposeB: fc.boolean(),
        }),
        fc.constantFrom(...machines),
        fc.constantFrom("plain" as const, "bias" as const, "update" as const),
        (test, machine, epilogue) => {
          const { result, operands, views } = run(test, machine, integers, epilogue);
          expect(result).toEqual(expected(test, operands, views, epilogue));
        },
      ),
      { numRuns: 40 },
    );
  });

  it.each([
    { batch: [], m: 3, n: 5, k: 1100 },
    { batch: [], m: 33, n: 34, k: 600, transposeB: true },
    { batch: [], m: 40, n: 33, k: 530, transposeA: true },
    { batch: [], m: 150, n: 12, k: 70, transposeA: true, transposeB: true },
    { batch: [], m: 20, n: 300, k: 65 },
    { batch: [], m: 17, n: 330, k: 810 },
  ])("keeps the chain over blocks of the reduction: %o", (test) => {
    for (const machine of machines) {
      const { result, operands, views } = run(test, machine, integers);
      expect(result).toEqual(expected(test, operands, views));
    }
  });

  it.each([
    { batch: [2], m: 40, n: 300, k: 109 },
    { batch: [], m: 27, n: 330, k: 530 },
  ])("packs a transposed matrix in a step of its own: %o", (shape) => {
    for (const machine of machines) {
      const test: Case = { ...shape, transposeA: true };
      const { result, operands, views } = run(test, machine, integers);
      const [a, b] = views as [OperandView, OperandView];
      expect(planMatmul({ ...shape, a, b }, machine).packA).toBe("step");
      expect(result).toEqual(expected(test, operands, views));
    }
  });

  it.each([
    { batch: [], m: 27, n: 330, k: 1072 },
    { batch: [], m: 29, n: 330, k: 1136 },
    { batch: [2], m: 40, n: 300, k: 1040 },
  ])("packs rows whose steps lie side by side as runs: %o", (test) => {
    for (const machine of machines) {
      const { result, operands, views } = run(test, machine, integers);
      const [a, b] = views as [OperandView, OperandView];
      const plan = planMatmul({ ...test, a, b }, machine);
      expect(plan.packedAsRows).toBe(true);
      expect((plan.block / 16) % 2).toBe(1);
      expect(result).toEqual(expected(test, operands, views));
    }
  });

  it.each([
    { m: 64, n: 160, k: 256, epilogue: "plain" as const },
    { m: 48, n: 144, k: 257, epilogue: "update" as const },
    { m: 32, n: 112, k: 259, epilogue: "bias" as const, transposeA: true },
    { m: 16, n: 96, k: 258, epilogue: "bias" as const },
  ])("keeps the chain where a large transposed matrix is read as it lies: %o", ({ epilogue, ...shape }) => {
    const { m, n, k } = shape;
    const test: Case = { batch: [1], transposeB: true, ...shape };
    for (const machine of machines) {
      // A second-level cache that the matrix just does not fit.
      const small = { ...machine, l2Bytes: 4 * k * n - 4 };
      const exact = run(test, small, integers, epilogue);
      expect(exact.result).toEqual(expected(test, exact.operands, exact.views, epilogue));
      expect(run(test, small, fractions).result).toEqual(run(test, machine, fractions).result);
      const [request, usual] = [small, machine].map((used) =>
        requestOf(
          { kind: "matmul" },
          [
            [1, m, k],
            [1, k, n],
          ],
          [1, m, n],
          { machine: used, views: exact.views },
        ),
      );
      expect([planTransposed(request!, small), planTransposed(usual!, machine)]).toEqual([
        expect.anything(),
        undefined,
      ]);
    }
  });

  it.each([
    { batch: [], m: 1, n: 512, k: 70 },
    { batch: [1], m: 1, n: 900, k: 33, epilogue: "bias" as const },
    { batch: [], m: 1, n: 1003, k: 34, epilogue: "update" as const },
    { batch: [], m: 3, n: 345, k: 50, epilogue: "bias" as const, transposeA: true },
    { batch: [], m: 4, n: 128, k: 65 },
  ])("keeps the chain where few rows meet a large matrix: %o", ({ epilogue, ...test }) => {
    for (const machine of machines) {
      const small = { ...machine, l2Bytes: 4 * test.k * test.n - 4 };
      const exact = run(test, small, integers, epilogue);
      expect(exact.result).toEqual(expected(test, exact.operands, exact.views, epilogue));
      expect(run(test, small, fractions, epilogue).result).toEqual(run(test, machine, fractions, epilogue).result);
      const { batch, m, n, k } = test;
      const shapes = [
        [...batch, m, k],
        [...batch, k, n],
      ];
      const options = { machine: small, views: exact.views };
      const plan = planNarrow(requestOf({ kind: "matmul" }, shapes, [...batch, m, n], options), small);
      // with few registers more than one row is left to the ordinary way
      expect(plan !== undefined).toBe(machine === wide || m === 1);
      if (plan) expect(16 * plan.vectors * plan.tasks).toBeGreaterThanOrEqual(n);
      if (plan) expect(16 * plan.vectors * (plan.tasks - 1)).toBeLessThan(n);
    }
  });

  it("gives the same bits on both register files and for any number of rows", () => {
    const test: Case = { batch: [], m: 19, n: 37, k: 530 };
    const first = run(test, wide, fractions).result;
    expect(run(test, narrow, fractions).result).toEqual(first);
    for (const m of [1, 5]) expect(run({ ...test, m }, wide, fractions).result).toEqual(first.slice(0, m * test.n));
  });

  it("reads views with broadcast and reversed axes", () => {
    const views: OperandView[] = [
      { operand: 0, dtype: "f32", offset: 2, strides: [0, 3, -1] },
      { operand: 1, dtype: "f32", offset: 1, strides: [0, 2, 5] },
    ];
    const operands = [
      integers(64, 1),
      integers(200, 2),
      integers(9, 3),
      new Float32Array(2 * 7 * 9),
      new Float32Array(1),
    ];
    interpret(
      matmul(
        requestOf(
          { kind: "matmul" },
          [
            [2, 7, 3],
            [2, 3, 9],
          ],
          [2, 7, 9],
          { views },
        ),
      ),
      operands,
    );
    for (let t = 0; t < 2; t++)
      for (let i = 0; i < 7; i++)
        for (let j = 0; j < 9; j++) {
          let sum = 0;
          for (let p = 0; p < 3; p++) sum += operands[0][2 + 3 * i - p] * operands[1][1 + 2 * p + 5 * j];
          expect(operands[3][(t * 7 + i) * 9 + j]).toBe(sum);
        }
  });
});
