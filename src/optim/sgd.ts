import { ArgumentError } from "../errors.ts";
import { where } from "../tensor/index.ts";
import { type Setting, settingOperand, type UpdateRule } from "./rule.ts";

/**
 * Stochastic gradient descent: w ← w − η·g. With momentum μ: m ← μ·m − η·g, w ← w + m, or with Nesterov's look-ahead
 * w ← w + μ·m − η·g (with the new m). After Keras; Sutskever et al. 2013.
 */
export function sgd(options: { momentum?: number; nesterov?: boolean } = {}): UpdateRule {
  const { momentum = 0, nesterov = false } = options;
  if (!(momentum >= 0 && momentum <= 1)) {
    throw new ArgumentError(`SGD: momentum must be between 0 and 1, received ${momentum}.`);
  }
  if (momentum === 0) return plain;
  return {
    name: "sgd",
    slots: [{ name: "momentum", initial: 0 }],
    ignoresStep: true,
    prepare: ({ learningRate }) => ({
      update: (parameter, gradient, [velocity]) => {
        const scaled = gradient.mul(learningRate);
        const next = velocity.mul(momentum).sub(scaled);
        const step = nesterov ? next.mul(momentum).sub(scaled) : next;
        return { parameter: parameter.add(step), slots: [next] };
      },
    }),
  };
}

const plain: UpdateRule = {
  name: "sgd",
  slots: [],
  ignoresStep: true,
  prepare: ({ learningRate }) => ({
    update: (parameter, gradient) => ({ parameter: parameter.sub(gradient.mul(learningRate)), slots: [] }),
  }),
};

/**
 * Gradient descent whose momentum averages gradients, not steps, so that a new learning rate acts at once: m ← μ·m + (1 − d)·g (m = g at
 * the first step, whatever the dampening d), w ← w − η·m, or with Nesterov's look-ahead w ← w − η·(g + μ·m). After torch.optim.SGD.
 */
export function gradientMomentum(options: { momentum: Setting; dampening?: Setting; nesterov?: boolean }): UpdateRule {
  const { momentum, dampening = 0, nesterov = false } = options;
  const dampens = dampening !== 0;
  return {
    name: "gradient_momentum",
    slots: [{ name: "momentum", initial: 0 }],
    ignoresStep: !dampens,
    prepare: ({ learningRate, step }) => {
      const keep = settingOperand(momentum);
      const weight = dampens
        ? where(
            step.gt(1),
            settingOperand(dampening, (part) => 1 - part),
            1,
          )
        : undefined;
      return {
        update: (parameter, gradient, [velocity]) => {
          const next = velocity.mul(keep).add(weight ? gradient.mul(weight) : gradient);
          const direction = nesterov ? gradient.add(next.mul(keep)) : next;
          return { parameter: parameter.sub(direction.mul(learningRate)), slots: [next] };
        },
      };
    },
  };
}
