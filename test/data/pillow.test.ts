import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { resizedSize } from "../../src/data/augmentation.ts";
import {
  adjustBrightness,
  adjustContrast,
  adjustHue,
  adjustSaturation,
  grayscaleImage,
} from "../../src/data/image-color.ts";
import {
  centerCropRaster,
  cropRaster,
  flipHorizontally,
  flipVertically,
  type PaddingMode,
  padRaster,
} from "../../src/data/image-geometry.ts";
import { rotateImage } from "../../src/data/image-rotation.ts";
import { imageToTensor, normalizeTensor, tensorToImage } from "../../src/data/image-tensor.ts";
import { Image, loadMnist } from "../../src/data/index.ts";
import { type Interpolation, interpolations, resizeImage } from "../../src/data/resample.ts";
import { ArgumentError, ShapeError } from "../../src/errors.ts";
import { tensor } from "../../src/tensor/index.ts";
import { digest, type GoldenImage, goldenOf, picture } from "./pixels.ts";

interface Golden {
  readonly resizes: readonly (GoldenImage & {
    readonly from: readonly [number, number, number];
    readonly filter: Interpolation;
  })[];
  readonly operations: readonly (GoldenImage & {
    readonly from: readonly [number, number, number];
    readonly operation: string;
    readonly parameters: Parameters;
  })[];
  readonly mnist: { readonly images: number; readonly resized: Readonly<Record<string, string>> };
  readonly colour: { readonly stream: number; readonly from: readonly [number, number, number]; readonly sha1: string };
}
interface Parameters {
  readonly angle: number;
  readonly interpolation: "nearest" | "bilinear";
  readonly expand: boolean;
  readonly fill: number;
  readonly center?: [number, number];
  readonly channels: 1 | 3;
  readonly factor: number;
  readonly height: number;
  readonly width: number;
  readonly top: number;
  readonly left: number;
  readonly padding: [number, number, number, number];
  readonly mode: PaddingMode;
  readonly size: number;
  readonly maxSize: number | null;
}

const golden = JSON.parse(readFileSync(new URL("../goldens/pillow-images.json", import.meta.url), "utf8")) as Golden;
const expected = ({ width, height, bytes, sha1 }: GoldenImage): GoldenImage =>
  bytes ? { width, height, bytes } : { width, height, sha1 };

describe("resizing is PIL's to the bit", () => {
  test.each(interpolations)("%s: up and down, odd sizes, single pixels, L, LA, RGB, RGBA", (filter) => {
    let count = 0;
    for (const [stream, entry] of golden.resizes.entries()) {
      if (entry.filter !== filter) continue;
      const result = resizeImage(picture(stream, ...entry.from), entry.height, entry.width, filter);
      expect(goldenOf(result), `${entry.from} to ${entry.width} x ${entry.height}`).toEqual(expected(entry));
      count++;
    }
    expect(count).toBe(40);
  });

  test("256 MNIST images, every filter, to 8, 20 and 45", () => {
    const { images } = loadMnist().train;
    const pictures = Array.from(
      { length: golden.mnist.images },
      (_, index) => new Image(28, 28, 1, images.subarray(index * 784, (index + 1) * 784)),
    );
    for (const [name, sha1] of Object.entries(golden.mnist.resized)) {
      const [filter, size] = name.split(" ") as [Interpolation, string];
      const resized = pictures.map((image) => resizeImage(image, Number(size), Number(size), filter).data);
      expect(digest(...resized), name).toBe(sha1);
    }
  });

  test("an image of that size stays itself; an unknown filter and sizes of 0 are refused", () => {
    const image = picture(1, 5, 4, 3);
    expect(resizeImage(image, 4, 5)).toBe(image);
    expect(() => resizeImage(image, 0, 5)).toThrow(ArgumentError);
    expect(() => resizeImage(image, 2.5, 5)).toThrow("positive integers");
    expect(() => resizeImage(image, 2, 5, "cubic" as Interpolation)).toThrow('unknown interpolation "cubic"');
  });

  test("a constant image stays constant with every filter", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 255 }),
        fc.tuple(...([1, 1, 1, 1] as const).map(() => fc.integer({ min: 1, max: 40 }))),
        fc.constantFrom(...interpolations),
        (value, [width, height, newWidth, newHeight], filter) => {
          const image = new Image(width!, height!, 1, new Uint8Array(width! * height!).fill(value));
          expect(new Set(resizeImage(image, newHeight!, newWidth!, filter).data)).toEqual(new Set([value]));
        },
      ),
      { numRuns: 40 },
    );
  });
});

describe("other operations are PIL's to the bit", () => {
  const operations: Readonly<Record<string, (image: Image, parameters: Parameters) => Image>> = {
    rotate: (image, p) => rotateImage(image, p.angle, p),
    grayscale: (image, p) => grayscaleImage(image, p.channels),
    brightness: (image, p) => adjustBrightness(image, p.factor),
    contrast: (image, p) => adjustContrast(image, p.factor),
    saturation: (image, p) => adjustSaturation(image, p.factor),
    hue: (image, p) => adjustHue(image, p.factor),
    centerCrop: (image, p) => centerCropRaster(image, p.height, p.width),
    crop: (image, p) => cropRaster(image, p.top, p.left, p.height, p.width),
    pad: (image, p) => padRaster(image, p.padding, { mode: p.mode }),
    shorterEdge: (image, p) =>
      resizeImage(image, ...resizedSize([image.height, image.width], p.size, p.maxSize ?? undefined)),
  };
  test.each(Object.keys(operations))("%s", (name) => {
    let count = 0;
    for (const [index, entry] of golden.operations.entries()) {
      if (entry.operation !== name) continue;
      const result = operations[name]!(picture(1000 + index, ...entry.from), entry.parameters);
      expect(goldenOf(result), JSON.stringify([entry.from, entry.parameters])).toEqual(expected(entry));
      count++;
    }
    expect(count).toBeGreaterThan(3);
  });
});

describe("images and tensors", () => {
  test("ToTensor and Normalize give torchvision's bits", () => {
    const { stream, from, sha1 } = golden.colour;
    const statistics = { mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225] };
    const values = normalizeTensor(imageToTensor(picture(stream, ...from)), statistics).dataSync();
    expect(digest(new Uint8Array(values.buffer, values.byteOffset, values.byteLength))).toBe(sha1);
  });

  test("an image survives the way to a tensor and back", () => {
    for (const channels of [1, 3, 4]) {
      const image = picture(7, 9, 6, channels);
      expect(tensorToImage(imageToTensor(image)).equals(image)).toBe(true);
    }
  });

  test("flips, crops and pads treat tensors as images", () => {
    const x = tensor([
      [
        [1, 2, 3],
        [4, 5, 6],
      ],
    ]);
    expect(flipHorizontally(x).toArray()).toEqual([
      [
        [3, 2, 1],
        [6, 5, 4],
      ],
    ]);
    expect(flipVertically(x).toArray()).toEqual([
      [
        [4, 5, 6],
        [1, 2, 3],
      ],
    ]);
    expect(cropRaster(x, 1, -1, 2, 3).toArray()).toEqual([
      [
        [0, 4, 5],
        [0, 0, 0],
      ],
    ]);
    expect(padRaster(x, [1, 0, 1, 1], { mode: "reflect" }).shape).toEqual([1, 3, 5]);
    expect(padRaster(x, [1, 0, 1, 1], { mode: "reflect" }).toArray()).toEqual([
      [
        [2, 1, 2, 3, 2],
        [5, 4, 5, 6, 5],
        [2, 1, 2, 3, 2],
      ],
    ]);
    expect(flipHorizontally(tensor(new Uint8Array([1, 2]), { shape: [1, 2] })).dtype).toBe("u8");
  });

  test("wide flips and crops (runs of columns) agree with narrow ones", () => {
    const image = picture(11, 40, 7, 3);
    expect(flipHorizontally(flipHorizontally(image)).equals(image)).toBe(true);
    const shifted = cropRaster(image, 0, -3, 7, 46);
    expect(cropRaster(shifted, 0, 3, 7, 40).equals(image)).toBe(true);
    expect(Array.from(shifted.data.subarray(0, 9))).toEqual(new Array(9).fill(0));
  });

  test("wrong sizes and kinds are refused", () => {
    expect(() => new Image(2, 2, 3, new Uint8Array(5))).toThrow("take 12 bytes, received 5");
    expect(() => new Image(0, 2, 1)).toThrow(ArgumentError);
    expect(() => new Image(1, 2, 5)).toThrow("1 (L), 2 (LA), 3 (RGB) or 4 (RGBA)");
    expect(() => flipHorizontally(tensor([1, 2]))).toThrow(ShapeError);
    expect(() => cropRaster(3 as unknown as Image, 0, 0, 1, 1)).toThrow("expected an Image or a Tensor");
    expect(() => rotateImage(picture(1, 2, 2, 1), Number.NaN)).toThrow("expected an angle");
    expect(() => adjustHue(picture(1, 2, 2, 3), 0.6)).toThrow("[-0.5, 0.5]");
    expect(() => padRaster(picture(1, 1, 1, 1), [1, 0, 0, 0], { mode: "reflect" })).toThrow("nothing to reflect");
    expect(() => normalizeTensor(tensor([[[1]]]), { mean: [1, 2], std: [1, 1] })).toThrow("given for 2 channels");
  });
});
