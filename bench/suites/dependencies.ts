import { lstatSync, readdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { figureGoals, nameAndGoal } from "../goals.ts";
import type { Figure } from "../rows.ts";
import { rounded, summarize } from "../statistics.ts";
import type { FigureOptions } from "./neighbour.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));

interface Manifest {
  readonly name: string;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

const manifestOf = (folder: string) => JSON.parse(readFileSync(join(folder, "package.json"), "utf8")) as Manifest;

/** Bytes of the files in a folder; packages that lie inside are counted on their own. */
function bytesIn(folder: string): number {
  return readdirSync(folder, { withFileTypes: true }).reduce((sum, entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return entry.name === "node_modules" ? sum : sum + bytesIn(path);
    return sum + lstatSync(path).size;
  }, 0);
}

/** The folder of a package as the package in `from` would load it; undefined for an optional one that is for another system. */
function folderOf(name: string, from: string): string | undefined {
  const places = createRequire(join(from, "package.json")).resolve.paths(name) ?? [];
  return places
    .map((place) => join(place, name))
    .find((folder) => lstatSync(join(folder, "package.json"), { throwIfNoEntry: false }) !== undefined);
}

/** Every package that an installation without development dependencies has, with its bytes. */
export function productionTree(start: string): ReadonlyMap<string, number> {
  const found = new Map<string, number>();
  const visit = (from: string): void => {
    const { dependencies, optionalDependencies } = manifestOf(from);
    for (const name of Object.keys({ ...dependencies, ...optionalDependencies })) {
      const folder = folderOf(name, from);
      if (folder === undefined || found.has(folder)) continue;
      found.set(folder, bytesIn(folder));
      visit(folder);
    }
  };
  visit(start);
  return found;
}

/** Size of what this package pulls in, as it is installed here. */
export async function runDependencies({ say }: FigureOptions): Promise<Figure[]> {
  const tree = productionTree(root);
  const megabytes = (bytes: number) => summarize([rounded(bytes / 1e6)]);
  const value = megabytes([...tree.values()].reduce((sum, bytes) => sum + bytes, 0));
  say(`${figureGoals.dependencies.name}: ${value.median} MB in ${tree.size} packages`);
  return [{ ...nameAndGoal(figureGoals.dependencies), value, unit: "MB", loaded: false }];
}
