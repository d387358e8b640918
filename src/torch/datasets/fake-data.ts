import { HostRandom } from "../../data/host-random.ts";
import { Image } from "../../data/image.ts";
import { VisionDataset } from "../../data/vision-dataset.ts";
import { ArgumentError } from "../../errors.ts";
import type { VisionOptions } from "./options.ts";

/** Options of `FakeData`. */
export interface FakeDataOptions<Input, Target> extends VisionOptions<Input, Target> {
  /** Number of examples. Default 1000. */
  readonly size?: number;
  /** [channels, height, width]. Default [3, 224, 224]. */
  readonly imageSize?: readonly [channels: number, height: number, width: number];
  /** Default 10. */
  readonly numClasses?: number;
  /** The seed of everything; another one, another data set. Default 0. */
  readonly randomOffset?: number;
}

/** Random images with random class numbers: always the same for a seed and an index. */
export class FakeData<Input = Image, Target = number> extends VisionDataset<Input, Target> {
  readonly size: number;
  readonly imageSize: readonly [channels: number, height: number, width: number];
  readonly numClasses: number;
  readonly randomOffset: number;

  constructor(options: FakeDataOptions<Input, Target> = {}) {
    super(options);
    const { size = 1000, imageSize = [3, 224, 224], numClasses = 10, randomOffset = 0 } = options;
    if (![size, numClasses].every((value) => Number.isInteger(value) && value > 0) || !Number.isInteger(randomOffset)) {
      throw new ArgumentError(
        `FakeData: size and numClasses must be positive integers, received ${size} and ${numClasses}.`,
      );
    }
    this.size = size;
    this.imageSize = imageSize;
    this.numClasses = numClasses;
    this.randomOffset = randomOffset;
  }
  get length(): number {
    return this.size;
  }
  imageAt(index: number): Image {
    const [channels, height, width] = this.imageSize;
    const random = new HostRandom(this.randomOffset, 1, index);
    return new Image(width, height, channels, random.bytes(channels * height * width));
  }
  targetAt(index: number): number {
    return new HostRandom(this.randomOffset, 2, index).integer(this.numClasses);
  }
}
