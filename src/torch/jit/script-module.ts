import { ArgumentError, GradientError } from "../../errors.ts";
import { recordUpdate } from "../../nn/updates.ts";
import type { Tensor, Variable } from "../../tensor/index.ts";
import {
  callTraced,
  describeArguments,
  flattenTensors,
  type Structure,
  type TracedProgram,
  takes,
  unflattenTensors,
} from "../../tensor/portable/index.ts";
import { AnyModule } from "../nn/any-module.ts";
import { Module } from "../nn/module.ts";
import { Parameter } from "../nn/parameter.ts";

/** A parameter or buffer with its place in the tree of modules. One tensor may stand at several places. */
export interface StatePlace {
  readonly name: string;
  readonly tensor: Tensor;
  readonly kind: "parameter" | "buffer";
  readonly persistent: boolean;
}

/** A traced program with the form of a call that it belongs to. */
export interface ScriptProgram {
  readonly traced: TracedProgram;
  /** How the arguments stand in the call. */
  readonly structure: Structure;
  /** The mode that it was traced in; undefined where the mode plays no part. */
  readonly training?: boolean;
}

/** What a script module is made of. */
export interface ScriptParts {
  /** The class that was traced. */
  readonly originalName: string;
  readonly places: readonly StatePlace[];
  readonly programs: ScriptProgram[];
  /** Tensors that the programs read by name. */
  readonly tensors: Map<string, Tensor>;
  /** Adds the program for arguments that none of the programs takes. */
  readonly traceFor?: (args: readonly unknown[], training: boolean) => void;
}

/** Part of a script module: holds parameters and buffers, computes nothing. */
class ScriptPart extends Module<readonly unknown[], unknown> {}

/**
 * A module as its program: called like the module that it was traced from, with the same parameters, buffers and state names, without that
 * module's class. Gradients flow through it, so it can be trained further. What it does in training mode or in evaluation is what the module did
 * when it was traced.
 */
export class ScriptModule<Args extends readonly unknown[] = [Tensor], Result = Tensor> extends Module<Args, Result> {
  readonly #parts: ScriptParts;

  /** @internal Use `jit.trace`, `jit.script` or `jit.load`. */
  constructor(parts: ScriptParts) {
    super();
    this.#parts = parts;
    for (const place of parts.places) addPlace(this, place);
  }

  override forward(...args: Args): Result {
    const { programs, tensors, traceFor } = this.#parts;
    const { tensors: flat, structure } = flattenTensors(args, "forward: arguments");
    const form = JSON.stringify(structure);
    const fitting = () =>
      programs.filter(
        (program) =>
          JSON.stringify(program.structure) === form && (program.training ?? this.training) === this.training,
      );
    let candidates = fitting();
    if (traceFor && !candidates.some(({ traced }) => takes(traced, flat))) {
      traceFor(args, this.training);
      candidates = fitting();
    }
    if (candidates.length === 0) {
      const known = programs.map(({ traced, training }) => {
        const mode = training === undefined ? "" : ` in ${training ? "training" : "evaluation"} mode`;
        return `(${describeArguments(traced)})${mode}`;
      });
      throw new ArgumentError(
        `forward: the program of ${this.originalName} was traced for ${known.join(" or ")}; called with ${flat.length} tensors in another form or mode.`,
      );
    }
    const { outputs, updates, result } = callTraced(
      "forward",
      candidates.map(({ traced }) => traced),
      flat,
      tensors,
    );
    for (const [name, value] of updates) recordUpdate(tensors.get(name) as Variable, value);
    return unflattenTensors(result, outputs) as Result;
  }

  /** The class of the module that was traced. */
  get originalName(): string {
    return this.#parts.originalName;
  }
  /** @internal */
  get parts(): ScriptParts {
    return this.#parts;
  }
  override extraRepr(): string {
    return `original_name=${this.originalName}`;
  }
}

/** Makes the modules on the way to a parameter or buffer, and puts it there. */
function addPlace(root: AnyModule, { name, tensor, kind, persistent }: StatePlace): void {
  const path = name.split(".");
  if (path.includes("__proto__")) throw new ArgumentError(`"${name}" is no name of a parameter.`);
  const last = path.pop() as string;
  let module = root;
  for (const step of path) {
    const next: unknown = Object.entries(module).find(([key]) => key === step)?.[1];
    if (next instanceof AnyModule) module = next;
    else {
      const part = new ScriptPart();
      module.registerModule(step, part);
      module = part;
    }
  }
  if (kind === "buffer") module.registerBuffer(last, tensor, { persistent });
  else if (tensor instanceof Parameter) module.registerParameter(last, tensor);
  else throw new ArgumentError(`trace: "${name}" is no parameter.`);
}

/** All parameters and buffers of a module, under each of their names. */
export function placesOf(root: AnyModule): StatePlace[] {
  const places: StatePlace[] = [];
  const visit = (module: AnyModule, prefix: string): void => {
    for (const [name, tensor] of module.ownParameters()) {
      places.push({ name: prefix + name, tensor, kind: "parameter", persistent: true });
    }
    for (const { name, buffer, persistent } of module.ownBuffers()) {
      places.push({ name: prefix + name, tensor: buffer, kind: "buffer", persistent });
    }
    for (const [name, child] of module.ownModules()) visit(child, `${prefix}${name}.`);
  };
  visit(root, "");
  return places;
}

/** A module's call with messages that speak of tracing. */
export function whileTracing<Result>(operation: string, name: string, call: () => Result): Result {
  try {
    return call();
  } catch (error) {
    if (!(error instanceof GradientError)) throw error;
    throw new GradientError(
      `${operation}: ${name} reads a value while it is traced, so what it computes depends on data and no single program stands for it. ` +
        "Compute with tensors (where, maskedFill) instead of branching on item(), or call the module without tracing it.",
      { cause: error },
    );
  }
}
