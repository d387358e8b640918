/** From images to tensors and back, and what is done to tensors. */
import { checkProbability, checkRange, eraseRandomBox, type Range } from "../../data/augmentation.ts";
import {
  checkStatistics,
  convertImageTensor,
  imageToByteTensor,
  imageToTensor,
  normalizeTensor,
  tensorToImage,
} from "../../data/image-tensor.ts";
import { Image, sampleRandom } from "../../data/index.ts";
import type { ImageProgram } from "../../data/vision-dataset.ts";
import { ArgumentError } from "../../errors.ts";
import { Callable } from "../../nn/callable.ts";
import { Tensor } from "../../tensor/index.ts";
import type { PipelineEnd, ToTensorInstance } from "./transform.ts";

const FromImage = Callable as unknown as abstract new () => ToTensorInstance<Image>;
const FromTensor = Callable as unknown as abstract new () => ToTensorInstance<Tensor>;
const ToImage = Callable as unknown as abstract new () => { (input: Tensor): Image; invoke(input: Tensor): Image };

function onlyImage(name: string, value: unknown): Image {
  if (value instanceof Image) return value;
  throw new ArgumentError(
    `${name}: expected an Image, received ${value instanceof Tensor ? "a Tensor" : typeof value}.`,
  );
}
function onlyTensor(name: string, value: unknown): Tensor {
  if (value instanceof Tensor) return value;
  throw new ArgumentError(
    `${name}: expected a Tensor, received ${value instanceof Image ? "an Image; put ToTensor before it" : typeof value}.`,
  );
}

/** An image's bytes as f32 [channels, height, width] from 0 to 1: byte / 255. */
export class ToTensor extends FromImage implements PipelineEnd {
  readonly pixelStep = "tensor" as const;
  /** @internal For whole batches, where it is the only transform. */
  readonly imageProgram: ImageProgram = { stages: [], normalizations: [] };
  override invoke(image: Image): Tensor {
    return imageToTensor(onlyImage("ToTensor", image));
  }
}

/** An image's bytes as they are: u8 [channels, height, width]. */
export class PILToTensor extends FromImage {
  override invoke(image: Image): Tensor {
    return imageToByteTensor(onlyImage("PILToTensor", image));
  }
}

/** The image of a tensor [channels, height, width]: u8 as it is, f32 times 255. */
export class ToPILImage extends ToImage {
  override invoke(tensor: Tensor): Image {
    return tensorToImage(onlyTensor("ToPILImage", tensor));
  }
}

/** (x − mean) / std for each channel of f32 [..., channels, height, width]; one number stands for all channels. */
export class Normalize extends FromTensor implements PipelineEnd {
  readonly mean: readonly number[];
  readonly std: readonly number[];
  constructor(mean: number | readonly number[], std: number | readonly number[]) {
    super();
    this.mean = typeof mean === "number" ? [mean] : mean;
    this.std = typeof std === "number" ? [std] : std;
    checkStatistics("Normalize", this);
  }
  /** @internal */
  get pixelStep(): { readonly mean: readonly number[]; readonly std: readonly number[] } {
    return { mean: this.mean, std: this.std };
  }
  override invoke(tensor: Tensor): Tensor {
    return normalizeTensor(onlyTensor("Normalize", tensor), this);
  }
}

/** Between bytes (u8) and f32 from 0 to 1. */
export class ConvertImageDtype extends FromTensor {
  readonly dtype: "f32" | "u8";
  constructor(dtype: "f32" | "u8") {
    super();
    if (dtype !== "f32" && dtype !== "u8") {
      throw new ArgumentError(`ConvertImageDtype: dtype must be "f32" or "u8", received ${JSON.stringify(dtype)}.`);
    }
    this.dtype = dtype;
  }
  override invoke(tensor: Tensor): Tensor {
    return convertImageTensor(onlyTensor("ConvertImageDtype", tensor), this.dtype);
  }
}

/** Overwrites a random box with probability `p` (Zhong et al., 2017): with a value, one for each channel, or "random" (normal noise). */
export class RandomErasing extends FromTensor {
  readonly p: number;
  readonly scale: Range;
  readonly ratio: Range;
  readonly value: number | readonly number[] | "random";
  constructor(
    options: {
      readonly p?: number;
      readonly scale?: Range;
      readonly ratio?: Range;
      readonly value?: number | readonly number[] | "random";
    } = {},
  ) {
    super();
    this.p = checkProbability("RandomErasing", options.p ?? 0.5);
    this.scale = checkRange("RandomErasing", "scale", options.scale ?? [0.02, 0.33], 0);
    this.ratio = checkRange("RandomErasing", "ratio", options.ratio ?? [0.3, 3.3], Number.MIN_VALUE);
    this.value = options.value ?? 0;
  }
  override invoke(tensor: Tensor): Tensor {
    const checked = onlyTensor("RandomErasing", tensor);
    const random = sampleRandom();
    if (!random.chance(this.p)) return checked;
    return eraseRandomBox(checked, random, this.scale, this.ratio, this.value === "random" ? undefined : this.value);
  }
}
