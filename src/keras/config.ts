/** Plain data that describes an object, under camelCase names: what `getConfig()` gives and `fromConfig()` takes. */
export type ConfigValue = null | boolean | number | string | readonly ConfigValue[] | Config;
export interface Config {
  readonly [name: string]: ConfigValue | undefined;
}

/** Sizes with the batch axis first; `null` is a size that varies. */
export type BatchShape = readonly (number | null)[];
