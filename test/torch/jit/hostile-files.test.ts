/** jit.load on files that somebody changed. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { TriviumError } from "../../../src/errors.ts";
import { decodeSafetensors, encodeSafetensors } from "../../../src/interop/index.ts";
import * as jit from "../../../src/torch/jit/index.ts";
import { images, Net } from "./net.ts";

const folder = mkdtempSync(join(tmpdir(), "trivium-jit-"));
afterAll(() => rmSync(folder, { recursive: true }));
const path = join(folder, "model.pt");
describe("hostile files", () => {
  const saved = () => {
    jit.save(jit.trace(new Net().eval(), images(2)), path);
    return decodeSafetensors(readFileSync(path), path);
  };
  interface Node {
    kind: string;
    op: string;
    inputs: number[];
    attributes: Record<string, unknown>;
    shape: unknown[];
    index: number;
    name: string;
    order: number;
  }
  interface Program {
    program: { entries: Node[]; outputs: unknown[]; updates: unknown[]; arguments: unknown[] };
    batchAxes: unknown;
    batch: unknown;
    result: unknown;
    structure: unknown;
    training: unknown;
    fixed: unknown;
  }
  const change = (edit: (program: Program, node: (op: string) => Node) => void) => {
    const { tensors, metadata } = saved();
    const programs = JSON.parse(metadata.programs) as Program[];
    edit(programs[0], (op) => programs[0].program.entries.find((entry) => entry.op === op) as Node);
    writeFileSync(path, Buffer.concat(encodeSafetensors(tensors, { ...metadata, programs: JSON.stringify(programs) })));
  };
  const cases: [string, (program: Program, node: (op: string) => Node) => void, RegExp][] = [
    [
      "an unknown op",
      (_, node) => {
        node("conv2d").op = "constructor";
      },
      /there is no op "constructor"/,
    ],
    [
      "an input that comes later",
      (p, node) => {
        node("conv2d").inputs = [p.program.entries.length - 1, 0];
      },
      /an input of node \d+ refers to/,
    ],
    [
      "a wrong number of inputs",
      (_, node) => {
        node("conv2d").inputs = [0];
      },
      /conv2d takes 2 inputs, not 1/,
    ],
    [
      "a stated shape that is not so",
      (_, node) => {
        node("conv2d").shape = [1, 2, 3, 4];
      },
      /the program states f32 \(1, 2, 3, 4\), its inputs give/,
    ],
    [
      "a shape of gigabytes",
      (_, node) => {
        node("conv2d").shape = [2 ** 40];
      },
      /is no shape of a tensor/,
    ],
    [
      "a negative shape",
      (_, node) => {
        node("conv2d").shape = [-1, 2];
      },
      /is no shape of a tensor/,
    ],
    [
      "a stride of 0",
      (_, node) => {
        node("conv2d").attributes.strides = [0, 1];
      },
      /strides \(0, 1\) must be two integers of 1 or more/,
    ],
    [
      "attributes of another type",
      (_, node) => {
        node("conv2d").attributes.strides = "ab";
      },
      /attribute "strides" must be a pair of integers/,
    ],
    [
      "an attribute that is missing",
      (_, node) => {
        node("permute").attributes = {};
      },
      /attribute "axes" must be a list of integers/,
    ],
    [
      "axes that are none",
      (_, node) => {
        node("permute").attributes.axes = [0, 9, 1, 2];
      },
      /permute: axis 9 is out of range/,
    ],
    [
      "an expand that does not fit",
      (_, node) => {
        node("expand").attributes.shape = [7, 7];
      },
      /does not expand|states/,
    ],
    [
      "an output that is not there",
      (p) => {
        p.program.outputs = [9999];
      },
      /an output refers to 9999/,
    ],
    [
      "an argument that is not there",
      (p) => {
        p.program.entries.forEach((e) => {
          if (e.kind === "argument") e.index = 4;
        });
      },
      /refers to 4, of 1/,
    ],
    [
      "a tensor that is not there",
      (p) => {
        p.program.entries.forEach((e) => {
          if (e.kind === "tensor") e.name = "../secret";
        });
      },
      /there is no tensor "..\/secret"/,
    ],
    [
      "an update of nothing",
      (p) => {
        p.program.updates = [{ name: "x", value: 0 }];
      },
      /there is no variable "x"/,
    ],
    [
      "a kind that does not exist",
      (p) => {
        p.program.entries[0].kind = "eval";
      },
      /unknown kind/,
    ],
    [
      "axes for the batch",
      (p) => {
        p.batchAxes = [7];
      },
      /its axes are damaged/,
    ],
    [
      "a result that is damaged",
      (p) => {
        p.result = [0, 0];
      },
      /its structure names the tensor 0, of 1/,
    ],
    [
      "a mode",
      (p) => {
        p.training = "yes";
      },
      /its mode is damaged/,
    ],
    [
      "no list of nodes",
      (p) => {
        (p.program as { entries: unknown }).entries = 5;
      },
      /its list of nodes is damaged/,
    ],
  ];
  test.each(cases)("%s", (_, edit, message) => {
    change(edit);
    expect(() => jit.load(path)).toThrow(message);
    expect(() => jit.load(path)).toThrow(TriviumError);
  });
  test("state names that would replace methods", () => {
    for (const name of ["forward", "__proto__.weight", "a..b", "constructor", "conv.forward"]) {
      const { tensors, metadata } = saved();
      const state = JSON.parse(metadata.state) as { name: string }[];
      state[0].name = name;
      writeFileSync(path, Buffer.concat(encodeSafetensors(tensors, { ...metadata, state: JSON.stringify(state) })));
      expect(() => jit.load(path), name).toThrow(TriviumError);
    }
  });
  test("truncated, newer and other files", () => {
    const { tensors, metadata } = saved();
    const bytes = readFileSync(path);
    for (const part of [0.1, 0.5, 0.99]) {
      writeFileSync(path, bytes.subarray(0, Math.floor(bytes.length * part)));
      expect(() => jit.load(path)).toThrow(/truncated/);
    }
    writeFileSync(path, Buffer.concat(encodeSafetensors(tensors, { ...metadata, version: "2" })));
    expect(() => jit.load(path)).toThrow(/version 2, this Trivium reads version 1/);
    writeFileSync(path, Buffer.concat(encodeSafetensors(tensors, { ...metadata, format: "trivium-object" })));
    expect(() => jit.load(path)).toThrow(/open it with torch.load/);
  });
  test("random damage to the program is an error or the same program", () => {
    const { tensors, metadata } = saved();
    for (let at = 0; at < metadata.programs.length; at += 311) {
      const text = metadata.programs;
      const damaged = text.slice(0, at) + String.fromCharCode(text.charCodeAt(at) ^ 1 || 48) + text.slice(at + 1);
      writeFileSync(path, Buffer.concat(encodeSafetensors(tensors, { ...metadata, programs: damaged })));
      try {
        jit.load(path);
      } catch (error) {
        expect(error).toBeInstanceOf(TriviumError);
      }
    }
  });
});
