import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { DataError, DTypeError, UnsupportedError } from "../../src/errors.ts";
import {
  decodeSafetensors,
  encodeSafetensors,
  type NamedTensor,
  readModelArchive,
  readSafetensors,
  sha256Of,
  writeFileAtomic,
  writeModelArchive,
  writeSafetensors,
} from "../../src/interop/index.ts";

const join8 = (chunks: readonly Uint8Array[]) => new Uint8Array(Buffer.concat(chunks));
const f32 = (name: string, shape: number[], values: number[]): NamedTensor => ({
  name,
  dtype: "f32",
  shape,
  data: Float32Array.from(values),
});
/** A file with a header of one's own. */
const file = (header: unknown, data: number[] = []) => {
  const text = typeof header === "string" ? header : JSON.stringify(header);
  const bytes = new Uint8Array(8 + text.length + data.length);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(text.length), true);
  bytes.set(new TextEncoder().encode(text), 8);
  bytes.set(data, 8 + text.length);
  return bytes;
};

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "trivium-safetensors-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe("safetensors", () => {
  test("round trip of every dtype, empty and scalar tensors and metadata", () => {
    const tensors: NamedTensor[] = [
      { name: "mask", dtype: "bool", shape: [3], data: Uint8Array.from([1, 0, 1]) },
      f32("weights/été", [2, 2], [1.5, -0, Number.NaN, Number.POSITIVE_INFINITY]),
      { name: "labels", dtype: "i32", shape: [], data: Int32Array.from([-7]) },
      { name: "bytes", dtype: "u8", shape: [0, 4], data: new Uint8Array(0) },
    ];
    const path = join(folder, "all.safetensors");
    writeSafetensors(path, tensors, { note: "grüße" });
    const { tensors: read, metadata } = readSafetensors(path);
    expect(metadata).toEqual({ note: "grüße" });
    const byName = (list: readonly NamedTensor[]) => [...list].sort((a, b) => a.name.localeCompare(b.name));
    expect(byName(read)).toEqual(byName(tensors));
    expect(readdirSync(folder)).toEqual(["all.safetensors"]);
  });

  test("any tensors survive", () => {
    const values = fc.array(fc.float({ noDefaultInfinity: false }), { maxLength: 9 });
    fc.assert(
      fc.property(fc.dictionary(fc.string(), values, { maxKeys: 5 }), (entries) => {
        const tensors = Object.entries(entries)
          .filter(([name]) => name !== "__metadata__")
          .map(([name, data]) => f32(name, [data.length], data));
        const read = decodeSafetensors(join8(encodeSafetensors(tensors)), "any");
        expect(new Map(read.tensors.map((tensor) => [tensor.name, tensor]))).toEqual(
          new Map(tensors.map((tensor) => [tensor.name, tensor])),
        );
      }),
      { numRuns: 50 },
    );
  });

  const four = { dtype: "F32", shape: [1], data_offsets: [0, 4] };
  test.each([
    ["empty file", new Uint8Array(3), "only 3 bytes long"],
    [
      "header longer than the file",
      file({ a: four }, [0, 0, 0, 0]).subarray(0, 20),
      "truncated or not a safetensors file",
    ],
    ["header of 2^63 bytes", Uint8Array.from([0, 0, 0, 0, 0, 0, 0, 128, 1]), "truncated or not a safetensors file"],
    ["header not JSON", file("{oops"), "is not JSON"],
    ["header a list", file("[]"), "not a JSON object"],
    ["data cut", file({ a: four }, [0, 0]), 'truncated, tensor "a" ends at byte 4 of 2'],
    ["bytes left over", file({ a: four }, [0, 0, 0, 0, 9]), "1 bytes after its last tensor"],
    [
      "offsets that do not fit",
      file({ a: { ...four, shape: [2] } }, [0, 0, 0, 0]),
      "takes 8 bytes, its offsets give 4",
    ],
    ["negative extent", file({ a: { ...four, shape: [-1] } }), 'entry for "a" is damaged'],
    ["no offsets", file({ a: { dtype: "F32", shape: [] } }), 'entry for "a" is damaged'],
    ["gap", file({ a: { ...four, data_offsets: [1, 5] } }, [0, 0, 0, 0, 0]), "begins at byte 1, expected 0"],
    ["overlap", file({ a: four, b: four }, [0, 0, 0, 0]), "gap or overlap"],
    ["metadata not strings", file({ __metadata__: { a: 1 } }), "may hold only strings"],
  ])("refuses: %s", (_, bytes, message) => {
    expect(() => decodeSafetensors(bytes, "x")).toThrow(DataError);
    expect(() => decodeSafetensors(bytes, "x")).toThrow(message);
  });

  test("an element type that Trivium does not hold is a DTypeError", () => {
    const half = file({ a: { dtype: "F16", shape: [1], data_offsets: [0, 2] } }, [0, 0]);
    expect(() => decodeSafetensors(half, "x")).toThrow(DTypeError);
  });

  test("I64, PyTorch's integers, are read as i32 where they fit", () => {
    const values = new BigInt64Array([7n, -2147483648n, 2147483647n]);
    const bytes = [...new Uint8Array(values.buffer)];
    const header = { a: { dtype: "I64", shape: [3], data_offsets: [0, 24] } };
    const [tensor] = decodeSafetensors(file(header, bytes), "x").tensors;
    expect(tensor).toEqual({
      name: "a",
      dtype: "i32",
      shape: [3],
      data: Int32Array.of(7, -2147483648, 2147483647),
    });
    const large = [...new Uint8Array(new BigInt64Array([0n, 0n, 2147483648n]).buffer)];
    expect(() => decodeSafetensors(file(header, large), "x")).toThrow(/"a" is I64 and holds 2147483648/);
    expect(() => decodeSafetensors(file(header, bytes.slice(8)), "x")).toThrow(DataError);
  });

  test("misaligned data are copied", () => {
    const bytes = file(`${JSON.stringify({ a: four })} `, [0, 0, 128, 63]);
    expect(Array.from(decodeSafetensors(bytes, "x").tensors[0]!.data)).toEqual([1]);
  });

  test("two tensors of one name and shapes that do not fit are refused when writing", () => {
    expect(() => encodeSafetensors([f32("a", [1], [1]), f32("a", [1], [2])])).toThrow('two tensors are named "a"');
    expect(() => encodeSafetensors([f32("a", [2], [1])])).toThrow("takes 2 elements, got 1");
  });

  test("cutting a file anywhere is found", () => {
    const whole = join8(encodeSafetensors([f32("a", [2], [1, 2]), f32("b", [1], [3])], { k: "v" }));
    for (let length = 0; length < whole.length; length++) {
      expect(() => decodeSafetensors(whole.subarray(0, length), "cut")).toThrow(DataError);
    }
  });
});

describe("writeFileAtomic", () => {
  test("a failed write leaves the old file and no other", () => {
    const path = join(folder, "kept");
    writeFileSync(path, "old");
    expect(() =>
      writeFileAtomic(path, [new Uint8Array(1), "text" as unknown as Uint8Array, { length: 3 } as Uint8Array]),
    ).toThrow(DataError);
    expect(readFileSync(path, "utf8")).toBe("old");
    expect(readdirSync(folder).filter((name) => name.endsWith(".tmp"))).toEqual([]);
  });
  test("a missing folder is named", () => {
    expect(() => writeFileAtomic(join(folder, "no", "file"), [])).toThrow("does not exist");
  });
});

describe("model archive", () => {
  const weights = [f32("dense/kernel", [1, 2], [1, 2]), f32("dense/kernel", [1], [3])];
  test("round trip keeps order, equal names, architecture and optimizer", () => {
    const path = join(folder, "model.safetensors");
    const archive = {
      architecture: { class: "Sequential", layers: [] },
      training: { loss: "mse" },
      weights,
      optimizer: [{ name: "iteration", dtype: "i32", shape: [], data: Int32Array.from([12]) } satisfies NamedTensor],
    };
    writeModelArchive(path, archive);
    expect(readModelArchive(path)).toEqual(archive);
    writeModelArchive(path, { weights });
    expect(readModelArchive(path)).toEqual({ weights });
  });
  test("another framework's extension, another file and a newer version are refused", () => {
    expect(() => writeModelArchive(join(folder, "m.weights.h5"), { weights })).toThrow(UnsupportedError);
    expect(() => writeModelArchive(join(folder, "m.weights.h5"), { weights })).toThrow("m.safetensors");
    expect(existsSync(join(folder, "m.weights.h5"))).toBe(false);
    const path = join(folder, "other.safetensors");
    writeSafetensors(path, weights.slice(0, 1));
    expect(() => readModelArchive(path)).toThrow("not a Trivium model");
    writeSafetensors(path, [], { format: "trivium-model", version: "3" });
    expect(() => readModelArchive(path)).toThrow("version 3, this Trivium reads versions 1 and 2");
    writeSafetensors(path, [f32("weights/1/b", [1], [1])], { format: "trivium-model", version: "1" });
    expect(() => readModelArchive(path)).toThrow("weights/0 of 2 is missing");
    writeSafetensors(path, [f32("../../etc/passwd", [1], [1])], { format: "trivium-model", version: "1" });
    expect(() => readModelArchive(path)).toThrow("which would leave its folder");
    writeSafetensors(path, [f32("etc", [1], [1])], { format: "trivium-model", version: "1" });
    expect(() => readModelArchive(path)).toThrow("is not named group/index/name");
  });
});

test("sha256Of is the digest of little-endian bytes", () => {
  expect(sha256Of([Uint8Array.from([97]), Uint8Array.from([98, 99])])).toBe(
    "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
  );
});
