// Holds the layering of docs/ARCHITECTURE.md: who may import whom (the table below has no cycle, so folders have none). The doors reach tensors only through the public tensor API, so they hold no arithmetic of their own.
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import ts from "typescript";

const root = fileURLToPath(new URL("..", import.meta.url));
const source = join(root, "src");

const compiler = ["graph", "kernel", "ops", "functions", "autodiff", "control", "schedule", "targets", "runtime"];
const vocabulary = ["graph/shape", "graph/dtype"];
const neutral = ["nn", "optim", "train", "data", "interop", "tensor"];

/** Folder -> folders whose values it may import (its own and errors.ts always). A name with a slash allows one file. */
const mayImport = {
  graph: [],
  runtime: [],
  kernel: ["graph"],
  ops: ["graph", "kernel/scalar", "kernel/scalar-evaluate"],
  functions: ["graph", "kernel/scalar", "ops"],
  autodiff: ["graph", "ops", "functions"],
  control: ["graph", "ops", "functions", "autodiff"],
  schedule: ["graph", "kernel", "ops"],
  targets: ["graph", "kernel", "schedule", "runtime"],
  engine: compiler,
  tensor: ["engine", "graph", "ops", "functions", "autodiff", "control"],
  nn: ["tensor", ...vocabulary],
  optim: ["tensor", ...vocabulary],
  data: ["tensor", ...vocabulary],
  interop: ["tensor", ...vocabulary],
  train: ["tensor", "nn", "optim", "data", "interop", ...vocabulary],
  keras: [...neutral, ...vocabulary],
  torch: [...neutral, ...vocabulary],
  tf: [...neutral, "keras", ...vocabulary],
  models: ["torch", ...vocabulary],
  cli: [...compiler, ...neutral, "engine", "keras", "torch", "tf", "testing"],
  testing: [...compiler, ...neutral, "engine"],
};
/** Types describe contracts and may be imported against the flow of data, except where a rule below forbids it. */
const typesFrom = {
  graph: ["ops/define"],
  ops: ["graph", "kernel"],
  targets: ["ops/define"],
  tensor: ["targets/target", "schedule/plan"],
  nn: ["graph"],
  optim: ["graph", "nn"],
  data: ["graph"],
  interop: ["graph"],
  train: ["graph", "engine"],
};
/** Anybody may import these. */
const common = ["errors.ts", "nearest-name.ts"];

const problems = [];
let count = 0;

function filesBelow(folder) {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) =>
    entry.isDirectory()
      ? filesBelow(join(folder, entry.name))
      : entry.name.endsWith(".ts")
        ? [join(folder, entry.name)]
        : [],
  );
}

/** Every module specifier of a file, with whether only types come through it. */
function importsOf(file) {
  const found = [];
  const visit = (node) => {
    if (ts.isImportDeclaration(node)) {
      const clause = node.importClause;
      const named = clause?.namedBindings;
      const onlyTypes =
        clause?.phaseModifier === ts.SyntaxKind.TypeKeyword ||
        clause?.isTypeOnly === true ||
        (clause !== undefined &&
          !clause.name &&
          named !== undefined &&
          ts.isNamedImports(named) &&
          named.elements.every((element) => element.isTypeOnly));
      found.push({ to: node.moduleSpecifier.text, onlyTypes, node });
    } else if (ts.isExportDeclaration(node) && node.moduleSpecifier) {
      found.push({ to: node.moduleSpecifier.text, onlyTypes: node.isTypeOnly, node });
    } else if (
      ts.isCallExpression(node) &&
      node.expression.kind === ts.SyntaxKind.ImportKeyword &&
      ts.isStringLiteral(node.arguments[0])
    ) {
      found.push({ to: node.arguments[0].text, onlyTypes: false, node });
    }
    ts.forEachChild(node, visit);
  };
  visit(file);
  return found;
}

const allowed = (list, path) =>
  list.some((rule) => (rule.includes("/") ? path === `${rule}.ts` : path.startsWith(`${rule}/`)));

for (const path of filesBelow(source)) {
  const name = relative(root, path);
  const within = relative(source, path);
  const folder = within.includes("/") ? within.split("/")[0] : "";
  const file = ts.createSourceFile(path, readFileSync(path, "utf8"), ts.ScriptTarget.Latest, true);
  count++;
  for (const { to, onlyTypes, node } of importsOf(file)) {
    const line = file.getLineAndCharacterOfPosition(node.getStart(file)).line + 1;
    if (!to.startsWith(".")) {
      if (to.startsWith("trivium"))
        problems.push(`${name}:${line}: sources import each other by relative path, found "${to}"`);
      continue;
    }
    const target = relative(source, resolve(dirname(path), to));
    const targetFolder = target.includes("/") ? target.split("/")[0] : "";
    if (folder === "" || targetFolder === folder || common.includes(target)) continue;
    if (folder !== "" && !(folder in mayImport))
      problems.push(`${name}: folder "${folder}" has no row in scripts/check-layers.mjs`);
    const rules = [...(mayImport[folder] ?? []), ...(onlyTypes ? (typesFrom[folder] ?? []) : [])];
    if (!allowed(rules, target))
      problems.push(`${name}:${line}: src/${folder} may not import ${onlyTypes ? "types of " : ""}src/${target}`);
  }
}

for (const problem of problems) console.error(problem);
console.log(problems.length === 0 ? `layers: ${count} files hold` : `layers: ${problems.length} problems`);
process.exitCode = problems.length === 0 ? 0 : 1;
