import { ArgumentError, UnsupportedError } from "../errors.ts";
import type { Tensor } from "../tensor/index.ts";
import type { ExampleCounts } from "../train/batches.ts";
import { renderSummary, type SummaryOptions as TableOptions } from "../train/summary-table.ts";
import type { Config } from "./config.ts";
import { FunctionalGraph } from "./functional-graph.ts";
import type { KerasTensor } from "./keras-tensor.ts";
import type { AnyLayer, CallOptions, Layer, LayerOptions } from "./layer.ts";
import { autoName } from "./naming.ts";
import { checkOptions } from "./options.ts";
import { loadWeightsInto, saveModel, saveWeightsOf } from "./saving.ts";
import { serializeLayer, toKerasConfig } from "./serialization.ts";
import type { ConcreteOf, GivenTo, ShapesOf, SymbolicOf, SymbolicStructure, TensorStructure } from "./structure.ts";
import { summaryRows, summaryTotals } from "./summary.ts";
import { inferOutputShape } from "./symbolic.ts";
import { TrainableLayer } from "./training.ts";

export interface SummaryOptions extends TableOptions {
  readonly printFn?: (text: string) => void;
  readonly expandNested?: boolean;
}

/** Options of a model; with `inputs` and `outputs` it is a functional one. */
export interface ModelOptions extends LayerOptions {
  readonly inputs?: SymbolicStructure;
  readonly outputs?: SymbolicStructure;
}

class ModelBase<
  In extends TensorStructure = Tensor,
  Out extends TensorStructure = Tensor,
  Options extends CallOptions<In> = CallOptions<In>,
> extends TrainableLayer<In, Out, Options> {
  private readonly graph: FunctionalGraph | undefined;

  constructor(options: ModelOptions = {}, ownOptions: readonly string[] = []) {
    const { inputs, outputs, ...others } = options;
    const functional = inputs !== undefined || outputs !== undefined;
    const kind = new.target === ModelBase ? "Functional" : new.target.name;
    super({ ...others, name: options.name ?? autoName(functional ? kind : new.target.name) }, ownOptions);
    if (!functional) return;
    if (inputs === undefined || outputs === undefined) {
      throw new ArgumentError(
        `${kind} "${this.name}": a functional model needs both inputs and outputs; ${inputs === undefined ? "inputs" : "outputs"} are missing.`,
      );
    }
    this.graph = new FunctionalGraph(`${kind} "${this.name}"`, inputs, outputs);
    this.supportsMasking = true;
    this.builtShape = this.graph.inputShape as ShapesOf<In>;
    this.built = true;
    if (!this.trainable) this.trainable = false;
  }

  /** 'Functional' for `new Model({ inputs, outputs })`, as Keras calls it. */
  override get className(): string {
    return this.graph && this.constructor === ModelBase ? "Functional" : this.constructor.name;
  }
  /** What the model computes: a functional model its graph; others define it. */
  override call(inputs: In, options: Options): Out {
    if (this.graph) return this.graph.run(inputs, options.mask as undefined) as Out;
    throw new UnsupportedError(
      `${this.className} "${this.name}": a model of your own needs a method \`call(inputs, { training })\`, or is made with { inputs, outputs }.`,
    );
  }
  override buildFor(inputShape: ShapesOf<In>): void {
    if (this.built) return;
    super.buildFor(inputShape);
    // layers inside get their weights when they are called: a dry run calls them all
    if (this.nestedLayers.some(({ built }) => !built) && this.callable)
      inferOutputShape(this as unknown as AnyLayer, inputShape as never);
  }
  override computeOutputShape(inputShape: ShapesOf<In>): ShapesOf<Out> {
    return this.graph
      ? (this.graph.shapes(inputShape as never) as ShapesOf<Out>)
      : super.computeOutputShape(inputShape);
  }
  protected override get nestedLayers(): readonly AnyLayer[] {
    return this.graph?.layers ?? super.nestedLayers;
  }
  protected override get counts(): ExampleCounts {
    const { inputs, outputs } = this;
    return { inputs: Math.max(1, inputs.length), outputs: Math.max(1, outputs.length) };
  }
  protected override get knowsOutputShape(): boolean {
    return this.graph !== undefined || this.computeOutputShape !== ModelBase.prototype.computeOutputShape;
  }
  protected override get callable(): boolean {
    return this.graph !== undefined || this.call !== ModelBase.prototype.call;
  }

  private get anyModel(): AnyModel {
    return this as unknown as AnyModel;
  }

  // ---- symbolic tensors ----

  /** The symbolic inputs in order; none for a model that is not functional. */
  get inputs(): readonly KerasTensor[] {
    return this.graph?.flatInputs ?? [];
  }
  /** The symbolic outputs in order; none for a model that is not functional. */
  get outputs(): readonly KerasTensor[] {
    return this.graph?.flatOutputs ?? [];
  }
  /** The symbolic inputs as the model was given them. */
  override get input(): GivenTo<In> {
    if (this.graph) return this.graph.inputs as GivenTo<In>;
    return this.inputs.length === 1 ? (this.inputs[0] as GivenTo<In>) : super.input;
  }
  /** The symbolic outputs as the model was given them. */
  override get output(): SymbolicOf<Out> {
    if (this.graph) return this.graph.outputs as SymbolicOf<Out>;
    return this.outputs.length === 1 ? (this.outputs[0] as SymbolicOf<Out>) : super.output;
  }
  get inputNames(): readonly string[] | undefined {
    return this.graph?.inputNames;
  }
  override get outputNames(): readonly string[] | undefined {
    return this.graph?.outputNames;
  }
  /** @internal */
  get functionalGraph(): FunctionalGraph | undefined {
    return this.graph;
  }

  // ---- looking ----

  /** The layer of a name, or at a position. */
  getLayer(selector: string | number | { readonly name?: string; readonly index?: number }): Layer {
    const { name, index } =
      typeof selector === "string"
        ? { name: selector, index: undefined }
        : typeof selector === "number"
          ? { name: undefined, index: selector }
          : selector;
    const found = index === undefined ? this.layers.find((layer) => layer.name === name) : this.layers[index];
    if (found) return found as unknown as Layer;
    throw new ArgumentError(
      index === undefined
        ? `getLayer: no layer named "${name}"; the layers are ${this.layers.map((layer) => layer.name).join(", ")}.`
        : `getLayer: no layer at ${index}; the model has ${this.layers.length} layers.`,
    );
  }

  /** Prints the layers, their output shapes and their numbers of parameters; where layers are not a chain, what each is connected to. */
  summary(options: SummaryOptions = {}): void {
    const { printFn, expandNested = false, ...table } = options;
    checkOptions("summary", table, ["lineLength", "positions", "showTrainable"]);
    const text = renderSummary(
      this.name,
      summaryRows(this.anyModel, expandNested),
      summaryTotals(this.anyModel),
      table,
    );
    if (printFn) printFn(text);
    else process.stdout.write(text);
  }

  // ---- as data ----

  override getConfig(): Config {
    if (!this.graph) return super.getConfig();
    return { name: this.name, trainable: this.trainable, ...this.graph.getConfig(serializeLayer) };
  }
  /** The architecture as JSON in Keras' form. */
  toJSON(): Config {
    return {
      module: "keras",
      registered_name: null,
      ...(toKerasConfig(serializeLayer(this as unknown as AnyLayer)) as Config),
    };
  }

  /** Writes architecture, weights, what `compile` was given and the optimizer's state to one file, atomically. */
  save(path: string): void {
    saveModel(this.anyModel, path);
  }
  /** Writes the weights alone. */
  saveWeights(path: string): void {
    saveWeightsOf(this.anyModel, path);
  }
  /** Reads weights written by `saveWeights` or `save`. */
  loadWeights(path: string): void {
    loadWeightsInto(this.anyModel, path);
  }
}
Object.defineProperty(ModelBase, "name", { value: "Model" });

/** The constructor of models. */
export interface ModelConstructor {
  /**
   * A functional model: the layers between symbolic inputs and outputs. (The name's type is a parameter so that this signature is never the one
   * that a class extends.)
   */
  new <const Inputs extends SymbolicStructure, const Outputs extends SymbolicStructure, Name extends string>(options: {
    readonly inputs: Inputs;
    readonly outputs: Outputs;
    readonly name?: Name;
    readonly trainable?: boolean;
  }): Model<ConcreteOf<Inputs>, ConcreteOf<Outputs>>;
  /** The base of models of one's own. */
  new <In extends TensorStructure = Tensor, Out extends TensorStructure = Tensor>(
    options?: ModelOptions,
    ownOptions?: readonly string[],
  ): Model<In, Out>;
  readonly prototype: ModelBase;
}

/**
 * A layer that can be compiled, trained, evaluated, saved. Made with { inputs, outputs } it is what lies between symbolic tensors; a subclass
 * holds layers as properties and says in `call` how they are used.
 *
 * @example
 * ```ts
 * const left = Input({ shape: [8], name: "left" });
 * const right = Input({ shape: [8], name: "right" });
 * const shared = new Dense(4, { activation: "relu" });
 * const joined = new Concatenate()([shared(left), shared(right)]);
 * const model = new Model({ inputs: [left, right], outputs: new Dense(1)(joined) });
 * ```
 */
export const Model = ModelBase as unknown as ModelConstructor;
export type Model<In extends TensorStructure = Tensor, Out extends TensorStructure = Tensor> = ModelBase<In, Out>;
/** Any model, whatever it takes and gives. */
export type AnyModel = ModelBase<never, TensorStructure, never>;
