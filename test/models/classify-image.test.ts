/** examples/classify-image.ts as users run it: torchvision's classes for an image, and what to do without weights. */
import { execFile } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";
import { whyNoMachineCode } from "../../src/engine/default-target.ts";
import { getModel, type ModelName } from "../../src/models/index.ts";
import { hashLabels } from "../../src/testing/hash-uniform.ts";
import { save } from "../../src/torch/index.ts";
import { setState } from "./formula-state.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
const { classification: golden } = JSON.parse(
  readFileSync(new URL("../goldens/torchvision-models.json", import.meta.url), "utf8"),
) as {
  readonly classification: {
    readonly model: ModelName;
    readonly width: number;
    readonly height: number;
    readonly patch: number;
    readonly classes: readonly number[];
    readonly percent: readonly number[];
  };
};

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "trivium-classify-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const run = (...args: string[]) =>
  promisify(execFile)(process.execPath, ["--import", "tsx", "examples/classify-image.ts", ...args], { cwd: root });

/** A PPM file of coloured patches. */
function writePatches(path: string): void {
  const { width, height, patch } = golden;
  const columns = width / patch;
  const colours = hashLabels(80, (height / patch) * columns * 3, 256);
  const pixels = new Uint8Array(width * height * 3);
  for (let index = 0; index < pixels.length; index++) {
    const pixel = Math.floor(index / 3);
    const [row, column] = [Math.floor(pixel / width), pixel % width];
    pixels[index] = colours[(Math.floor(row / patch) * columns + Math.floor(column / patch)) * 3 + (index % 3)]!;
  }
  writeFileSync(path, Buffer.concat([Buffer.from(`P6\n${width} ${height}\n255\n`), pixels]));
}

test.skipIf(whyNoMachineCode() !== undefined)("the classes that torchvision finds likeliest", async () => {
  const [weights, image] = [join(folder, "weights.safetensors"), join(folder, "image.ppm")];
  save(setState(getModel(golden.model)).stateDict(), weights);
  writePatches(image);
  const { stdout } = await run("--model", golden.model, "--weights", weights, "--image", image);
  expect(stdout).toContain("mobilenet_v2: 3,504,872 parameters");
  const lines = [...stdout.matchAll(/^class (\d+): ([\d.]+) %$/gm)];
  expect(lines.map(([, number]) => Number(number))).toEqual(golden.classes);
  lines.forEach(([, , percent], index) => {
    expect(Math.abs(Number(percent) - golden.percent[index]!)).toBeLessThan(0.006);
  });
});

test("without weights it says how to get them", async () => {
  const failure = (await run("--model", "resnet50").catch((error: unknown) => error)) as {
    code: number;
    stderr: string;
  };
  expect(failure.code).toBe(2);
  expect(failure.stderr).toContain('get_model("resnet50", weights="DEFAULT")');
});
