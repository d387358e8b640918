import { chooseDefaultTarget } from "./default-target.ts";
import { Engine } from "./engine.ts";

/** The engine behind the public functions. One per process: programs, variables and values belong together. */
export const defaultEngine = new Engine(chooseDefaultTarget);
