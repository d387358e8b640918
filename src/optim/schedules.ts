/** Learning-rate schedules as graph functions of the step (f32 scalar, counted from 0), after Keras. They never enter a program's key. */
import { ArgumentError } from "../errors.ts";
import { full, type Tensor, where } from "../tensor/index.ts";

export type ScheduleFunction = (step: Tensor) => Tensor;

function checkSteps(owner: string, name: string, value: number): void {
  if (!(value > 0)) throw new ArgumentError(`${owner}: ${name} must be greater than 0, received ${value}.`);
}

/** η₀·r^p with p = step / decaySteps, rounded down under `staircase`. */
export function exponentialDecay(options: {
  initialLearningRate: number;
  decaySteps: number;
  decayRate: number;
  staircase?: boolean;
}): ScheduleFunction {
  const { initialLearningRate, decaySteps, decayRate, staircase = false } = options;
  checkSteps("ExponentialDecay", "decaySteps", decaySteps);
  return (step) => {
    const progress = step.div(decaySteps);
    return full([], decayRate)
      .pow(staircase ? progress.floor() : progress)
      .mul(initialLearningRate);
  };
}

/** η₀ / (1 + r·p) with p = step / decaySteps, rounded down under `staircase`. */
export function inverseTimeDecay(options: {
  initialLearningRate: number;
  decaySteps: number;
  decayRate: number;
  staircase?: boolean;
}): ScheduleFunction {
  const { initialLearningRate, decaySteps, decayRate, staircase = false } = options;
  checkSteps("InverseTimeDecay", "decaySteps", decaySteps);
  return (step) => {
    const progress = step.div(decaySteps);
    const denominator = (staircase ? progress.floor() : progress).mul(decayRate).add(1);
    return denominator.reciprocal().mul(initialLearningRate);
  };
}

/** `values[i]` while step ≤ `boundaries[i]`, the last value after the last boundary. */
export function piecewiseConstantDecay(options: {
  boundaries: readonly number[];
  values: readonly number[];
}): ScheduleFunction {
  const { boundaries, values } = options;
  if (boundaries.length !== values.length - 1) {
    throw new ArgumentError(
      `PiecewiseConstantDecay: expected one value more than boundaries, received ${boundaries.length} boundaries and ${values.length} values.`,
    );
  }
  return (step) =>
    boundaries.reduceRight<Tensor>(
      (later, boundary, index) => where(step.le(boundary), full([], values[index]), later),
      full([], values[values.length - 1]),
    );
}

/** (η₀ − η₁)·(1 − p)^power + η₁ with p = min(step, n) / n; `cycle` stretches n to the next multiple of itself. */
export function polynomialDecay(options: {
  initialLearningRate: number;
  decaySteps: number;
  endLearningRate?: number;
  power?: number;
  cycle?: boolean;
}): ScheduleFunction {
  const { initialLearningRate, decaySteps, endLearningRate = 1e-4, power = 1, cycle = false } = options;
  checkSteps("PolynomialDecay", "decaySteps", decaySteps);
  return (step) => {
    const progress = cycle
      ? step.div(step.div(decaySteps).ceil().maximum(1).mul(decaySteps))
      : step.minimum(decaySteps).div(decaySteps);
    const remaining = progress.neg().add(1);
    const curve = power === 1 ? remaining : remaining.pow(power);
    return curve.mul(initialLearningRate - endLearningRate).add(endLearningRate);
  };
}

/**
 * η₀·((1 − α)·½(1 + cos πp) + α) with p = min(step, n) / n (Loshchilov & Hutter 2016). With a `warmupTarget` the rate first rises linearly
 * from η₀ to the target over `warmupSteps`, and decays from there.
 */
export function cosineDecay(options: {
  initialLearningRate: number;
  decaySteps: number;
  alpha?: number;
  warmupTarget?: number;
  warmupSteps?: number;
}): ScheduleFunction {
  const { initialLearningRate, decaySteps, alpha = 0, warmupTarget, warmupSteps = 0 } = options;
  checkSteps("CosineDecay", "decaySteps", decaySteps);
  const decay = (step: Tensor, from: number): Tensor => {
    const fraction = step.minimum(decaySteps).div(decaySteps);
    const cosine = fraction.mul(Math.PI).cos().add(1).mul(0.5);
    return cosine
      .mul(1 - alpha)
      .add(alpha)
      .mul(from);
  };
  if (warmupTarget === undefined) return (step) => decay(step, initialLearningRate);
  if (warmupSteps === 0) return (step) => decay(step, warmupTarget);
  return (step) => {
    const rising = step
      .div(warmupSteps)
      .mul(warmupTarget - initialLearningRate)
      .add(initialLearningRate);
    // Before the end of the warm-up the cosine branch sees a step of 0, so that neither branch leaves its domain.
    return where(step.lt(warmupSteps), rising, decay(step.sub(warmupSteps).maximum(0), warmupTarget));
  };
}

/**
 * Cosine decay with warm restarts (Loshchilov & Hutter 2016): period i lasts n·t^i steps and starts from η₀·m^i.
 * For t ≠ 1 the period is i = ⌊ln(1 − p(1 − t)) / ln t⌋ and began at p₀ = (1 − t^i) / (1 − t), where p = step / n.
 */
export function cosineDecayRestarts(options: {
  initialLearningRate: number;
  firstDecaySteps: number;
  tMul?: number;
  mMul?: number;
  alpha?: number;
}): ScheduleFunction {
  const { initialLearningRate, firstDecaySteps, tMul = 2, mMul = 1, alpha = 0 } = options;
  checkSteps("CosineDecayRestarts", "firstDecaySteps", firstDecaySteps);
  return (step) => {
    const progress = step.div(firstDecaySteps);
    let period = progress.floor();
    let fraction = progress.sub(period);
    if (tMul !== 1) {
      period = progress
        .mul(tMul - 1)
        .add(1)
        .log()
        .div(Math.log(tMul))
        .floor();
      const length = full([], tMul).pow(period);
      fraction = progress.sub(length.sub(1).div(tMul - 1)).div(length);
    }
    const curve = fraction.mul(Math.PI).cos().add(1).mul(0.5);
    const scaled = mMul === 1 ? curve : curve.mul(full([], mMul).pow(period));
    return scaled
      .mul(1 - alpha)
      .add(alpha)
      .mul(initialLearningRate);
  };
}
