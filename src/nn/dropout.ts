/** Dropout beside the plain one. */
import type { Shape } from "../graph/shape.ts";
import { dropout, type RandomOptions, randomBernoulli, randomNormal, type Tensor, where } from "../tensor/index.ts";

/** Zeroes whole channels (axis 1), together over all later axes. After Tompson et al., 2015. */
export function channelDropout(x: Tensor, rate: number): Tensor {
  return dropout(x, rate, { maskShape: x.shape.map((extent, axis) => (axis < 2 ? extent : 1)) });
}

/** The value of SELU at −∞. */
const saturation = -1.7580993408473766;

/** Replaces elements by SELU's saturation value and rescales, so that mean and variance of a unit normal stay. After Klambauer et al., 2017. */
export function alphaDropout(
  x: Tensor,
  rate: number,
  options: RandomOptions & { readonly maskShape?: Shape } = {},
): Tensor {
  if (rate === 0) return x;
  if (rate === 1) return x.mul(0);
  const scale = 1 / Math.sqrt((1 - rate) * (1 + rate * saturation * saturation));
  const kept = randomBernoulli(options.maskShape ?? x.shape, 1 - rate, options);
  return where(kept, x, saturation)
    .mul(scale)
    .add(-scale * saturation * rate);
}

/** x + n with normal noise n of mean 0. */
export function addNoise(x: Tensor, std: number, options: RandomOptions = {}): Tensor {
  return x.add(randomNormal(x.shape, { ...options, std }));
}

/** x · n with normal noise n of mean 1 and the variance rate / (1 − rate) that dropout of this rate has. After Srivastava et al., 2014. */
export function multiplyNoise(x: Tensor, rate: number, options: RandomOptions = {}): Tensor {
  return x.mul(randomNormal(x.shape, { ...options, mean: 1, std: Math.sqrt(rate / (1 - rate)) }));
}
