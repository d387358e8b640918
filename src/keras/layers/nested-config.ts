import type { Config } from "../config.ts";
import { customClass, registeredNameOf, type SerializableClass } from "../custom-objects.ts";
import type { AnyLayer } from "../layer.ts";

/** A layer inside another one as data; one of the user's own by its registered name. */
export function nestedConfig(layer: AnyLayer): Config {
  const { className } = layer;
  const registered =
    registeredNameOf(layer.constructor as unknown as SerializableClass) ??
    (customClass(className) ? className : undefined);
  return { className, ...(registered !== undefined && { registeredName: registered }), config: layer.getConfig() };
}
