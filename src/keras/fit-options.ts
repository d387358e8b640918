/** Options of fit, evaluate and predict, and the data they stand for. */
import { ArgumentError, ShapeError } from "../errors.ts";
import { formatShape } from "../graph/shape.ts";
import type { Tensor } from "../tensor/index.ts";
import {
  checkLabels,
  countExamples,
  type DataStructure,
  describe,
  type Examples,
  isArrayInput,
  isShapedArray,
  type LabelRules,
  toTensors,
  weightsOfClasses,
} from "../train/arrays.ts";
import {
  ArraySource,
  type BatchSource,
  type BatchStream,
  bothWeights,
  type ExampleCounts,
  isBatchStream,
  onlyTarget,
  StreamSource,
  splitRow,
} from "../train/batches.ts";
import type { Callback } from "./callbacks/callback.ts";
import { checkOptions } from "./options.ts";
import { isRecord } from "./structure.ts";

/** Inputs: data in memory (of several inputs in a list or by name), or an iterable of batches. */
export type DataInput = DataStructure | BatchStream;
/** [x, y], [x, y, sampleWeight], or an iterable of batches. */
export type ValidationData = readonly [x: DataStructure, y: DataStructure, sampleWeight?: DataStructure] | BatchStream;
export type Verbose = "auto" | 0 | 1 | 2;
/** Weights by class number. */
export type ClassWeight = Readonly<Record<number, number>>;

export interface FitOptions {
  /** Examples per step; 32 by default. Not with an iterable, which makes its own batches. */
  readonly batchSize?: number | null;
  /** Number of the last epoch; 1 by default. */
  readonly epochs?: number;
  /** 'auto' and 1: a progress bar, 2: a line per epoch, 0: nothing. */
  readonly verbose?: Verbose;
  readonly callbacks?: Callback | readonly Callback[];
  /** Fraction of the data, from its end, that is kept for validation. */
  readonly validationSplit?: number;
  readonly validationData?: ValidationData | null;
  /** Put the examples in a new order before every epoch; 'batch': only within each batch. */
  readonly shuffle?: boolean | "batch";
  readonly classWeight?: ClassWeight | null;
  readonly sampleWeight?: DataStructure | null;
  /** Number of epochs that are done already. */
  readonly initialEpoch?: number;
  readonly stepsPerEpoch?: number | null;
  readonly validationSteps?: number | null;
  readonly validationBatchSize?: number | null;
  /** Validate every so many epochs, or after these epochs (counted from 1). */
  readonly validationFreq?: number | readonly number[];
}
const fitOptionNames = [
  "batchSize",
  "epochs",
  "verbose",
  "callbacks",
  "validationSplit",
  "validationData",
  "shuffle",
  "classWeight",
  "sampleWeight",
  "initialEpoch",
  "stepsPerEpoch",
  "validationSteps",
  "validationBatchSize",
  "validationFreq",
] as const satisfies readonly (keyof FitOptions)[];

function checkCount(operation: string, name: string, value: number | null | undefined, least: number): void {
  if (value === undefined || value === null) return;
  if (!Number.isInteger(value) || value < least) {
    throw new ArgumentError(
      `${operation}: ${name} must be an integer of at least ${least}, received ${JSON.stringify(value)}.`,
    );
  }
}

export function checkVerbose(operation: string, verbose: Verbose | undefined): Verbose {
  if (verbose === undefined || ["auto", 0, 1, 2].includes(verbose)) return verbose ?? "auto";
  throw new ArgumentError(`${operation}: verbose must be "auto", 0, 1 or 2, received ${JSON.stringify(verbose)}.`);
}

export function checkFitOptions(options: FitOptions): void {
  checkOptions("fit", options, fitOptionNames);
  for (const name of ["batchSize", "epochs", "stepsPerEpoch", "validationSteps", "validationBatchSize"] as const) {
    checkCount("fit", name, options[name], name === "epochs" ? 0 : 1);
  }
  checkCount("fit", "initialEpoch", options.initialEpoch, 0);
  checkVerbose("fit", options.verbose);
  const { validationFreq, validationSplit, shuffle } = options;
  if (typeof validationFreq === "number") checkCount("fit", "validationFreq", validationFreq, 1);
  else for (const epoch of validationFreq ?? []) checkCount("fit", "an entry of validationFreq", epoch, 1);
  if (validationSplit !== undefined && !(validationSplit >= 0 && validationSplit < 1)) {
    throw new ArgumentError(`fit: validationSplit must be at least 0 and less than 1, received ${validationSplit}.`);
  }
  if (shuffle !== undefined && typeof shuffle !== "boolean" && shuffle !== "batch") {
    throw new ArgumentError(`fit: shuffle must be true, false or "batch", received ${JSON.stringify(shuffle)}.`);
  }
}

const optionNames: readonly string[] = [...fitOptionNames, "returnDict", "steps"];

/** Whether a second argument is the options rather than targets (which may be a record by output). */
export function isOptions(value: unknown): boolean {
  if (!isRecord(value) || isShapedArray(value)) return false;
  const entries = Object.entries(value);
  return (
    entries.some(([name]) => optionNames.includes(name)) ||
    !entries.every(([, entry]) => isArrayInput(entry)) ||
    entries.length === 0
  );
}

/** How data is read. */
export interface SourceOptions {
  readonly batchSize?: number | null;
  readonly steps?: number | null;
  readonly shuffle?: boolean | "batch";
  readonly classWeight?: ClassWeight | null;
  readonly sampleWeight?: DataStructure | null;
  readonly labels?: LabelRules | undefined;
  readonly counts?: ExampleCounts | undefined;
}

/** Data as batches; everything is checked before the first. `examples` is data in memory, for a first look. */
export interface Data {
  readonly source: BatchSource;
  readonly examples?: Examples;
}

/** Tensors from arrays, with weights of classes turned into weights of examples. */
export function convertExamples(
  operation: string,
  x: DataStructure,
  y: DataStructure | undefined,
  options: SourceOptions,
): Examples {
  const { sampleWeight, classWeight, counts = { inputs: 1, outputs: 1 } } = options;
  const inputs = toTensors(operation, "x", x, counts.inputs);
  const targets = y === undefined ? undefined : toTensors(operation, "y", y, counts.outputs);
  if (sampleWeight && classWeight) throw bothWeights(operation);
  let weights = sampleWeight ? toTensors(operation, "sampleWeight", sampleWeight, counts.outputs) : undefined;
  countExamples(operation, { x: inputs, y: targets, sampleWeight: weights });
  if (classWeight) {
    if (!targets) throw new ArgumentError(`${operation}: classWeight needs y.`);
    weights = weightsOfClasses(onlyTarget(operation, targets), classWeight);
  }
  return { x: inputs, y: targets, sampleWeight: weights };
}

export function streamSource(operation: string, stream: BatchStream, options: SourceOptions, tuples: boolean): Data {
  if (options.sampleWeight) {
    throw new ArgumentError(
      `${operation}: with an iterable, the weights of examples come as third part of each batch.`,
    );
  }
  if (options.batchSize) {
    throw new ArgumentError(`${operation}: batchSize cannot be given with an iterable, which makes its own batches.`);
  }
  const { labels, counts, classWeight } = options;
  const settings = { labels, counts, classWeight: classWeight ?? undefined, tuples };
  return { source: new StreamSource(operation, stream, settings) };
}

export function arraySource(
  operation: string,
  examples: Examples,
  options: SourceOptions,
  range?: readonly [number, number],
): Data {
  if (examples.y) checkLabels(operation, examples.y, options.labels);
  const { batchSize, steps, shuffle } = options;
  return {
    source: new ArraySource(operation, examples, {
      batchSize: batchSize ?? undefined,
      steps: steps ?? undefined,
      shuffle,
      range,
    }),
    examples,
  };
}

/** Data for evaluate and predict, and the validation data of fit. */
export function dataFor(
  operation: string,
  x: DataInput,
  y: DataStructure | undefined,
  options: SourceOptions,
  tuples = true,
): Data {
  if (isBatchStream(x)) {
    if (y !== undefined)
      throw new ArgumentError(`${operation}: with an iterable, targets come as second part of each batch.`);
    return streamSource(operation, x, options, tuples);
  }
  return arraySource(operation, convertExamples(operation, x, y, options), options);
}

/** Training and validation data of fit. */
export function fitData(
  x: DataInput,
  y: DataStructure | undefined,
  options: FitOptions,
  rules: { readonly labels: LabelRules | undefined; readonly counts: ExampleCounts },
): { training: Data; validation?: Data } {
  const { validationSplit = 0, validationData, validationBatchSize, validationSteps } = options;
  const { batchSize, stepsPerEpoch: steps, classWeight, sampleWeight, shuffle = true } = options;
  const forValidation: SourceOptions = {
    batchSize: validationBatchSize ?? batchSize,
    steps: validationSteps,
    ...rules,
  };
  const validation = validationData ? validationDataFor(validationData, forValidation) : undefined;
  if (isBatchStream(x)) {
    if (y !== undefined) throw new ArgumentError("fit: with an iterable, targets come as second part of each batch.");
    if (validationSplit > 0 && !validation) {
      throw new ArgumentError("fit: validationSplit needs data in memory; with an iterable pass validationData.");
    }
    const source = { batchSize, classWeight, sampleWeight, ...rules };
    return { training: streamSource("fit", x, source, true), validation };
  }
  const examples = convertExamples("fit", x, y, { classWeight, sampleWeight, counts: rules.counts });
  const count = countExamples("fit", examples);
  const split = validation ? count : splitRow("fit", count, validationSplit);
  const training = arraySource("fit", examples, { batchSize, steps, shuffle, ...rules }, [0, split]);
  if (validation || validationSplit === 0) return { training, validation };
  return { training, validation: arraySource("fit", examples, forValidation, [split, count]) };
}

function validationDataFor(data: ValidationData, options: SourceOptions): Data {
  if (isBatchStream(data)) return streamSource("validationData", data, { ...options, batchSize: undefined }, true);
  if (!Array.isArray(data) || data.length < 2 || data.length > 3) {
    throw new ArgumentError(
      `fit: validationData must be [x, y], [x, y, sampleWeight] or an iterable of batches, received ${describe(data)}.`,
    );
  }
  const [x, y, sampleWeight] = data as readonly DataStructure[];
  return dataFor("validationData", x, y, { ...options, sampleWeight });
}

/** The inputs must be what the model was built for. */
export function checkInputs(
  operation: string,
  owner: string,
  x: Tensor,
  expected: readonly (number | null)[] | undefined,
): void {
  if (!expected) return;
  const fits =
    x.rank === expected.length && expected.every((size, axis) => axis === 0 || size === null || size === x.shape[axis]);
  if (fits) return;
  const wanted = expected.map((size) => size ?? "None").join(", ");
  throw new ShapeError(`${operation}: ${owner} expects inputs of shape (${wanted}), received ${formatShape(x.shape)}.`);
}
