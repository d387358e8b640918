/** `torch.optim`: optimizers over parameter groups, and learning-rate schedulers. */
export * as lrScheduler from "./lr-scheduler.ts";
export { Optimizer, type OptimizerKind } from "./optimizer.ts";
export type { OptimizerStateDict, SettingValue } from "./optimizer-state.ts";
export * from "./optimizers.ts";
export type { CommonSettings, ParamGroup, ParamGroupInput, Params, ScheduledSettings } from "./param-groups.ts";
