import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { gzipSync } from "node:zlib";
import { afterAll, describe, expect, it } from "vitest";

const root = mkdtempSync(join(tmpdir(), "trivium-bundle-"));
afterAll(() => rmSync(root, { recursive: true, force: true }));

/** What `tsc` could have written: two doors that share a module, and classes and functions of the same names. */
const modules = {
  "shared.js": `
export const seen = [];
export function clip(x) { return x; }
export const lift = (operation) => {
  const entry = (x) => operation(x);
  Object.defineProperty(entry, "name", { value: operation.name });
  return entry;
};`,
  "left/index.js": `
import { clip as inner, lift, seen } from "../shared.js";
export class Flatten {}
export class Chain { next() { return new Chain(); } static longest = Chain.name.length; }
export const clip = lift(function clip(x) {
  return inner(x) + 1;
});
export const note = (what) => seen.push(what);`,
  "right/index.js": `
import { clip as outer, note } from "../left/index.js";
import { seen } from "../shared.js";
import { Inflate, gunzipSync as unpack } from "node:zlib";
export const unpacked = (bytes) => new TextDecoder().decode(unpack(bytes));
export const isInflate = (value) => value instanceof Inflate;
export class Flatten {}
export function clip(x) { return outer(x) + 1; }
export { note, seen };`,
  "unused.js": "export const nothing = 1;",
} as const;

interface Door {
  readonly Flatten: new () => object;
  readonly Chain: new () => object;
  readonly clip: (x: number) => number;
  readonly note: (what: string) => number;
  readonly seen: readonly string[];
}

describe("bundled library", () => {
  it("keeps names, shares state between entry points and leaves no other module", async () => {
    const dist = join(root, "dist");
    for (const [path, code] of Object.entries(modules)) {
      mkdirSync(join(dist, path, ".."), { recursive: true });
      writeFileSync(join(dist, path), code);
    }
    writeFileSync(join(dist, "unused.d.ts"), "export declare const nothing = 1;");
    const script = new URL("../../scripts/bundle-library.mjs", import.meta.url).href;
    const { bundleLibrary } = (await import(script)) as {
      bundleLibrary: (dist: string, entryPoints: readonly string[]) => Promise<void>;
    };
    await bundleLibrary(dist, ["left/index", "right/index"]);

    const load = (door: string) => import(pathToFileURL(join(dist, door, "index.js")).href) as Promise<Door>;
    const [left, right] = [await load("left"), await load("right")];
    expect([left.Flatten.name, right.Flatten.name, left.Chain.name]).toEqual(["Flatten", "Flatten", "Chain"]);
    expect(left.Flatten).not.toBe(right.Flatten);
    expect([left.clip.name, right.clip.name, left.note.name]).toEqual(["clip", "clip", "note"]);
    expect([left.clip(1), right.clip(1)]).toEqual([2, 3]);
    left.note("once");
    expect(right.seen).toEqual(["once"]);
    expect(readdirSync(dist).sort()).toEqual(["chunks", "left", "right", "unused.d.ts"]);
    expect(existsSync(join(dist, "shared.js"))).toBe(false);
  });

  it("loads a module of Node when something of it is used", () => {
    const packed = gzipSync("what was packed").toString("base64");
    const program = `
const loaded = () => process.moduleLoadList.includes("NativeModule zlib");
const { unpacked, isInflate } = await import(${JSON.stringify(pathToFileURL(join(root, "dist/right/index.js")).href)});
const before = loaded();
console.log(JSON.stringify([before, unpacked(Buffer.from("${packed}", "base64")), isInflate({}), loaded()]));`;
    const output = execFileSync(process.execPath, ["--input-type=module", "--eval", program], { encoding: "utf8" });
    expect(JSON.parse(output)).toEqual([false, "what was packed", false, true]);
  });
});
