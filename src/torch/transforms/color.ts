/** Grey images and changes of colour. */
import { checkProbability, type JitterRanges, jitterColors, jitterRange, type Range } from "../../data/augmentation.ts";
import { grayscaleImage } from "../../data/image-color.ts";
import { type Raster, rasterSize } from "../../data/image-geometry.ts";
import { Image, sampleRandom } from "../../data/index.ts";
import { ArgumentError, UnsupportedError } from "../../errors.ts";
import { GeometricTransform } from "./transform.ts";

function onlyImage(name: string, raster: Raster): Image {
  if (raster instanceof Image) return raster;
  rasterSize(name, raster);
  throw new UnsupportedError(`${name}: takes images; put it before ToTensor.`);
}

/** The grey image in 1 or 3 equal channels: L = (19595 R + 38470 G + 7471 B + 2¹⁵) / 2¹⁶, as PIL. */
export class Grayscale extends GeometricTransform {
  readonly numOutputChannels: 1 | 3;
  constructor(numOutputChannels: 1 | 3 = 1) {
    super();
    if (numOutputChannels !== 1 && numOutputChannels !== 3) {
      throw new ArgumentError(`Grayscale: numOutputChannels must be 1 or 3, received ${String(numOutputChannels)}.`);
    }
    this.numOutputChannels = numOutputChannels;
  }
  override invoke<R extends Raster>(input: R): R {
    return grayscaleImage(onlyImage("Grayscale", input), this.numOutputChannels) as R;
  }
}

/** Grey with probability `p`; the number of channels stays. */
export class RandomGrayscale extends GeometricTransform {
  readonly p: number;
  constructor(p = 0.1) {
    super();
    this.p = checkProbability("RandomGrayscale", p);
  }
  override invoke<R extends Raster>(input: R): R {
    const image = onlyImage("RandomGrayscale", input);
    return (sampleRandom().chance(this.p) ? grayscaleImage(image, image.channels === 3 ? 3 : 1) : image) as R;
  }
}

/** Changes brightness, contrast, saturation and hue by random factors in random order. A number is the distance from no change. */
export class ColorJitter extends GeometricTransform {
  readonly ranges: JitterRanges;
  constructor(options: {
    readonly brightness?: number | Range;
    readonly contrast?: number | Range;
    readonly saturation?: number | Range;
    readonly hue?: number | Range;
  }) {
    super();
    const { brightness = 0, contrast = 0, saturation = 0, hue = 0 } = options;
    this.ranges = {
      brightness: jitterRange("brightness", brightness),
      contrast: jitterRange("contrast", contrast),
      saturation: jitterRange("saturation", saturation),
      hue: jitterRange("hue", hue),
    };
  }
  override invoke<R extends Raster>(input: R): R {
    return jitterColors(onlyImage("ColorJitter", input), sampleRandom(), this.ranges) as R;
  }
}
