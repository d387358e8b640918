/** torch.save and torch.load: what comes back, and what is refused. */
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, describe, expect, test } from "vitest";
import { DataError, TriviumError } from "../../src/errors.ts";
import { encodeSafetensors, type NamedTensor, writeModelArchive } from "../../src/interop/index.ts";
import { Tensor, tensor, Variable } from "../../src/tensor/index.ts";
import { load, save } from "../../src/torch/serialization.ts";

const folder = mkdtempSync(join(tmpdir(), "trivium-save-"));
afterAll(() => rmSync(folder, { recursive: true }));
const path = join(folder, "state.pt");
const roundTrip = (value: unknown): unknown => {
  save(value, path);
  return load(path);
};
const write = (tensors: NamedTensor[], metadata: Record<string, string>): string => {
  writeFileSync(path, Buffer.concat(encodeSafetensors(tensors, metadata)));
  return path;
};
const one: NamedTensor = { name: "a", dtype: "f32", shape: [2], data: new Float32Array([1, 2]) };
const object = (tree: unknown, tensors: NamedTensor[] = []) =>
  write(tensors, { format: "trivium-object", version: "1", tree: JSON.stringify(tree) });

describe("save and load", () => {
  test("nested state with tensors of every dtype", () => {
    const shared = tensor([
      [1, 2],
      [3, 4],
    ]);
    const state = {
      epoch: 3,
      name: "run",
      flags: [true, null, undefined, -0, Number.NaN, Number.POSITIVE_INFINITY, 1e-300],
      model: { "conv1.weight": shared, again: shared, scalar: new Variable(7), empty: tensor(new Float32Array(0)) },
      labels: tensor(new Int32Array([1, -2, 2 ** 31 - 1])),
      bytes: tensor(new Uint8Array([0, 255, 7])),
      mask: tensor([true, false]),
      map: new Map<unknown, unknown>([
        ["a", shared],
        [4, "b"],
      ]),
      random: new Int32Array([5, 6]),
      "#": "not a mark",
      __proto__key: JSON.parse('{"__proto__": {"polluted": 1}}') as unknown,
    };
    const back = roundTrip(state) as typeof state;
    expect(Object.keys(back)).toEqual(Object.keys(state));
    expect(back.flags).toEqual(state.flags);
    expect(Object.is(back.flags[3], -0)).toBe(true);
    expect(back.model["conv1.weight"].toArray()).toEqual([
      [1, 2],
      [3, 4],
    ]);
    expect(back.model.again).toBe(back.model["conv1.weight"]);
    expect(back.model.scalar).toBeInstanceOf(Tensor);
    expect(back.model.scalar.item()).toBe(7);
    expect(back.model.empty.shape).toEqual([0]);
    expect([...back.labels.dataSync()]).toEqual([1, -2, 2 ** 31 - 1]);
    expect(back.bytes.dtype).toBe("u8");
    expect(back.mask.toArray()).toEqual([true, false]);
    expect(back.map.get("a")).toBe(back.model.again);
    expect(back.random).toEqual(state.random);
    expect(back["#"]).toBe("not a mark");
    expect(Object.keys(back.__proto__key as object)).toEqual(["__proto__"]);
    expect(({} as { polluted?: number }).polluted).toBeUndefined();
  });

  test("a flat state dict is a safetensors file with its names", () => {
    save({ "conv1.weight": tensor([1]), "conv1.bias": tensor([2]) }, path);
    const bytes = readFileSync(path);
    const header = JSON.parse(bytes.subarray(8, 8 + Number(bytes.readBigUInt64LE(0))).toString()) as object;
    expect(Object.keys(header)).toEqual(expect.arrayContaining(["conv1.weight", "conv1.bias"]));
  });

  test("paths that meet keep their tensors apart", () => {
    const back = roundTrip({ "a.b": tensor([1]), a: { b: tensor([2]) } }) as { "a.b": Tensor; a: { b: Tensor } };
    expect([back["a.b"].item(), back.a.b.item()]).toEqual([1, 2]);
    expect((roundTrip(tensor([5])) as Tensor).item()).toBe(5);
  });

  test("any JSON comes back", () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 4 }), (value) => {
        expect(roundTrip({ value })).toEqual({ value });
      }),
      { numRuns: 60 },
    );
  });

  test("later steps do not change what was saved or loaded", () => {
    const weight = new Variable([1, 2]);
    save({ weight }, path);
    const loaded = load<{ weight: Tensor }>(path);
    weight.assign(loaded.weight.mul(5));
    expect(weight.toArray()).toEqual([5, 10]);
    weight.assign(loaded.weight);
    weight.assign(weight.add(1));
    expect(weight.toArray()).toEqual([2, 3]);
    expect(loaded.weight.toArray()).toEqual([1, 2]);
  });
});

describe("what cannot be saved", () => {
  const cycle: { self?: unknown } = {};
  cycle.self = cycle;
  const deep = Array.from({ length: 300 }).reduce<unknown>((inner) => [inner], 1);
  test.each([
    ["a function", { model: { f: () => 1 } }, /"model.f" is a function/],
    ["an instance", [new (class Net {})()], /"0" is an instance of Net/],
    ["a cycle", cycle, /"self" is an object that contains itself/],
    ["a bigint", { n: 1n }, /"n" is a bigint/],
    ["depth", deep, /more than 200 deep/],
    ["a name that leaves its folder", { "../a": tensor([1]) }, /named "..\/a", which would leave its folder/],
  ])("%s", (_, value, message) => {
    expect(() => save(value, path)).toThrow(message);
  });
  test("nothing is left behind", () => {
    rmSync(path, { force: true });
    expect(() => save({ a: () => 1 }, path)).toThrow(TriviumError);
    expect(() => save({ a: 1 }, join(folder, "missing", "x.pt"))).toThrow(DataError);
    expect(readdirSync(folder)).toEqual([]);
  });
});

describe("files that are refused", () => {
  test("every truncation and every flipped header byte is an error or harmless", () => {
    save({ a: tensor([1, 2, 3]), b: { c: tensor([[4]]) }, n: 5 }, path);
    const bytes = readFileSync(path);
    for (let length = 0; length < bytes.length; length++) {
      writeFileSync(path, bytes.subarray(0, length));
      expect(() => load(path)).toThrow(DataError);
    }
    const end = 8 + Number(bytes.readBigUInt64LE(0));
    for (let at = 0; at < end; at++) {
      const damaged = Buffer.from(bytes);
      damaged[at] ^= 1 << (at % 8);
      writeFileSync(path, damaged);
      try {
        load(path);
      } catch (error) {
        expect(error).toBeInstanceOf(TriviumError);
      }
    }
  });
  test.each([
    ["missing", () => join(folder, "nothing.pt"), /cannot be read \(ENOENT\)/],
    ["a folder", () => folder, /cannot be read \(EISDIR\)/],
    [
      "a newer version",
      () => write([], { format: "trivium-object", version: "2", tree: "1" }),
      /version 2, this Trivium reads version 1/,
    ],
    ["no tree", () => write([], { format: "trivium-object", version: "1" }), /its tree is missing/],
    [
      "a tree that is not JSON",
      () => write([], { format: "trivium-object", version: "1", tree: "{" }),
      /its tree is not JSON/,
    ],
    [
      "a tensor it does not hold",
      () => object({ "#": "tensor", name: "x" }),
      /names a tensor "x" that the file does not hold/,
    ],
    ["a tensor it does not mention", () => object(1, [one]), /does not mention the tensor "a"/],
    ["an unknown mark", () => object({ "#": "constructor" }), /mark "constructor" is unknown/],
    [
      "a wrong array type",
      () => object({ "#": "array", type: "Function", name: "a" }, [one]),
      /Function is no array type/,
    ],
    ["a wrong number", () => object({ "#": "number", value: "process.exit()" }), /is no number/],
    ...["../a", "/a", "x/../../a", "..", "C:\\a", "..\\a", "a\0"].map((name): [string, () => string, RegExp] => [
      `a name that leaves its folder: ${JSON.stringify(name)}`,
      () => write([{ ...one, name }], {}),
      /would leave its folder/,
    ]),
    ["a map without entries", () => object({ "#": "map" }), /a map without entries/],
    [
      "depth",
      () => write([], { format: "trivium-object", version: "1", tree: "[".repeat(9999) + "]".repeat(9999) }),
      /nested more than 200/,
    ],
    [
      "another file of Trivium",
      () => {
        writeModelArchive(`${path}.safetensors`, { weights: [] });
        return `${path}.safetensors`;
      },
      /found a Keras-style model; open it with keras/,
    ],
    [
      "PyTorch's zip",
      () => {
        writeFileSync(path, Buffer.from("PK\u0003\u0004 and more than that"));
        return path;
      },
      /zip archive, as PyTorch's torch.save writes it/,
    ],
    [
      "PyTorch's pickle",
      () => {
        writeFileSync(path, Buffer.from([0x80, 2, 0x8a, 0x0a, 0x6c, 0xfc, 0x9c, 0x46, 1]));
        return path;
      },
      /a pickle/,
    ],
    [
      "text",
      () => {
        writeFileSync(path, "hello, this is not a model");
        return path;
      },
      /truncated or not a safetensors file/,
    ],
  ])("%s", (_, make, message) => {
    const file = make();
    expect(() => load(file)).toThrow(message);
    expect(() => load(file)).toThrow(TriviumError);
  });
  test("a header that claims gigabytes allocates nothing", () => {
    const bytes = Buffer.alloc(16);
    bytes.writeBigUInt64LE(2n ** 62n, 0);
    writeFileSync(path, bytes);
    expect(() => load(path)).toThrow(/truncated or not a safetensors file/);
  });
  test("a safetensors file of another program gives its tensors", () => {
    const back = load<Record<string, Tensor>>(write([one], { format: "pt" }));
    expect(back.a.toArray()).toEqual([1, 2]);
  });
});
