/** What is asked of this framework on a machine of two cores: each goal once, with the row or figure that it is held against. */
import type { PeerName } from "./catalogue.ts";

/** A throughput over that of a peer's better setting. */
export interface RatioGoal {
  readonly kind: "ratio";
  readonly suite: "train" | "infer";
  readonly workload: string;
  readonly batch: number;
  readonly peer: PeerName;
  readonly least: number;
  /** What would be better still. */
  readonly stretch?: number;
}

/** A kernel's share of the machine's limits, measured in the same run. */
export interface ShareGoal {
  readonly kind: "share";
  readonly suite: "kernels";
  readonly workload: string;
  readonly shape: string;
  readonly least: number;
}

/** A figure without a peer: its name in the report, and `>=` or `<=` with a number. */
export interface FigureGoal {
  readonly kind: "figure";
  readonly suite: "kernels" | "system";
  readonly name: string;
  /** Absent where the bound is measured in the same run. */
  readonly goal?: string;
}

export type Goal = RatioGoal | ShareGoal | FigureGoal;

const ratio = (
  suite: RatioGoal["suite"],
  workload: string,
  batch: number,
  peer: PeerName,
  least: number,
  stretch?: number,
): RatioGoal => ({ kind: "ratio", suite, workload, batch, peer, least, ...(stretch !== undefined && { stretch }) });
const share = (workload: string, shape: string, least: number): ShareGoal => {
  return { kind: "share", suite: "kernels", workload, shape, least };
};
const figure = (suite: FigureGoal["suite"], name: string, goal?: string): FigureGoal => {
  return { kind: "figure", suite, name, ...(goal !== undefined && { goal }) };
};

const ratioGoals: readonly RatioGoal[] = [
  ratio("train", "seeds-cnn", 32, "torch", 2.2),
  ratio("train", "seeds-cnn", 128, "torch", 1.6),
  ratio("train", "seeds-cnn", 512, "torch", 1.75),
  ...[32, 128, 512].map((batch) => ratio("train", "seeds-cnn", batch, "keras", 3)),
  ratio("infer", "seeds-cnn", 32, "torch", 1.4),
  ratio("infer", "seeds-cnn", 128, "torch", 1.2),
  ratio("train", "seeds-8x8", 512, "torch", 2),
  ratio("train", "cifar-cnn", 64, "torch", 1.55),
  ratio("train", "imdb-gru", 64, "torch", 2),
  ratio("train", "transformer-layer", 16, "torch", 1.2),
  ...[1, 8].flatMap((batch) => [
    ratio("infer", "resnet50", batch, "ort", 1, 1.15),
    ratio("infer", "resnet50", batch, "torch", 1.3),
    ratio("infer", "mobilenet_v2", batch, "ort", 1, 1.2),
    ratio("infer", "mobilenet_v2", batch, "torch", 1.5),
  ]),
  ratio("train", "tiny-mlp-compiled", 1, "torch", 20),
  ratio("train", "tiny-mlp-eager", 1, "torch", 3),
];

const shareGoals: readonly ShareGoal[] = [
  share("matmul", "1024x1024x1024 nn", 0.93),
  share("softmax", "4096x4096", 0.75),
  share("gelu", "16777216", 0.6),
];

const ofPeak = (name: string, goal: string) => figure("kernels", `${name}, share of the FMA peak`, goal);

/** Goals of figures, by where they are measured. */
export const figureGoals = {
  convolutionForward: ofPeak("convolution 3x3 32->64, forward", ">= 0.92"),
  convolutionInputGradient: ofPeak("convolution 3x3 32->64, input gradient", ">= 0.92"),
  convolutionWeightGradient: ofPeak("convolution 3x3 32->64, weight gradient", ">= 0.92"),
  denseForward: ofPeak("dense 9216x1024, forward", ">= 0.88"),
  denseInputGradient: ofPeak("dense 9216x1024, input gradient", ">= 0.88"),
  denseWeightGradient: ofPeak("dense 9216x1024, weight gradient", ">= 0.88"),
  tinyStart: figure("system", "process start to first step, tiny network on random data", "<= 250"),
  mnistStart: figure("system", "process start to first step, train mnist", "<= 700"),
  dependencies: figure("system", "production dependency tree", "<= 10"),
  scaling: figure("system", "thread scaling 1 to 2, training step, batch 128", ">= 1.9"),
  neighbour: figure("system", "share of free throughput kept beside a process on one core", ">= 0.6"),
  engineBytes: figure("system", "memory of the training step, batch 512: bytes tracked by the engine"),
} as const satisfies Readonly<Record<string, FigureGoal>>;

/** The fields of a figure that its goal gives. */
export const nameAndGoal = ({ suite, name, goal }: FigureGoal) => ({
  suite,
  name,
  ...(goal !== undefined && { goal }),
});

/** All of them, in the order of the report. */
export const goals: readonly Goal[] = [...ratioGoals, ...shareGoals, ...Object.values(figureGoals)];

/** A goal by name, as bench/notes.md calls it. */
export function titleOf(goal: Goal): string {
  switch (goal.kind) {
    case "ratio":
      return `${goal.suite} ${goal.workload}, batch ${goal.batch}, against ${goal.peer}`;
    case "share":
      return `${goal.workload} ${goal.shape}, share of the limit`;
    case "figure":
      return goal.name;
  }
}

/** Whether a number keeps a bound such as `>= 0.9` or `<= 250`; undefined for a text that states none. */
export function keeps(value: number, bound: string): boolean | undefined {
  const [, relation, limit] = /^([<>])=?\s*([\d.]+)/.exec(bound) ?? [];
  if (relation === undefined) return undefined;
  return relation === ">" ? value >= Number(limit) : value <= Number(limit);
}
