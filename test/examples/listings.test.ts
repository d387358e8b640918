/** docs/three-styles.md and what stands in it: the articles' listings beside the regions of the examples, the same calls in the same order. */
import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { basename } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";

const root = fileURLToPath(new URL("../..", import.meta.url));
const listings = readdirSync(`${root}docs/listings`).map((file) => basename(file, ".py"));

/** What stands in the regions of an example. */
function regionsOf(path: string): string {
  const source = readFileSync(path, "utf8");
  return [...source.matchAll(/^\/\/ #region.*\n([\s\S]*?)^\/\/ #endregion$/gm)].map(([, text]) => text).join("\n");
}

const camelCase = (name: string): string => name.replace(/_(\w)/g, (_, letter: string) => letter.toUpperCase());

/** Names that are called or defined, in order. */
const calls = (text: string): string[] => [...text.matchAll(/([A-Za-z_]\w*)\(/g)].map(([, name]) => name);

/** The same of a Python listing; what class fields and methods of numbers stand for in TypeScript is rewritten first. */
function pythonCalls(text: string): string[] {
  const lines = text.split("\n").filter((line) => !/^\s*#|def __init__|super\(/.test(line));
  const rewritten = lines
    .join("\n")
    .replace(/^class (\w+)\((.*)\):/gm, "class $1 extends $2")
    .replace(/ \/ 255\.0/g, ".div(255.0)");
  return calls(rewritten).map(camelCase);
}

test("there is a listing of each style", () => {
  expect(listings.sort()).toEqual(["keras-cifar", "keras-mnist", "tf-conv-net", "torch-cifar", "torch-mnist"]);
});

test.each(listings)("%s calls what the article calls, in its order", (name) => {
  const original = readFileSync(`${root}docs/listings/${name}.py`, "utf8");
  const own = regionsOf(`${root}examples/${name}.ts`).replace(/^\s*\/\/.*$/gm, "");
  expect(calls(own)).toEqual(pythonCalls(original));
});

test("the static graph is built by the lines of the eager program", () => {
  const lines = (name: string) => regionsOf(`${root}examples/${name}.ts`).replaceAll("tf.Tensor", "Tensor");
  expect(lines("tf-session")).toBe(lines("tf-conv-net"));
});

test("docs/three-styles.md is up to date", () => {
  execFileSync(process.execPath, ["scripts/three-styles.mjs", "--check"], { cwd: root });
});
