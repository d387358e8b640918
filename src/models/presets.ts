/** What is done to an image before a network sees it. */
import { transforms } from "../torch/index.ts";

/** Sizes and statistics of `imageClassification`. */
export interface ImageClassificationOptions {
  /** Edge of the square that the network sees (default 224). */
  readonly cropSize?: number;
  /** Length of the shorter edge before that (default 256). */
  readonly resizeSize?: number;
  /** Mean of each channel (default ImageNet's). */
  readonly mean?: readonly number[];
  /** Deviation of each channel (default ImageNet's). */
  readonly std?: readonly number[];
}

/** Resizes, crops, makes a tensor, normalizes. */
export type ImageClassification = transforms.Compose<
  readonly [transforms.Resize, transforms.CenterCrop, transforms.ToTensor, transforms.Normalize]
>;

/**
 * The transform that torchvision's classification weights were made for: the shorter edge to 256 pixels, the middle 224 by 224, then normalized by
 * ImageNet's statistics. Some weights want another `resizeSize`, such as 232. After torchvision.transforms.ImageClassification.
 *
 * @example
 * ```ts
 * const image = new torch.transforms.Image(320, 288, 3);
 * imageClassification()(image).shape; // [3, 224, 224]
 * ```
 */
export function imageClassification(options: ImageClassificationOptions = {}): ImageClassification {
  const { cropSize = 224, resizeSize = 256, mean = [0.485, 0.456, 0.406], std = [0.229, 0.224, 0.225] } = options;
  return new transforms.Compose([
    new transforms.Resize(resizeSize),
    new transforms.CenterCrop(cropSize),
    new transforms.ToTensor(),
    new transforms.Normalize(mean, std),
  ]);
}
