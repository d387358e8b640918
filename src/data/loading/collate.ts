/** Examples to batches. */
import { ArgumentError, DataError, ShapeError } from "../../errors.ts";
import { type DType, viewOf } from "../../graph/dtype.ts";
import { sameShape } from "../../graph/shape.ts";
import { hostView, Tensor, tensor, tensorView } from "../../tensor/index.ts";
import { Image } from "../image.ts";

type TypedValues = Float32Array | Float64Array | Int32Array | Uint8Array | Uint8ClampedArray;

/** What `defaultCollate` makes of examples of a type: the same structure, with a tensor in place of each tensor, number, boolean or typed array. */
export type Collated<Sample> = unknown extends Sample
  ? unknown
  : Sample extends Tensor | number | boolean | TypedValues
    ? Tensor
    : Sample extends string
      ? string[]
      : Sample extends Image
        ? never
        : Sample extends readonly unknown[]
          ? { -readonly [K in keyof Sample]: Collated<Sample[K]> }
          : Sample extends object
            ? { -readonly [K in keyof Sample]: Collated<Sample[K]> }
            : never;

const bytesOf: Readonly<Record<DType, number>> = { f32: 4, i32: 4, u8: 1, bool: 1 };

function stackTensors(tensors: readonly Tensor[]): Tensor {
  const { shape, dtype } = tensors[0]!;
  const size = tensors[0]!.size;
  const target = viewOf(dtype, new ArrayBuffer(size * tensors.length * bytesOf[dtype]), 0, size * tensors.length);
  tensors.forEach((each, position) => {
    if (!(each instanceof Tensor) || !sameShape(each.shape, shape) || each.dtype !== dtype) {
      const found = each instanceof Tensor ? `${each.dtype} [${each.shape.join(", ")}]` : typeof each;
      throw new ShapeError(
        `collate: examples of a batch must have the same shape and dtype, but example 0 has ${dtype} [${shape.join(", ")}] and example ${position} ` +
          `${found}. Resize or pad them, or give a collateFn.`,
      );
    }
    const values = hostView(each);
    if (size === 1) target[position] = values[0]!;
    else target.set(values, position * size);
  });
  return tensorView(target, [tensors.length, ...shape], dtype);
}

function stackNumbers(numbers: readonly number[]): Tensor {
  const whole = numbers.every((value) => Number.isInteger(value) && Math.abs(value) < 2 ** 31);
  if (!numbers.every((value) => typeof value === "number")) throw mixed(numbers);
  return whole ? tensor(Int32Array.from(numbers)) : tensor(Float32Array.from(numbers));
}

function mixed(values: readonly unknown[]): DataError {
  return new DataError(
    `collate: examples of a batch differ in kind: ${[...new Set(values.map((value) => (value === null ? "null" : typeof value)))].join(" and ")}.`,
  );
}

function isTyped(value: unknown): value is TypedValues {
  return ArrayBuffer.isView(value) && !(value instanceof DataView);
}

/**
 * A batch from a list of examples, structure by structure: tensors of one shape are stacked along a new first axis; numbers become a tensor (i32 when all of
 * the batch are integers, so class labels are; f32 otherwise); booleans a bool tensor; typed arrays rows of a tensor; strings a list; arrays and
 * objects are collated entry by entry. After torch.utils.data.default_collate.
 * @throws ShapeError when shapes differ; DataError when structures do; ArgumentError for images (use ToTensor) and other values.
 */
export function defaultCollate<Sample>(samples: readonly Sample[]): Collated<Sample> {
  if (samples.length === 0) throw new DataError("collate: there are no examples.");
  return collateAny(samples as readonly unknown[]) as Collated<Sample>;
}

function collateAny(samples: readonly unknown[]): unknown {
  const [first] = samples;
  if (first instanceof Tensor) return stackTensors(samples as readonly Tensor[]);
  if (typeof first === "number") return stackNumbers(samples as readonly number[]);
  if (typeof first === "boolean") return tensor(samples as readonly boolean[]);
  if (typeof first === "string") return [...samples];
  if (first instanceof Image) {
    throw new ArgumentError(
      `collate: the examples are images (${first}), which have no batch. Give the data set a transform that ends in ToTensor, or give a collateFn.`,
    );
  }
  if (isTyped(first)) {
    return stackTensors(
      samples.map((values) => {
        if (!isTyped(values)) throw mixed(samples);
        return tensor(values);
      }),
    );
  }
  if (Array.isArray(first)) {
    for (const [position, sample] of samples.entries()) {
      if (!Array.isArray(sample) || sample.length !== first.length) {
        throw new DataError(
          `collate: each example must have as many entries as the first (${first.length}); example ${position} has ` +
            `${Array.isArray(sample) ? sample.length : typeof sample}.`,
        );
      }
    }
    return first.map((_, entry) =>
      collateAny((samples as readonly (readonly unknown[])[]).map((sample) => sample[entry])),
    );
  }
  if (typeof first === "object" && first !== null && !(first instanceof Promise)) {
    return Object.fromEntries(
      Object.keys(first).map((name) => [
        name,
        collateAny(
          samples.map((sample, position) => {
            if (typeof sample !== "object" || sample === null || !(name in sample)) {
              throw new DataError(`collate: example ${position} has no "${name}", which example 0 has.`);
            }
            return (sample as Record<string, unknown>)[name];
          }),
        ),
      ]),
    );
  }
  throw new ArgumentError(
    `collate: examples must hold tensors, numbers, booleans, strings, typed arrays, or arrays and objects of them; received ` +
      `${first instanceof Promise ? "a promise (get must be synchronous)" : first === null ? "null" : typeof first}.`,
  );
}
