/** What methods accept in more than one form. */
import { ArgumentError } from "../errors.ts";
import type { Shape } from "../graph/shape.ts";

/** One axis or several. */
export type Axes = number | readonly number[];
/** Whether reduced axes stay with size 1: `true`, or PyTorch's `{ keepdim: true }`. */
export type KeepAxes = boolean | { readonly keepdim?: boolean };
/** Sizes one by one or as one array. */
export type Sizes = readonly number[] | readonly [Shape];

/** A list from `f(1, 2)` or `f([1, 2])`. */
export function sizes(list: Sizes): Shape {
  return typeof list[0] === "object" ? list[0] : (list as readonly number[]);
}

/** The flag of either form. */
export function keeps(option: KeepAxes | undefined): boolean {
  return typeof option === "object" ? (option.keepdim ?? false) : (option ?? false);
}

/** One of the words that an option takes. */
export function oneOf<T extends string>(operation: string, name: string, value: string, known: readonly T[]): T {
  const found = known.find((each) => each === value);
  if (found === undefined)
    throw new ArgumentError(
      `${operation}: ${name} "${value}" is unknown; expected ${known.map((each) => `"${each}"`).join(" or ")}.`,
    );
  return found;
}
