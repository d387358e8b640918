/**
 * Files of the package that the command reads. Every file that this module may be part of (src/cli/package-files.ts, its counterpart in dist/cli, and
 * the bundle dist/command/main.cjs) lies two folders below the package's own, so the same relative paths hold in all of them.
 */
import { readFileSync } from "node:fs";

const read = (path: string): string => readFileSync(new URL(path, import.meta.url), "utf8");

/** Version of the package that this file belongs to. */
export function packageVersion(): string {
  return (JSON.parse(read("../../package.json")) as { version: string }).version;
}

/** TypeScript source of a module of this folder that has `#region`s: in a clone the source itself, otherwise the copy that the build puts beside its code. */
export function sourceOf(module: string): string {
  return read(`../cli/${module}.ts`);
}
