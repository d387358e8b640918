/** `torch.optim.lr_scheduler`: schedules of the learning rate, in PyTorch's chainable form. */
export * from "./composed-schedules.ts";
export * from "./cosine-schedules.ts";
export * from "./one-cycle.ts";
export * from "./plateau.ts";
export * from "./ramp-schedules.ts";
export {
  type AnyGroup,
  type AnyOptimizer,
  LRScheduler,
  Scheduler,
  type SchedulerOptions,
  type SchedulerStateDict,
  type SchedulerValue,
} from "./scheduler.ts";
export * from "./step-schedules.ts";
