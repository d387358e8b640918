#!/usr/bin/env node
// The `trivium` command: the built program, or the sources through tsx where nothing has been built yet (install scripts refused).
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";

const require = createRequire(import.meta.url);
// by `require`: an import of node:fs also loads its stream classes, which nobody needs here
const { existsSync, readFileSync, writeFileSync } = require("node:fs");
const built = fileURLToPath(new URL("../dist/command/main.cjs", import.meta.url));
const args = process.argv.slice(2);

if (existsSync(built)) {
  const vm = require("node:vm");
  // The work is done by machine code of our own, so V8 optimises later than by default: at the start that would take a core from what the
  // user waits for. The name differs from version to version and an unknown one is reported, so only the one that was measured is told.
  if (Number.parseInt(process.versions.node, 10) === 20) {
    require("node:v8").setFlagsFromString("--interrupt-budget=300000");
  }
  // What V8 made of the program when it was built: nothing is parsed again. Another version of Node makes it anew, without saying so.
  const codeCache = `${built}.cache`;
  const script = new vm.Script(`(function (exports, require, __filename, module) {${readFileSync(built, "utf8")}\n})`, {
    filename: built,
    cachedData: existsSync(codeCache) ? readFileSync(codeCache) : undefined,
    importModuleDynamically: vm.constants.USE_MAIN_CONTEXT_DEFAULT_LOADER,
  });
  const module = { exports: {} };
  script.runInThisContext()(module.exports, createRequire(built), built, module);
  await module.exports.main(args);
  if (process.env.TRIVIUM_WRITE_CODE_CACHE === "1") writeFileSync(codeCache, script.createCachedData());
} else {
  try {
    const { register } = await import("tsx/esm/api");
    register();
  } catch {
    process.stderr.write("trivium: not built. Run `npm run build` in the package's folder.\n");
    process.exit(2);
  }
  process.stderr.write("trivium: not built, running from the sources (`npm run build` makes it start faster)\n");
  const { main } = await import(new URL("../src/cli/main.ts", import.meta.url).href);
  await main(args);
}
