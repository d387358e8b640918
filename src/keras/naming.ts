/** Names that Keras makes up: snake case of the class, with a number from the second one on. */

const used = new Map<string, number>();

/** `MaxPooling2D` becomes `max_pooling2d`, `BatchNormalization` `batch_normalization`. */
export function toSnakeCase(name: string): string {
  return name
    .replace(/\W+/g, "")
    .replace(/(.)([A-Z][a-z]+)/g, "$1_$2")
    .replace(/([a-z])([A-Z])/g, "$1_$2")
    .toLowerCase();
}

/** A name that no other object of this kind has: `dense`, `dense_1`, … */
export function autoName(className: string): string {
  const base = toSnakeCase(className);
  const count = used.get(base) ?? 0;
  used.set(base, count + 1);
  return count === 0 ? base : `${base}_${count}`;
}

/** Starts counting names anew (`keras.utils.clearSession`). */
export function resetNames(): void {
  used.clear();
}

const exceptions: readonly (readonly [camel: string, snake: string])[] = [
  ["beta1", "beta_1"],
  ["beta2", "beta_2"],
];

/** An option's name as Keras spells it: `kernelSize` becomes `kernel_size`. */
export function toKerasKey(key: string): string {
  const exception = exceptions.find(([camel]) => camel === key);
  return exception ? exception[1] : key.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

/** The reverse of `toKerasKey`. */
export function fromKerasKey(key: string): string {
  const exception = exceptions.find(([, snake]) => snake === key);
  return exception ? exception[0] : key.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());
}
