/** Gradients as operations of the graph. */
import { ArgumentError } from "../../errors.ts";
import { differentiable, onesLike, type Tensor, gradients as tensorGradients, zerosLike } from "../../tensor/index.ts";
import { type Evaluation, type Graph, GraphTensor, Operation } from "./graph.ts";

/** An operation that asks for gradients with respect to tensors of the graph. */
export class GradientsOperation extends Operation {
  /** The tensors whose values must carry a gradient path. */
  readonly sources: readonly GraphTensor[];
  private readonly targets: readonly GraphTensor[];
  private readonly seeds: readonly (Tensor | undefined)[] | undefined;

  constructor(
    graph: Graph,
    name: string,
    targets: readonly GraphTensor[],
    sources: readonly GraphTensor[],
    seeds?: readonly (Tensor | undefined)[],
  ) {
    super(graph, name, [targets, sources, seeds]);
    this.targets = targets;
    this.sources = sources;
    this.seeds = seeds;
  }
  override evaluate(evaluation: Evaluation): readonly Tensor[] {
    const [targets, sources] = evaluation.resolve([this.targets, this.sources] as const, this);
    const seeds = evaluation.resolve(this.seeds, this);
    for (const source of sources) differentiable(source);
    const reached = targets.flatMap((target, index) => (target.requiresGrad ? [{ target, seed: seeds?.[index] }] : []));
    if (reached.length === 0) return sources.map((source) => zerosLike(source));
    const results = tensorGradients(
      reached.map(({ target }) => target),
      sources,
      {
        // other operations may differentiate the same part of the graph, or these gradients
        createGraph: true,
        retainGraph: true,
        seeds: reached.map(({ target, seed }) => seed ?? onesLike(target)),
      },
    );
    return results.map((gradient, index) => gradient ?? zerosLike(sources[index]));
  }
}

/** Whether the value of one tensor takes part in that of another. */
function leadsTo(source: GraphTensor, target: GraphTensor): boolean {
  const seen = new Set<Operation>();
  const stack = [target.operation];
  while (stack.length > 0) {
    const operation = stack.pop() as Operation;
    if (operation === source.operation) return true;
    if (seen.has(operation) || operation.id < source.operation.id) continue;
    seen.add(operation);
    for (const input of operation.inputs) stack.push(input.operation);
  }
  return false;
}

/** The tensors, which must be of one graph. */
export function graphTensors(caller: string, tensors: Tensor | readonly Tensor[]): GraphTensor[] {
  return (Array.isArray(tensors) ? (tensors as readonly Tensor[]) : [tensors as Tensor]).map((tensor) => {
    if (tensor instanceof GraphTensor) return tensor;
    throw new ArgumentError(`${caller}: expected tensors of a static graph, received ${tensor.toString()}.`);
  });
}

export interface GradientsOptions {
  /** Gradients of the loss with respect to `ys`; ones by default. */
  readonly gradYs?: readonly (Tensor | undefined)[];
  readonly name?: string;
}

/** Gradients of the sum of `ys` with respect to each of `xs`, as tensors of the graph; undefined where `ys` does not depend on it. */
export function gradients(
  ys: Tensor | readonly Tensor[],
  xs: Tensor | readonly Tensor[],
  options: GradientsOptions = {},
): (Tensor | undefined)[] {
  const targets = graphTensors("gradients", ys);
  const sources = graphTensors("gradients", xs);
  const connected = sources.filter(
    (source) => source.dtype === "f32" && targets.some((target) => leadsTo(source, target)),
  );
  if (connected.length === 0) return sources.map(() => undefined);
  const operation = new GradientsOperation(
    targets[0].graph,
    options.name ?? "gradients",
    targets,
    connected,
    options.gradYs,
  );
  return sources.map((source) => {
    const index = connected.indexOf(source);
    return index < 0 ? undefined : new GraphTensor(operation, source.partialType, [index]);
  });
}
