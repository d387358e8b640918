#!/usr/bin/env node
// The `trivium` command: the built program, or the sources through tsx where nothing has been built yet (install scripts refused).
import { existsSync } from "node:fs";

const built = new URL("../dist/command/main.js", import.meta.url);
const source = new URL("../src/cli/main.ts", import.meta.url);

if (existsSync(built)) {
  const { main } = await import(built.href);
  await main(process.argv.slice(2));
} else {
  try {
    const { register } = await import("tsx/esm/api");
    register();
  } catch {
    process.stderr.write("trivium: not built. Run `npm run build` in the package's folder.\n");
    process.exit(2);
  }
  process.stderr.write("trivium: not built, running from the sources (`npm run build` makes it start faster)\n");
  const { main } = await import(source.href);
  await main(process.argv.slice(2));
}
