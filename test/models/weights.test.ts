/** Weights from files: whole or not at all, and what old files look like. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { ArgumentError, DataError, UnsupportedError } from "../../src/errors.ts";
import { DenseNet, getModel, loadWeights, MobileNetV2, mobilenetV2, resnet18 } from "../../src/models/index.ts";
import { engine } from "../../src/tensor/index.ts";
import * as torch from "../../src/torch/index.ts";
import { setState, stateOf } from "./formula-state.ts";

const { nn } = torch;
const small = { numClasses: 3, widthMult: 0.1, invertedResidualSetting: [[2, 16, 1, 2]] } as const;
const dense = { growthRate: 4, blockConfig: [2], numInitFeatures: 8, numClasses: 3 } as const;

let folder: string;
const at = (name: string): string => join(folder, name);
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "trivium-models-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** The state dict with its names rewritten; empty names are left out. */
function renamed(dict: torch.nn.StateDict, rename: (name: string) => string): torch.nn.StateDict {
  return Object.fromEntries(
    Object.entries(dict).flatMap(([name, value]) => (rename(name) === "" ? [] : [[rename(name), value]])),
  );
}
const valuesOf = (module: torch.nn.AnyModule): [string, unknown][] =>
  stateOf(module).map(([name, value]) => [name, value.dataSync()]);

describe("loadWeights", () => {
  test("gives back what was saved, counters included", () => {
    const model = setState(new MobileNetV2(small));
    torch.save(model.stateDict(), at("small.safetensors"));
    const other = new MobileNetV2(small);
    loadWeights(other, at("small.safetensors"));
    expect(valuesOf(other)).toEqual(valuesOf(model));
    expect(other.getBuffer("features.0.1.num_batches_tracked").item()).toBe(3);
    const third = mobilenetV2({ ...small, weights: at("small.safetensors") });
    expect(valuesOf(third)).toEqual(valuesOf(model));
  });

  test("lists everything that does not fit, and changes nothing", () => {
    const dict = new MobileNetV2({ ...small, numClasses: 4 }).stateDict();
    const damaged = renamed(dict, (name) => (name === "features.0.1.bias" ? "features.0.1.shift" : name));
    torch.save(damaged, at("other.safetensors"));
    const model = setState(new MobileNetV2(small));
    const before = valuesOf(model);
    const load = (): void => loadWeights(model, at("other.safetensors"));
    expect(load).toThrow(nn.StateDictError);
    expect(load).toThrow(
      /other\.safetensors: .*\n.*missing: "features\.0\.1\.bias"\n.*unexpected: "features\.0\.1\.shift"\n.*classifier\.1\.weight has shape \(4, 1280\), the module \(3, 1280\)\n.*classifier\.1\.bias/,
    );
    expect(valuesOf(model)).toEqual(before);
  });

  test("old files have no counters, and DenseNet's names of 2017", () => {
    const model = setState(new DenseNet(dense));
    const old = renamed(model.stateDict(), (name) =>
      name.endsWith("num_batches_tracked") ? "" : name.replace(/(denselayer\d+\.(?:norm|conv))([12])/, "$1.$2"),
    );
    expect(Object.keys(old)).toContain("features.denseblock1.denselayer2.norm.1.running_mean");
    torch.save(old, at("old.safetensors"));
    const other = new DenseNet(dense);
    loadWeights(other, at("old.safetensors"));
    const weights = (module: DenseNet) => valuesOf(module).filter(([name]) => !name.endsWith("tracked"));
    expect(weights(other)).toEqual(weights(model));
    expect(other.getBuffer("features.norm0.num_batches_tracked").item()).toBe(0);
  });

  test("files of another kind are refused", () => {
    const model = new MobileNetV2(small);
    torch.save({ model: model.stateDict(), epoch: 3 }, at("checkpoint.safetensors"));
    expect(() => loadWeights(model, at("checkpoint.safetensors"))).toThrow(
      /"model" is none; load the file with torch.load/,
    );
    expect(() => loadWeights(model, at("absent.safetensors"))).toThrow(DataError);
    writeFileSync(at("resnet18.pth"), "PK\x03\x04 and so on");
    expect(() => resnet18({ weights: at("resnet18.pth") })).toThrow(/save_file/);
  });
});

test("weights by name say how to give a file", () => {
  for (const weights of ["DEFAULT", "IMAGENET1K_V1", "ResNet18_Weights.DEFAULT"]) {
    expect(() => resnet18({ weights })).toThrow(UnsupportedError);
    expect(() => resnet18({ weights })).toThrow(/path of a safetensors file.*get_model\("resnet18"/);
  }
  expect(() => getModel("resnet19" as "resnet18")).toThrow(ArgumentError);
  expect(() => getModel("mobilenetv2" as "resnet18")).toThrow(/did you mean "mobilenet_v2"/);
});

test("options that no network has are refused", () => {
  const rows = { invertedResidualSetting: [] };
  expect(() => new MobileNetV2(rows)).toThrow(ArgumentError);
  expect(() => new DenseNet({ memoryEfficient: true as never })).toThrow(UnsupportedError);
  expect(() => resnet18({ groups: 2 })).toThrow(/take Bottleneck/);
  expect(() => resnet18({ replaceStrideWithDilation: [false, false, true] })).toThrow(UnsupportedError);
});

test("sizes of parameters are known without computing them", () => {
  const before = engine.stats().runs;
  const model = new DenseNet(dense);
  expect(model.parameters().reduce((sum, { size, rank }) => sum + size * Math.sign(rank), 0)).toBeGreaterThan(1000);
  expect(engine.stats().runs).toBe(before);
});

test("other normalisations stand where batch normalisation stood", () => {
  const model = resnet18({ numClasses: 2, normLayer: (channels) => new nn.GroupNorm(8, channels) });
  expect(model.bn1).toBeInstanceOf(nn.GroupNorm);
  expect(model.getSubmodule("layer2.0.downsample.1")).toBeInstanceOf(nn.GroupNorm);
  expect(stateOf(model).some(([name]) => name.includes("running"))).toBe(false);
});
