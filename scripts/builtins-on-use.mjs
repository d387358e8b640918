// For esbuild: modules of Node are loaded when something of them is first used. An ES module that imports `node:fs` also loads its streams and
// promises, and `node:crypto` or `node:worker_threads`, which few programs need, take longer to load than many of ours.
import { createRequire } from "node:module";

const require = createRequire(import.meta.url);
const namespace = "builtins-on-use";

/** What an ES module needs at its top so that `require` is there to load them with; chunks import it from Node themselves. */
export const requireInModules =
  'import { createRequire as __createRequire } from "node:module";\nconst require = __createRequire(import.meta.url);';

/** Stands for a module of Node: each of its names asks for the module when it is read. */
const standIn = (path) => `
const names = ${JSON.stringify(Object.keys(require(path)))};
for (const name of names) Object.defineProperty(exports, name, { enumerable: true, get: () => require("${path}")[name] });`;

export const builtinsOnUse = {
  name: namespace,
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^node:/ }, ({ path, kind }) =>
      kind === "import-statement" ? { path, namespace } : { path, external: true },
    );
    onLoad({ filter: /^node:/, namespace }, ({ path }) => ({ contents: standIn(path), loader: "js" }));
  },
};
