import { ArgumentError } from "../errors.ts";
import type { UpdateRule } from "./rule.ts";

/**
 * Stochastic gradient descent: w ← w − η·g. With momentum μ: m ← μ·m − η·g, w ← w + m, or with Nesterov's look-ahead
 * w ← w + μ·m − η·g (with the new m). After Keras; Sutskever et al. 2013.
 */
export function sgd(options: { momentum?: number; nesterov?: boolean } = {}): UpdateRule {
  const { momentum = 0, nesterov = false } = options;
  if (!(momentum >= 0 && momentum <= 1)) {
    throw new ArgumentError(`SGD: momentum must be between 0 and 1, received ${momentum}.`);
  }
  if (momentum === 0) {
    return {
      name: "sgd",
      slots: [],
      update: (parameter, gradient, _slots, { learningRate }) => ({
        parameter: parameter.sub(gradient.mul(learningRate)),
        slots: [],
      }),
    };
  }
  return {
    name: "sgd",
    slots: [{ name: "momentum", initial: 0 }],
    update: (parameter, gradient, [velocity], { learningRate }) => {
      const scaled = gradient.mul(learningRate);
      const next = velocity.mul(momentum).sub(scaled);
      const step = nesterov ? next.mul(momentum).sub(scaled) : next;
      return { parameter: parameter.add(step), slots: [next] };
    },
  };
}
