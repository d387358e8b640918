/** Starting threads that run modules, from TypeScript sources as well as from compiled ones. */
import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { join, resolve } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { ArgumentError, DataError } from "../../errors.ts";

const isTypeScript = (url: string): boolean => /\.[cm]?tsx?(\?.*)?$/.test(url);

/** The address of a data set's module: a URL, or a path from the working directory. */
export function moduleAddress(module: string | URL): string {
  const text = String(module);
  const url = /^[a-z][a-z+.-]+:/i.test(text) ? text : pathToFileURL(resolve(text)).href;
  if (url.startsWith("file:") && !existsSync(fileURLToPath(url))) {
    throw new DataError(`DataLoader: the module of the data set, ${fileURLToPath(url)}, does not exist.`);
  }
  return url;
}

/** A module of this folder, with the extension that this one has; also from the command line's single file, which lies elsewhere in dist. */
export function siblingModule(name: string): string {
  const file = `${name}${import.meta.url.endsWith(".ts") ? ".ts" : ".js"}`;
  const beside = new URL(`./${file}`, import.meta.url);
  return (existsSync(beside) ? beside : new URL(`../data/loading/${file}`, import.meta.url)).href;
}

/** Modules whose `register()` lets a thread import TypeScript; none are needed where all modules are JavaScript, or Node strips types itself. */
export function typeScriptRegistrations(urls: readonly string[]): string[] {
  if (!urls.some(isTypeScript)) return [];
  for (const from of [import.meta.url, pathToFileURL(join(process.cwd(), "package.json")).href]) {
    try {
      const require = createRequire(from);
      return ["tsx/esm/api", "tsx/cjs/api"].map(
        (name) => pathToFileURL(require.resolve(name).replace(/\.cjs$/, ".mjs")).href,
      );
    } catch {
      // not seen from here
    }
  }
  if ((process.features as { typescript?: unknown }).typescript) return [];
  throw new ArgumentError(
    `DataLoader: workers cannot load ${urls.find(isTypeScript)}: install tsx (npm install --save-dev tsx), or pass the URL of the compiled module.`,
  );
}

/** The options of this process that its threads need to find the same modules. */
export function loaderArguments(): string[] {
  const kept: string[] = [];
  const withValue = /^(--import|--require|-r|--loader|--experimental-loader|--conditions|-C)$/;
  const { execArgv } = process;
  for (let at = 0; at < execArgv.length; at++) {
    const [name, value] = execArgv[at]!.split(/=(.*)/s) as [string, string?];
    if (!withValue.test(name)) continue;
    const given = value ?? execArgv[++at] ?? "";
    // registered in each thread by `typeScriptRegistrations`; its own hook is for the main thread alone
    if (!/[\\/]tsx[\\/]/.test(given) && given !== "tsx") kept.push(name, given);
  }
  return kept;
}
