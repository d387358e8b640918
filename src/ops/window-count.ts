import { scalarCall, scalarCast, scalarConstant, scalarPosition } from "../kernel/scalar.ts";
import { defineOp } from "./define.ts";
import { type Pair, type WindowOptions, windowAttributes, windowOutputSize } from "./window-geometry.ts";

export interface WindowCountOptions extends Omit<WindowOptions, "dilation"> {
  /** Cells of this much padding [[top, bottom], [left, right]] count like data (PyTorch's `count_include_pad`). */
  readonly counted?: WindowOptions["padding"];
}

/** How many cells of each window count: those in the data, and those in the padding that is said to count. The divisor of average pooling. */
export const windowCount = defineOp({
  name: "windowCount",
  summary:
    "Number of cells of each window that lie in the data (or in padding that counts), as f32 of shape (height, width, 1).",
  prepare: (size: Pair, window: number | Pair, options: WindowCountOptions = {}) => {
    const geometry = windowAttributes("windowCount", window, options);
    const counted = options.counted ?? [
      [0, 0],
      [0, 0],
    ];
    return { inputs: [], attributes: { ...geometry, size, counted } };
  },
  infer: (_inputs, attributes) => ({
    shape: [...windowOutputSize("windowCount", attributes.size, attributes), 1],
    dtype: "f32",
  }),
  meaning: (_inputs, { window, strides, padding, size, counted }) => ({
    kind: "elementwise",
    expression: () => {
      const integer = (value: number) => scalarConstant(value, "i32");
      const along = (axis: 0 | 1) => {
        const start = scalarCall(
          "add",
          scalarCall("mul", scalarPosition(axis), integer(strides[axis])),
          integer(-padding[axis][0]),
        );
        const end = scalarCall("add", start, integer(window[axis]));
        return scalarCall(
          "sub",
          scalarCall("min", end, integer(size[axis] + counted[axis][1])),
          scalarCall("max", start, integer(-counted[axis][0])),
        );
      };
      return scalarCast(scalarCall("mul", along(0), along(1)), "f32");
    },
  }),
  gradient: { none: "a count depends on shapes only" },
  cases: [
    {
      name: "edges see fewer cells",
      args: () => [
        [2, 3],
        3,
        {
          padding: [
            [1, 1],
            [1, 1],
          ],
        },
      ],
      shape: [2, 3, 1],
      expected: [4, 6, 4, 4, 6, 4],
    },
    {
      name: "padding that counts",
      args: () => [
        [1, 3],
        [1, 2],
        {
          strides: 2,
          padding: [
            [0, 0],
            [1, 2],
          ],
          counted: [
            [0, 0],
            [1, 1],
          ],
        },
      ],
      shape: [1, 3, 1],
      expected: [2, 2, 1],
    },
  ],
});
