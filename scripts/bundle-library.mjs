// The entry points of dist/ as few files: a program that imports one of them would spend a good part of its start opening hundreds of modules.
// What entry points share lies in dist/chunks, so that all of them have one Tensor and one engine; the thread that loads data is one of them.
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { build, transform } from "esbuild";
import { builtinsOnUse, requireInModules } from "./builtins-on-use.mjs";

const declaration = /^export (?:abstract )?(?:class|(?:async )?function\*?|const) (\w+)(.*)$/gm;

/** Names of what a module exports as classes and functions; other constants have none. */
function namesOf(code) {
  return [...code.matchAll(declaration)]
    .filter(([line, , rest]) => !line.startsWith("export const ") || /^ = (async )?\(?[\w\s,{}.=[\]]*\)? =>/.test(rest))
    .map(([, name]) => name);
}

/** Functions that stand in a call, such as `export const exp = lift(function exp(x) {` up to the next line that begins with a brace. */
const wrapped = /^((?:export )?const \w+ = [\w.]+\()(function (\w+)\([\s\S]*?^})/gm;

const named = (value) => `"name", { value: "${value}", configurable: true }`;

/**
 * Keeps the names of exported classes and functions, which are saved with models and shown in messages: in one file some must be renamed, for both
 * Keras and PyTorch have a Flatten. esbuild's own `keepNames` also names every function inside a function, each time that it is made.
 */
const namesKept = {
  name: "names-kept",
  setup({ onLoad }) {
    onLoad({ filter: /[\\/]dist[\\/].*\.js$/ }, ({ path }) => {
      const code = readFileSync(path, "utf8");
      const contents = code.replace(
        wrapped,
        (_, call, body, name) => `${call}Object.defineProperty(${body}, ${named(name)})`,
      );
      const statements = namesOf(code).map((name) => `Object.defineProperty(${name}, ${named(name)});`);
      return { contents: [contents, ...statements].join("\n"), loader: "js" };
    });
  },
};

/** Leaves out the statements that give a name to what has it already: a thousand calls that every start would make. */
function withoutNeedlessNames(code) {
  // a class that mentions itself is written `var Flatten = class _Flatten`
  const selves = new Set([...code.matchAll(/^var (\w+) = class (?!extends\b)\w+/gm)].map(([, name]) => name));
  const statement = /^Object\.defineProperty\((\w+), "name", \{ value: "\1", configurable: true \}\);\n/gm;
  return code.replace(statement, (text, name) => (selves.has(name) ? text : ""));
}

/** Replaces the modules of `dist` by its entry points (paths without extension) and their chunks. */
export async function bundleLibrary(dist, entryPoints) {
  const { outputFiles } = await build({
    absWorkingDir: dist,
    entryPoints: Object.fromEntries(entryPoints.map((entry) => [entry, `${entry}.js`])),
    outdir: dist,
    allowOverwrite: true,
    bundle: true,
    splitting: true,
    chunkNames: "chunks/[hash]",
    platform: "node",
    format: "esm",
    target: "node20",
    external: ["koffi", "sharp"],
    banner: { js: requireInModules },
    plugins: [namesKept, builtinsOnUse],
    write: false,
  });
  for (const entry of readdirSync(dist, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath ?? entry.path, entry.name);
    if (entry.isFile() && path.endsWith(".js")) rmSync(path);
  }
  for (const { path, text } of outputFiles) {
    // V8 reads all of it at every start: comments and spaces are a quarter, and one character beyond ASCII makes it two bytes each
    const { code } = await transform(withoutNeedlessNames(text), { minifyWhitespace: true, lineLimit: 160 });
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, code);
  }
}
