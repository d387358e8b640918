/** What a profile says: kernels by the time they take, beside what the machine could do. */
import type { ProfiledRun } from "../../engine/program-runner.ts";
import type { MachineLimits } from "../../targets/x86/machine-limits.ts";

/** All calls of the kernels of one name. */
export interface KernelTotal {
  readonly label: string;
  readonly calls: number;
  readonly milliseconds: number;
  readonly flops: number;
  readonly bytes: number;
}

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
  const totals = new Map<string, KernelTotal>();
  let kernelMilliseconds = 0;
  let inside = 0;
  for (const run of runs) {
    inside += run.milliseconds;
    for (const { label, milliseconds, flops, bytes } of run.kernels) {
      const sum = totals.get(label);
      kernelMilliseconds += milliseconds;
      totals.set(label, {
        label,
        calls: (sum?.calls ?? 0) + 1,
        milliseconds: (sum?.milliseconds ?? 0) + milliseconds,
        flops: (sum?.flops ?? 0) + flops,
        bytes: (sum?.bytes ?? 0) + bytes,
      });
    }
  }
  return {
    kernels: [...totals.values()].sort((left, right) => right.milliseconds - left.milliseconds),
    runs: runs.length,
    kernelMilliseconds,
    dispatchMilliseconds: Math.max(0, inside - kernelMilliseconds),
    outsideMilliseconds: Math.max(0, elapsed - inside),
  };
}

/** Share of the roofline: the least time that its FLOP or its bytes need, whichever is longer, over the time taken. */
export function rooflineShare(
  work: Pick<KernelTotal, "milliseconds" | "flops" | "bytes">,
  limits: MachineLimits | undefined,
): number | undefined {
  if (limits === undefined || work.milliseconds === 0) return undefined;
  const least = Math.max(work.flops / limits.fmaPeak, work.bytes / limits.copyBandwidth) / 1e6;
  return least / work.milliseconds;
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
      const bound = limits === undefined ? "" : flops / limits.fmaPeak > bytes / limits.copyBandwidth ? " fma" : " mem";
      return (
        `${label.padEnd(width)}${String(calls).padStart(8)}${number(milliseconds, 2, 11)}${number(milliseconds / calls, 3, 10)}` +
        `${percent(milliseconds / all)}${number(flops * perSecond, 1, 10)}${number(bytes * perSecond, 1, 9)}` +
        `${percent(rooflineShare(kernel, limits)).padStart(10)}${bound}`
      );
    }),
  ];
  const hidden = summary.kernels.slice(rows);
  if (hidden.length > 0) {
    const rest = hidden.reduce((sum, { milliseconds }) => sum + milliseconds, 0);
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
      const share = rooflineShare(kernel, limits);
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
