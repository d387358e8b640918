// `npm run example NAME [ARGUMENTS]`: runs examples/NAME.ts through tsx, with `trivium` and `trivium/keras` resolved to the sources.
import { spawn } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const names = readdirSync(`${root}/examples`)
  .filter((file) => file.endsWith(".ts"))
  .map((file) => file.slice(0, -3));
const [name, ...rest] = process.argv.slice(2);

if (name === undefined || name === "--help" || !existsSync(`${root}/examples/${name}.ts`)) {
  const unknown = name === undefined || name === "--help" ? "" : `there is no example "${name}"\n`;
  console.error(`${unknown}usage: npm run example NAME\nexamples: ${names.join(", ")}`);
  process.exit(name === "--help" ? 0 : 2);
}
const child = spawn(process.execPath, ["--import", "tsx", `examples/${name}.ts`, ...rest], {
  cwd: root,
  stdio: "inherit",
});
process.on("SIGINT", () => {}); // the example decides when to stop; this process passes its answer on
child.on("exit", (code, signal) => process.exit(signal ? 130 : (code ?? 1)));
