import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { productionTree } from "../../bench/suites/dependencies.ts";

it("the production tree is what dependencies pull in, each once, and optional ones where they are installed", () => {
  const root = mkdtempSync(join(tmpdir(), "trivium-tree-"));
  const write = (folder: string, manifest: object, bytes: number) => {
    mkdirSync(join(root, folder), { recursive: true });
    const text = JSON.stringify({ name: folder, ...manifest });
    writeFileSync(join(root, folder, "package.json"), text);
    writeFileSync(join(root, folder, "code.js"), "x".repeat(bytes));
    return text.length + bytes;
  };
  try {
    write("", { dependencies: { a: "1" }, optionalDependencies: { other: "1" }, devDependencies: { dev: "1" } }, 5);
    const a = write("node_modules/a", { dependencies: { b: "1", "@scope/c": "1" } }, 10);
    const inner = write("node_modules/a/node_modules/b", { dependencies: { "@scope/c": "1" } }, 20);
    const c = write("node_modules/@scope/c", {}, 30);
    write("node_modules/b", {}, 1000);
    write("node_modules/dev", {}, 1000);
    const tree = productionTree(root);
    expect([...tree.values()].sort((left, right) => left - right)).toEqual([a, inner, c].sort((x, y) => x - y));
    expect(tree.get(join(root, "node_modules/a/node_modules/b"))).toBe(inner);
  } finally {
    rmSync(root, { recursive: true });
  }
});
