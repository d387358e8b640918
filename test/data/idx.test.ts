import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { scanByteNumbers } from "../../src/data/fashion-mnist.ts";
import { loadMnist, parseIdx, readIdx } from "../../src/data/index.ts";
import { DataError } from "../../src/errors.ts";

/** An IDX file of bytes. */
function idx(shape: readonly number[], data: readonly number[], type = 8): Uint8Array {
  const header = new Uint8Array(4 + 4 * shape.length);
  header.set([0, 0, type, shape.length]);
  shape.forEach((extent, axis) => {
    new DataView(header.buffer).setUint32(4 + 4 * axis, extent);
  });
  return Uint8Array.from([...header, ...data]);
}

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "trivium-idx-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe("parseIdx", () => {
  test("reads bytes as a view", () => {
    const bytes = idx([2, 3], [1, 2, 3, 4, 5, 6]);
    const array = parseIdx(bytes, "small");
    expect(array.shape).toEqual([2, 3]);
    expect(Array.from(array.data)).toEqual([1, 2, 3, 4, 5, 6]);
    expect(array.data.buffer).toBe(bytes.buffer);
  });

  test("reads big-endian i32 and f32", () => {
    expect(Array.from(parseIdx(idx([2], [0, 0, 1, 2, 255, 255, 255, 255], 12), "i").data)).toEqual([258, -1]);
    expect(Array.from(parseIdx(idx([1], [0x3f, 0x80, 0, 0], 13), "f").data)).toEqual([1]);
  });

  test.each([
    ["empty", new Uint8Array(0), "shorter than its 4-byte magic number"],
    ["magic", Uint8Array.from([1, 0, 8, 1, 0, 0, 0, 0]), "it starts with 01 00 08 01"],
    ["type", idx([1], [0], 0x42), "element type 0x42"],
    ["rank 0", Uint8Array.from([0, 0, 8, 0]), "rank 0 is outside 1 to 8"],
    ["rank 200", Uint8Array.from([0, 0, 8, 200]), "rank 200"],
    ["header", idx([3, 3], []).subarray(0, 7), "truncated in its header (7 of 12 bytes)"],
    ["short", idx([2, 3], [1, 2, 3]), "truncated: 15 bytes, but shape 2 x 3 of u8 takes 18"],
    ["long", idx([2], [1, 2, 3]), "longer than its header says"],
    ["huge", idx([4294967295, 4294967295, 4294967295], [1]), "truncated"],
  ])("refuses a damaged file: %s", (name, bytes, message) => {
    const parse = () => parseIdx(bytes, `${name}.idx`);
    expect(parse).toThrow(DataError);
    expect(parse).toThrow(`${name}.idx: `);
    expect(parse).toThrow(message);
    expect(parse).toThrow("Download the file again");
  });

  test("any bytes give an array or a DataError", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
        try {
          const { shape, data } = parseIdx(bytes, "any");
          expect(data.length).toBe(shape.reduce((product, extent) => product * extent, 1));
        } catch (error) {
          expect(error).toBeInstanceOf(DataError);
        }
      }),
    );
  });
});

describe("files", () => {
  test("gzip is taken, under the plain name too; a cut one is refused", () => {
    const packed = gzipSync(idx([2], [7, 8]));
    writeFileSync(join(folder, "a.gz"), packed);
    expect(Array.from(readIdx(join(folder, "a")).data)).toEqual([7, 8]);
    writeFileSync(join(folder, "b"), packed.subarray(0, packed.length - 6));
    expect(() => readIdx(join(folder, "b"))).toThrow("gzip data is truncated or corrupt");
    expect(() => readIdx(join(folder, "absent"))).toThrow("cannot be read (ENOENT)");
  });

  test("a folder in MNIST's form loads, and its mistakes are named", () => {
    const write = (name: string, bytes: Uint8Array) => writeFileSync(join(folder, name), bytes);
    write("train-images-idx3-ubyte", idx([2, 1, 2], [1, 2, 3, 4]));
    write("train-labels-idx1-ubyte", idx([2], [9, 0]));
    write("t10k-images-idx3-ubyte", idx([1, 1, 2], [5, 6]));
    write("t10k-labels-idx1-ubyte", idx([1], [3]));
    const { train, test: held } = loadMnist({ path: folder });
    expect([train.count, train.height, train.width, held.count]).toEqual([2, 1, 2, 1]);
    write("t10k-labels-idx1-ubyte", idx([1], [10]));
    expect(() => loadMnist({ path: folder })).toThrow("label 10 at 0, expected 0 to 9");
    write("t10k-labels-idx1-ubyte", idx([2], [1, 1]));
    expect(() => loadMnist({ path: folder })).toThrow("holds 1 images but");
    expect(() => loadMnist({ path: join(folder, "nowhere") })).toThrow("no such folder");
  });

  test("MNIST itself", () => {
    const { train, test: held, classes } = loadMnist();
    expect([train.count, held.count, classes]).toEqual([60000, 10000, 10]);
    expect(Array.from(train.labels.subarray(0, 8))).toEqual([5, 0, 4, 1, 9, 2, 1, 3]);
    expect(train.images.subarray(0, 784).reduce((sum, pixel) => sum + pixel, 0)).toBe(27525);
  });
});

describe("the scanner of Fashion-MNIST", () => {
  const scan = (text: string, count: number) => scanByteNumbers(new TextEncoder().encode(text), count, "0.json");
  test("reads nested lists of bytes", () => {
    expect(Array.from(scan('{"data":[[0,255],[17,4]]}', 4))).toEqual([0, 255, 17, 4]);
  });
  test.each([
    ['{"data":[[0,256]]}', "corrupt at byte"],
    ['{"data":[[0,1,2]]}', "corrupt at byte"],
    ['{"data":[[0', "0 pixels, expected 2"],
    ['{"data":[[0,1', "truncated"],
  ])("refuses %s", (text, message) => {
    expect(() => scan(text, 2)).toThrow(message);
  });
});
