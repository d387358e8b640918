/**
 * What a dynamic graph is for: a loop whose length depends on the values, a network of random depth with shared weights, and a network that
 * recurses over trees. Ordinary control flow; each shape of graph is compiled once.
 * Run it with `npm run example torch-dynamic -- [--steps N]`.
 */
import { parseArgs } from "node:util";
import { engine, type Tensor } from "trivium";
import * as torch from "trivium/torch";
import { nn, optim } from "trivium/torch";

const { values } = parseArgs({ options: { steps: { type: "string", default: "300" } } });
const steps = Number(values.steps);
torch.manualSeed(0);

// 1. a loop that looks at the value
let x = torch.full([4], 10);
let halvings = 0;
while (x.norm().item() > 1) {
  x = x.div(2);
  halvings++;
}
console.log(`halved ${halvings} times, norm ${x.norm().item().toFixed(4)}`);

// 2. shared weights, applied as often as a die says
class DynamicNet extends nn.Module<[Tensor, number]> {
  input = new nn.Linear(8, 32);
  middle = new nn.Linear(32, 32);
  output = new nn.Linear(32, 1);
  override forward(x: Tensor, depth: number): Tensor {
    let hidden = this.input(x).relu();
    for (let i = 0; i < depth; i++) hidden = this.middle(hidden).relu();
    return this.output(hidden);
  }
}
const net = new DynamicNet();
const optimizer = new optim.SGD(net.parameters(), { lr: 0.05, momentum: 0.9 });
const criterion = new nn.MSELoss();
const inputs = torch.randn([64, 8]);
const targets = inputs.sum(1, { keepdim: true }).div(4);
let first = 0;
let last = 0;
for (let step = 0; step < steps; step++) {
  const loss = criterion(net(inputs, step % 4), targets);
  optimizer.zeroGrad();
  loss.backward();
  optimizer.step();
  last = loss.item();
  if (step === 0) first = last;
}
console.log(`random depth: loss ${first.toFixed(4)} -> ${last.toFixed(4)}`);

// 3. a network that follows the tree of an expression: it learns what "and", "or" and "not" mean
type Tree =
  | boolean
  | { readonly operation: "and" | "or"; readonly parts: readonly [Tree, Tree] }
  | { readonly not: Tree };

const evaluate = (tree: Tree): boolean => {
  if (typeof tree === "boolean") return tree;
  if ("not" in tree) return !evaluate(tree.not);
  const [left, right] = tree.parts.map(evaluate);
  return tree.operation === "and" ? left && right : left || right;
};

class TreeNet extends nn.Module<[Tree]> {
  leaves = new nn.Embedding(2, 16);
  and = new nn.Linear(32, 16);
  or = new nn.Linear(32, 16);
  not = new nn.Linear(16, 16);
  answer = new nn.Linear(16, 1);
  override forward(tree: Tree): Tensor {
    return this.answer(this.meaning(tree));
  }
  private meaning(tree: Tree): Tensor {
    if (typeof tree === "boolean") return this.leaves(torch.tensor([tree ? 1 : 0], { dtype: torch.int32 }));
    if ("not" in tree) return this.not(this.meaning(tree.not)).tanh();
    const parts = torch.cat(
      tree.parts.map((part) => this.meaning(part)),
      1,
    );
    return (tree.operation === "and" ? this.and(parts) : this.or(parts)).tanh();
  }
}

const trees: Tree[] = [true, false].flatMap((a) =>
  [true, false].flatMap((b): Tree[] => [
    { operation: "and", parts: [a, b] },
    { operation: "or", parts: [a, b] },
    { not: { operation: "and", parts: [a, { not: b }] } },
    { operation: "or", parts: [{ not: a }, { operation: "and", parts: [b, a] }] },
  ]),
);
const treeNet = new TreeNet();
const treeOptimizer = new optim.Adam(treeNet.parameters(), { lr: 0.01 });
const treeCriterion = new nn.BCEWithLogitsLoss();
for (let step = 0; step < steps; step++) {
  const tree = trees[step % trees.length];
  const loss = treeCriterion(treeNet(tree), torch.tensor([[evaluate(tree) ? 1 : 0]]));
  treeOptimizer.zeroGrad();
  loss.backward();
  treeOptimizer.step();
}
const right = torch.noGrad(() => trees.filter((tree) => treeNet(tree).item() > 0 === evaluate(tree)).length);
console.log(`trees: ${right} of ${trees.length} right`);
console.log(`${engine.stats().compilations} programs compiled for ${engine.stats().runs} runs`);
