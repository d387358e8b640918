/**
 * Images of the size of CIFAR-10's for examples that must run without a download: each class is a colour and a direction of stripes, under noise. The
 * same numbers for the same seed on every machine.
 */
export interface Patterns {
  /** Pixels in [0, 1], channels last: [count, 32, 32, 3]. */
  readonly images: Float32Array;
  /** Classes 0 … 9. */
  readonly labels: Int32Array;
}

/** Uniform numbers in [0, 1): a 32-bit mixing function of a counter. */
function* numbers(seed: number): Generator<number, never> {
  for (let counter = (seed + 1) * 0x9e3779b9; ; counter += 0x6d2b79f5) {
    let bits = counter | 0;
    bits = Math.imul(bits ^ (bits >>> 15), bits | 1);
    bits ^= bits + Math.imul(bits ^ (bits >>> 7), bits | 61);
    yield ((bits ^ (bits >>> 14)) >>> 0) / 2 ** 32;
  }
}

export function colourPatterns(count: number, seed = 0): Patterns {
  const side = 32;
  const images = new Float32Array(count * side * side * 3);
  const labels = new Int32Array(count);
  const random = numbers(seed);
  const next = (): number => random.next().value;
  let at = 0;
  for (let example = 0; example < count; example++) {
    const label = Math.floor(next() * 10);
    labels[example] = label;
    const angle = (label / 10) * Math.PI;
    const [along, across] = [Math.cos(angle), Math.sin(angle)];
    const phase = next() * 6.28;
    for (let row = 0; row < side; row++) {
      for (let column = 0; column < side; column++) {
        const stripe = 0.25 * Math.sin(0.7 * (along * column + across * row) + phase);
        for (let channel = 0; channel < 3; channel++) {
          const tint = 0.1 * Math.cos(label + 2.1 * channel);
          images[at++] = Math.min(1, Math.max(0, 0.5 + stripe + tint + 0.3 * (next() - 0.5)));
        }
      }
    }
  }
  return { images, labels };
}
