import { ArgumentError, DataError, TriviumError } from "../../errors.ts";
import { type FileFormat, type NamedTensor, parseEntry, readFormat, writeSafetensors } from "../../interop/index.ts";
import { type Tensor, tensorView, Variable } from "../../tensor/index.ts";
import { atEntry } from "../../tensor/lift.ts";
import {
  checkStructure,
  programFromJson,
  programToJson,
  type TracedProgram,
  validateProgram,
} from "../../tensor/portable/index.ts";
import type { AnyModule } from "../nn/any-module.ts";
import { Buffer, Parameter } from "../nn/parameter.ts";
import { ScriptModule, type ScriptProgram, type StatePlace } from "./script-module.ts";

const format: FileFormat = {
  name: "trivium-program",
  version: 1,
  title: "a traced module",
  opener: "torch.jit.load",
};

type Fields = { readonly [name: string]: unknown };

/**
 * Saves a traced module: its programs (ops by name) as JSON and its tensors in one safetensors file, replaced whole or not at all. After
 * torch.jit.save.
 *
 * @throws ArgumentError for a module that was not traced, or a scripted one that was never called.
 */
export function save(module: AnyModule, path: string): void {
  atEntry(save, () => {
    if (!(module instanceof ScriptModule)) {
      throw new ArgumentError("jit.save: expected what jit.trace or jit.script gives; trace the module first.");
    }
    const { originalName, places, programs, tensors } = module.parts;
    if (programs.length === 0) {
      throw new ArgumentError(
        `jit.save: ${originalName} was scripted and never called, so there is no program to save.`,
      );
    }
    const stored = new Map<Tensor, string>();
    for (const [name, tensor] of tensors) if (!stored.has(tensor)) stored.set(tensor, name);
    const state = places.map(({ name, tensor, kind, persistent }) => {
      const trainable = tensor instanceof Variable && tensor.trainable;
      const order = tensor instanceof Variable ? tensor.order : undefined;
      return { name, kind, persistent, trainable, tensor: stored.get(tensor), ...(order && { order }) };
    });
    const content = programs.map(({ traced, structure, training }) => {
      return { ...traced, structure, training: training ?? null, program: programToJson(traced.program) };
    });
    const files = [...stored].map(([tensor, name]): NamedTensor => {
      return { name, dtype: tensor.dtype, shape: tensor.shape, data: tensor.dataSync() };
    });
    writeSafetensors(path, files, {
      format: format.name,
      version: String(format.version),
      name: originalName,
      state: JSON.stringify(state),
      programs: JSON.stringify(content),
    });
  });
}

/**
 * Loads a traced module. It runs without the class that made it; no code is run by loading, and the whole file is checked before anything is
 * returned: ops, attributes, shapes, references. After torch.jit.load.
 *
 * @example
 * ```ts
 * jit.save(jit.trace(model, images), "model.pt");
 * const loaded = jit.load("model.pt");
 * loaded(images).argmax(1);
 * ```
 * @throws DataError for a file that is missing, truncated, damaged, hostile, of another kind or of a newer version.
 */
export function load<Args extends readonly unknown[] = Tensor[], Result = Tensor>(
  path: string,
): ScriptModule<Args, Result> {
  return atEntry(load, () => {
    const content = readFormat(path, format);
    const stored = new Map(content.tensors.map((tensor) => [tensor.name, tensor]));
    const unread = new Set(stored.keys());
    const damaged = (what: string): never => {
      throw new DataError(`${path}: ${what}.`);
    };
    const fields = (value: unknown, what: string): Fields =>
      value !== null && typeof value === "object" && !Array.isArray(value)
        ? (value as Fields)
        : damaged(`${what} is damaged`);
    const list = (value: unknown, what: string): readonly unknown[] =>
      Array.isArray(value) ? (value as readonly unknown[]) : damaged(`${what} is damaged`);
    try {
      const made = new Map<string, Tensor>();
      const tensors = new Map<string, Tensor>();
      const places = list(parseEntry(path, content, "state"), "its state").map((entry, index): StatePlace => {
        const { name, kind, persistent, trainable, tensor, order } = fields(entry, `state ${index}`);
        const source = typeof tensor === "string" ? stored.get(tensor) : undefined;
        if (!source || typeof name !== "string" || (kind !== "parameter" && kind !== "buffer"))
          return damaged(`state ${index} is damaged`);
        unread.delete(source.name);
        let variable = made.get(source.name);
        if (!variable) {
          const value = tensorView(source.data, source.shape, source.dtype);
          variable =
            kind === "parameter"
              ? new Parameter(value, { requiresGrad: trainable === true, name, ...(isOrder(order) && { order }) })
              : new Buffer(value, { name });
          made.set(source.name, variable);
          tensors.set(source.name, variable);
        }
        tensors.set(name, variable);
        return { name, kind, persistent: persistent !== false, tensor: variable };
      });
      for (const [name, source] of stored) {
        if (made.has(name) || !name.startsWith("#")) continue;
        tensors.set(name, tensorView(source.data, source.shape, source.dtype));
        unread.delete(name);
      }
      if (unread.size > 0) damaged(`the tensor ${JSON.stringify([...unread][0])} belongs to nothing`);
      const programs = list(parseEntry(path, content, "programs"), "its programs").map((entry, index) =>
        readProgram(fields(entry, `program ${index}`), tensors, `${path}: program ${index}`),
      );
      if (programs.length === 0) damaged("it holds no program");
      const originalName = content.metadata.name ?? "Module";
      return new ScriptModule<Args, Result>({ originalName, places, programs, tensors });
    } catch (error) {
      if (error instanceof DataError || !(error instanceof TriviumError)) throw error;
      throw new DataError(`${path}: ${error.message}`, { cause: error });
    }
  });
}

const isOrder = (value: unknown): value is readonly number[] => Array.isArray(value) && value.every(Number.isInteger);

/** One program, checked whole: its form, its references to tensors, and that its graph can be built. */
function readProgram(entry: Fields, tensors: ReadonlyMap<string, Tensor>, where: string): ScriptProgram {
  const damaged = (what: string): never => {
    throw new DataError(`${where}: ${what}.`);
  };
  const program = programFromJson(entry.program, where);
  for (const node of program.entries) {
    if (node.kind === "tensor" && !tensors.has(node.name)) damaged(`there is no tensor ${JSON.stringify(node.name)}`);
  }
  for (const { name } of program.updates) {
    if (!(tensors.get(name) instanceof Variable)) damaged(`there is no variable ${JSON.stringify(name)}`);
  }
  const { batchAxes, fixed, batch, training } = entry;
  const count = program.arguments.length;
  const isAxis = (axis: unknown, index: number): boolean =>
    axis === null ||
    (Number.isInteger(axis) && (axis as number) >= 0 && (axis as number) < program.arguments[index].shape.length);
  if (!Array.isArray(batchAxes) || batchAxes.length !== count || !batchAxes.every(isAxis))
    damaged("its axes are damaged");
  if (fixed !== undefined && typeof fixed !== "string") damaged("its limits are damaged");
  if (training !== null && typeof training !== "boolean") damaged("its mode is damaged");
  if (!Number.isInteger(batch) || (batch as number) < 0 || (batch as number) > 2 ** 31) damaged("its batch is damaged");
  const traced: TracedProgram = {
    program,
    batchAxes: batchAxes as (number | null)[],
    ...(typeof fixed === "string" && { fixed }),
    batch: batch as number,
    result: checkStructure(entry.result, program.outputs.length, where),
  };
  const structure = checkStructure(entry.structure, count, where);
  validateProgram(program, tensors, where, fixed === undefined ? [traced.batch, traced.batch + 1] : [traced.batch]);
  return { traced, structure, ...(typeof training === "boolean" && { training }) };
}
