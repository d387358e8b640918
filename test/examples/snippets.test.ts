/** Every example of a TSDoc comment and of the documentation has the types that it should have, runs, and gives what its comments say. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import ts from "typescript";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { settings } from "./snippet-settings.ts";
import { findSnippets, moduleOf, root, type Snippet, withChecks, wordsOf } from "./snippets.ts";

const snippets = findSnippets();

/** Where the sources of a package begin; other modules are named by their path. */
const pathOfModule = (module: string): string =>
  module.startsWith("src/") ? module : `src${module.slice("trivium".length)}/index.ts`;

/** The values that a package or a module of the sources exports. */
const namespaceOf = async (module: string): Promise<Readonly<Record<string, unknown>>> =>
  await import(/* @vite-ignore */ root + pathOfModule(module));

function compilerOptions(): ts.CompilerOptions {
  const { config } = ts.readConfigFile(`${root}tsconfig.json`, ts.sys.readFile);
  return ts.parseJsonConfigFileContent(config, ts.sys, root).options;
}

/** A program over the sources, and over the snippets once their texts are known. */
function programOf(texts: ReadonlyMap<string, string>, old?: ts.Program): ts.Program {
  const options = { ...compilerOptions(), verbatimModuleSyntax: false, typeRoots: [`${root}node_modules/@types`] };
  const host = ts.createCompilerHost(options);
  const read = host.readFile.bind(host);
  host.readFile = (path) => texts.get(path) ?? read(path);
  const exists = host.fileExists.bind(host);
  host.fileExists = (path) => texts.has(path) || exists(path);
  const source = host.getSourceFile.bind(host);
  host.getSourceFile = (path, version) => {
    const text = texts.get(path);
    if (text !== undefined) return ts.createSourceFile(path, text, version, true);
    return old?.getSourceFile(path) ?? source(path, version);
  };
  const entries = new Set(snippets.flatMap(({ scope }) => scope.modules.map((module) => root + pathOfModule(module))));
  return ts.createProgram([...entries, ...texts.keys()], options, host, old);
}

const pathOf = (index: number): string => `${root}test/examples/snippet-${index}.ts`;

test("examples have the right types", () => {
  const sources = programOf(new Map());
  const checker = sources.getTypeChecker();
  const exported = new Map<string, ReadonlySet<string>>();
  const exportsOf = (module: string): ReadonlySet<string> => {
    const known = exported.get(module);
    if (known) return known;
    const symbol = checker.getSymbolAtLocation(sources.getSourceFile(root + pathOfModule(module))!);
    const names = new Set(symbol ? checker.getExportsOfModule(symbol).map(({ name }) => name) : []);
    exported.set(module, names);
    return names;
  };
  const texts = new Map(snippets.map((snippet, index) => [pathOf(index), moduleOf(snippet, exportsOf)]));
  const program = programOf(texts, sources);
  const problems = snippets.flatMap(({ place }, index) => {
    const file = program.getSourceFile(pathOf(index));
    return [...program.getSyntacticDiagnostics(file), ...program.getSemanticDiagnostics(file)].map(
      ({ messageText, start }) => {
        const { line } = file!.getLineAndCharacterOfPosition(start ?? 0);
        return `${place} line ${line}: ${ts.flattenDiagnosticMessageText(messageText, "\n")}`;
      },
    );
  });
  expect(problems).toEqual([]);
});

/** Names that a snippet's own import lines bind. */
async function boundByImports(text: string): Promise<Map<string, unknown>> {
  const bound = new Map<string, unknown>();
  for (const [, namespace, list, module] of text.matchAll(/^import (?:\* as (\w+)|\{ (.*) \}) from "([^"]+)";$/gm)) {
    const exports = await namespaceOf(module!);
    for (const name of namespace ? [namespace] : list!.split(", "))
      bound.set(name, namespace ? exports : exports[name]);
  }
  return bound;
}

async function run({ text, scope }: Snippet): Promise<void> {
  const code = withChecks(text.replace(/^import .*\n/gm, ""));
  const { outputText } = ts.transpileModule(`const example = async () => {\n${code}\n};`, {
    compilerOptions: { target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.ESNext },
  });
  const used = wordsOf(code);
  used.delete("function");
  const outer = new Map<string, unknown>();
  for (const module of scope.modules.toReversed()) {
    for (const [name, value] of Object.entries(await namespaceOf(module))) if (used.has(name)) outer.set(name, value);
  }
  if (scope.namespace) outer.set(scope.namespace, await namespaceOf(`trivium/${scope.namespace}`));
  for (const [name, value] of Object.entries(settings[scope.setting]())) outer.set(name, value);
  for (const [name, value] of await boundByImports(text)) outer.set(name, value);
  outer.set("__check", (actual: unknown, expected: unknown) => expect(actual).toEqual(expected));
  const make = new Function(...outer.keys(), `${outputText}\nreturn example;`);
  await make(...outer.values())();
}

let folder: string;
const before = process.cwd();
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "trivium-snippets-"));
  process.chdir(folder);
  vi.spyOn(console, "log").mockImplementation(() => {});
  vi.spyOn(process.stdout, "write").mockImplementation(() => true);
});
afterAll(() => {
  process.chdir(before);
  vi.restoreAllMocks();
  rmSync(folder, { recursive: true });
});

test.each(snippets.filter(({ notRun }) => notRun === undefined))("$place runs", run);
