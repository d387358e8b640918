/** The typed errors of Trivium. Every user mistake ends in one of these; an internal fault is an `InternalError`. */

/** The folder of Trivium's own modules, as it stands in stack traces; the build puts what entry points share in `chunks`. */
const ownFolder = decodeURIComponent(new URL(".", import.meta.url).pathname).replace(/\/chunks\/$/, "/");
/** Frames to look through for the user's line. */
const deepStack = 60;

/** Takes the stack again from where `from` was called, without the frames of Trivium at its top: the user's line comes first. */
export function beginStackAtUser(error: Error, from: (...args: never[]) => unknown): void {
  const limit = Error.stackTraceLimit;
  Error.stackTraceLimit = deepStack;
  Error.captureStackTrace?.(error, from);
  Error.stackTraceLimit = limit;
  const stack = error.stack ?? "";
  const start = stack.indexOf("\n    at ");
  if (start < 0) return;
  const frames = stack.slice(start + 1).split("\n");
  const first = frames.findIndex((frame) => !frame.includes(ownFolder));
  error.stack = `${stack.slice(0, start)}\n${frames.slice(Math.max(first, 0)).slice(0, limit).join("\n")}`;
}

/** Base class: `catch (e) { if (e instanceof TriviumError) … }` catches everything the framework throws on purpose. */
export class TriviumError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = new.target.name;
    // where Trivium itself is at fault, its own frames are what matters
    if (new.target.name !== "InternalError") beginStackAtUser(this, new.target as never);
  }
}

/** Shapes do not fit: names the operation, what was received and what was expected. */
export class ShapeError extends TriviumError {}
/** A dtype that an operation does not take; names the cast that helps. */
export class DTypeError extends TriviumError {}
/** An argument outside its domain (a negative rate, an unknown activation, a validationSplit of 1.5). */
export class ArgumentError extends TriviumError {}
/** An index or label outside its range, found before anything was overwritten. */
export class IndexRangeError extends TriviumError {}
/** A pending tensor whose variable has been overwritten since; names `keep()`. */
export class StaleTensorError extends TriviumError {}
/** Reading or differentiating something that has no gradient path, or whose graph was freed. */
export class GradientError extends TriviumError {}
/** A file that is missing, truncated, corrupt or of another format. */
export class DataError extends TriviumError {}
/** Memory that cannot be had, found before anything is allocated. */
export class OutOfMemoryError extends TriviumError {}
/** Something that this version does not do yet; the message says what to use instead. */
export class UnsupportedError extends TriviumError {}
/** A kernel that cannot be compiled; carries the printed kernel. */
export class CompileError extends TriviumError {
  readonly printedKernel: string;
  constructor(message: string, printedKernel: string) {
    super(`${message}\n${printedKernel}`);
    this.printedKernel = printedKernel;
  }
}
/** A broken promise inside Trivium itself: please report it. */
export class InternalError extends TriviumError {}

/** Exhaustiveness check: the compiler complains where a case of a union is forgotten. */
export function unreachable(value: never, what: string): never {
  throw new InternalError(`unexpected ${what}: ${JSON.stringify(value)}`);
}
