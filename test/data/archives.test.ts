import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gunzipSync, gzipSync } from "node:zlib";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { loadCifar10, planarImage } from "../../src/data/cifar.ts";
import { listImageFolder } from "../../src/data/image-folder.ts";
import { numpyCallables } from "../../src/data/numpy-pickle.ts";
import { readPickle } from "../../src/data/pickle.ts";
import { readTar, readTarFile } from "../../src/data/tar.ts";
import { DataError } from "../../src/errors.ts";
import { hashUniform } from "../../src/testing/hash-uniform.ts";

const fixtures = JSON.parse(readFileSync(new URL("../goldens/cifar-fixtures.json", import.meta.url), "utf8")) as Record<
  string,
  string
>;
const archive = (name: string): Uint8Array => Buffer.from(fixtures[name]!, "base64");

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "trivium-archives-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** The planes of image `which` of a batch of the fixtures. */
function planes(batch: number, which: number): Uint8Array {
  const sparse = hashUniform(batch, 96, 0, 256).subarray(which * 48, (which + 1) * 48);
  return Uint8Array.from({ length: 3072 }, (_, at) => Math.min(255, Math.floor(sparse[at >> 6]!)));
}

describe("CIFAR-10", () => {
  test.each(Object.keys(fixtures))("the Python archive, pickled as %s", (name) => {
    const path = join(folder, `${name}.tar.gz`);
    writeFileSync(path, archive(name));
    const train = loadCifar10(path, true);
    expect(Array.from(train.labels)).toEqual([1, 8, 2, 7, 3, 6, 4, 5, 5, 4]);
    expect(Buffer.from(train.planes[3]!).equals(Buffer.from(planes(2, 1)))).toBe(true);
    expect(Array.from(loadCifar10(path, false).labels)).toEqual([6, 3]);
  });

  test("extracted folders, binary files, the folder around them", () => {
    const python = join(folder, "root", "cifar-10-batches-py");
    mkdirSync(python, { recursive: true });
    for (const [name, bytes] of readTar(gunzipSync(archive("python2")), "fixture"))
      writeFileSync(join(folder, "root", name), bytes);
    const fromPython = loadCifar10(join(folder, "root"), true);
    const binary = join(folder, "binary", "cifar-10-batches-bin");
    mkdirSync(binary, { recursive: true });
    for (let batch = 0; batch < 5; batch++) {
      const records = [0, 1].flatMap((which) => [
        fromPython.labels[2 * batch + which]!,
        ...fromPython.planes[2 * batch + which]!,
      ]);
      writeFileSync(join(binary, `data_batch_${batch + 1}.bin`), Uint8Array.from(records));
    }
    const fromBinary = loadCifar10(join(folder, "binary"), true);
    expect(fromBinary.labels).toEqual(fromPython.labels);
    expect(fromBinary.planes.every((image, index) => Buffer.from(image).equals(fromPython.planes[index]!))).toBe(true);
    expect(() => loadCifar10(binary, false)).toThrow("lacks test_batch");
    writeFileSync(join(binary, "test_batch.bin"), new Uint8Array(3000));
    expect(() => loadCifar10(binary, false)).toThrow("truncated or not CIFAR-10");
    writeFileSync(join(binary, "test_batch.bin"), new Uint8Array(3073).fill(11));
    expect(() => loadCifar10(binary, false)).toThrow("label 11 at 0, expected 0 to 9");
    expect(() => loadCifar10(join(folder, "none"), false)).toThrow("does not exist");
    mkdirSync(join(folder, "empty"));
    expect(() => loadCifar10(join(folder, "empty"), false)).toThrow("no CIFAR-10 files");
  });

  test("planes become pixels", () => {
    const image = planarImage(Uint8Array.from({ length: 3072 }, (_, at) => at >> 10));
    expect([image.width, image.height, image.channels]).toEqual([32, 32, 3]);
    expect(Array.from(image.data.subarray(0, 6))).toEqual([0, 1, 2, 0, 1, 2]);
  });
});

describe("pickles", () => {
  const read = (bytes: string | Uint8Array) =>
    readPickle(typeof bytes === "string" ? Buffer.from(bytes, "latin1") : bytes, "a pickle", numpyCallables);

  test("what would run code is refused", () => {
    expect(() => read("\x80\x02cos\nsystem\nU\x02ls\x85R.")).toThrow(
      'it wants to call "os.system", which is not allowed',
    );
    expect(() => read("\x80\x04\x8c\x02os\x8c\x06system\x93.")).toThrow("not allowed");
    expect(() => read("cbuiltins\neval\n.")).toThrow("not allowed");
    expect(() => read("cconstructor\nconstructor\n.")).toThrow("not allowed");
    expect(() => read("(ios\nsystem\n.")).toThrow("opcode 0x69 is not allowed");
    expect(() => read("\x80\x02}(U\x01aK\x01u)R.")).toThrow("no known function");
    expect(() => read("\x80\x02]K\x01b.")).toThrow("sets a state where there is none");
    expect(() => read("P1\n.")).toThrow("opcode 0x50");
  });

  test("lengths that are not there are refused before anything is allocated", () => {
    expect(() => read("\x80\x02T\xff\xff\xff\xff")).toThrow("truncated (4294967295 bytes wanted)");
    expect(() => read("\x80\x04\x8e\xff\xff\xff\xff\xff\xff\xff\xff")).toThrow("truncated");
    expect(() => read("\x80\x02\x8b\xff\x00\x00\x00")).toThrow("truncated");
    expect(() => read("\x80\x02")).toThrow(DataError);
    expect(() => read("\x80\x09.")).toThrow("protocol above 5");
    expect(() => read(".")).toThrow("stack is empty");
    expect(() => read("K\x01a.")).toThrow(DataError);
    expect(() => read("t.")).toThrow("a mark is missing");
    expect(() => read("h\x01.")).toThrow("nothing was kept as 1");
    expect(() => read("\x8a\x09\xff\xff\xff\xff\xff\xff\xff\xff\xff.")).toThrow("an integer of 9 bytes");
  });

  test("damaged fixtures give typed errors, whatever the damage", () => {
    const batch = readTar(gunzipSync(archive("python2")), "fixture").get("cifar-10-batches-py/data_batch_1")!;
    const { length } = batch;
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: length - 1 }),
        fc.integer({ min: 0, max: 255 }),
        fc.boolean(),
        (at, byte, cut) => {
          const damaged = cut ? batch.slice(0, at) : batch.slice();
          if (!cut) damaged[at] = byte;
          try {
            read(damaged);
          } catch (error) {
            if (!(error instanceof DataError)) throw error;
          }
        },
      ),
      { numRuns: 300 },
    );
  });
});

describe("tar archives", () => {
  const tar = gunzipSync(archive("python2"));

  test("files are views; links and names are never followed", () => {
    const files = readTar(tar, "fixture");
    expect([...files.keys()]).toContain("cifar-10-batches-py/test_batch");
    expect([...files.values()].every((bytes) => bytes.buffer === tar.buffer)).toBe(true);
  });

  test("damage, truncation and bombs", () => {
    const damaged = Uint8Array.from(tar);
    damaged[0] = 65;
    expect(() => readTar(damaged, "x")).toThrow("not a tar archive, or damaged at byte 0");
    expect(() => readTar(tar.subarray(0, 1000), "x")).toThrow("truncated inside a file");
    expect(() => readTar(new Uint8Array(2048), "x")).toThrow("no files");
    const bomb = join(folder, "bomb.tar.gz");
    writeFileSync(bomb, gzipSync(new Uint8Array(1 << 20)));
    expect(() => readTarFile(bomb, 1 << 18)).toThrow("cannot be read or decompressed");
    writeFileSync(bomb, archive("python2").subarray(0, 300));
    expect(() => readTarFile(bomb, 1 << 20)).toThrow(DataError);
    expect(() => readTarFile(join(folder, "nothing"), 1 << 20)).toThrow("ENOENT");
  });
});

test("folders of images: classes and files by name", () => {
  const root = join(folder, "images");
  for (const path of ["dog/b.png", "dog/a.JPG", "dog/more/c.png", "cat/1.png", "cat/notes.txt"]) {
    mkdirSync(join(root, path, ".."), { recursive: true });
    writeFileSync(join(root, path), "");
  }
  const { classes, samples } = listImageFolder(root);
  expect(classes).toEqual(["cat", "dog"]);
  expect(samples.map(([path, target]) => [path.slice(root.length + 1), target])).toEqual([
    ["cat/1.png", 0],
    ["dog/a.JPG", 1],
    ["dog/b.png", 1],
    ["dog/more/c.png", 1],
  ]);
  mkdirSync(join(root, "ant"));
  expect(() => listImageFolder(root)).toThrow("class ant");
  expect(listImageFolder(root, { allowEmpty: true }).classes).toEqual(["ant", "cat", "dog"]);
  expect(() => listImageFolder(join(root, "cat"))).toThrow("holds no folders");
  expect(() => listImageFolder(join(root, "fox"))).toThrow("ENOENT");
});
