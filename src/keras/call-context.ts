/** What a layer's call inherits from the call around it. */
export interface CallContext {
  readonly training: boolean;
}

const warned = new WeakSet<object>();

/** The calls that run at this moment. */
export const callContext = {
  /** The innermost call; undefined outside of all layers. */
  current: undefined as CallContext | undefined,

  /** Warns about a layer, once. */
  warnOnce(layer: object, message: string): void {
    if (warned.has(layer)) return;
    warned.add(layer);
    console.warn(message);
  },
};
