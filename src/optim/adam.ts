import type { Tensor } from "../tensor/index.ts";
import type { UpdateRule } from "./rule.ts";

/**
 * 1 − β^t as −expm1(t·ln β): exact to rounding even where β^t is close to 1, which the plain difference in f32 is not.
 * β is first rounded to f32, because that is the number the moving averages use.
 */
function biasCorrection(beta: number, step: Tensor): Tensor {
  return step
    .mul(Math.log(Math.fround(beta)))
    .expm1()
    .neg();
}

/**
 * Adam (Kingma & Ba 2015), with Keras' placement of ε: m ← m + (1 − β₁)(g − m), v ← v + (1 − β₂)(g² − v),
 * w ← w − α·m / (√v + ε), α = η·√(1 − β₂^t) / (1 − β₁^t). `amsgrad` divides by the largest v so far (Reddi et al. 2018).
 */
export function adam(
  options: { beta1?: number; beta2?: number; epsilon?: number; amsgrad?: boolean } = {},
): UpdateRule {
  const { beta1 = 0.9, beta2 = 0.999, epsilon = 1e-7, amsgrad = false } = options;
  return {
    name: "adam",
    slots: [
      { name: "momentum", initial: 0 },
      { name: "velocity", initial: 0 },
      ...(amsgrad ? [{ name: "velocity_hat", initial: 0 }] : []),
    ],
    shared: ({ learningRate, step }) => [
      learningRate.mul(biasCorrection(beta2, step).sqrt()).div(biasCorrection(beta1, step)),
    ],
    update: (parameter, gradient, [momentum, velocity, largest], { shared: [rate] }) => {
      const nextMomentum = momentum.add(gradient.sub(momentum).mul(1 - beta1));
      const nextVelocity = velocity.add(
        gradient
          .square()
          .sub(velocity)
          .mul(1 - beta2),
      );
      const nextLargest = amsgrad ? largest.maximum(nextVelocity) : nextVelocity;
      return {
        parameter: parameter.sub(nextMomentum.mul(rate).div(nextLargest.sqrt().add(epsilon))),
        slots: amsgrad ? [nextMomentum, nextVelocity, nextLargest] : [nextMomentum, nextVelocity],
      };
    },
  };
}
