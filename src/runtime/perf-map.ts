import { appendFileSync } from "node:fs";

/** Tells `perf` where an emitted function lies (`TRIVIUM_PERF_MAP=1` writes /tmp/perf-PID.map). */
export function notePerfMap(
  entries: readonly { readonly address: number; readonly bytes: number; readonly name: string }[],
): void {
  if (process.env.TRIVIUM_PERF_MAP !== "1" || entries.length === 0) return;
  const lines = entries.map(
    ({ address, bytes, name }) => `${address.toString(16)} ${bytes.toString(16)} trivium:${name}\n`,
  );
  appendFileSync(`/tmp/perf-${process.pid}.map`, lines.join(""));
}
