import { whyNoMachineCode } from "../engine/default-target.ts";
import { UnsupportedError } from "../errors.ts";
import { engine, matmul, ones } from "../tensor/index.ts";

/** `3 minutes`, `2.5 hours`, `12 days`. */
export function describeDuration(seconds: number): string {
  const units = [
    ["days", 86400],
    ["hours", 3600],
    ["minutes", 60],
  ] as const;
  const [name, size] = units.find(([, unit]) => seconds >= 1.5 * unit) ?? ["seconds", 1];
  const value = seconds / size;
  return `${value < 10 && name !== "seconds" ? value.toFixed(1) : Math.ceil(value)} ${name}`;
}

/**
 * Refuses a long computation on the reference target, which interprets: measures it shortly and says how long the computation would take.
 * @throws UnsupportedError when the chosen target is the reference.
 */
export function requireFastTarget(flops: number): void {
  if (engine.targetName !== "reference") return;
  const size = 96;
  matmul(ones([size, size]), ones([size, size])).dataSync();
  const start = performance.now();
  matmul(ones([size, size]), ones([size, size])).dataSync();
  const rate = (2 * size ** 3) / ((performance.now() - start) / 1000);
  throw new UnsupportedError(
    `no compiled kernels here: ${whyNoMachineCode() ?? "TRIVIUM_TARGET asks for the reference."} The reference target would need about ${describeDuration(flops / rate)}. ` +
      "Give --target reference to run it all the same, with --limit N and --epochs 1 for a part of it.",
  );
}
