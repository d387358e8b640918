import { describe, expect, it } from "vitest";
import { parseCommand, usage } from "../../bench/arguments.ts";
import { suites } from "../../bench/catalogue.ts";
import { ArgumentError } from "../../src/errors.ts";

const parse = (line: string) => parseCommand(line.split(" ").filter((part) => part !== ""));
const optionsOf = (line: string) => {
  const command = parse(line);
  if (command.kind !== "run") throw new Error(command.kind);
  return command.options;
};

describe("the bench's command line", () => {
  it("reads suites, peers, workloads and numbers", () => {
    expect(
      optionsOf("train infer --peers torch,ort --only seeds-cnn,vgg16 --threads 1 --rounds 3 --batches 8"),
    ).toEqual({
      suites: ["train", "infer"],
      peers: ["torch", "ort"],
      only: ["seeds-cnn", "vgg16"],
      batches: [8],
      threads: 1,
      rounds: 3,
      seconds: 1.5,
      minutes: 0,
      trivium: true,
      avx2: false,
    });
  });
  it("leaves peers out unless they are named", () => {
    expect(optionsOf("system").peers).toEqual([]);
  });
  it.each([
    ["trian", 'unknown suite "trian": did you mean train?'],
    ["train --peers torhc", 'unknown peer "torhc": did you mean torch?'],
    ["train --only cifar-cn", 'unknown workload "cifar-cn": did you mean cifar-cnn?'],
    ["infer --only imdb-gru", 'unknown workload "imdb-gru": there are resnet18, '],
    ["train --threads two", "--threads two: expected a whole number of 1 or more."],
    ["train --rounds 0", "--rounds 0: expected a whole number of 1 or more."],
    ["train --batches 8,x", "--batches x: expected a whole number of 1 or more."],
    ["", "name a suite: "],
    ["infer --avx2 --peers torch,ort", "--avx2: ONNX Runtime cannot be held to AVX2"],
    ["train --figure x.svg", "--figure draws reports: "],
    ["report a.json --json b.json", "report: --json is for runs"],
    ["report", "report: name the JSON files of one or more runs."],
  ])("%s is one clear line", (line, message) => {
    expect(() => parse(line)).toThrow(ArgumentError);
    expect(() => parse(line)).toThrow(message);
    try {
      parse(line);
    } catch (error) {
      expect((error as Error).message).not.toContain("\n");
    }
  });
  it("refuses flags that it does not have", () => {
    expect(() => parse("train --peer torch")).toThrow("--peer");
  });
  it("lists every suite and workload in its help", () => {
    expect(parse("--help")).toEqual({ kind: "help" });
    for (const [name, { workloads }] of Object.entries(suites)) {
      for (const word of [name, ...workloads]) expect(usage).toContain(word);
    }
  });
});
