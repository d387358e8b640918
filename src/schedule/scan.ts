/**
 * Loops over time: the body is planned once, its kernels appear once for each step in the list, and only the places of their operands move.
 * So compiling does not depend on the length of a sequence.
 */
import { InternalError } from "../errors.ts";
import { programOf } from "../graph/build-program.ts";
import { bytesPerElement } from "../graph/dtype.ts";
import type { GraphProgram } from "../graph/program.ts";
import { elementAt, type ScanLoop, type StepSource, stepBefore } from "../graph/scan-loop.ts";
import { sizeOf } from "../graph/shape.ts";
import { canonicalProgram } from "./canonical.ts";
import type { BufferReference, Plan } from "./plan.ts";
import type { LoweredStep, Lowering, StepArgument, StrategyRequest } from "./strategy.ts";
import type { TensorGraph } from "./tensor-graph.ts";

/** What of a loop's results is read: at every step, at the last one only, or never. */
export type ResultUse = "every" | "last" | "none";

/** How the packed output `id` is read by the rest of a graph. */
export function usesOfResults(graph: TensorGraph, id: number, loop: ScanLoop): ResultUse[] {
  const ranges = readRanges(graph, id);
  return loop.body.outputs.map(({ node }, result) => {
    const size = sizeOf(loop.body.nodes[node].type.shape);
    const start = loop.offsets[result];
    const stop = start + loop.length * size;
    const last = loop.reverse ? start : stop - size;
    const within = ranges.filter(([from, to]) => from < stop && to > start);
    if (within.length === 0) return "none";
    return within.every(([from, to]) => Math.max(from, start) >= last && Math.min(to, stop) <= last + size)
      ? "last"
      : "every";
  });
}

/** Runs of elements of a vector that are read. */
function readRanges(graph: TensorGraph, id: number): (readonly [number, number])[] {
  const whole = [0, graph.values[id].size] as const;
  if (graph.outputs.some(({ value }) => value === id)) return [whole];
  return graph.values.flatMap(({ inputs, meaning, size }) => {
    if (!inputs.includes(id)) return [];
    if (meaning?.kind !== "movement" || meaning.pieces.length !== 1 || meaning.pieces[0].guarded) return [whole];
    if (size === 0) return [];
    const [{ constant, terms }] = meaning.pieces[0].index;
    if (terms.length === 0) return [[constant, constant + 1] as const];
    if (terms.length !== 1 || terms[0].coefficient < 1) return [whole];
    return [[constant, constant + terms[0].coefficient * (size - 1) + 1] as const];
  });
}

/** A loop without the results that nobody reads; `kept` are the others' numbers before. */
function withoutDeadResults(loop: ScanLoop, uses: readonly ResultUse[]): { loop: ScanLoop; kept: number[] } {
  const carried = new Set(loop.sources.flatMap((source) => (source.kind === "carry" ? [source.result] : [])));
  const kept = uses.flatMap((use, result) => (use !== "none" || carried.has(result) ? [result] : []));
  if (kept.length === uses.length) return { loop, kept };
  const { body } = loop;
  const { program, inputs } = programOf(
    body.nodes,
    kept.map((result) => ({ node: body.outputs[result].node })),
  );
  const sources = inputs.map((input): StepSource => {
    const source = loop.sources[body.inputs.indexOf(input)];
    return source.kind === "carry" ? { ...source, result: kept.indexOf(source.result) } : source;
  });
  return { loop: { ...loop, body: program, sources, offsets: kept.map((result) => loop.offsets[result]) }, kept };
}

/** Whether the body checks indices. */
export function loopHasGuards({ body }: ScanLoop): boolean {
  return body.nodes.some(({ op, inputs, attributes, type }) => {
    const meaning = op?.meaning(
      inputs.map((input) => body.nodes[input].type),
      attributes,
      type,
    );
    if (meaning?.kind === "scan") return loopHasGuards(meaning.loop);
    return meaning?.kind === "indexed" && (meaning.guards ?? []).length > 0;
  });
}

/** The kernels of all steps. `planBody` plans the body as a program of its own. */
export function lowerScan(
  request: StrategyRequest,
  whole: ScanLoop,
  wholeUses: readonly ResultUse[],
  planBody: (body: GraphProgram) => Plan,
): Lowering {
  const { loop: live, kept } = withoutDeadResults(whole, wholeUses);
  const canonical = canonicalProgram(live.body);
  const loop = { ...live, body: canonical.program, sources: canonical.inputs.map((input) => live.sources[input]) };
  const { body, length, reverse, sources, offsets } = loop;
  const uses = kept.map((result) => wholeUses[result]);
  const plan = planBody(body);
  const packed = request.epilogue.stores[0].view;
  const sizes = body.outputs.map(({ node }) => sizeOf(body.nodes[node].type.shape) * bytesPerElement.f32);
  const temporaries: number[] = [plan.arenaBytes];
  // what only the next step reads goes back and forth between two places
  const places = uses.map((use, result) => {
    if (use === "every") return -1;
    temporaries.push(sizes[result], sizes[result]);
    return temporaries.length - 2;
  });
  const placeOf = (result: number, t: number): StepArgument => {
    const last = reverse ? t === 0 : t === length - 1;
    if (uses[result] === "every" || (uses[result] === "last" && last)) {
      const byteOffset = 4 * (packed.offset + offsets[result]) + t * sizes[result];
      return { kind: "operand", index: packed.operand, byteOffset };
    }
    return { kind: "temporary", index: places[result] + (t % 2) };
  };
  const inputAt = (input: number, byteOffset = 0): StepArgument => {
    const { operand, offset, dtype } = request.views[input];
    return { kind: "operand", index: operand, byteOffset: offset * bytesPerElement[dtype] + byteOffset };
  };
  const readAt = (source: StepSource, t: number): StepArgument => {
    if (source.kind === "constant") return inputAt(source.input);
    if (source.kind === "carry") {
      const before = stepBefore(loop, t);
      return before < 0 ? inputAt(source.initial) : placeOf(source.result, before);
    }
    const element = elementAt(loop, source, t);
    if (element < 0) return inputAt(source.initial);
    const { shape, dtype } = request.inputs[source.input];
    return inputAt(source.input, element * (sizeOf(shape) / length) * bytesPerElement[dtype]);
  };
  const argumentAt = (reference: BufferReference, t: number): StepArgument => {
    switch (reference.kind) {
      case "status":
        return { kind: "status" };
      case "arena":
        return { kind: "temporary", index: 0, byteOffset: reference.byteOffset };
      case "input":
        return moved(readAt(sources[reference.index], t), reference.byteOffset);
      case "output":
        return moved(placeOf(reference.index, t), reference.byteOffset);
      case "constant":
        throw new InternalError("the plan of a loop's body has constant data");
    }
  };
  const steps: LoweredStep[] = [];
  for (let count = 0; count < length; count++) {
    const t = reverse ? length - 1 - count : count;
    for (const step of plan.steps) {
      steps.push({ ...step, arguments: step.arguments.map((reference) => argumentAt(reference, t)) });
    }
  }
  const summary = [`${length} steps${reverse ? " backwards" : ""} of`, ...plan.explanation.split("\n")];
  return { steps, temporaries, summary };
}

function moved(argument: StepArgument, byteOffset: number): StepArgument {
  if (byteOffset === 0 || argument.kind === "status") return argument;
  return { ...argument, byteOffset: (argument.byteOffset ?? 0) + byteOffset };
}
