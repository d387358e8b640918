import { ArgumentError } from "../../errors.ts";
import type { DType } from "../../graph/dtype.ts";
import type { Tensor } from "../../tensor/index.ts";
import type { BatchShape, Config } from "../config.ts";
import type { KerasTensor } from "../keras-tensor.ts";
import { Layer, type LayerOptions } from "../layer.ts";
import { recordNode, Spec } from "../symbolic.ts";

/** What inputs may be. */
export type InputDType = "float32" | "int32" | "bool";
const dtypes: Readonly<Record<InputDType, DType>> = { float32: "f32", int32: "i32", bool: "bool" };

export interface InputLayerOptions extends Omit<LayerOptions, "dtype"> {
  /** Sizes of one example; null for one that varies. */
  readonly shape?: BatchShape;
  readonly batchSize?: number | null;
  /** 'float32' by default; what comes in another dtype is converted. */
  readonly dtype?: InputDType;
}

/** The entry of a model: says what shape the inputs have. */
export class InputLayer extends Layer {
  /** Input shape with the batch axis first. */
  readonly batchShape: BatchShape;
  readonly inputDType: DType;

  constructor(options: InputLayerOptions) {
    const { dtype = "float32", ...others } = options;
    super({ ...others, name: options.name }, ["shape", "batchSize"]);
    const shape = options.shape ?? options.inputShape;
    if (!Array.isArray(shape) || !shape.every((size) => size === null || (Number.isInteger(size) && size > 0))) {
      throw new ArgumentError(
        `InputLayer: shape must be the sizes of one example, like [28, 28, 1], received ${JSON.stringify(shape)}.`,
      );
    }
    if (!Object.hasOwn(dtypes, dtype)) {
      throw new ArgumentError(
        `InputLayer: dtype must be one of ${Object.keys(dtypes).join(", ")}, received "${String(dtype)}".`,
      );
    }
    this.inputDType = dtypes[dtype];
    this.batchShape = [options.batchSize ?? null, ...shape];
    this.supportsMasking = true;
    this.buildFor(this.batchShape);
    recordNode(this, [], {}, new Spec(this.batchShape, this.inputDType));
  }
  /** What the inputs are called symbolically. */
  get symbol(): KerasTensor {
    return this.inboundNodes[0].outputs as KerasTensor;
  }
  override call(inputs: Tensor): Tensor {
    return inputs;
  }
  override computeOutputShape(inputShape: BatchShape): BatchShape {
    return inputShape;
  }
  override getConfig(): Config {
    const dtype = Object.entries(dtypes).find(([, type]) => type === this.inputDType)?.[0];
    return {
      name: this.name,
      shape: this.batchShape.slice(1),
      batchSize: this.batchShape[0],
      ...(dtype !== "float32" && { dtype }),
    };
  }
}

/**
 * The input of a model, symbolically: what layers are called on to make a functional model.
 *
 * @example
 * ```ts
 * const image = Input({ shape: [28, 28, 1], name: "image" });
 * const model = new Model({ inputs: image, outputs: new Dense(10)(new Flatten()(image)) });
 * ```
 */
export function Input(options: InputLayerOptions | BatchShape): KerasTensor {
  const settings = Array.isArray(options) ? { shape: options as BatchShape } : (options as InputLayerOptions);
  return new InputLayer(settings).symbol;
}
