/** NumPy arrays of bytes inside pickles, as Python 2 and 3 and NumPy 1 and 2 write them. */
import { DataError } from "../errors.ts";
import type { PickleBuildable, PickleCallable } from "./pickle.ts";

/** An array of bytes in row-major order. */
export class PickledBytes implements PickleBuildable {
  shape: readonly number[] = [];
  data: Uint8Array = new Uint8Array(0);

  /** (version, shape, dtype, isFortran, data) */
  setState(state: unknown): void {
    if (!Array.isArray(state) || state.length !== 5) throw new DataError("a pickled array has an unexpected state.");
    const [, shape, dtype, fortran, data] = state as [unknown, unknown, unknown, unknown, unknown];
    this.fill(shape, dtype, fortran === true || fortran === 1, data);
  }
  fill(shape: unknown, dtype: unknown, fortran: boolean, data: unknown): void {
    if (!(dtype instanceof PickledDType) || dtype.name !== "u1") {
      throw new DataError(
        `a pickled array holds ${dtype instanceof PickledDType ? dtype.name : "no dtype"}, expected bytes (u1).`,
      );
    }
    const sizes = Array.isArray(shape) ? (shape as unknown[]) : [];
    if (
      !sizes.every((size) => Number.isInteger(size) && (size as number) >= 0) ||
      fortran ||
      !(data instanceof Uint8Array)
    ) {
      throw new DataError("a pickled array is not in row-major order, or its shape or data are damaged.");
    }
    const count = (sizes as number[]).reduce((product, size) => product * size, 1);
    if (count !== data.length)
      throw new DataError(`a pickled array of shape ${sizes.join(" x ")} holds ${data.length} bytes.`);
    this.shape = sizes as number[];
    this.data = data;
  }
}

class PickledDType implements PickleBuildable {
  readonly name: string;
  constructor(name: string) {
    this.name = name;
  }
  /** Byte order and alignment, which bytes do not have. */
  setState(): void {}
}

const text = (value: unknown): string =>
  value instanceof Uint8Array ? Buffer.from(value).toString("latin1") : String(value);

const reconstruct: PickleCallable = { call: () => new PickledBytes() };
const arrayType: PickleCallable = {
  call: () => {
    throw new DataError("a pickle constructs an array in a way that is not known.");
  },
};
const dtype: PickleCallable = { call: ([name]) => new PickledDType(text(name)) };
/** NumPy's form for protocol 5: (buffer, dtype, shape, order). */
const fromBuffer: PickleCallable = {
  call: ([data, type, shape, order]) => {
    const array = new PickledBytes();
    array.fill(shape, type, text(order) === "F", data);
    return array;
  },
};
/** How protocol 2 of Python 3 writes bytes: text of code points below 256. */
const encode: PickleCallable = {
  call: ([value, encoding]) => {
    if (typeof value !== "string" || text(encoding) !== "latin1")
      throw new DataError("a pickle holds bytes in an unknown encoding.");
    return Uint8Array.from(Buffer.from(value, "latin1"));
  },
};

/** The callables that arrays of bytes need. */
export const numpyCallables: Readonly<Record<string, PickleCallable>> = {
  "numpy.core.multiarray._reconstruct": reconstruct,
  "numpy._core.multiarray._reconstruct": reconstruct,
  "numpy.core.numeric._frombuffer": fromBuffer,
  "numpy._core.numeric._frombuffer": fromBuffer,
  "numpy.ndarray": arrayType,
  "numpy.dtype": dtype,
  "_codecs.encode": encode,
};
