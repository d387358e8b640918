/** The optimizers of `torch.optim`: names, defaults and checks over the neutral update rules. */
import { adadelta, adagrad, adam, gradientMomentum, nadam, rmsprop, sgd } from "../../optim/index.ts";
import { Optimizer, type OptimizerKind } from "./optimizer.ts";
import type { CommonSettings, Params } from "./param-groups.ts";

type Fail = (message: string) => never;

function atLeastZero<Name extends string>(settings: Record<Name, number>, fail: Fail, ...names: Name[]): void {
  for (const name of names) {
    if (!(settings[name] >= 0)) fail(`${name} must be 0 or more, received ${settings[name]}.`);
  }
}

function checkBetas({ betas }: { readonly betas: readonly [number, number] }, fail: Fail): void {
  for (const index of [0, 1] as const) {
    if (!(betas[index] >= 0 && betas[index] < 1))
      fail(`betas[${index}] must be at least 0 and below 1, received ${betas[index]}.`);
  }
}

/** `(params, 0.1, { momentum })` and `(params, { lr: 0.1, momentum })` are the same. */
function merged<Settings>(first: number | Partial<Settings>, second: Partial<Settings>): Partial<Settings> {
  return typeof first === "number" ? ({ ...second, lr: first } as unknown as Partial<Settings>) : first;
}

export interface SGDSettings extends CommonSettings {
  momentum: number;
  dampening: number;
  nesterov: boolean;
}

const sgdKind: OptimizerKind<SGDSettings> = {
  name: "SGD",
  defaults: { lr: 1e-3, momentum: 0, dampening: 0, weightDecay: 0, nesterov: false, maximize: false },
  check: (settings, fail) => {
    atLeastZero(settings, fail, "momentum");
    if (settings.nesterov && (settings.momentum <= 0 || settings.dampening !== 0))
      fail("Nesterov momentum requires a momentum and zero dampening.");
  },
  rule: (group) =>
    group.momentum === 0
      ? sgd()
      : gradientMomentum({
          momentum: () => group.momentum,
          dampening: group.dampening === 0 ? 0 : () => group.dampening,
          nesterov: group.nesterov,
        }),
  names: { momentum: "momentum_buffer" },
};

/**
 * Gradient descent: m ← μ·m + (1 − dampening)·g, w ← w − lr·m, or with `nesterov` w ← w − lr·(g + μ·m). Without momentum w ← w − lr·g.
 *
 * @example
 * ```ts
 * new optim.SGD(model.parameters(), { lr: 0.1, momentum: 0.9 });
 * const [base, head] = [new nn.Linear(8, 8), new nn.Linear(8, 2)];
 * new optim.SGD([{ params: base.parameters() }, { params: head.parameters(), lr: 1 }], { lr: 0.1 });
 * ```
 */
export class SGD extends Optimizer<SGDSettings> {
  constructor(
    params: Params<SGDSettings>,
    options: number | Partial<SGDSettings> = {},
    more: Partial<SGDSettings> = {},
  ) {
    super(sgdKind, params, merged(options, more));
  }
}

export interface AdamSettings extends CommonSettings {
  betas: readonly [number, number];
  eps: number;
  /** Divide by the largest second moment so far. */
  amsgrad: boolean;
}

const adamKind: OptimizerKind<AdamSettings> = {
  name: "Adam",
  defaults: { lr: 1e-3, betas: [0.9, 0.999], eps: 1e-8, weightDecay: 0, amsgrad: false, maximize: false },
  check: (settings, fail) => {
    atLeastZero(settings, fail, "eps");
    checkBetas(settings, fail);
  },
  rule: (group) =>
    adam({
      beta1: () => group.betas[0],
      beta2: () => group.betas[1],
      epsilon: () => group.eps,
      amsgrad: group.amsgrad,
      epsilonPlacement: "corrected",
    }),
  names: { step: "step", momentum: "exp_avg", velocity: "exp_avg_sq", velocity_hat: "max_exp_avg_sq" },
};

/** Adam: w ← w − lr·m̂ / (√v̂ + eps) with bias-corrected moments; `weightDecay` is added to the gradient. */
export class Adam extends Optimizer<AdamSettings> {
  constructor(
    params: Params<AdamSettings>,
    options: number | Partial<AdamSettings> = {},
    more: Partial<AdamSettings> = {},
  ) {
    super(adamKind, params, merged(options, more));
  }
}

const adamWKind: OptimizerKind<AdamSettings> = {
  ...adamKind,
  name: "AdamW",
  defaults: { ...adamKind.defaults, weightDecay: 1e-2 },
  decoupledWeightDecay: () => true,
};

/** Adam with decoupled weight decay: w ← w·(1 − lr·weightDecay) before the update. */
export class AdamW extends Optimizer<AdamSettings> {
  constructor(
    params: Params<AdamSettings>,
    options: number | Partial<AdamSettings> = {},
    more: Partial<AdamSettings> = {},
  ) {
    super(adamWKind, params, merged(options, more));
  }
}

export interface NAdamSettings extends CommonSettings {
  betas: readonly [number, number];
  eps: number;
  momentumDecay: number;
  decoupledWeightDecay: boolean;
}

const nadamKind: OptimizerKind<NAdamSettings> = {
  name: "NAdam",
  defaults: {
    lr: 2e-3,
    betas: [0.9, 0.999],
    eps: 1e-8,
    weightDecay: 0,
    momentumDecay: 4e-3,
    decoupledWeightDecay: false,
    maximize: false,
  },
  check: (settings, fail) => {
    atLeastZero(settings, fail, "eps", "momentumDecay");
    checkBetas(settings, fail);
  },
  rule: (group) =>
    nadam({
      beta1: () => group.betas[0],
      beta2: () => group.betas[1],
      epsilon: () => group.eps,
      momentumDecay: () => group.momentumDecay,
    }),
  names: { step: "step", mu_product: "mu_product", momentum: "exp_avg", velocity: "exp_avg_sq" },
  decoupledWeightDecay: (group) => group.decoupledWeightDecay,
};

/** Adam with Nesterov momentum, whose momentum follows the schedule β₁·(1 − ½·0.96^(t·momentumDecay)). */
export class NAdam extends Optimizer<NAdamSettings> {
  constructor(
    params: Params<NAdamSettings>,
    options: number | Partial<NAdamSettings> = {},
    more: Partial<NAdamSettings> = {},
  ) {
    super(nadamKind, params, merged(options, more));
  }
}

export interface RMSpropSettings extends CommonSettings {
  momentum: number;
  alpha: number;
  eps: number;
  /** Divide by the estimated standard deviation instead of the root mean square. */
  centered: boolean;
}

const rmspropKind: OptimizerKind<RMSpropSettings> = {
  name: "RMSprop",
  defaults: { lr: 1e-2, momentum: 0, alpha: 0.99, eps: 1e-8, centered: false, weightDecay: 0, maximize: false },
  check: (settings, fail) => atLeastZero(settings, fail, "eps", "momentum", "alpha"),
  rule: (group) =>
    rmsprop({
      rho: () => group.alpha,
      momentum: group.momentum === 0 ? 0 : () => group.momentum,
      epsilon: () => group.eps,
      centered: group.centered,
      epsilonInRoot: false,
      momentumOfSteps: false,
    }),
  names: { step: "step", velocity: "square_avg", momentum: "momentum_buffer", average_gradient: "grad_avg" },
};

/** RMSprop: v ← α·v + (1 − α)·g², w ← w − lr·g / (√v + eps); with momentum the scaled gradient is averaged first. */
export class RMSprop extends Optimizer<RMSpropSettings> {
  constructor(
    params: Params<RMSpropSettings>,
    options: number | Partial<RMSpropSettings> = {},
    more: Partial<RMSpropSettings> = {},
  ) {
    super(rmspropKind, params, merged(options, more));
  }
}

export interface AdagradSettings extends CommonSettings {
  lrDecay: number;
  initialAccumulatorValue: number;
  eps: number;
}

const adagradKind: OptimizerKind<AdagradSettings> = {
  name: "Adagrad",
  defaults: { lr: 1e-2, lrDecay: 0, eps: 1e-10, weightDecay: 0, initialAccumulatorValue: 0, maximize: false },
  check: (settings, fail) => atLeastZero(settings, fail, "lrDecay", "initialAccumulatorValue", "eps"),
  rule: (group) =>
    adagrad({
      initialAccumulatorValue: group.initialAccumulatorValue,
      epsilon: () => group.eps,
      epsilonInRoot: false,
      rateDecay: group.lrDecay === 0 ? 0 : () => group.lrDecay,
    }),
  names: { step: "step", accumulator: "sum" },
  eager: true,
};

/** Adagrad: a ← a + g², w ← w − lr / (1 + (t − 1)·lrDecay)·g / (√a + eps). */
export class Adagrad extends Optimizer<AdagradSettings> {
  constructor(
    params: Params<AdagradSettings>,
    options: number | Partial<AdagradSettings> = {},
    more: Partial<AdagradSettings> = {},
  ) {
    super(adagradKind, params, merged(options, more));
  }
}

export interface AdadeltaSettings extends CommonSettings {
  rho: number;
  eps: number;
}

const adadeltaKind: OptimizerKind<AdadeltaSettings> = {
  name: "Adadelta",
  defaults: { lr: 1, rho: 0.9, eps: 1e-6, weightDecay: 0, maximize: false },
  check: (settings, fail) => {
    atLeastZero(settings, fail, "eps");
    if (!(settings.rho >= 0 && settings.rho <= 1)) fail(`rho must be between 0 and 1, received ${settings.rho}.`);
  },
  rule: (group) => adadelta({ rho: () => group.rho, epsilon: () => group.eps }),
  names: { step: "step", accumulated_grad: "square_avg", accumulated_delta_var: "acc_delta" },
};

/** Adadelta: δ = √(d + eps) / √(a + eps)·g with running means a of g² and d of δ²; w ← w − lr·δ. */
export class Adadelta extends Optimizer<AdadeltaSettings> {
  constructor(
    params: Params<AdadeltaSettings>,
    options: number | Partial<AdadeltaSettings> = {},
    more: Partial<AdadeltaSettings> = {},
  ) {
    super(adadeltaKind, params, merged(options, more));
  }
}
