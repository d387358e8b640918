import { DTypeError } from "../../errors.ts";
import { type TensorLike, Variable } from "../../tensor/index.ts";

export interface ParameterOptions {
  /** Whether gradients flow to it (default true). */
  readonly requiresGrad?: boolean;
  /** How errors name it. */
  readonly name?: string;
  /** Order of the axes in memory where it is another than that of the shape: axis i there is axis order[i] here. Only speed depends on it. */
  readonly order?: readonly number[];
}

/**
 * A variable that a module finds among its own properties: it is listed by `parameters()` and trained by optimizers. After
 * torch.nn.Parameter; f32 only.
 *
 * @example
 * ```ts
 * class Scale extends nn.Module {
 *   factor = new nn.Parameter(torch.ones([1]));
 *   override forward(x: Tensor): Tensor {
 *     return x.mul(this.factor);
 *   }
 * }
 * ```
 */
export class Parameter extends Variable {
  constructor(data: TensorLike, options: boolean | ParameterOptions = {}) {
    const settings = typeof options === "boolean" ? { requiresGrad: options } : options;
    const { requiresGrad = true, name = "Parameter", order } = settings as ParameterOptions;
    super(data, { name, trainable: requiresGrad, ...(order && { order }) });
    if (requiresGrad && this.dtype !== "f32") {
      throw new DTypeError(
        `Parameter: only f32 tensors can be trained, received ${this.dtype}; convert with .cast("f32"), or pass { requiresGrad: false }.`,
      );
    }
  }

  override toString(): string {
    return `Parameter containing:\n${super.toString()}`;
  }
}

/** A variable that a module saves but does not train: running statistics, fixed tables. */
export class Buffer extends Variable {
  constructor(data: TensorLike, options: { readonly name?: string } = {}) {
    super(data, { name: options.name ?? "Buffer", trainable: false });
  }
}
