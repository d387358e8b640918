/** Networks by torchvision's names. */
import { ArgumentError } from "../errors.ts";
import { nearestName } from "../nearest-name.ts";
import type { nn } from "../torch/index.ts";
import { densenet121, densenet161, densenet169, densenet201 } from "./densenet.ts";
import { mobilenetV2 } from "./mobilenet.ts";
import {
  resnet18,
  resnet34,
  resnet50,
  resnet101,
  resnet152,
  resnext50_32x4d,
  resnext101_32x8d,
  resnext101_64x4d,
  wideResnet50_2,
  wideResnet101_2,
} from "./resnet.ts";
import { vgg11, vgg11Bn, vgg13, vgg13Bn, vgg16, vgg16Bn, vgg19, vgg19Bn } from "./vgg.ts";
import type { WeightsOption } from "./weights.ts";

/** Options that every network has. */
export interface ModelOptions extends WeightsOption {
  /** Number of outputs (default 1000). */
  readonly numClasses?: number;
}

const makers = {
  densenet121,
  densenet161,
  densenet169,
  densenet201,
  mobilenet_v2: mobilenetV2,
  resnet101,
  resnet152,
  resnet18,
  resnet34,
  resnet50,
  resnext101_32x8d,
  resnext101_64x4d,
  resnext50_32x4d,
  vgg11,
  vgg11_bn: vgg11Bn,
  vgg13,
  vgg13_bn: vgg13Bn,
  vgg16,
  vgg16_bn: vgg16Bn,
  vgg19,
  vgg19_bn: vgg19Bn,
  wide_resnet101_2: wideResnet101_2,
  wide_resnet50_2: wideResnet50_2,
} satisfies Readonly<Record<string, (options?: ModelOptions) => nn.Module>>;

/** torchvision's name of a network that is here. */
export type ModelName = keyof typeof makers;

/** The names that `getModel` knows. After torchvision.models.list_models. */
export function listModels(): ModelName[] {
  return Object.keys(makers) as ModelName[];
}

/**
 * A network by torchvision's name. After torchvision.models.get_model.
 *
 * @example
 * ```ts
 * const model = getModel("mobilenet_v2", { numClasses: 10 });
 * ```
 */
export function getModel<Name extends ModelName>(
  name: Name,
  options?: Parameters<(typeof makers)[Name]>[0],
): ReturnType<(typeof makers)[Name]> {
  if (!Object.hasOwn(makers, name)) {
    const near = nearestName(name, listModels());
    const hint = near ? `did you mean "${near}"?` : `there are ${listModels().join(", ")}.`;
    throw new ArgumentError(`getModel: no network "${name}"; ${hint}`);
  }
  const make = makers[name] as (options?: ModelOptions) => nn.Module;
  return make(options) as ReturnType<(typeof makers)[Name]>;
}
