import { cifar10Classes, loadCifar10, type PlanarImages, planarImage } from "../../data/cifar.ts";
import type { Image } from "../../data/image.ts";
import { VisionDataset } from "../../data/vision-dataset.ts";
import type { SplitOptions } from "./options.ts";

/**
 * CIFAR-10: 50,000 training and 10,000 test colour images, 32 x 32, in ten classes. `root` is a folder with the official binary or Python files (or their folder, or
 * the .tar.gz), or the archive itself. Pickles are read without running anything in them.
 * @throws DataError when files are missing, truncated or hold something else.
 */
export class CIFAR10<Input = Image, Target = number> extends VisionDataset<Input, Target> {
  readonly classes: readonly string[] = cifar10Classes;
  readonly train: boolean;
  private readonly images: PlanarImages;

  constructor(root: string, options: SplitOptions<Input, Target> = {}) {
    super(options);
    this.train = options.train ?? true;
    this.images = loadCifar10(root, this.train);
  }
  get length(): number {
    return this.images.labels.length;
  }
  imageAt(index: number): Image {
    return planarImage(this.images.planes[index]!);
  }
  targetAt(index: number): number {
    return this.images.labels[index]!;
  }
  /** All class numbers. */
  get targets(): number[] {
    return Array.from(this.images.labels);
  }
}
