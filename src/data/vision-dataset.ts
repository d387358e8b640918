/** Data sets of images with class numbers. */
import { type Tensor, tensorView } from "../tensor/index.ts";
import type { Image } from "./image.ts";
import { type ChannelStatistics, type PixelTables, pixelTables, writePixels } from "./image-tensor.ts";
import { defaultCollate } from "./loading/collate.ts";
import { type BatchContext, Dataset } from "./loading/dataset.ts";

/** A transform as steps that a whole batch can go through: images to images, then bytes to f32, then normalizations. */
export interface ImageProgram {
  readonly stages: readonly ((image: Image) => Image)[];
  readonly normalizations: readonly ChannelStatistics[];
}

/** What may be done to the images and class numbers of a data set. A transform that is an image program is run by the batch. */
export interface VisionTransforms {
  readonly transform?: ((image: Image) => unknown) & { readonly imageProgram?: ImageProgram };
  readonly targetTransform?: (target: number) => unknown;
}

/** Base of data sets whose examples are [image, class number], each through its transform. */
export abstract class VisionDataset<Input, Target> extends Dataset<[Input, Target]> {
  readonly transform: VisionTransforms["transform"];
  readonly targetTransform: VisionTransforms["targetTransform"];
  /** Bytes to f32 for each number of channels, once they have been needed. */
  private readonly tables = new Map<number, PixelTables>();

  constructor({ transform, targetTransform }: VisionTransforms) {
    super();
    this.transform = transform;
    this.targetTransform = targetTransform;
  }

  /** The image at an index, before any transform. */
  abstract imageAt(index: number): Image;
  /** The class number at an index, before any transform. */
  abstract targetAt(index: number): number;

  get(index: number): [Input, Target] {
    const image = this.imageAt(index);
    const input = this.transform ? this.transform(image) : image;
    const label = this.targetAt(index);
    return [input, this.targetTransform ? this.targetTransform(label) : label] as [Input, Target];
  }

  /** The batch that `defaultCollate` would make of these examples, written in one go; undefined where that is not possible. */
  getBatch(indices: readonly number[], context: BatchContext): readonly [Tensor, unknown] | undefined {
    const program = this.transform?.imageProgram;
    if (!program || indices.length === 0 || this.get !== VisionDataset.prototype.get) return undefined;
    const targets: unknown[] = [];
    let shape: readonly [channels: number, height: number, width: number] | undefined;
    let values = new Float32Array(0);
    for (let position = 0; position < indices.length; position++) {
      const image = context.sample(position, () => {
        let result = this.imageAt(indices[position]!);
        for (const stage of program.stages) result = stage(result);
        const label = this.targetAt(indices[position]!);
        targets.push(this.targetTransform ? this.targetTransform(label) : label);
        return result;
      });
      const { channels, height, width } = image;
      const size = channels * height * width;
      if (!shape) {
        shape = [channels, height, width];
        values = new Float32Array(size * indices.length);
      } else if (shape[0] !== channels || shape[1] !== height || shape[2] !== width) return undefined;
      writePixels(image, this.tablesFor(channels, program), values, position * size);
    }
    return [tensorView(values, [indices.length, ...shape!], "f32"), defaultCollate(targets)];
  }

  private tablesFor(channels: number, program: ImageProgram): PixelTables {
    let tables = this.tables.get(channels);
    if (!tables) {
      tables = pixelTables(channels, program.normalizations);
      this.tables.set(channels, tables);
    }
    return tables;
  }
}
