import { rmSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { buildSync } from "esbuild";

const here = fileURLToPath(new URL(".", import.meta.url));
let built: string | undefined;

/**
 * Trivium's worker as one file of plain JavaScript: what users of the built package run. The loader that runs TypeScript directly names every function
 * inside a function each time that it is made, which is a tenth of a small network's step. Made by the first who asks, removed with this process.
 */
export function builtWorker(): string {
  if (built !== undefined) return built;
  const outfile = `${here}../out/bench/trivium-worker-${process.pid}.mjs`;
  buildSync({
    entryPoints: [`${here}trivium-worker.ts`],
    outfile,
    bundle: true,
    packages: "external",
    platform: "node",
    format: "esm",
    target: "node20",
    logLevel: "error",
  });
  process.once("exit", () => rmSync(outfile, { force: true }));
  built = outfile;
  return outfile;
}
