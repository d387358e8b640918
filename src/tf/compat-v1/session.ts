/** Sessions: where a static graph is run and where the values of its variables live. */
import { ArgumentError } from "../../errors.ts";
import { compile, differentiable, evaluate, Tensor, type TensorLike, Variable, valueNow } from "../../tensor/index.ts";
import { atEntry } from "../../tensor/lift.ts";
import { mapNested, nestedLeaves } from "../structure.ts";
import { GradientsOperation } from "./gradients.ts";
import { type Graph, GraphTensor, getDefaultGraph, Operation } from "./graph.ts";
import { fedValue, PlaceholderOperation } from "./placeholder.ts";
import { GraphVariable, InitializerOperation, type VariableEvaluation, VariableOperation } from "./variables.ts";

/** What can be fetched: tensors and operations, in arrays and objects. */
export type Fetch = Tensor | Operation | readonly Fetch[] | { readonly [name: string]: Fetch };
/** What `run` gives for a fetch: values for tensors, nothing for operations. */
export type Fetched<F> = F extends Operation
  ? undefined
  : F extends Tensor
    ? Tensor
    : { -readonly [K in keyof F]: Fetched<F[K]> };
/** Values for placeholders (or any other tensors of the graph). */
export type FeedDict = ReadonlyMap<Tensor, TensorLike> | readonly (readonly [tensor: Tensor, value: TensorLike])[];

export interface RunOptions {
  readonly feedDict?: FeedDict;
}

type Values = (readonly Tensor[])[];
type Fed = ReadonlyMap<GraphTensor, Tensor>;

/** A run's way from operations to values: each operation is evaluated once, in order of creation. */
class Run implements VariableEvaluation {
  private readonly session: Session;
  private readonly fed: Fed;
  private readonly results = new Map<Operation, unknown>();
  private readonly sources: ReadonlySet<GraphTensor>;

  constructor(session: Session, fed: Fed, operations: readonly Operation[]) {
    this.session = session;
    this.fed = fed;
    this.sources = new Set(
      operations.flatMap((operation) => (operation instanceof GradientsOperation ? operation.sources : [])),
    );
    for (const [target, value] of fed) if (this.sources.has(target)) differentiable(value);
    // what reads a variable without coming after an assignment reads the value before the run
    for (const operation of operations) {
      if (operation instanceof VariableOperation) this.results.set(operation, valueNow(session.variable(operation)));
    }
    for (const operation of operations) {
      if (this.results.has(operation)) continue;
      const result = operation.evaluate(this);
      this.results.set(operation, result);
      for (const source of this.sources) if (source.operation === operation) differentiable(this.value(source));
    }
  }
  value(tensor: GraphTensor): Tensor {
    const fed = this.fed.get(tensor);
    if (fed) return fed;
    let part: unknown = this.results.get(tensor.operation);
    for (const key of tensor.path) part = (part as Record<string | number, unknown>)[key];
    return part as Tensor;
  }
  resolve<Value>(value: Value, reader: Operation): Value {
    return mapNested(value, (leaf) => {
      if (!(leaf instanceof GraphTensor)) return leaf;
      const late = reader.controlInputs.length > 0 && leaf instanceof GraphVariable && !this.fed.has(leaf);
      return late ? this.current(leaf.variableOperation) : this.value(leaf);
    }) as Value;
  }
  variable(operation: VariableOperation): Variable {
    return this.session.variable(operation);
  }
  current(operation: VariableOperation): Tensor {
    return valueNow(this.session.variable(operation));
  }
  initialize(operations: readonly VariableOperation[]): void {
    this.session.initialize(operations);
  }
  /** @internal */
  state<State>(key: object, create: () => State): State {
    return this.session.state(key, create);
  }
}

export type { Run };

/** What a run does. */
interface Plan {
  readonly initializers: readonly InitializerOperation[];
  readonly variables: readonly VariableOperation[];
  /** Whether anything but initializers is to be run. */
  readonly needed: boolean;
  readonly program: (...fed: Tensor[]) => Values;
}

const keyOf = (each: Tensor | Operation): string =>
  each instanceof GraphTensor ? `${each.operation.id}:${each.path.join(".")}` : String((each as Operation).id);

/** The operations that some need, themselves included, in order of creation. */
function closure(roots: readonly Operation[], fed: Fed): Operation[] {
  const found = new Set<Operation>();
  const stack = [...roots];
  while (stack.length > 0) {
    const operation = stack.pop() as Operation;
    if (found.has(operation)) continue;
    found.add(operation);
    for (const input of operation.inputs) if (!fed.has(input)) stack.push(input.operation);
    stack.push(...operation.controlInputs);
  }
  return [...found].sort((a, b) => a.id - b.id);
}

/**
 * Runs a static graph. Each combination of what is fetched and fed, with its shapes, is compiled once and then replayed; variables keep their
 * values from run to run, and random operations give new numbers in each.
 *
 * @example
 * ```ts
 * const x = placeholder("float32", [null, 4]);
 * const weight = new Variable(tf.ones([4, 1]));
 * const cost = reduceMean(square(matmul(x, weight)));
 * const trainStep = new train.GradientDescentOptimizer(0.1).minimize(cost);
 *
 * const session = new Session();
 * session.run(globalVariablesInitializer());
 * const [, loss] = session.run([trainStep, cost], { feedDict: [[x, tf.ones([8, 4])]] });
 * ```
 */
export class Session {
  readonly graph: Graph;
  private readonly values = new Map<VariableOperation, Variable>();
  private readonly plans = new Map<string, Plan>();
  private states = new Map<object, unknown>();
  private closed = false;

  constructor(options: { readonly graph?: Graph } = {}) {
    this.graph = options.graph ?? getDefaultGraph();
  }

  /** The values of what is fetched, with what is fed. */
  run<const F extends Fetch>(fetches: F, options: RunOptions = {}): Fetched<F> {
    return atEntry(this.run, () => {
      if (this.closed) throw new ArgumentError("Session.run: the session is closed.");
      const leaves = nestedLeaves(fetches) as (Tensor | Operation)[];
      for (const leaf of leaves) this.checkFetch(leaf);
      const fed = this.feed(options.feedDict);
      let plan = this.plan(leaves, fed);
      for (const operation of plan.initializers) this.initialize(operation.variables);
      // what was compiled before an initializer holds the old states of optimizers
      if (plan.initializers.length > 0) plan = this.plan(leaves, fed);
      const values = plan.needed ? this.replay(plan, fed) : leaves.map(() => []);
      let next = 0;
      return mapNested(fetches, () => values[next++][0]) as Fetched<F>;
    });
  }

  /** What must be done for these fetches and feeds; thought out once. */
  private plan(leaves: readonly (Tensor | Operation)[], fed: Fed): Plan {
    const targets = [...fed.keys()];
    const key = `${leaves.map(keyOf).join()}<-${targets.map(keyOf).join()}`;
    const known = this.plans.get(key);
    if (known) return known;
    this.checkPlaceholders(leaves, fed);
    const operations = closure(
      leaves.flatMap((leaf) =>
        leaf instanceof GraphTensor ? (fed.has(leaf) ? [] : [leaf.operation]) : [leaf as Operation],
      ),
      fed,
    );
    // initializers make the variables that the rest reads
    const rest = operations.filter((operation) => !(operation instanceof InitializerOperation));
    const program = compile((...given: Tensor[]): Values => {
      const run = new Run(this, new Map(targets.map((target, index) => [target, given[index]])), rest);
      return leaves.map((leaf) => (leaf instanceof GraphTensor ? [run.value(leaf)] : []));
    });
    const plan: Plan = {
      initializers: operations.filter((operation) => operation instanceof InitializerOperation),
      variables: rest.filter((operation) => operation instanceof VariableOperation),
      needed: rest.length > 0 || leaves.some((leaf) => leaf instanceof GraphTensor),
      program,
    };
    this.plans.set(key, plan);
    return plan;
  }

  private replay(plan: Plan, fed: Fed): Values {
    for (const operation of plan.variables) this.variable(operation);
    return plan.program(...fed.values());
  }

  private checkFetch(leaf: unknown): void {
    if (!(leaf instanceof Operation) && !(leaf instanceof GraphTensor)) {
      const what = leaf instanceof Tensor ? "an ordinary tensor" : String(leaf);
      throw new ArgumentError(`Session.run: cannot fetch ${what}; fetch tensors and operations of a static graph.`);
    }
    if (leaf.graph !== this.graph) {
      throw new ArgumentError(`Session.run: ${leaf.toString()} belongs to another graph than the session's.`);
    }
  }

  private feed(feedDict: FeedDict = []): Fed {
    const fed = new Map<GraphTensor, Tensor>();
    for (const [target, value] of feedDict as Iterable<readonly [Tensor, TensorLike]>) {
      if (!(target instanceof GraphTensor)) {
        throw new ArgumentError("feedDict: only tensors of a static graph can be fed, such as placeholders.");
      }
      fed.set(target, fedValue(target, value));
    }
    return fed;
  }

  private checkPlaceholders(leaves: readonly (Tensor | Operation)[], fed: Fed): void {
    for (const leaf of leaves) {
      if (leaf instanceof GraphTensor && fed.has(leaf)) continue;
      const root = leaf instanceof Operation ? leaf : (leaf as GraphTensor).operation;
      for (const operation of closure([root], fed)) {
        if (!(operation instanceof PlaceholderOperation)) continue;
        throw new ArgumentError(
          `Session.run: the fetch ${leaf.toString()} depends on the placeholder "${operation.name}", which is not fed. ` +
            `Give it a value: { feedDict: [[${operation.name}, value]] }.`,
        );
      }
    }
  }

  /** @internal The session's variable. */
  variable(operation: VariableOperation): Variable {
    const found = this.values.get(operation);
    if (found) return found;
    throw new ArgumentError(
      `Session.run: the variable "${operation.name}" has no value yet: run globalVariablesInitializer() in this session first.`,
    );
  }

  /** @internal Gives variables their initial values, computed together; states of optimizers begin anew. */
  initialize(variables: readonly VariableOperation[]): void {
    const graphValues = variables.map(({ initial }) => initial).filter((initial) => initial instanceof GraphTensor);
    const operations = closure(
      graphValues.map(({ operation }) => operation),
      new Map(),
    );
    const placeholderOperation = operations.find((operation) => operation instanceof PlaceholderOperation);
    if (placeholderOperation) {
      throw new ArgumentError(
        `Session.run: an initial value depends on the placeholder "${placeholderOperation.name}".`,
      );
    }
    const run = new Run(this, new Map(), operations);
    const values = variables.map(({ initial }) => (initial instanceof GraphTensor ? run.value(initial) : initial));
    evaluate(...values);
    variables.forEach((operation, index) => {
      const existing = this.values.get(operation);
      if (existing) existing.assign(values[index]);
      else {
        const { name, trainable } = operation;
        this.values.set(operation, new Variable(values[index].detach(), { name, trainable }));
      }
    });
    if (this.states.size === 0) return;
    // compiled steps hold the old states
    this.states = new Map();
    this.plans.clear();
  }

  /** @internal What an optimizer keeps in this session. */
  state<State>(key: object, create: () => State): State {
    if (!this.states.has(key)) this.states.set(key, create());
    return this.states.get(key) as State;
  }

  /** Lets go of variables and programs; the session cannot be used any more. */
  close(): void {
    this.closed = true;
    this.values.clear();
    this.plans.clear();
    this.states.clear();
  }
  [Symbol.dispose](): void {
    this.close();
  }
}
