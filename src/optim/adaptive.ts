import type { Tensor } from "../tensor/index.ts";
import type { UpdateRule } from "./rule.ts";

/**
 * RMSprop (Hinton 2012): v ← ρ·v + (1 − ρ)·g², w ← w − η·g / √(v + ε). `centered` subtracts the squared mean gradient from v;
 * with momentum μ the increment is averaged: m ← μ·m + increment, w ← w − m.
 */
export function rmsprop(
  options: { rho?: number; momentum?: number; epsilon?: number; centered?: boolean } = {},
): UpdateRule {
  const { rho = 0.9, momentum = 0, epsilon = 1e-7, centered = false } = options;
  return {
    name: "rmsprop",
    slots: [
      { name: "velocity", initial: 0 },
      ...(momentum > 0 ? [{ name: "momentum", initial: 0 }] : []),
      ...(centered ? [{ name: "average_gradient", initial: 0 }] : []),
    ],
    update: (parameter, gradient, slots, { learningRate }) => {
      const velocity = slots[0].mul(rho).add(gradient.square().mul(1 - rho));
      const next: Tensor[] = [velocity];
      let denominator = velocity.add(epsilon);
      let average: Tensor | undefined;
      if (centered) {
        average = slots[slots.length - 1].mul(rho).add(gradient.mul(1 - rho));
        denominator = velocity.sub(average.square()).add(epsilon);
      }
      let increment = gradient.mul(learningRate).div(denominator.sqrt());
      if (momentum > 0) {
        increment = slots[1].mul(momentum).add(increment);
        next.push(increment);
      }
      if (average) next.push(average);
      return { parameter: parameter.sub(increment), slots: next };
    },
  };
}

/** Adagrad (Duchi et al. 2011): a ← a + g², w ← w − η·g / √(a + ε). */
export function adagrad(options: { initialAccumulatorValue?: number; epsilon?: number } = {}): UpdateRule {
  const { initialAccumulatorValue = 0.1, epsilon = 1e-7 } = options;
  return {
    name: "adagrad",
    slots: [{ name: "accumulator", initial: initialAccumulatorValue }],
    update: (parameter, gradient, [accumulator], { learningRate }) => {
      const next = accumulator.add(gradient.square());
      return { parameter: parameter.sub(gradient.mul(learningRate).div(next.add(epsilon).sqrt())), slots: [next] };
    },
  };
}

/**
 * Adadelta (Zeiler 2012): a ← ρ·a + (1 − ρ)·g², δ = −g·√(d + ε) / √(a + ε), d ← ρ·d + (1 − ρ)·δ², w ← w + η·δ.
 */
export function adadelta(options: { rho?: number; epsilon?: number } = {}): UpdateRule {
  const { rho = 0.95, epsilon = 1e-7 } = options;
  return {
    name: "adadelta",
    slots: [
      { name: "accumulated_grad", initial: 0 },
      { name: "accumulated_delta_var", initial: 0 },
    ],
    update: (parameter, gradient, [squares, deltas], { learningRate }) => {
      const nextSquares = squares.mul(rho).add(gradient.square().mul(1 - rho));
      const delta = deltas.add(epsilon).sqrt().mul(gradient).div(nextSquares.add(epsilon).sqrt()).neg();
      const nextDeltas = deltas.mul(rho).add(delta.square().mul(1 - rho));
      return { parameter: parameter.add(delta.mul(learningRate)), slots: [nextSquares, nextDeltas] };
    },
  };
}
