/** `torch.jit`: modules as programs that leave the process. */
export { load, save } from "./script-file.ts";
export { ScriptModule } from "./script-module.ts";
export { type CallArguments, type CallResult, script, type Traceable, type TraceOptions, trace } from "./trace.ts";
