/** Objects that a saved configuration describes: initializers, regularizers, constraints. */
import type { Config, ConfigValue } from "./config.ts";
import * as constraints from "./constraints.ts";
import type { InitializerLike } from "./initializers.ts";
import * as initializers from "./initializers.ts";
import * as regularizers from "./regularizers.ts";

function revive(name: string, value: ConfigValue): unknown {
  if (/[iI]nitializer$/.test(name)) return initializers.get(value as InitializerLike);
  if (/[rR]egularizer$/.test(name)) return regularizers.get(value as unknown as regularizers.RegularizerLike);
  if (/[cC]onstraint$/.test(name)) return constraints.get(value as unknown as constraints.ConstraintLike);
  return value;
}

/** The options of a constructor from a configuration; what is null is left to its default. */
export function revivedOptions(config: Config): Record<string, unknown> {
  const given = Object.entries(config).filter(([, value]) => value !== null && value !== undefined);
  return Object.fromEntries(given.map(([name, value]) => [name, revive(name, value as ConfigValue)]));
}
