/** The examples of TSDoc comments and of the documentation: found, and made into modules that can be type-checked and bodies that can be run. */
import { readdirSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import ts from "typescript";
import { settings } from "./snippet-settings.ts";

/** Folder of the repository, with a slash. */
export const root = fileURLToPath(new URL("../..", import.meta.url));

/** Where names come from that a snippet does not declare: packages as users import them, modules of the sources, and what stands around the example. */
export interface Scope {
  readonly modules: readonly string[];
  /** A namespace under which the first module is known. */
  readonly namespace?: string;
  readonly setting: keyof typeof settings;
}

export interface Snippet {
  /** File and line. */
  readonly place: string;
  readonly file: string;
  readonly text: string;
  /** Why it is not run, if so. */
  readonly notRun: string | undefined;
  readonly scope: Scope;
}

const keras: Scope = { modules: ["trivium/keras", "trivium"], setting: "keras" };
const torch: Scope = { modules: ["trivium/torch", "trivium"], namespace: "torch", setting: "torch" };
const tf: Scope = { modules: ["trivium/tf", "trivium"], namespace: "tf", setting: "tf" };
const core: Scope = { modules: ["trivium", "trivium/keras"], setting: "core" };

/** The first that fits; files that are no part of the packages' interface have no scope. */
const scopes: readonly (readonly [path: RegExp, scope: Scope])[] = [
  [/^src\/keras\//, keras],
  [/^src\/torch\//, torch],
  [
    /^(src\/models\/|docs\/models)/,
    { ...torch, setting: "models", modules: ["trivium/torch", "trivium/models", "trivium"] },
  ],
  [
    /^src\/data\/(loading|image|sample|host)/,
    { ...torch, setting: "data", modules: ["trivium/torch", "src/data/index.ts", "trivium"] },
  ],
  [/^src\/data\/pipeline\//, { ...tf, modules: ["src/data/index.ts", "trivium/tf"] }],
  [/^src\/tf\/compat-v1\//, { ...tf, modules: ["src/tf/compat-v1/index.ts", "trivium/tf"] }],
  [/^src\/tf\//, tf],
  [/^src\/(tensor|nn)\//, core],
  [/^docs\/data-loading/, torch],
  [/^docs\/tensorflow-door/, tf],
  [/^docs\/ARCHITECTURE/, keras],
];

function scopeOf(file: string, text: string): Scope | undefined {
  if (file.endsWith("README.md")) return [keras, torch, tf].find(({ modules }) => text.includes(`"${modules[0]}"`));
  const scope = scopes.find(([path]) => path.test(file))?.[1];
  if (scope || !file.endsWith(".md")) return scope;
  throw new Error(`${file}: test/examples/snippets.ts does not say which packages its examples use`);
}

function filesBelow(folder: string, ending: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(ending))
    .map((name) => join(folder, name))
    .sort();
}

/** Every fence that begins with `ts`, perhaps followed by `no-run` and the reason. */
export function findSnippets(): Snippet[] {
  // docs/three-styles.md shows parts of the examples, which run as a whole
  const pages = filesBelow(`${root}docs`, ".md").filter((path) => !path.endsWith("three-styles.md"));
  return [...filesBelow(`${root}src`, ".ts"), ...pages, `${root}README.md`].flatMap((path) => {
    const file = relative(root, path);
    const content = readFileSync(path, "utf8");
    return [...content.matchAll(/^( *\*? ?)```ts\b *([^\n]*)\n([\s\S]*?)^ *\*? ?```$/gm)].flatMap(
      (match): Snippet[] => {
        const [, lead, marker, inner] = match;
        const text = lead!.includes("*") ? inner!.replace(/^ *\* ?/gm, "") : inner!;
        const scope = scopeOf(file, text);
        const line = content.slice(0, match.index).split("\n").length;
        const notRun = /^no-run: (.+)$/.exec(marker!)?.[1];
        if (marker !== "" && notRun === undefined) throw new Error(`${file}:${line}: unknown marker "${marker}"`);
        if (!scope) return [];
        const modules = file.endsWith(".ts") ? [...scope.modules, file] : scope.modules;
        return [{ place: `${file}:${line}`, file, text, notRun, scope: { ...scope, modules } }];
      },
    );
  });
}

const importLine = /^import .* from "([^"]+)";\n/gm;
/** The names in a text, and its other words. */
export const wordsOf = (text: string): Set<string> => new Set(text.match(/[A-Za-z_$][\w$]*/g));

/**
 * The snippet as a module: what it uses without declaring is imported from the packages of its scope, then taken from the setting; its own declarations
 * come before both. The text begins on the line after the mark, which is counted for messages.
 */
export function moduleOf(snippet: Snippet, exportsOf: (module: string) => ReadonlySet<string>): string {
  const { text, scope } = snippet;
  const own = text.match(importLine)?.join("") ?? "";
  const taken = wordsOf(own);
  const words = wordsOf(text.replace(importLine, ""));
  const given = Object.keys(settings[scope.setting]());
  for (const name of given) taken.add(name);
  const imports: string[] = [];
  if (scope.namespace && words.has(scope.namespace) && !taken.has(scope.namespace)) {
    imports.push(`import * as ${scope.namespace} from "trivium/${scope.namespace}";`);
    taken.add(scope.namespace);
  }
  for (const module of scope.modules) {
    const names = [...exportsOf(module)].filter((name) => words.has(name) && !taken.has(name) && name !== "default");
    for (const name of names) taken.add(name);
    if (names.length > 0) imports.push(`import { ${names.map(importable).join(", ")} } from "${specifier(module)}";`);
  }
  imports.push(`import { settings } from "./snippet-settings.ts";`);
  const body = text.replace(importLine, "\n");
  return `${own.replaceAll("\n", " ")}${imports.join(" ")} export default async function () { const { ${given.join(", ")} } = settings.${scope.setting}(); {\n${body}\n} }\n`;
}

const specifier = (module: string): string => (module.startsWith("src/") ? `../../${module}` : module);

/** A reserved word that a package exports under its name cannot be a binding. */
const importable = (name: string): string => (name === "function" ? "function as tfFunction" : name);

/** Statements that a comment says the value of become checks: `x.shape; // [2, 3]`. */
export function withChecks(code: string): string {
  const source = ts.createSourceFile("snippet.ts", code, ts.ScriptTarget.ES2022, true);
  const edits: { readonly from: number; readonly to: number; readonly text: string }[] = [];
  const visit = (node: ts.Node): void => {
    if (ts.isExpressionStatement(node)) {
      const comment = /^ *\/\/ (\[.*\]|-?\d[\d.e-]*|"[^"]*"|true|false)$/.exec(code.slice(node.end).split("\n")[0]!);
      const value = comment && parsed(comment[1]!);
      if (value !== undefined && value !== null) {
        const from = node.getStart(source);
        const printed = /^console\.log\((.*)\)$/s.exec(node.expression.getText(source));
        const text = `__check(${printed ? printed[1] : node.expression.getText(source)}, ${JSON.stringify(value)});`;
        edits.push({ from, to: node.end, text });
        return;
      }
    }
    ts.forEachChild(node, visit);
  };
  visit(source);
  return edits.reduceRight((result, { from, to, text }) => result.slice(0, from) + text + result.slice(to), code);
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
