/** A value shown behind the bar; stateful ones are shown as given, the others as their mean over steps. */
export type ProgressValues = Iterable<readonly [name: string, value: number]>;

/** What a progress bar writes to: `process.stdout` fits. */
export interface ProgressStream {
  write(text: string): unknown;
  readonly isTTY?: boolean;
}

/** Options of `ProgressBar`; the defaults are Keras's. */
export interface ProgressBarOptions {
  /** Number of steps, `undefined` when unknown. */
  readonly target: number | undefined;
  /** 0 writes nothing, 1 a bar, 2 one line at the end. */
  readonly verbose?: 0 | 1 | 2;
  /** Names that are shown as given; the others are averaged. Default: none. */
  readonly statefulMetrics?: ReadonlySet<string>;
  /** Least seconds between two redraws. */
  readonly interval?: number;
  readonly width?: number;
  readonly unitName?: string;
  readonly stream?: ProgressStream;
  /** Colours and bold; default: only on a terminal, and never under NO_COLOR. */
  readonly color?: boolean;
  /** Seconds, from any origin. */
  readonly clock?: () => number;
}

const bold = (text: string) => `\x1b[1m${text}\x1b[0m`;
const green = (text: string) => `\x1b[32m${text}\x1b[0m`;
const grey = (text: string) => `\x1b[37m${text}\x1b[0m`;
const plain = (text: string) => text;

/** Python's `%.4e`: two digits of exponent at least. */
function exponential(value: number): string {
  return value.toExponential(4).replace(/e([+-])(\d)$/, "e$10$2");
}

/** A metric's value as Keras prints it: four decimals, or an exponent where those would hide it. */
export function formatMetric(value: number): string {
  if (!Number.isFinite(value)) return Number.isNaN(value) ? "nan" : value > 0 ? "inf" : "-inf";
  return Math.abs(value) > 1e-3 ? value.toFixed(4) : exponential(value);
}

/** `3ms/step`, `2s/step`, `150us/step`. */
function formatStepTime(seconds: number, unit: string): string {
  if (seconds >= 1 || seconds === 0) return `${seconds.toFixed(0)}s/${unit}`;
  if (seconds >= 1e-3) return `${(seconds * 1e3).toFixed(0)}ms/${unit}`;
  return `${(seconds * 1e6).toFixed(0)}us/${unit}`;
}

/** `42s`, `1:05`, `1:02:03`. */
export function formatRemaining(seconds: number): string {
  const two = (value: number) => String(Math.trunc(value)).padStart(2, "0");
  if (seconds > 3600) return `${Math.trunc(seconds / 3600)}:${two((seconds % 3600) / 60)}:${two(seconds % 60)}`;
  if (seconds > 60) return `${Math.trunc(seconds / 60)}:${two(seconds % 60)}`;
  return `${Math.trunc(seconds)}s`;
}

/** Whether bold and colours may be written to a stream: a terminal, and NO_COLOR not set (https://no-color.org). */
export function wantsColor(stream: ProgressStream): boolean {
  return stream.isTTY === true && !process.env.NO_COLOR;
}

/**
 * The progress bar of Keras's `fit`: redrawn in place on a terminal; piped, it writes its last state once, as a line of its own.
 *
 * Keras writes every redraw of a piped bar as a new line with escape codes in it; here piped output stays readable text.
 * @example
 * const bar = new ProgressBar({ target: 1875 });
 * bar.update(1, [["loss", 2.3]]);
 * bar.finish(1875, [["loss", 0.12]]);
 */
export class ProgressBar {
  readonly #options: Required<Omit<ProgressBarOptions, "target" | "statefulMetrics">>;
  readonly #target: number | undefined;
  readonly #stateful: ReadonlySet<string>;
  readonly #terminal: boolean;
  readonly #values = new Map<string, { sum: number; count: number }>();
  readonly #start: number;
  #lastDraw = Number.NEGATIVE_INFINITY;
  #firstStepEnd: number | undefined;
  #seen = 0;
  #drawnWidth = 0;
  #finished = false;

  constructor(options: ProgressBarOptions) {
    const stream = options.stream ?? process.stdout;
    this.#options = {
      verbose: options.verbose ?? 1,
      interval: options.interval ?? 0.05,
      width: options.width ?? 20,
      unitName: options.unitName ?? "step",
      stream,
      color: options.color ?? wantsColor(stream),
      clock: options.clock ?? (() => performance.now() / 1000),
    };
    this.#target = options.target;
    this.#stateful = options.statefulMetrics ?? new Set();
    this.#terminal = stream.isTTY === true;
    this.#start = this.#options.clock();
  }

  /**
   * Whether `update` would draw now. Asking first spares reading metrics that nobody would see.
   */
  wouldDraw(): boolean {
    return (
      this.#options.verbose === 1 && this.#terminal && this.#options.clock() - this.#lastDraw >= this.#options.interval
    );
  }

  /** Tells the bar that `current` steps are done, and redraws it when enough time has passed. */
  update(current: number, values: ProgressValues = []): void {
    const now = this.#options.clock();
    this.#take(current, values, false);
    const perStep = this.#stepTime(current, now);
    if (this.#options.verbose !== 1 || !this.#terminal || now - this.#lastDraw < this.#options.interval) return;
    this.#draw(current, now, perStep, false);
    this.#lastDraw = now;
  }

  /** The last state, with the elapsed time and a new line. Values given here are shown as they are. */
  finish(current: number, values: ProgressValues = []): void {
    if (this.#finished || this.#options.verbose === 0) return;
    this.#finished = true;
    const now = this.#options.clock();
    this.#take(current, values, true);
    const perStep = this.#stepTime(current, now);
    if (this.#options.verbose === 1) this.#draw(current, now, perStep, true);
    else this.#options.stream.write(`${this.#line(current, now, perStep)}\n`);
  }

  /** Ends an unfinished bar with a new line, so that what is printed next (an error, a signal's message) starts on its own line. */
  abandon(): void {
    if (!this.#finished && this.#drawnWidth > 0) this.#options.stream.write("\n");
    this.#finished = true;
  }

  #take(current: number, values: ProgressValues, final: boolean): void {
    const steps = Math.max(current - this.#seen, 1);
    for (const [name, value] of values) {
      const total = this.#values.get(name);
      if (final || total === undefined || this.#stateful.has(name)) {
        const count = final || this.#stateful.has(name) ? 1 : steps;
        this.#values.set(name, { sum: value * count, count });
      } else {
        total.sum += value * steps;
        total.count += steps;
      }
    }
    this.#seen = current;
  }

  /** Seconds a step; the first step is left out once others are known, because it compiles. */
  #stepTime(current: number, now: number): number {
    if (current === 0) return 0;
    const time =
      this.#firstStepEnd !== undefined && current > 1
        ? (now - this.#firstStepEnd) / (current - 1)
        : (now - this.#start) / current;
    if (current === 1) this.#firstStepEnd = now;
    return time;
  }

  #metrics(): string {
    let text = "";
    for (const [name, { sum, count }] of this.#values) text += ` - ${name}: ${formatMetric(sum / count)}`;
    return text;
  }

  #count(current: number): string {
    const target = this.#target;
    return target
      ? `${String(current).padStart(String(target).length)}/${target}`
      : `${String(current).padStart(7)}/Unknown`;
  }

  /** `4/4 - 0s - 3ms/step - loss: 1.0065` */
  #line(current: number, now: number, perStep: number): string {
    const elapsed = `${(now - this.#start).toFixed(0)}s`;
    return `${this.#count(current)} - ${elapsed} - ${formatStepTime(perStep, this.#options.unitName)}${this.#metrics()}`;
  }

  #draw(current: number, now: number, perStep: number, final: boolean): void {
    const { width, color, stream, unitName } = this.#options;
    const [strong, done, rest] = color
      ? [bold, green, grey]
      : [plain, plain, (text: string) => text.replaceAll("━", "─")];
    const target = this.#target;
    const count = this.#count(current);
    const filled = target ? Math.trunc(width * Math.min(current / target, 1)) : 0;
    const time =
      target && !final ? formatRemaining(perStep * (target - current)) : `${(now - this.#start).toFixed(0)}s`;
    const tail = ` ${formatStepTime(perStep, unitName)}${this.#metrics()}`;
    const bar = target ? ` ${filled > 0 ? done("━".repeat(filled)) : ""}${rest("━".repeat(width - filled))}` : "";
    const visible = count.length + (target ? 1 + width : 0) + 1 + time.length + tail.length;
    const erase = " ".repeat(Math.max(this.#drawnWidth - visible, 0));
    const head = target ? strong(count) : count;
    stream.write(`${this.#terminal ? "\r" : ""}${head}${bar} ${strong(time)}${tail}${erase}${final ? "\n" : ""}`);
    this.#drawnWidth = visible;
  }
}
