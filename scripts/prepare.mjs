// Runs after `npm ci` in a clone, and as `npm run build`: builds dist/ and says so. Where the dev dependencies are absent there is nothing to build
// with, and that is fine. dist/ holds the entry points and the types of all modules; dist/command holds the command line as one file with
// V8's code cache beside it, because reading, parsing and compiling hundreds of modules would be a good part of its start.
import { spawnSync } from "node:child_process";
import { copyFileSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));

function compilerPath() {
  try {
    return createRequire(import.meta.url).resolve("typescript/bin/tsc");
  } catch {
    return undefined;
  }
}

/** A short training run compiles every function that a start needs; the cache holds those. Without it the command only starts later. */
function writeCodeCache() {
  const folder = mkdtempSync(join(tmpdir(), "trivium-build-"));
  const args = ["train", "mnist", "--epochs", "1", "--limit", "64", "--verbose", "1", "--out", join(folder, "run")];
  const env = { ...process.env, TRIVIUM_WRITE_CODE_CACHE: "1" };
  spawnSync(process.execPath, [`${root}/bin/trivium.js`, ...args], {
    cwd: folder,
    env,
    stdio: "ignore",
    timeout: 60_000,
  });
  rmSync(folder, { recursive: true, force: true });
}

/** `trivium compare` shows the programs that it ran: their sources lie beside their code. */
function copyListings() {
  const folder = "cli/compare";
  for (const file of readdirSync(`${root}/src/${folder}`)) {
    const source = `${root}/src/${folder}/${file}`;
    if (/^ *\/\/ #region /m.test(readFileSync(source, "utf8"))) copyFileSync(source, `${root}/dist/${folder}/${file}`);
  }
}

const compiler = compilerPath();
if (compiler === undefined || !existsSync(`${root}/src`)) {
  const has = existsSync(`${root}/dist/command/main.cjs`) ? "using the dist/ that is here" : "there is no dist/ yet";
  console.log(`trivium: dev dependencies are absent, nothing was built (${has})`);
  process.exit(0);
}
const started = performance.now();
rmSync(`${root}/dist`, { recursive: true, force: true });
const result = spawnSync(process.execPath, [compiler, "-p", "tsconfig.build.json"], { cwd: root, stdio: "inherit" });
copyListings();
const { build } = await import("esbuild");
const { builtinsOnUse } = await import("./builtins-on-use.mjs");
await build({
  absWorkingDir: root,
  entryPoints: ["dist/cli/main.js"],
  outfile: "dist/command/main.cjs",
  bundle: true,
  platform: "node",
  format: "cjs",
  target: "node20",
  // classes of the doors share names (both Keras and PyTorch have a Flatten): what a class is called is saved with models and shown in summaries
  keepNames: true,
  external: ["koffi", "sharp"],
  // comments are the only text beyond ASCII, and one such character makes V8 keep the file at two bytes a character
  minifyWhitespace: true,
  lineLimit: 160,
  plugins: [builtinsOnUse],
  define: { "import.meta.url": "moduleUrl" },
  banner: { js: 'const moduleUrl = require("node:url").pathToFileURL(__filename).href;' },
});
if (result.status === 0) {
  const { bundleLibrary } = await import("./bundle-library.mjs");
  const { exports } = JSON.parse(readFileSync(`${root}/package.json`, "utf8"));
  const published = Object.values(exports).flatMap((entry) => /^\.\/dist\/(.*)\.js$/.exec(entry.default)?.[1] ?? []);
  await bundleLibrary(`${root}/dist`, [...published, "data/loading/worker"]);
  writeCodeCache();
}
const { version } = JSON.parse(readFileSync(`${root}/package.json`, "utf8"));
if (result.status !== 0) {
  console.error("trivium: the build failed; `npx trivium` runs what could be built");
  process.exit(1);
}
console.log(`trivium ${version}: built dist/ in ${((performance.now() - started) / 1000).toFixed(1)} s`);
