/** Programs that leave the process: traced functions as plain data. */
export { programFromJson, programToJson } from "./parse.ts";
export type { PortableProgram } from "./program.ts";
export { validateProgram } from "./replay.ts";
export { checkStructure, flattenTensors, type Structure, type TensorStructure, unflattenTensors } from "./structure.ts";
export {
  callTraced,
  describeArguments,
  type TracedProgram,
  type TraceRequest,
  type TraceResult,
  takes,
  traceFunction,
} from "./trace.ts";
