/**
 * The table of what a program means, row by row, with the tests that hold it. A test is named by the beginning of its title; `neutral` is the tensor API
 * that all doors share. A door is missing where the row is not about something that its users write.
 */
const files = {
  neutral: ["step-rows.test.ts", "program-rows.test.ts"],
  torch: ["torch-step-rows.test.ts", "torch-program-rows.test.ts"],
  torchLong: ["torch-long-rows.test.ts"],
  keras: ["keras-rows.test.ts"],
  tf: ["tensorflow-rows.test.ts"],
  memory: ["../determinism/memory.test.ts"],
} as const;

export interface Row {
  readonly program: string;
  readonly tests: { readonly [where in keyof typeof files]?: string };
}

export const filesOf = (where: keyof typeof files): readonly string[] => files[where];

export const rows: readonly Row[] = [
  {
    program: "`loss.item()` before `backward()` each step",
    tests: { neutral: "loss.item() before backward()", torch: "loss.item() before backward()" },
  },
  {
    program: "`output.argmax(1)`, `loss.item()` after `step()`",
    tests: { neutral: "output.argmax(1) and loss.item()", torch: "output.argmax(1) and loss.item()" },
  },
  {
    program: "an inner activation read after `step()`",
    tests: { neutral: "an inner activation", torch: "an inner activation", tf: "an inner activation" },
  },
  {
    program: "four micro-batches accumulated",
    tests: { neutral: "four micro-batches", torch: "four micro-batches" },
  },
  {
    program: "global-norm clipping between backward and step",
    tests: { neutral: "global-norm clipping", torch: "clipGradNorm_ between backward() and step()" },
  },
  {
    program: "`p.grad` after `step()`, after `zeroGrad()`",
    tests: { neutral: "p.grad after step()", torch: "p.grad after step()" },
  },
  {
    program: "`backward()` twice on one graph",
    tests: { neutral: "backward() twice", torch: "backward() twice" },
  },
  {
    program: "GAN: `D(fake.detach())` step, then `D(fake)` backward into G",
    tests: { neutral: "GAN", torch: "GAN" },
  },
  {
    program: "moving average of weights every step",
    tests: { neutral: "moving average of weights", torchLong: "moving average of weights" },
  },
  {
    program: "a layer frozen and unfrozen",
    tests: {
      neutral: "a layer frozen and unfrozen",
      torch: "a layer frozen and unfrozen",
      keras: "a layer frozen and unfrozen",
    },
  },
  {
    program: "learning rate from a schedule, Adam, 1,000 steps",
    tests: { torchLong: "learning rate from a schedule, Adam, 1,000 steps", keras: "learning rate from a schedule" },
  },
  { program: "dropout", tests: { neutral: "dropout", torch: "dropout", keras: "dropout" } },
  {
    program: "short last batch; shuffled batches; sliced batches",
    tests: { neutral: "short last batch", torch: "short last batch", keras: "short last batch" },
  },
  {
    program: "tape without modules, `pred` read after `applyGradients`",
    tests: { tf: "tape without modules" },
  },
  {
    program: "static graph: random op and counter variable over three `run` calls",
    tests: { tf: "static graph" },
  },
  {
    program: "`while (x.norm().item() > 1) x = x.div(2)`",
    tests: { neutral: "while (x.norm()", torch: "while (x.norm()" },
  },
  {
    program: "sequences of length 1…20, twice",
    tests: {
      neutral: "sequences of length 1 to 20",
      torch: "sequences of length 1 to 20",
      keras: "sequences of length 1 to 20",
    },
  },
  {
    program: "gradient penalty (gradient of a gradient norm)",
    tests: { neutral: "gradient penalty", torch: "gradient penalty", tf: "gradient penalty" },
  },
  {
    program: "BatchNorm statistics when the loss is read twice",
    tests: {
      neutral: "statistics updated in the forward",
      torch: "BatchNorm statistics",
      keras: "BatchNormalization statistics",
    },
  },
  {
    program: "user code throws in the middle of a forward",
    tests: {
      neutral: "user code throws",
      torch: "a forward that throws in the middle",
      keras: "a layer that throws in the middle of a forward",
    },
  },
  {
    program: "a label out of range at step 5",
    tests: {
      neutral: "a label out of range at step 5",
      torch: "a label out of range at step 5",
      keras: "a label out of range at step 5",
      tf: "a label out of range at step 5",
    },
  },
  {
    program: "10,000 synchronous steps, no `await`, no dispose",
    tests: {
      memory: "10,000 synchronous steps",
      torchLong: "10,000 synchronous steps",
      keras: "training and inference, epoch after epoch",
      tf: "10,000 synchronous steps",
    },
  },
  {
    program: "`const p = loss.data()` unawaited, `step()`, `await p`",
    tests: { neutral: "const p = loss.data()", torch: "const p = loss.data()" },
  },
  {
    program: "typed array changed by the user after `tensor(array)`",
    tests: { neutral: "typed array changed", torch: "a typed array changed" },
  },
  {
    program: "inference loop under `noGrad`, synchronous",
    tests: { neutral: "inference loop under noGrad", torch: "inference loop under noGrad" },
  },
  {
    program: "printing a pending tensor in the middle",
    tests: { neutral: "printing a pending tensor", torch: "printing a pending tensor" },
  },
  {
    program: "`compile(step)` with a changing number argument and a closed-over one",
    tests: { neutral: "compile(step)", torch: "torch.compile(step)", tf: "tf.function with a changing number" },
  },
];
