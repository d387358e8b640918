/** From a function to a program as plain data. */
import { UnsupportedError } from "../../errors.ts";
import { type BuiltProgram, buildProgram } from "../../graph/build-program.ts";
import { withGradMode } from "../../graph/grad-mode.ts";
import { Node, serialNow, type TensorType } from "../../graph/node.ts";
import type { GraphProgram, ProgramNode } from "../../graph/program.ts";
import type { ScanLoop } from "../../graph/scan-loop.ts";
import { getRandomState, setRandomState } from "../random.ts";
import { Tensor } from "../tensor.ts";
import { traceCall } from "../tracing.ts";
import { Variable } from "../variable.ts";
import { hasBuilder } from "./op-builders.ts";
import type { PortableEntry, PortableLoop, PortableProgram, PortableValue } from "./program.ts";

/** A function that was traced for one combination of argument types. */
export interface Capture {
  readonly program: PortableProgram;
  /** Tensors that the function uses and that have no name of their own: they are as they were when it was traced. */
  readonly constants: ReadonlyMap<string, Tensor>;
}

/**
 * Runs a function over placeholders of the types given and describes what it computes. `names` are the tensors that stay what they are: a program
 * reads them by name. Random operations of the default generator stay random. Nothing is computed and no random number is used up.
 * @throws GradientError where the function reads a value; UnsupportedError for what cannot be described.
 */
export function capture(
  call: (args: Tensor[]) => readonly Tensor[],
  types: readonly TensorType[],
  names: ReadonlyMap<Tensor, string>,
): Capture {
  const random = getRandomState();
  const start = serialNow();
  const args = types.map(
    (type, index) => new Tensor(new Node(undefined, [], {}, type, { leaf: { kind: "placeholder", index } })),
  );
  try {
    const { result, assigned } = traceCall(() => withGradMode(false, () => call(args)));
    const roots = [...result.map((tensor) => tensor.node), ...assigned.map(({ value }) => value)];
    const built = buildProgram(roots.map((node) => ({ node })));
    const describer = new Describer(built, start, names);
    const entries = describer.entries();
    const positions = built.program.outputs.map(({ node }) => node);
    return {
      program: {
        arguments: types.map(({ shape, dtype }) => ({ shape: [...shape], dtype })),
        entries,
        outputs: positions.slice(0, result.length),
        updates: assigned.map(({ cell }, index) => {
          const name = describer.nameOfCell(cell);
          if (name === undefined) {
            throw new UnsupportedError(
              `trace: the function assigns ${cell.name}, which is no parameter or buffer of the module.`,
            );
          }
          return { name, value: positions[result.length + index] };
        }),
      },
      constants: describer.constants,
    };
  } finally {
    setRandomState(random);
  }
}

class Describer {
  readonly constants = new Map<string, Tensor>();
  private readonly built: BuiltProgram;
  private readonly start: number;
  private readonly cells = new Map<object, string>();
  private readonly nodes = new Map<Node, string>();
  private readonly orderOf: ReadonlyMap<Node, number>;

  constructor(built: BuiltProgram, start: number, names: ReadonlyMap<Tensor, string>) {
    this.built = built;
    this.start = start;
    for (const [tensor, name] of names) {
      if (tensor instanceof Variable) {
        if (!this.cells.has(tensor.cell)) this.cells.set(tensor.cell, name);
      } else if (!this.nodes.has(tensor.node)) this.nodes.set(tensor.node, name);
    }
    const counters = built.leaves.filter((leaf) => this.draws(leaf) === "counter");
    counters.sort((left, right) => left.serial - right.serial);
    this.orderOf = new Map(counters.map((leaf, order) => [leaf, order]));
  }

  nameOfCell(cell: object): string | undefined {
    return this.cells.get(cell);
  }

  entries(): PortableEntry[] {
    const { program, leaves } = this.built;
    const leafAt = new Map(program.inputs.map((position, index) => [position, leaves[index]]));
    return program.nodes.map((node, position) => {
      const leaf = leafAt.get(position);
      return leaf ? this.leaf(leaf) : describeOp(node, program);
    });
  }

  /** What a number draws, unless it was drawn before the trace. */
  private draws(leaf: Node): "seed" | "counter" | undefined {
    return leaf.leaf?.kind === "number" && leaf.serial >= this.start ? leaf.leaf.draws : undefined;
  }

  private leaf(leaf: Node): PortableEntry {
    const { dtype } = leaf;
    const shape = [...leaf.shape];
    const source = leaf.leaf;
    if (leaf.value === undefined && source?.kind === "placeholder") {
      return { kind: "argument", index: source.index, dtype, shape };
    }
    if (leaf.value === undefined && source?.kind === "number") {
      const draws = this.draws(leaf);
      if (draws === "seed") return { kind: "seed" };
      if (draws === "counter") return { kind: "counter", order: this.orderOf.get(leaf) as number };
      if (source.refresh && leaf.serial >= this.start) {
        throw new UnsupportedError(
          "trace: the function uses a random generator of its own, or a number that is asked for at each step; only the default generator can be traced.",
        );
      }
      return { kind: "number", value: source.value, dtype };
    }
    const known =
      this.nodes.get(leaf) ??
      (leaf.value === undefined && source?.kind === "variable" ? this.cells.get(source.cell) : undefined);
    if (known !== undefined) return { kind: "tensor", name: known, dtype, shape };
    if (leaf.requiresGrad) {
      throw new UnsupportedError(
        "trace: the function uses a trainable tensor that is no parameter of the module. Make it a Parameter of the module, or detach() it to keep its present value.",
      );
    }
    const name = `constants.${this.constants.size}`;
    this.constants.set(name, new Tensor(leaf));
    return { kind: "tensor", name, dtype, shape };
  }
}

function describeOp(node: ProgramNode, program: GraphProgram): PortableEntry {
  const { op, inputs, attributes, type } = node;
  const name = op?.opName ?? "";
  const common = { kind: "op" as const, op: name, inputs: [...inputs], dtype: type.dtype, shape: [...type.shape] };
  if (name === "scan" && op) {
    const meaning = op.meaning(
      inputs.map((input) => program.nodes[input].type),
      attributes,
      type,
    );
    if (meaning.kind === "scan") return { ...common, attributes: {}, loop: describeLoop(meaning.loop) };
  }
  if (!hasBuilder(name)) throw new UnsupportedError(`trace: the op ${name} cannot be saved yet.`);
  return { ...common, attributes: attributes as { readonly [name: string]: PortableValue } };
}

function describeLoop({ body, length, reverse, sources }: ScanLoop): PortableLoop {
  const argumentAt = new Map(body.inputs.map((position, index) => [position, index]));
  const entries = body.nodes.map((node, position): PortableEntry => {
    const index = argumentAt.get(position);
    if (index === undefined) return describeOp(node, body);
    return { kind: "argument", index, dtype: node.type.dtype, shape: [...node.type.shape] };
  });
  return {
    length,
    reverse,
    sources: sources.map((source) => ({ ...source })),
    body: { entries, outputs: body.outputs.map(({ node }) => node) },
  };
}
