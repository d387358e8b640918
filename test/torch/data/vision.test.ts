import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, expectTypeOf, test } from "vitest";
import { ArgumentError, DataError, DTypeError, ShapeError, UnsupportedError } from "../../../src/errors.ts";
import { datasets, type Tensor, tensor, transforms, utils } from "../../../src/torch/index.ts";
import { digest, picture } from "../../data/pixels.ts";

const { DataLoader, defaultCollate, Subset } = utils.data;
const { CenterCrop, Compose, Image, Normalize, RandomCrop, RandomHorizontalFlip, Resize, ToTensor } = transforms;
type Image = InstanceType<typeof Image>;

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "trivium-vision-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const article = new Compose([new Resize([8, 8]), new ToTensor(), new Normalize([0.1307], [0.3081])]);
const bytesOf = (x: Tensor) => new Uint8Array(x.dataSync().buffer);

describe("the MNIST article's data", () => {
  const train = new datasets.MNIST("data", { train: true, download: true, transform: article });

  test("Resize, ToTensor, Normalize: PyTorch's bits, by the batch and one by one", () => {
    const golden = JSON.parse(readFileSync(new URL("../../goldens/pillow-images.json", import.meta.url), "utf8")) as {
      mnist: { pipeline: string };
    };
    const [[images, labels]] = [
      ...new DataLoader(
        new Subset(
          train,
          Array.from({ length: 256 }, (_, i) => i),
        ),
        { batchSize: 256 },
      ),
    ] as [[Tensor, Tensor]];
    expect([images.shape, images.dtype, labels.shape, labels.dtype]).toEqual([[256, 1, 8, 8], "f32", [256], "i32"]);
    expect(digest(bytesOf(images))).toBe(golden.mnist.pipeline);
    const [single] = defaultCollate(Array.from({ length: 256 }, (_, index) => train.get(index)));
    expect(digest(bytesOf(single))).toBe(golden.mnist.pipeline);
  });

  test("types follow from the transform", () => {
    for (const [images, labels] of new DataLoader(train, { batchSize: 512 })) {
      expectTypeOf(images).toEqualTypeOf<Tensor>();
      expectTypeOf(labels).toEqualTypeOf<Tensor>();
      expect(images.shape).toEqual([512, 1, 8, 8]);
      break;
    }
    expectTypeOf(train.get(0)).toEqualTypeOf<[Tensor, number]>();
    const plain = new datasets.MNIST(undefined, { train: false });
    expectTypeOf(plain.get(0)).toEqualTypeOf<[Image, number]>();
    const cropped = new datasets.MNIST(undefined, {
      transform: new Compose([new CenterCrop(8), (image: Image) => image.width]),
      targetTransform: (label) => `class ${label}`,
    });
    expectTypeOf(cropped.get(0)).toEqualTypeOf<[number, string]>();
    expect(cropped.get(0)).toEqual([8, "class 5"]);
    expect(() => [...new DataLoader(plain)]).toThrow("ToTensor");
  });

  test("lengths, labels, raw data", () => {
    const held = new datasets.MNIST(undefined, { train: false, transform: new ToTensor() });
    expect([train.length, held.length, held.classes.length]).toEqual([60_000, 10_000, 10]);
    expect([train.targets.shape, train.data.shape, train.data.dtype]).toEqual([[60_000], [60_000, 28, 28], "u8"]);
    expect(train.get(0)[1]).toBe(5);
    const [image] = held.get(0);
    expect(Array.from(bytesOf(image))).toEqual(
      Array.from(bytesOf(held.data.slice([0], [1]).reshape(1, 28, 28).cast("f32").div(255))),
    );
    expect(() => new datasets.MNIST("data")).toThrow(DataError);
    expect(() => new datasets.MNIST("data")).toThrow("no IDX files");
  });

  test("a subclass that makes its examples itself is asked for them", () => {
    class Inverted extends datasets.MNIST<Tensor> {
      override get(index: number): [Tensor, number] {
        const [image, label] = super.get(index);
        return [image, 9 - label];
      }
    }
    const [[, labels]] = [
      ...new DataLoader(new Subset(new Inverted(undefined, { transform: new ToTensor() }), [0, 1]), { batchSize: 2 }),
    ] as [[Tensor, Tensor]];
    expect(labels.toArray()).toEqual([4, 9]);
  });
});

describe("augmentation", () => {
  const augment = new Compose([
    new RandomCrop(24, { padding: 2, paddingMode: "reflect" }),
    new RandomHorizontalFlip(),
    new transforms.RandomRotation(20, { interpolation: "bilinear" }),
    new transforms.RandomResizedCrop(16),
    new ToTensor(),
    new Normalize(0.5, 0.25),
  ]);
  const fake = new datasets.FakeData({ size: 12, imageSize: [3, 28, 30], transform: augment });

  test("a batch at once and one by one: the same bits; another epoch, other ones", () => {
    const oneByOne = { length: fake.length, get: (index: number) => fake.get(index) };
    const epochs = (data: typeof fake | typeof oneByOne) => {
      const loader = new DataLoader(data, { batchSize: 5, shuffle: true, seed: 4 });
      return [0, 1].map(() => [...loader].map(([images, labels]) => [digest(bytesOf(images)), labels.toArray()]));
    };
    const [first, second] = epochs(fake);
    expect(epochs(oneByOne)).toEqual([first, second]);
    expect(first).not.toEqual(second);
    expect(augment.imageProgram).toBeDefined();
  });

  test("FakeData repeats itself, and differs by offset", () => {
    const image = (randomOffset: number) =>
      new datasets.FakeData({ size: 3, imageSize: [1, 5, 4], randomOffset }).get(2)[0];
    expect(image(0).equals(image(0))).toBe(true);
    expect(image(0).equals(image(1))).toBe(false);
    expect([image(0).width, image(0).height, image(0).mode]).toEqual([4, 5, "L"]);
    expect(() => new datasets.FakeData({ size: 0 })).toThrow(ArgumentError);
  });

  test("probabilities 0 and 1, choices, and colour", () => {
    const image = picture(3, 9, 7, 3);
    expect(new RandomHorizontalFlip(0)(image)).toBe(image);
    expect(new RandomHorizontalFlip(1)(new RandomHorizontalFlip(1)(image)).equals(image)).toBe(true);
    expect(new transforms.RandomVerticalFlip(1)(image).equals(image)).toBe(false);
    expect(new transforms.RandomApply([new CenterCrop(3)], 0)(image)).toBe(image);
    expect(new transforms.RandomApply([new CenterCrop(3)], 1)(image).size).toEqual([3, 3]);
    expect(new transforms.RandomChoice([new CenterCrop(3), new CenterCrop(4)])(image).width).toBeGreaterThan(2);
    expect(new transforms.ColorJitter({})(image)).toBe(image);
    expect(
      new transforms.ColorJitter({ brightness: 0.5, contrast: 0.5, saturation: [0, 2], hue: 0.1 })(image).size,
    ).toEqual([9, 7]);
    expect(new transforms.RandomGrayscale(1)(image).channels).toBe(3);
    expect(new transforms.Grayscale()(image).mode).toBe("L");
    expect(new transforms.Lambda((x: Image) => x.width)(image)).toBe(9);
  });

  test("RandomErasing leaves a box of its value", () => {
    const x = new ToTensor()(picture(4, 20, 20, 3));
    const erased = new transforms.RandomErasing({ p: 1, value: [-1, -2, -3] })(x).dataSync() as Float32Array;
    for (const [channel, value] of [-1, -2, -3].entries()) {
      const found = erased.subarray(channel * 400, (channel + 1) * 400).filter((element) => element === value).length;
      expect(found).toBeGreaterThan(4);
      expect(found).toBeLessThan(200);
    }
    expect(new transforms.RandomErasing({ p: 0 })(x)).toBe(x);
  });

  test("RandomResizedCrop draws boxes of the area and shape asked for", () => {
    const box = new transforms.RandomResizedCrop([5, 7], { scale: [0.5, 0.5], ratio: [1, 1] });
    expect(box(picture(5, 40, 40, 1)).size).toEqual([7, 5]);
    expect(new transforms.RandomResizedCrop(4, { ratio: [3, 3] })(picture(5, 2, 40, 1)).size).toEqual([4, 4]);
  });
});

describe("sizes, tensors, mistakes", () => {
  test("Resize of the shorter edge, CenterCrop, Pad, RandomCrop with padding where needed", () => {
    expect(new Resize(8)(picture(1, 20, 10, 1)).size).toEqual([16, 8]);
    expect(new Resize(8, { maxSize: 12 })(picture(1, 20, 10, 1)).size).toEqual([12, 6]);
    expect(
      new Resize([8, 5], { interpolation: transforms.InterpolationMode.LANCZOS })(picture(1, 20, 10, 1)).size,
    ).toEqual([5, 8]);
    expect(new CenterCrop([4, 30])(picture(1, 20, 10, 1)).size).toEqual([30, 4]);
    expect(new transforms.Pad([1, 2])(picture(1, 20, 10, 1)).size).toEqual([22, 14]);
    expect(new RandomCrop(16, { padIfNeeded: true })(picture(1, 20, 10, 1)).size).toEqual([16, 16]);
    expect(new CenterCrop(2)(tensor([[[1, 2, 3, 4]]])).shape).toEqual([1, 2, 2]);
  });

  test("conversions", () => {
    const bytes = new transforms.PILToTensor()(picture(2, 3, 2, 3));
    expect([bytes.dtype, bytes.shape]).toEqual(["u8", [3, 2, 3]]);
    const floats = new transforms.ConvertImageDtype("f32")(bytes);
    expect(Array.from(bytesOf(floats))).toEqual(Array.from(bytesOf(new ToTensor()(picture(2, 3, 2, 3)))));
    expect(new transforms.ConvertImageDtype("u8")(floats).toArray()).toEqual(bytes.toArray());
    expect(new transforms.ToPILImage()(bytes).equals(picture(2, 3, 2, 3))).toBe(true);
  });

  test("each mistake says what was expected", () => {
    const image = picture(1, 4, 4, 3);
    const x = new ToTensor()(image);
    expect(() => new Normalize([0, 0], [1, 1])(x)).toThrow(ShapeError);
    expect(() => new Normalize([0], [0])).toThrow("divide by zero");
    expect(() => new Normalize([0], [1])(image as unknown as Tensor)).toThrow("put ToTensor before it");
    expect(() => new Normalize(0, 1)(new transforms.PILToTensor()(image))).toThrow(DTypeError);
    expect(() => new ToTensor()(x as unknown as Image)).toThrow("expected an Image, received a Tensor");
    expect(() => new Resize(8)(x)).toThrow(UnsupportedError);
    expect(() => new Resize(0)).toThrow(ArgumentError);
    expect(() => new Resize([8, 8], { interpolation: "cubic" as "bicubic" })).toThrow('unknown interpolation "cubic"');
    expect(() => new RandomCrop(9)(image)).toThrow("does not fit an image of 4 x 4");
    expect(() => new RandomHorizontalFlip(2)).toThrow("probability");
    expect(() => new Compose([new ToTensor(), 3 as unknown as () => void])).toThrow("entry 1 is number");
    expect(() => new transforms.ColorJitter({ hue: 0.7 })).toThrow(ArgumentError);
    expect(() => new transforms.RandomRotation([5, 3])).toThrow("degrees must be [low, high]");
  });
});

describe("CIFAR10 and ImageFolder", () => {
  test("CIFAR10 from the Python archive", () => {
    const fixtures = JSON.parse(
      readFileSync(new URL("../../goldens/cifar-fixtures.json", import.meta.url), "utf8"),
    ) as Record<string, string>;
    const path = join(folder, "cifar-10-python.tar.gz");
    writeFileSync(path, Buffer.from(fixtures["protocol 2"]!, "base64"));
    const train = new datasets.CIFAR10(folder, { transform: new ToTensor() });
    const [[images, labels]] = [...new DataLoader(train, { batchSize: 10 })] as [[Tensor, Tensor]];
    expect([images.shape, labels.toArray()]).toEqual([
      [10, 3, 32, 32],
      [1, 8, 2, 7, 3, 6, 4, 5, 5, 4],
    ]);
    expect(train.classes[train.targets[0]!]).toBe("automobile");
    expect(new datasets.CIFAR10(path, { train: false }).get(0)[0].size).toEqual([32, 32]);
  });

  test("ImageFolder with a loader; without one it says what to install", () => {
    const root = join(folder, "images");
    for (const path of ["cat/1.png", "dog/2.png"]) {
      mkdirSync(join(root, path, ".."), { recursive: true });
      writeFileSync(join(root, path), "not an image");
    }
    const loaded = new datasets.ImageFolder(root, {
      loader: (path) => picture(path.length, 4, 3, 3),
      transform: new ToTensor(),
    });
    const [[images, labels]] = [...new DataLoader(loaded, { batchSize: 2 })] as [[Tensor, Tensor]];
    expect([images.shape, labels.toArray(), loaded.classToIdx]).toEqual([[2, 3, 3, 4], [0, 1], { cat: 0, dog: 1 }]);
    expect(() => new datasets.ImageFolder(root).get(0)).toThrow(/npm install sharp|cannot be decoded/);
  });
});
