// Writes docs/three-styles.md: every listing of the articles beside the region of the example that a test runs. `--check` only compares.
import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const comparison = "Comparison of tensorflow, Keras and pytorch";
const mnist = "PyTorch vs TensorFlow for building deep learning models";

const sections = [
  {
    title: "TensorFlow: functions over tensors",
    article: comparison,
    example: "tf-conv-net",
    text: "Keyword arguments that TensorFlow.js users pass by position are passed by position. The same network as a static graph with placeholders and a session is in [`examples/tf-session.ts`](../examples/tf-session.ts).",
  },
  {
    title: "Keras: a list of layers",
    article: comparison,
    example: "keras-cifar",
    text: "Arguments that Python passes by name are one options object at the end.",
  },
  {
    title: "PyTorch: a module",
    article: comparison,
    example: "torch-cifar",
    text: "Class fields take the place of `__init__`: they are the same assignments, and TypeScript infers their types.",
  },
  {
    title: "Keras: MNIST",
    article: mnist,
    example: "keras-mnist",
    text: "`npx trivium train mnist` runs this program with a progress bar, curves and a saved model.",
  },
  {
    title: "PyTorch: MNIST at 8x8 pixels",
    article: mnist,
    example: "torch-mnist",
    text: "The loop over epochs and batches, which the article leaves to its notebook, follows in the example.",
  },
];

/** The regions of an example, one after the other. */
export function regionsOf(source) {
  const regions = [...source.matchAll(/^\/\/ #region.*\n([\s\S]*?)^\/\/ #endregion$/gm)];
  return regions.map((match) => match[1].trim()).join("\n\n");
}

function section({ title, article, example, text }) {
  const original = readFileSync(`${root}docs/listings/${example}.py`, "utf8").trim();
  const own = regionsOf(readFileSync(`${root}examples/${example}.ts`, "utf8"));
  return `## ${title}

From "${article}". ${text} Run it: \`npm run example ${example}\`.

<table>
<tr><th>the article</th><th><a href="../examples/${example}.ts">examples/${example}.ts</a></th></tr>
<tr><td valign="top">

\`\`\`python
${original}
\`\`\`

</td><td valign="top">

\`\`\`ts
${own}
\`\`\`

</td></tr>
</table>
`;
}

const text = `# Three styles

The programs of the two articles that Trivium began with, each beside its TypeScript version: the same lines in the same order. The right-hand sides
are parts of the files in \`examples/\`, which the tests run.

${sections.map(section).join("\n")}
## One network in all three

[\`examples/fair-mnist.ts\`](../examples/fair-mnist.ts) trains one network with the same weights and batches in each style; the losses agree to the
bit. \`npx trivium compare mnist\` does so with curves and times, beside the articles' programs, in one HTML page.

## What differs from Python

- Classes are made with \`new\`; layers, modules and optimizers' closures are called like functions.
- Names are in camelCase (\`log_softmax\` → \`logSoftmax\`); strings such as \`"val_loss"\` stay as they are.
- Keyword arguments become one options object at the end: \`x.sum(1, { keepdim: true })\`.
- Operators are methods: \`x.add(1)\`, \`x.matmul(w)\`.
- Indexing is \`x.at(0, [1, 3])\` for \`x[0, 1:3]\`.
`;

const path = "docs/three-styles.md";
if (!process.argv.includes("--check")) {
  writeFileSync(root + path, text);
  console.log(`wrote ${path}`);
} else if (readFileSync(root + path, "utf8") !== text) {
  console.error(`${path} is not what scripts/three-styles.mjs writes: run \`node scripts/three-styles.mjs\``);
  process.exitCode = 1;
}
