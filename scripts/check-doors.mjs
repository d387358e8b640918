// Holds the rule that the doors contain no arithmetic: a file of src/keras, src/torch or src/tf names, orders and forwards, and what computes lives in
// functions, nn, optim, train or data, where all doors share it. Found by type: a call of an arithmetic method on a tensor, or of an arithmetic
// function of the tensor API.
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

const configPath = join(root, "tsconfig.json");
const { config } = ts.readConfigFile(configPath, ts.sys.readFile);
const { options, fileNames } = ts.parseJsonConfigFileContent(config, ts.sys, dirname(configPath));
const program = ts.createProgram(
  fileNames.filter((file) => file.includes("/src/")),
  options,
);
const checker = program.getTypeChecker();

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

const problems = [];
let count = 0;
for (const file of program.getSourceFiles()) {
  if (!doors.some((door) => file.fileName.startsWith(`${door}/`))) continue;
  count++;
  const visit = (node) => {
    if (ts.isCallExpression(node)) {
      const { expression } = node;
      const name = ts.isPropertyAccessExpression(expression) ? expression.name.text : expression.getText(file);
      const found =
        arithmetic.has(name) &&
        (ts.isPropertyAccessExpression(expression)
          ? isTensor(checker.getTypeAtLocation(expression.expression))
          : ts.isIdentifier(expression) && isTensorFunction(expression));
      if (found) {
        const { line } = file.getLineAndCharacterOfPosition(node.getStart(file));
        problems.push(`${relative(root, file.fileName)}:${line + 1}: ${name}(…) computes; move the formula below the doors`);
      }
    }
    ts.forEachChild(node, visit);
  };
  visit(file);
}
for (const problem of problems) console.error(problem);
if (problems.length > 0) process.exit(1);
console.log(`doors: ${count} files without arithmetic`);
