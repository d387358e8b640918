/** What the rows of the semantics table share: a small network, plain SGD, and counts of what the engine did. */
import { expect } from "vitest";
import { assignAll, compile, engine, gradients, type Tensor, tensor, Variable } from "../../src/index.ts";

export { assignAll, compile, engine, gradients };

/** Deterministic data without the random generator, so that rows do not depend on each other. */
export function ramp(shape: readonly number[], scale = 1, phase = 0): Tensor {
  const size = shape.reduce((a, b) => a * b, 1);
  return tensor(
    Float32Array.from({ length: size }, (_, i) => scale * Math.sin(i * 0.7 + phase)),
    { shape },
  );
}

/** A two-layer network 4 -> 8 -> 3. */
export class SmallNetwork {
  readonly w1 = new Variable(ramp([4, 8], 0.5, 1), { name: "w1" });
  readonly b1 = new Variable(ramp([8], 0.1, 2), { name: "b1" });
  readonly w2 = new Variable(ramp([8, 3], 0.5, 3), { name: "w2" });

  get parameters(): Variable[] {
    return [this.w1, this.b1, this.w2];
  }
  hidden(x: Tensor): Tensor {
    return x.matmul(this.w1).add(this.b1).relu();
  }
  forward(x: Tensor): Tensor {
    return this.hidden(x).matmul(this.w2);
  }
  values(): number[][] {
    return this.parameters.map((parameter) => Array.from(parameter.dataSync()));
  }
}

export function squaredLoss(output: Tensor, target: Tensor): Tensor {
  return output.sub(target).square().mean();
}

/** PyTorch's `optimizer.step()` with plain SGD. */
export function sgdStep(parameters: readonly Variable[], rate: number): void {
  assignAll(
    parameters.flatMap((parameter) =>
      parameter.grad ? [[parameter, parameter.grad.mul(-rate).add(parameter)] as const] : [],
    ),
  );
}
export function zeroGrad(parameters: readonly Variable[]): void {
  for (const parameter of parameters) parameter.grad = undefined;
}

/** Compilations, runs and executed ops while `body` runs. */
export function during(body: () => void): { compilations: number; runs: number; ops: Record<string, number> } {
  const before = engine.stats();
  body();
  const after = engine.stats();
  const ops: Record<string, number> = {};
  for (const [name, count] of Object.entries(after.opCounts)) {
    const difference = count - (before.opCounts[name] ?? 0);
    if (difference !== 0) ops[name] = difference;
  }
  return { compilations: after.compilations - before.compilations, runs: after.runs - before.runs, ops };
}

/** The same network's step in plain numbers: [loss, gradients of w1, b1, w2], all f64. */
export function expectedStep(
  network: readonly number[][],
  x: readonly number[],
  target: readonly number[],
  rows: number,
) {
  const [w1, b1, w2] = network;
  const hidden = Array.from({ length: rows * 8 }, (_, i) => {
    const [row, j] = [Math.floor(i / 8), i % 8];
    let sum = b1[j];
    for (let k = 0; k < 4; k++) sum += x[row * 4 + k] * w1[k * 8 + j];
    return Math.max(0, sum);
  });
  const output = Array.from({ length: rows * 3 }, (_, i) => {
    const [row, j] = [Math.floor(i / 3), i % 3];
    let sum = 0;
    for (let k = 0; k < 8; k++) sum += hidden[row * 8 + k] * w2[k * 3 + j];
    return sum;
  });
  const difference = output.map((value, i) => value - target[i]);
  const loss = difference.reduce((sum, d) => sum + d * d, 0) / difference.length;
  const gOutput = difference.map((d) => (2 * d) / difference.length);
  const gW2 = Array.from({ length: 24 }, (_, i) => {
    const [k, j] = [Math.floor(i / 3), i % 3];
    let sum = 0;
    for (let row = 0; row < rows; row++) sum += hidden[row * 8 + k] * gOutput[row * 3 + j];
    return sum;
  });
  const gHidden = hidden.map((value, i) => {
    const [row, k] = [Math.floor(i / 8), i % 8];
    let sum = 0;
    for (let j = 0; j < 3; j++) sum += gOutput[row * 3 + j] * w2[k * 3 + j];
    return value > 0 ? sum : 0;
  });
  const gW1 = Array.from({ length: 32 }, (_, i) => {
    const [k, j] = [Math.floor(i / 8), i % 8];
    let sum = 0;
    for (let row = 0; row < rows; row++) sum += x[row * 4 + k] * gHidden[row * 8 + j];
    return sum;
  });
  const gB1 = Array.from({ length: 8 }, (_, j) => {
    let sum = 0;
    for (let row = 0; row < rows; row++) sum += gHidden[row * 8 + j];
    return sum;
  });
  return { loss, output, gradients: [gW1, gB1, gW2] };
}

/** Expects numbers within a tolerance, relative beyond 1. */
export function closeTo(actual: ArrayLike<number> | undefined, expected: ArrayLike<number>, tolerance = 1e-5): void {
  expect(actual).toBeDefined();
  const values = Array.from(actual as ArrayLike<number>);
  expect(values.length).toBe(expected.length);
  values.forEach((value, i) =>
    expect(Math.abs(value - expected[i])).toBeLessThanOrEqual(tolerance * (1 + Math.abs(expected[i]))),
  );
}
