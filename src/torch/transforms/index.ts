/** Image transforms: torchvision.transforms, with PIL's arithmetic. Random ones are keyed by (seed, epoch, index) inside a DataLoader. */

export { Image, type ImageMode } from "../../data/image.ts";
export { ColorJitter, Grayscale, RandomGrayscale } from "./color.ts";
export { Compose, Lambda, RandomApply, RandomChoice } from "./compose.ts";
export {
  CenterCrop,
  InterpolationMode,
  Pad,
  type PadOptions,
  RandomCrop,
  RandomHorizontalFlip,
  RandomResizedCrop,
  RandomRotation,
  RandomVerticalFlip,
  Resize,
  type Size,
} from "./geometry.ts";
export { ConvertImageDtype, Normalize, PILToTensor, RandomErasing, ToPILImage, ToTensor } from "./tensors.ts";
export type { Applied, Pipeline, Step } from "./transform.ts";
