/** `tf.compat.v1.train`: optimizers of static graphs. */
import { ArgumentError } from "../../errors.ts";
import {
  adadelta,
  adagrad,
  adam,
  gradientMomentum,
  OptimizerState,
  rmsprop,
  sgd,
  type UpdateRule,
} from "../../optim/index.ts";
import { assignAll, noGrad, type Tensor } from "../../tensor/index.ts";
import { gradients, graphTensors } from "./gradients.ts";
import { GraphTensor, Operation } from "./graph.ts";
import type { Run } from "./session.ts";
import { GraphVariable, trainableVariables } from "./variables.ts";

export { exponentialDecay } from "./schedules.ts";

/** A number, or a tensor of the graph that is computed in each step (a schedule of the global step, a placeholder). */
export type Rate = number | Tensor;
/** A gradient (undefined where the loss does not depend on the variable) and its variable. */
export type GradientAndVariable = readonly [gradient: Tensor | undefined, variable: Tensor];

export interface MinimizeOptions {
  /** The variables to train; by default all trainable ones of the graph. */
  readonly varList?: readonly Tensor[];
  /** A variable that counts the steps. */
  readonly globalStep?: Tensor;
  readonly name?: string;
}

/** One step of an optimizer, as an operation. */
class ApplyGradientsOperation extends Operation {
  private readonly optimizer: Optimizer;
  private readonly slopes: readonly GraphTensor[];
  private readonly targets: readonly GraphVariable[];
  private readonly globalStep: GraphVariable | undefined;

  constructor(
    optimizer: Optimizer,
    slopes: readonly GraphTensor[],
    targets: readonly GraphVariable[],
    globalStep: GraphVariable | undefined,
    name: string,
  ) {
    super(targets[0].graph, name, [slopes, targets, globalStep, optimizer.rate]);
    this.optimizer = optimizer;
    this.slopes = slopes;
    this.targets = targets;
    this.globalStep = globalStep;
  }
  override get writes(): boolean {
    return true;
  }
  override evaluate(run: Run): undefined {
    const { optimizer } = this;
    const state = run.state(optimizer, () => {
      const holder: { rate: Tensor | undefined; readonly steps: OptimizerState } = {
        rate: undefined,
        steps: new OptimizerState(
          optimizer.name,
          optimizer.rule,
          optimizer.rate instanceof GraphTensor ? () => holder.rate as Tensor : (optimizer.rate as number),
        ),
      };
      return holder;
    });
    if (optimizer.rate instanceof GraphTensor) state.rate = run.resolve(optimizer.rate as Tensor, this);
    const values = run.resolve(this.slopes, this);
    const variables = this.targets.map((target) => run.variable(target.variableOperation));
    noGrad(() => assignAll(state.steps.step(values, variables)));
    if (this.globalStep) run.variable(this.globalStep.variableOperation).assignAdd(1);
  }
}

function variablesAmong(caller: string, tensors: readonly Tensor[]): GraphVariable[] {
  return tensors.map((tensor) => {
    if (tensor instanceof GraphVariable) return tensor;
    throw new ArgumentError(`${caller}: expected variables of the graph, received ${tensor.toString()}.`);
  });
}

/** Base of the optimizers of static graphs. */
export abstract class Optimizer {
  readonly name: string;
  readonly rate: Rate;
  /** @internal */
  readonly rule: UpdateRule;

  constructor(name: string, rate: Rate, rule: UpdateRule) {
    if (!(rate instanceof GraphTensor) && typeof rate !== "number") {
      throw new ArgumentError(`${name}: the learning rate must be a number or a tensor of the graph.`);
    }
    this.name = name;
    this.rate = rate;
    this.rule = rule;
  }
  /** Gradients of a loss, each with its variable. */
  computeGradients(loss: Tensor, options: Pick<MinimizeOptions, "varList"> = {}): GradientAndVariable[] {
    graphTensors(`${this.name}.computeGradients`, loss);
    const variables = options.varList ? variablesAmong(this.name, options.varList) : trainableVariables();
    if (variables.length === 0) throw new ArgumentError(`${this.name}: there are no variables to train.`);
    const slopes = gradients(loss, variables, { name: `gradients/${this.name}` });
    return variables.map((variable, index) => [slopes[index], variable]);
  }
  /** An operation that takes a step. */
  applyGradients(
    pairs: readonly GradientAndVariable[],
    options: Pick<MinimizeOptions, "globalStep" | "name"> = {},
  ): Operation {
    const present = pairs.filter((pair): pair is readonly [Tensor, Tensor] => pair[0] !== undefined);
    if (present.length === 0) {
      throw new ArgumentError(`${this.name}: no gradients for any variable: the loss does not depend on them.`);
    }
    const slopes = graphTensors(
      this.name,
      present.map(([gradient]) => gradient),
    );
    const targets = variablesAmong(
      this.name,
      present.map(([, variable]) => variable),
    );
    const step = options.globalStep && variablesAmong(this.name, [options.globalStep])[0];
    return new ApplyGradientsOperation(this, slopes, targets, step, options.name ?? this.name);
  }
  /** An operation that computes the gradients of a loss and takes a step. */
  minimize(loss: Tensor, options: MinimizeOptions = {}): Operation {
    return this.applyGradients(this.computeGradients(loss, options), options);
  }
}

/** w ← w − η·g. */
export class GradientDescentOptimizer extends Optimizer {
  constructor(learningRate: Rate) {
    super("GradientDescent", learningRate, sgd());
  }
}

/** m ← μ·m + g, w ← w − η·m (with Nesterov's look-ahead w ← w − η·(g + μ·m)). */
export class MomentumOptimizer extends Optimizer {
  constructor(learningRate: Rate, momentum: number, options: { readonly useNesterov?: boolean } = {}) {
    super("Momentum", learningRate, gradientMomentum({ momentum, nesterov: options.useNesterov ?? false }));
  }
}

/** Adam with ε = 1e-8 beside √v, as in TensorFlow 1. */
export class AdamOptimizer extends Optimizer {
  constructor(
    learningRate: Rate = 0.001,
    options: { readonly beta1?: number; readonly beta2?: number; readonly epsilon?: number } = {},
  ) {
    const { beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8 } = options;
    super("Adam", learningRate, adam({ beta1, beta2, epsilon }));
  }
}

/** Adagrad without ε: w ← w − η·g / √a, a starting at 0.1. */
export class AdagradOptimizer extends Optimizer {
  constructor(learningRate: Rate, options: { readonly initialAccumulatorValue?: number } = {}) {
    const { initialAccumulatorValue = 0.1 } = options;
    super("Adagrad", learningRate, adagrad({ initialAccumulatorValue, epsilon: 0 }));
  }
}

/** Adadelta with η = 0.001 and ε = 1e-8, as in TensorFlow 1. */
export class AdadeltaOptimizer extends Optimizer {
  constructor(learningRate: Rate = 0.001, options: { readonly rho?: number; readonly epsilon?: number } = {}) {
    const { rho = 0.95, epsilon = 1e-8 } = options;
    super("Adadelta", learningRate, adadelta({ rho, epsilon }));
  }
}

/** RMSProp with ε = 1e-10 under the root and averages that start at 1, as in TensorFlow 1. */
export class RMSPropOptimizer extends Optimizer {
  constructor(
    learningRate: Rate,
    options: {
      readonly decay?: number;
      readonly momentum?: number;
      readonly epsilon?: number;
      readonly centered?: boolean;
    } = {},
  ) {
    const { decay = 0.9, momentum = 0, epsilon = 1e-10, centered = false } = options;
    const rule = rmsprop({ rho: decay, momentum, epsilon, centered });
    const slots = rule.slots.map((slot) => (slot.name === "velocity" ? { ...slot, initial: 1 } : slot));
    super("RMSProp", learningRate, { ...rule, slots });
  }
}
