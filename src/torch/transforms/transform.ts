/** What transforms are: callable, and typed by what they make of an image or a tensor. */
import type { Image } from "../../data/image.ts";
import type { Raster } from "../../data/image-geometry.ts";
import type { ImageProgram } from "../../data/vision-dataset.ts";
import { ArgumentError } from "../../errors.ts";
import { Callable } from "../../nn/callable.ts";
import type { Tensor } from "../../tensor/index.ts";

/** An instance that makes an image of an image and a tensor of a tensor. */
export interface GeometricInstance {
  <R extends Raster>(input: R): R;
  invoke<R extends Raster>(input: R): R;
}

/** Base of transforms that keep the kind of what they are given: images stay images, tensors tensors. */
export const GeometricBase = Callable as unknown as abstract new () => GeometricInstance;

/** Base of transforms of one kind: subclasses define `invoke`, and an instance is called like a function. */
export abstract class GeometricTransform extends GeometricBase {
  /** Tells types and `Compose` that the kind stays. */
  readonly keepsKind = true as const;
}

/** Anything that can stand in a `Compose`. */
export type Step = (input: never) => unknown;

/** What a transform makes of an input of a type. */
export type Applied<T, Input> = T extends { readonly keepsKind: true }
  ? Input
  : T extends { readonly transforms: infer Steps extends readonly unknown[]; readonly composes: true }
    ? Pipeline<Steps, Input>
    : T extends (input: never) => infer Output
      ? Output
      : Input;

/** What a list of transforms makes of an input, one after the other. */
export type Pipeline<Steps extends readonly unknown[], Input> = Steps extends readonly [infer First, ...infer Rest]
  ? Pipeline<Rest, Applied<First, Input>>
  : Input;

/** An instance that applies a list of transforms. */
export interface ComposeInstance<Steps extends readonly Step[]> {
  <Input extends Raster>(input: Input): Pipeline<Steps, Input>;
  invoke<Input extends Raster>(input: Input): Pipeline<Steps, Input>;
}

/** What the end of an image pipeline offers beside the call, so that a batch can be made at once: see `imageProgramOf`. */
export interface PipelineEnd {
  /** "tensor": bytes to f32 from 0 to 1. Statistics: a normalization after that. */
  readonly pixelStep: "tensor" | { readonly mean: readonly number[]; readonly std: readonly number[] };
}

/** The steps of nested compositions, in order. */
export function flatten(step: unknown): unknown[] {
  const { transforms, composes } = step as { readonly transforms?: readonly unknown[]; readonly composes?: boolean };
  return composes ? transforms!.flatMap(flatten) : [step];
}

/**
 * Steps that change images, then ToTensor, then normalizations: as one program for whole batches. Undefined for anything else, which is run example by
 * example.
 */
export function imageProgramOf(steps: readonly unknown[]): ImageProgram | undefined {
  const stages: ((image: Image) => Image)[] = [];
  const normalizations: { readonly mean: readonly number[]; readonly std: readonly number[] }[] = [];
  let isTensor = false;
  for (const step of steps) {
    const { pixelStep } = step as Partial<PipelineEnd>;
    if (!isTensor && (step as Partial<GeometricTransform>).keepsKind) stages.push(step as (image: Image) => Image);
    else if (!isTensor && pixelStep === "tensor") isTensor = true;
    else if (isTensor && typeof pixelStep === "object") normalizations.push(pixelStep);
    else return undefined;
  }
  return isTensor ? { stages, normalizations } : undefined;
}

/** @throws ArgumentError when it is not a function. */
export function checkSteps(operation: string, steps: readonly unknown[]): void {
  const wrong = steps.findIndex((step) => typeof step !== "function");
  if (!Array.isArray(steps) || wrong >= 0) {
    throw new ArgumentError(
      `${operation}: expected a list of transforms or functions; entry ${wrong} is ${typeof steps[wrong]} (classes need \`new\`).`,
    );
  }
}

/** An instance that makes a tensor. */
export interface ToTensorInstance<Input> {
  (input: Input): Tensor;
  invoke(input: Input): Tensor;
}
