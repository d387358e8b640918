// Two rules of the public API that need types. The doors contain no arithmetic: a file of src/keras, src/torch or src/tf names, orders and forwards, and
// what computes lives in functions, nn, optim, train or data, where all doors share it (a call of an arithmetic method on a tensor, or of an arithmetic
// function of the tensor API, is a problem). And no declaration that the package ships contains `any`.
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import ts from "typescript";

const root = fileURLToPath(new URL("..", import.meta.url));
const doors = ["keras", "torch", "tf"].map((door) => join(root, "src", door));

const arithmetic = new Set(
  (
    "add sub mul div pow minimum maximum floorDivide remainder neg abs sign floor ceil round trunc sqrt rsqrt square reciprocal exp expm1 log log1p " +
    "tanh sigmoid erf sin cos relu clip lt le gt ge eq ne logicalAnd logicalOr logicalXor logicalNot sum mean prod amax amin any all norm softmax " +
    "logSoftmax matmul where conv2d batchNormalizationTraining batchNormalizationInference layerNormalization"
  ).split(" "),
);

const configPath = join(root, "tsconfig.build.json");
const { config } = ts.readConfigFile(configPath, ts.sys.readFile);
const { options, fileNames } = ts.parseJsonConfigFileContent(config, ts.sys, dirname(configPath));
const program = ts.createProgram(fileNames, { ...options, emitDeclarationOnly: true });
const checker = program.getTypeChecker();
const problems = [];

/** Whether a type is the tensor, or a class made from it. */
function isTensor(type) {
  if (type.isUnion()) return type.types.some(isTensor);
  if (type.symbol?.name === "Tensor") return true;
  return (type.isClassOrInterface() ? (type.getBaseTypes() ?? []) : []).some(isTensor);
}

/** Whether a name was imported from the tensor API. */
function isTensorFunction(expression) {
  const symbol = checker.getSymbolAtLocation(expression);
  if (!symbol || !(symbol.flags & ts.SymbolFlags.Alias)) return false;
  const [declaration] = checker.getAliasedSymbol(symbol).declarations ?? [];
  return declaration?.getSourceFile().fileName.includes("/src/tensor/") ?? false;
}

function isArithmetic({ expression }) {
  if (ts.isPropertyAccessExpression(expression)) {
    return arithmetic.has(expression.name.text) && isTensor(checker.getTypeAtLocation(expression.expression));
  }
  return ts.isIdentifier(expression) && arithmetic.has(expression.text) && isTensorFunction(expression);
}

function placeOf(file, node) {
  return `${relative(root, file.fileName)}:${file.getLineAndCharacterOfPosition(node.getStart(file)).line + 1}`;
}

let doorFiles = 0;
for (const file of program.getSourceFiles()) {
  if (!doors.some((door) => file.fileName.startsWith(`${door}/`))) continue;
  doorFiles++;
  const visit = (node) => {
    if (ts.isCallExpression(node) && isArithmetic(node)) {
      const [name] = node.expression.getText(file).split(".").slice(-1);
      problems.push(`${placeOf(file, node)}: ${name}(…) computes; move the formula below the doors`);
    }
    ts.forEachChild(node, visit);
  };
  visit(file);
}

// the declarations as they would be built, so that inferred types count too
let declarations = 0;
const write = (name, text) => {
  declarations++;
  const file = ts.createSourceFile(name, text, ts.ScriptTarget.Latest, true);
  const visit = (node) => {
    if (node.kind === ts.SyntaxKind.AnyKeyword) {
      const { line } = file.getLineAndCharacterOfPosition(node.getStart(file));
      problems.push(`${relative(root, name)}: \`any\` in a declaration: ${text.split("\n")[line].trim()}`);
    }
    ts.forEachChild(node, visit);
  };
  visit(file);
};
program.emit(undefined, write, undefined, true);

for (const problem of problems) console.error(problem);
console.log(
  problems.length === 0
    ? `api: ${doorFiles} files of the doors without arithmetic, ${declarations} declarations without any`
    : `api: ${problems.length} problems`,
);
process.exitCode = problems.length === 0 ? 0 : 1;
