/** What a profile says: kernels by the time they take, beside what the machine could do. */
import type { ProfiledRun } from "../../engine/program-runner.ts";
import {
  addUp,
  boundOf,
  type KernelTotal,
  type MachineLimits,
  rooflineShare,
  totalByName,
} from "../../targets/roofline.ts";
import type { StepTiming } from "../../targets/target.ts";

/** Where the time of a profile went. */
export interface ProfileSummary {
  /** By time, longest first. */
  readonly kernels: readonly KernelTotal[];
  readonly runs: number;
  readonly kernelMilliseconds: number;
  /** In calls into machine code but in no kernel: binding of inputs, waking of threads. */
  readonly dispatchMilliseconds: number;
  /** Outside of any program: the caller's JavaScript, building graphs, compiling, waiting. */
  readonly outsideMilliseconds: number;
}

/** Adds up the kernels of `runs`, which were taken within `elapsed` milliseconds. */
export function summarize(runs: readonly ProfiledRun[], elapsed: number): ProfileSummary {
  const kernels = totalByName(runs.flatMap((run) => run.kernels));
  const kernelMilliseconds = addUp("kernels", kernels).milliseconds;
  const inside = runs.reduce((sum, { milliseconds }) => sum + milliseconds, 0);
  return {
    kernels,
    runs: runs.length,
    kernelMilliseconds,
    dispatchMilliseconds: Math.max(0, inside - kernelMilliseconds),
    outsideMilliseconds: Math.max(0, elapsed - inside),
  };
}

/** Share of the roofline of what a profile times; undefined where nothing was measured. */
export function shareOf(kernel: StepTiming, limits: MachineLimits | undefined): number | undefined {
  return limits && kernel.milliseconds > 0 ? rooflineShare(kernel, kernel.milliseconds, limits) : undefined;
}

/**
 * The table that `trivium profile` prints. `bound` says which limit the share is of: `fma` or `mem`. A share above 100 % means that the kernel's
 * data lay in a cache.
 */
export function renderTable(summary: ProfileSummary, limits: MachineLimits | undefined, rows: number): string {
  const shown = summary.kernels.slice(0, rows);
  const width = Math.max(6, ...shown.map(({ label }) => label.length));
  const all = summary.kernelMilliseconds + summary.dispatchMilliseconds + summary.outsideMilliseconds;
  const percent = (value: number | undefined) =>
    (value === undefined ? "-" : `${(100 * value).toFixed(1)}%`).padStart(8);
  const number = (value: number, digits: number, size: number) => value.toFixed(digits).padStart(size);
  const lines = [
    `${"kernel".padEnd(width)}   calls   ms total   ms/call    share   GFLOP/s     GB/s  roofline`,
    ...shown.map((kernel) => {
      const { label, calls, milliseconds, flops, bytes } = kernel;
      const perSecond = milliseconds === 0 ? 0 : 1e-6 / milliseconds;
      const bound = limits ? ` ${boundOf(kernel, limits)}` : "";
      return (
        `${label.padEnd(width)}${String(calls).padStart(8)}${number(milliseconds, 2, 11)}${number(milliseconds / calls, 3, 10)}` +
        `${percent(milliseconds / all)}${number(flops * perSecond, 1, 10)}${number(bytes * perSecond, 1, 9)}` +
        `${percent(shareOf(kernel, limits)).padStart(10)}${bound}`
      );
    }),
  ];
  const hidden = summary.kernels.slice(rows);
  if (hidden.length > 0) {
    const { milliseconds: rest } = addUp("rest", hidden);
    lines.push(
      `${`${hidden.length} more`.padEnd(width)}${"".padStart(8)}${number(rest, 2, 11)}${"".padStart(10)}${percent(rest / all)}`,
    );
  }
  const part = (name: string, value: number) =>
    `${name.padEnd(width + 8)}${number(value, 2, 11)}${"".padStart(10)}${percent(value / all)}`;
  lines.push(
    "",
    part("kernels", summary.kernelMilliseconds),
    part("dispatch", summary.dispatchMilliseconds),
    part("outside programs", summary.outsideMilliseconds),
  );
  return `${lines.join("\n")}\n`;
}

/**
 * The runs in the trace event format that chrome://tracing and Perfetto read: one row of programs, one of kernels. Kernels of a program run one
 * after the other, each on all threads.
 * Source: "Trace Event Format", complete events.
 */
export function chromeTrace(runs: readonly ProfiledRun[], limits: MachineLimits | undefined): object {
  const [programs, kernels] = [1, 2];
  const name = (tid: number, text: string) => ({ name: "thread_name", ph: "M", pid: 1, tid, args: { name: text } });
  const events: object[] = [name(programs, "programs"), name(kernels, "kernels")];
  runs.forEach((run, index) => {
    let at = run.start * 1000;
    events.push({
      name: `program of ${run.kernels.length} kernels`,
      cat: "program",
      ph: "X",
      pid: 1,
      tid: programs,
      ts: at,
      dur: run.milliseconds * 1000,
      args: { run: index },
    });
    for (const kernel of run.kernels) {
      const dur = kernel.milliseconds * 1000;
      const share = shareOf(kernel, limits);
      events.push({
        name: kernel.label,
        cat: "kernel",
        ph: "X",
        pid: 1,
        tid: kernels,
        ts: at,
        dur,
        args: { flops: kernel.flops, bytes: kernel.bytes, ...(share !== undefined && { rooflineShare: share }) },
      });
      at += dur;
    }
  });
  return { traceEvents: events, displayTimeUnit: "ms" };
}
