/** `keras.callbacks`. */
export { BackupAndRestore, type BackupAndRestoreOptions } from "./backup-and-restore.ts";
export { Callback, type CallbackParams, type Logs } from "./callback.ts";
export { CallbackList } from "./callback-list.ts";
export { CSVLogger, type CSVLoggerOptions } from "./csv-logger.ts";
export { EarlyStopping, type EarlyStoppingOptions } from "./early-stopping.ts";
export { History } from "./history.ts";
export { LearningRateScheduler, ReduceLROnPlateau, type ReduceLROnPlateauOptions } from "./learning-rate.ts";
export { ModelCheckpoint, type ModelCheckpointOptions } from "./model-checkpoint.ts";
export { ProgbarLogger } from "./progbar-logger.ts";
export { LambdaCallback, type LambdaHooks, TerminateOnNaN } from "./small.ts";
export { TensorBoard, type TensorBoardOptions } from "./tensor-board.ts";
