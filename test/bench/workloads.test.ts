import { describe, expect, it } from "vitest";
import { inferWorkloads, trainWorkloads } from "../../bench/catalogue.ts";
import { differenceOf } from "../../bench/compare.ts";
import { streamOf } from "../../bench/workloads/fill.ts";
import { cifarShapes, gruShapes } from "../../bench/workloads/keras-networks.ts";
import { findWorkload } from "../../bench/workloads.ts";

const count = (shapes: readonly (readonly number[])[]) =>
  shapes.reduce((sum, shape) => sum + shape.reduce((product, extent) => product * extent, 1), 0);

describe("workloads", () => {
  it("are written for every name of the catalogue", () => {
    for (const { name } of trainWorkloads) expect(findWorkload("train", name)).toBeDefined();
    for (const { name } of inferWorkloads) expect(findWorkload("infer", name)).toBeDefined();
    expect(() => findWorkload("infer", "imdb-gru")).toThrow('no workload "imdb-gru" in infer');
  });
  it("have the parameters that were asked for", () => {
    expect(count(cifarShapes)).toBe(3_441_592);
    expect(count(gruShapes)).toBe(3_818_302);
  });
  it("draw weights and data from names", () => {
    expect(streamOf("")).toBe(0);
    expect(streamOf("ab")).toBe(97 * 31 + 98);
    expect(streamOf("self_attn.in_proj_weight")).toBeLessThan(2 ** 31);
  });
  it("learn: the plain loop and the compiled step have the same losses, which fall", async () => {
    const losses: number[][] = [];
    for (const name of ["tiny-mlp-eager", "tiny-mlp-compiled"]) {
      const step = findWorkload("train", name).make(8, false);
      losses.push([(await step()) as number, (await step()) as number, (await step()) as number]);
    }
    expect(differenceOf(losses[0]!, losses[1]!)).toBe(0);
    expect(losses[0]![2]).toBeLessThan(losses[0]![0]!);
  });
});
