/** Ctrl-C while a loop runs. */
export interface InterruptWatch {
  readonly interrupted: boolean;
  /** Ends the watch; Ctrl-C then does again what it did before. */
  stop(): void;
}

/**
 * Calls back once when the user presses Ctrl-C (SIGINT), instead of ending the process. The watch then removes itself, so that a second
 * Ctrl-C ends the process at once.
 */
export function watchInterrupts(onInterrupt: () => void): InterruptWatch {
  let interrupted = false;
  const handler = (): void => {
    interrupted = true;
    onInterrupt();
  };
  process.once("SIGINT", handler);
  return {
    get interrupted() {
      return interrupted;
    },
    stop: () => {
      process.removeListener("SIGINT", handler);
    },
  };
}
