/** Whether new nodes record a gradient path. A stack, so that `noGrad` nests. */
let enabled = true;

export function gradEnabled(): boolean {
  return enabled;
}

/** Runs a synchronous callback with gradient recording switched on or off. */
export function withGradMode<T>(mode: boolean, callback: () => T): T {
  const before = enabled;
  enabled = mode;
  try {
    return callback();
  } finally {
    enabled = before;
  }
}
