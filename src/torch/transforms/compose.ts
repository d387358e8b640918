import { checkProbability } from "../../data/augmentation.ts";
import type { Raster } from "../../data/image-geometry.ts";
import { sampleRandom } from "../../data/index.ts";
import type { ImageProgram } from "../../data/vision-dataset.ts";
import { ArgumentError } from "../../errors.ts";
import { Callable } from "../../nn/callable.ts";
import {
  type ComposeInstance,
  checkSteps,
  flatten,
  GeometricTransform,
  imageProgramOf,
  type Pipeline,
  type Step,
} from "./transform.ts";

const ComposeBase = Callable as unknown as abstract new <Steps extends readonly Step[]>() => ComposeInstance<Steps>;

/**
 * Transforms one after the other. In a data set, image transforms followed by ToTensor and Normalize are run by the batch, with the same bits.
 *
 * @example
 * ```ts
 * const transform = new transforms.Compose([new transforms.Resize([8, 8]), new transforms.ToTensor()]);
 * ```
 */
export class Compose<const Steps extends readonly Step[]> extends ComposeBase<Steps> {
  readonly transforms: Steps;
  readonly composes = true as const;
  /** @internal The steps for whole batches, where they can be. */
  readonly imageProgram: ImageProgram | undefined;

  constructor(transforms: Steps) {
    super();
    checkSteps("Compose", transforms);
    this.transforms = transforms;
    this.imageProgram = imageProgramOf(transforms.flatMap(flatten));
  }
  override invoke<Input extends Raster>(input: Input): Pipeline<Steps, Input> {
    let value: unknown = input;
    for (const step of this.transforms) value = step(value as never);
    return value as Pipeline<Steps, Input>;
  }
}

const FunctionBase = Callable as unknown as abstract new <Input, Output>() => {
  (input: Input): Output;
  invoke(input: Input): Output;
};

/** A function as a transform. Use `sampleRandom()` for random numbers inside it. */
export class Lambda<Input, Output> extends FunctionBase<Input, Output> {
  readonly lambd: (input: Input) => Output;
  constructor(lambd: (input: Input) => Output) {
    super();
    checkSteps("Lambda", [lambd]);
    this.lambd = lambd;
  }
  override invoke(input: Input): Output {
    return this.lambd(input);
  }
}

/** A step that keeps the kind of what it is given. */
type KeepingStep = <R extends Raster>(input: R) => R;

/** All of the transforms with probability `p`, none otherwise. */
export class RandomApply extends GeometricTransform {
  readonly transforms: readonly KeepingStep[];
  readonly p: number;
  constructor(transforms: readonly KeepingStep[], p = 0.5) {
    super();
    checkSteps("RandomApply", transforms);
    this.transforms = transforms;
    this.p = checkProbability("RandomApply", p);
  }
  override invoke<R extends Raster>(input: R): R {
    if (!sampleRandom().chance(this.p)) return input;
    return this.transforms.reduce((value, step) => step(value), input);
  }
}

/** One of the transforms, each with the same probability. */
export class RandomChoice extends GeometricTransform {
  readonly transforms: readonly KeepingStep[];
  constructor(transforms: readonly KeepingStep[]) {
    super();
    checkSteps("RandomChoice", transforms);
    if (transforms.length === 0) throw new ArgumentError("RandomChoice: expected at least one transform.");
    this.transforms = transforms;
  }
  override invoke<R extends Raster>(input: R): R {
    return this.transforms[sampleRandom().integer(this.transforms.length)]!(input);
  }
}
