import { exp, type Tensor } from "../tensor/index.ts";
import { type Setting, settingOperand, type UpdateRule } from "./rule.ts";

/**
 * 1 − β^t as −expm1(t·ln β): exact to rounding even where β^t is close to 1, which the plain difference in f32 is not.
 * A fixed β is first rounded to f32, because that is the number the moving averages use.
 */
function biasCorrection(beta: Setting, step: Tensor): Tensor {
  const logarithm =
    typeof beta === "number" ? Math.log(Math.fround(beta)) : settingOperand(beta, (value) => Math.log(value));
  return step.mul(logarithm).expm1().neg();
}

/** Where ε is added: to √v as it is (Keras), or to √v after its bias correction (PyTorch, and Kingma & Ba's first form). */
export type EpsilonPlacement = "uncorrected" | "corrected";

export interface AdamSettings {
  readonly beta1?: Setting;
  readonly beta2?: Setting;
  readonly epsilon?: Setting;
  readonly amsgrad?: boolean;
  readonly epsilonPlacement?: EpsilonPlacement;
}

/**
 * Adam (Kingma & Ba 2015): m ← m + (1 − β₁)(g − m), v ← v + (1 − β₂)(g² − v). With ε uncorrected w ← w − α·m / (√v + ε),
 * α = η·√(1 − β₂^t) / (1 − β₁^t); corrected w ← w − η / (1 − β₁^t)·m / (√v / √(1 − β₂^t) + ε). `amsgrad` divides by the largest v so far
 * (Reddi et al. 2018).
 */
export function adam(options: AdamSettings = {}): UpdateRule {
  const { beta1 = 0.9, beta2 = 0.999, epsilon = 1e-7, amsgrad = false, epsilonPlacement = "uncorrected" } = options;
  return {
    name: "adam",
    slots: [
      { name: "momentum", initial: 0 },
      { name: "velocity", initial: 0 },
      ...(amsgrad ? [{ name: "velocity_hat", initial: 0 }] : []),
    ],
    prepare: ({ learningRate, step }) => {
      const firstWeight = settingOperand(beta1, (beta) => 1 - beta);
      const secondWeight = settingOperand(beta2, (beta) => 1 - beta);
      const offset = settingOperand(epsilon);
      const root = biasCorrection(beta2, step).sqrt();
      const correction = biasCorrection(beta1, step);
      const corrected = epsilonPlacement === "corrected";
      const rate = corrected ? learningRate.div(correction) : learningRate.mul(root).div(correction);
      const scale = root.reciprocal();
      return {
        update: (parameter, gradient, [momentum, velocity, largest]) => {
          const nextMomentum = momentum.add(gradient.sub(momentum).mul(firstWeight));
          const nextVelocity = velocity.add(gradient.square().sub(velocity).mul(secondWeight));
          const nextLargest = amsgrad ? largest.maximum(nextVelocity) : nextVelocity;
          const deviation = corrected ? nextLargest.sqrt().mul(scale) : nextLargest.sqrt();
          return {
            parameter: parameter.sub(nextMomentum.mul(rate).div(deviation.add(offset))),
            slots: amsgrad ? [nextMomentum, nextVelocity, nextLargest] : [nextMomentum, nextVelocity],
          };
        },
      };
    },
  };
}

/**
 * NAdam (Dozat 2016) with a momentum schedule: μ_t = β₁·(1 − ½·0.96^(t·ψ)) and its running product Πμ; m and v as in Adam,
 * w ← w − η·((1 − μ_t) / (1 − Π_t)·g + μ_{t+1} / (1 − Π_t·μ_{t+1})·m) / (√(v / (1 − β₂^t)) + ε). After torch.optim.NAdam.
 */
export function nadam(
  options: { beta1?: Setting; beta2?: Setting; epsilon?: Setting; momentumDecay?: Setting } = {},
): UpdateRule {
  const { beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8, momentumDecay = 4e-3 } = options;
  return {
    name: "nadam",
    slots: [
      { name: "momentum", initial: 0 },
      { name: "velocity", initial: 0 },
    ],
    counters: [{ name: "mu_product", initial: 1 }],
    prepare: ({ learningRate, step, counters: [product] }) => {
      const firstWeight = settingOperand(beta1, (beta) => 1 - beta);
      const secondWeight = settingOperand(beta2, (beta) => 1 - beta);
      const offset = settingOperand(epsilon);
      const largest = settingOperand(beta1);
      const decay = settingOperand(momentumDecay, (psi) => psi * Math.log(0.96));
      const momentumAt = (time: Tensor) => exp(time.mul(decay)).mul(-0.5).add(1).mul(largest);
      const current = momentumAt(step);
      const following = momentumAt(step.add(1));
      const nextProduct = product.mul(current);
      const complement = (part: Tensor) => part.neg().add(1);
      const gradientRate = learningRate.mul(complement(current)).div(complement(nextProduct));
      const momentumRate = learningRate.mul(following).div(complement(nextProduct.mul(following)));
      const scale = biasCorrection(beta2, step).sqrt().reciprocal();
      return {
        counters: [nextProduct],
        update: (parameter, gradient, [momentum, velocity]) => {
          const nextMomentum = momentum.add(gradient.sub(momentum).mul(firstWeight));
          const nextVelocity = velocity.add(gradient.square().sub(velocity).mul(secondWeight));
          const direction = gradient.mul(gradientRate).add(nextMomentum.mul(momentumRate));
          return {
            parameter: parameter.sub(direction.div(nextVelocity.sqrt().mul(scale).add(offset))),
            slots: [nextMomentum, nextVelocity],
          };
        },
      };
    },
  };
}
