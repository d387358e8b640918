import type { Tensor } from "../tensor/index.ts";
import { type Setting, settingOperand, type UpdateRule } from "./rule.ts";

export interface RmspropSettings {
  readonly rho?: Setting;
  readonly momentum?: Setting;
  readonly epsilon?: Setting;
  readonly centered?: boolean;
  /** ε under the root with the squares (Keras), or added to the root (PyTorch). */
  readonly epsilonInRoot?: boolean;
  /** Whether momentum averages steps, learning rate included (Keras), or the scaled gradients (PyTorch). */
  readonly momentumOfSteps?: boolean;
}

/**
 * RMSprop (Hinton 2012): v ← ρ·v + (1 − ρ)·g², w ← w − η·g / √(v + ε), or g / (√v + ε). `centered` subtracts the squared mean gradient from
 * v; with momentum μ the increment is averaged: m ← μ·m + increment, w ← w − m.
 */
export function rmsprop(options: RmspropSettings = {}): UpdateRule {
  const { rho = 0.9, momentum = 0, epsilon = 1e-7, centered = false } = options;
  const { epsilonInRoot = true, momentumOfSteps = true } = options;
  const averages = momentum !== 0;
  return {
    name: "rmsprop",
    slots: [
      { name: "velocity", initial: 0 },
      ...(averages ? [{ name: "momentum", initial: 0 }] : []),
      ...(centered ? [{ name: "average_gradient", initial: 0 }] : []),
    ],
    prepare: ({ learningRate }) => {
      const keep = settingOperand(rho);
      const weight = settingOperand(rho, (part) => 1 - part);
      const offset = settingOperand(epsilon);
      const inertia = settingOperand(momentum);
      return {
        update: (parameter, gradient, slots) => {
          const velocity = slots[0].mul(keep).add(gradient.square().mul(weight));
          const next: Tensor[] = [velocity];
          let squares = velocity;
          let average: Tensor | undefined;
          if (centered) {
            average = slots[slots.length - 1].mul(keep).add(gradient.mul(weight));
            squares = velocity.sub(average.square());
          }
          const deviation = epsilonInRoot ? squares.add(offset).sqrt() : squares.sqrt().add(offset);
          const early = momentumOfSteps || !averages;
          let increment = (early ? gradient.mul(learningRate) : gradient).div(deviation);
          if (averages) {
            increment = slots[1].mul(inertia).add(increment);
            next.push(increment);
          }
          if (average) next.push(average);
          return { parameter: parameter.sub(early ? increment : increment.mul(learningRate)), slots: next };
        },
      };
    },
  };
}

export interface AdagradSettings {
  readonly initialAccumulatorValue?: number;
  readonly epsilon?: Setting;
  /** ε under the root with the squares (Keras), or added to the root (PyTorch). */
  readonly epsilonInRoot?: boolean;
  /** κ: step t takes η / (1 + (t − 1)·κ). */
  readonly rateDecay?: Setting;
}

/** Adagrad (Duchi et al. 2011): a ← a + g², w ← w − η·g / √(a + ε), or g / (√a + ε). */
export function adagrad(options: AdagradSettings = {}): UpdateRule {
  const { initialAccumulatorValue = 0.1, epsilon = 1e-7, epsilonInRoot = true, rateDecay = 0 } = options;
  return {
    name: "adagrad",
    slots: [{ name: "accumulator", initial: initialAccumulatorValue }],
    prepare: ({ learningRate, step }) => {
      const offset = settingOperand(epsilon);
      const rate = rateDecay === 0 ? learningRate : learningRate.div(step.sub(1).mul(settingOperand(rateDecay)).add(1));
      return {
        update: (parameter, gradient, [accumulator]) => {
          const next = accumulator.add(gradient.square());
          const deviation = epsilonInRoot ? next.add(offset).sqrt() : next.sqrt().add(offset);
          return { parameter: parameter.sub(gradient.mul(rate).div(deviation)), slots: [next] };
        },
      };
    },
  };
}

/**
 * Adadelta (Zeiler 2012): a ← ρ·a + (1 − ρ)·g², δ = −g·√(d + ε) / √(a + ε), d ← ρ·d + (1 − ρ)·δ², w ← w + η·δ.
 */
export function adadelta(options: { rho?: Setting; epsilon?: Setting } = {}): UpdateRule {
  const { rho = 0.95, epsilon = 1e-7 } = options;
  return {
    name: "adadelta",
    slots: [
      { name: "accumulated_grad", initial: 0 },
      { name: "accumulated_delta_var", initial: 0 },
    ],
    prepare: ({ learningRate }) => {
      const keep = settingOperand(rho);
      const weight = settingOperand(rho, (part) => 1 - part);
      const offset = settingOperand(epsilon);
      return {
        update: (parameter, gradient, [squares, deltas]) => {
          const nextSquares = squares.mul(keep).add(gradient.square().mul(weight));
          const delta = deltas.add(offset).sqrt().mul(gradient).div(nextSquares.add(offset).sqrt()).neg();
          const nextDeltas = deltas.mul(keep).add(delta.square().mul(weight));
          return { parameter: parameter.add(delta.mul(learningRate)), slots: [nextSquares, nextDeltas] };
        },
      };
    },
  };
}
