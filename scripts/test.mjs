// The whole check: types, lint, format, layers, doors, tests. The last line is `N passed, N failed`; each of the first checks counts as one.
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const filters = process.argv.slice(2);
let passed = 0;
let failed = 0;

function run(label, file, args) {
  const started = performance.now();
  const result = spawnSync(process.execPath, [join(root, file), ...args], { cwd: root, stdio: "inherit" });
  const good = result.status === 0;
  console.log(`${good ? "ok  " : "FAIL"} ${label} (${((performance.now() - started) / 1000).toFixed(1)} s)`);
  return good;
}

function check(label, file, args) {
  if (run(label, file, args)) passed++;
  else failed++;
}

if (filters.length === 0) {
  check("types", "node_modules/typescript/bin/tsc", ["--noEmit", "-p", "tsconfig.json"]);
  check("lint and format", "node_modules/@biomejs/biome/bin/biome", ["check", "--error-on-warnings", "."]);
  check("layers", "scripts/check-layers.mjs", []);
  check("doors and public types", "scripts/check-api.mjs", []);
}

const folder = mkdtempSync(join(tmpdir(), "trivium-test-"));
const report = join(folder, "report.json");
const tests = run("tests", "node_modules/vitest/vitest.mjs", [
  "run",
  "--reporter=default",
  "--reporter=json",
  `--outputFile.json=${report}`,
  ...filters,
]);
let counted = 0;
try {
  const result = JSON.parse(readFileSync(report, "utf8"));
  passed += result.numPassedTests;
  counted = result.numFailedTests;
  // A file that fails to load has no tests of its own: it counts as one failure.
  counted += result.testResults.filter((file) => file.status === "failed" && file.assertionResults.length === 0).length;
} catch {
  // No report: the run itself died, which is counted below.
}
failed += !tests && counted === 0 ? 1 : counted;
rmSync(folder, { recursive: true, force: true });
console.log(`\n${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;
