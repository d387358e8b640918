// Runs after `npm ci` in a clone, and as `npm run build`: builds dist/ and says so. Where the dev dependencies are absent there is nothing to build
// with, and that is fine. dist/ holds the modules with their types; dist/command holds the command line bundled, because reading hundreds of
// modules would be a good part of its start.
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));

function compilerPath() {
  try {
    return createRequire(import.meta.url).resolve("typescript/bin/tsc");
  } catch {
    return undefined;
  }
}

const compiler = compilerPath();
if (compiler === undefined || !existsSync(`${root}/src`)) {
  const has = existsSync(`${root}/dist/command/main.js`) ? "using the dist/ that is here" : "there is no dist/ yet";
  console.log(`trivium: dev dependencies are absent, nothing was built (${has})`);
  process.exit(0);
}
const started = performance.now();
rmSync(`${root}/dist`, { recursive: true, force: true });
const result = spawnSync(process.execPath, [compiler, "-p", "tsconfig.build.json"], { cwd: root, stdio: "inherit" });
const { build } = await import("esbuild");
await build({
  absWorkingDir: root,
  entryPoints: ["dist/cli/main.js"],
  outdir: "dist/command",
  bundle: true,
  splitting: true,
  platform: "node",
  format: "esm",
  target: "node20",
  external: ["koffi", "sharp"],
});
const { version } = JSON.parse(readFileSync(`${root}/package.json`, "utf8"));
if (result.status !== 0) {
  console.error("trivium: the build failed; `npx trivium` runs what could be built");
  process.exit(1);
}
console.log(`trivium ${version}: built dist/ in ${((performance.now() - started) / 1000).toFixed(1)} s`);
