/** The parts of a model, each kind the same way: by name, as instance, as function, as data; classes of the user's own among them. */
import { expect, test } from "vitest";
import { ones, type Tensor, tensor } from "../../src/index.ts";
import {
  type Config,
  constraints,
  initializers,
  losses,
  metrics,
  optimizers,
  registerKerasSerializable,
  regularizers,
} from "../../src/keras/index.ts";

const kinds = [
  { kind: "constraint", of: constraints, name: "max_norm", className: "MaxNorm", typo: "max_nrom" },
  { kind: "regularizer", of: regularizers, name: "l1_l2", className: "L1L2", typo: "l1l3" },
  { kind: "initializer", of: initializers, name: "he_normal", className: "HeNormal", typo: "he_normel" },
  { kind: "loss", of: losses, name: "mse", className: "MeanSquaredError", typo: "mean_squared_eror" },
  { kind: "metric", of: metrics, name: "auc", className: "AUC", typo: "acuracy" },
  { kind: "optimizer", of: optimizers, name: "adamw", className: "AdamW", typo: "adanw" },
] as const;

interface Part {
  readonly className: string;
  getConfig(): Config;
}

test.each(kinds)("$kind: names, class names, instances and data", ({ kind, of, name, className, typo }) => {
  const get = of.get as (identifier: unknown, owner?: string) => Part;
  const serialize = of.serialize as unknown as (part: Part) => Config;
  const part = get(name);
  expect(part.className).toBe(className);
  expect(get(part)).toBe(part);
  for (const spelling of [name.toUpperCase(), className]) expect(get(spelling).className).toBe(className);
  const again = get(serialize(part));
  expect(again.className).toBe(className);
  expect(again.getConfig()).toEqual(part.getConfig());
  expect(() => get(typo, "compile")).toThrow(
    new RegExp(`^compile: unknown ${kind} "${typo}" \\(did you mean ".*"\\?\\)`),
  );
  expect(() => get({ className: `${className}s`, config: {} })).toThrow(`(did you mean "${className}"?)`);
  expect(() => get(3)).toThrow(`expected ${/^[aeiou]/.test(kind) ? "an" : "a"} ${kind}: its name, an instance`);
});

test("classes of the user's own are saved by their name, functions are not saved", () => {
  class Doubled extends losses.Loss {
    override call(yTrue: Tensor, yPred: Tensor): Tensor {
      return losses.meanSquaredError(yTrue, yPred).mul(2);
    }
  }
  const loss = new Doubled({ name: "doubled" });
  expect(() => losses.serialize(loss)).toThrow("Doubled is a loss of your own: register its class");
  registerKerasSerializable("registry-test")(Doubled);
  const again = losses.get(losses.serialize(loss));
  expect(again).toBeInstanceOf(Doubled);
  expect(again.name).toBe("doubled");
  expect(losses.get("Doubled" as losses.LossName)).toBeInstanceOf(Doubled);
  expect(() => metrics.get({ className: "Doubled", config: {} })).toThrow(
    "Doubled is not a metric: it must extend Metric",
  );

  const halved = constraints.get((weight) => weight.div(2));
  expect(halved?.(ones([1])).dataSync()).toEqual(new Float32Array([0.5]));
  expect(() => constraints.serialize(halved)).toThrow("a constraint is a function of your own, which cannot be saved");
});

test("a metric by name counts alone; accuracy by itself compares as it is", () => {
  const accuracy = metrics.get("accuracy");
  accuracy.updateState(tensor([1, 2, 3, 4]), tensor([1, 2, 0, 4]));
  expect(accuracy.result()).toBe(0.75);
  const error = metrics.get("mse");
  error.updateState(tensor([[0, 0]]), tensor([[1, 3]]));
  expect(error.result()).toBe(5);
  expect(error.name).toBe("mse");
});

test("a learning rate schedule comes back with its optimizer", () => {
  const schedule = new optimizers.schedules.ExponentialDecay(0.1, 10, 0.5);
  const again = optimizers.get(optimizers.serialize(new optimizers.SGD(schedule, { momentum: 0.9 })));
  expect(again.followsSchedule).toBe(true);
  expect(again.getConfig()).toMatchObject({ momentum: 0.9, learningRate: { className: "ExponentialDecay" } });
});
