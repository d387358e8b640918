/** The threads of a data loader. The main thread can wait for them without its event loop, so that `for…of` works. */
import { MessageChannel, type MessagePort, receiveMessageOnPort, Worker } from "node:worker_threads";
import { ArgumentError, DataError, InternalError } from "../../errors.ts";
import { DatasetError, type ErrorReport } from "./dataset-error.ts";
import { loaderArguments, siblingModule, typeScriptRegistrations } from "./module-threads.ts";
import { type Death, control as places, type Reply, type Task, type WorkerStart } from "./protocol.ts";
import { decodeMessage } from "./transfer.ts";

export interface WorkerPoolOptions extends Omit<WorkerStart, "port" | "control" | "workerId"> {
  /** Seconds to wait for a batch; 0: for ever. */
  readonly timeout: number;
}

/** First lines of every worker: makes TypeScript loadable where that is wanted, then imports the worker's module. */
const workerBootstrap = `
const { workerData } = require("node:worker_threads");
(async () => {
  for (const module of workerData.registrations) (await import(module)).register();
  await import(workerData.entry);
})();`;

/**
 * A thread that starts the workers and watches them: an exit or a lack of memory is told to the main thread even while that sleeps, which
 * it could not learn from its own event loop. Its end is the workers' end.
 */
const guardian = `
const { Worker, workerData } = require("node:worker_threads");
const { control, port, bootstrap, starts, execArgv } = workerData;
starts.forEach((start, workerId) => {
  let error;
  const worker = new Worker(bootstrap, { eval: true, execArgv, workerData: start, transferList: [start.port] });
  worker.on("error", (thrown) => { error = thrown; });
  worker.on("exit", (code) => {
    const { name = "Error", message = String(error), stack = String(error) } = error ?? { message: "the thread ended with code " + code, stack: "(no stack)" };
    port.postMessage({ workerId, error: { name, message, stack } });
    Atomics.add(control, 0, 1);
    Atomics.notify(control, 0);
  });
});
setInterval(() => {}, 2 ** 30);`;

/** A batch, or the end of a stream. */
export type Received = { readonly batch: unknown } | undefined;

export class WorkerPool {
  readonly size: number;
  private readonly timeout: number;
  private readonly thread: Worker;
  private readonly control = new Int32Array(new SharedArrayBuffer(4 * places.length));
  private readonly ports: readonly MessagePort[];
  private readonly deathPort: MessagePort;
  private readonly queues: Reply[][];
  private readonly deaths = new Map<number, ErrorReport>();
  private listening = false;
  private wake: (() => void) | undefined;
  private pass = 0;
  private readyState: { readonly length: number | undefined; readonly stream: boolean } | undefined;

  constructor({ timeout, ...start }: WorkerPoolOptions) {
    this.size = start.numWorkers;
    this.timeout = timeout;
    const entry = siblingModule("worker");
    const registrations = typeScriptRegistrations([entry, start.url]);
    const channels = Array.from({ length: this.size }, () => new MessageChannel());
    const deaths = new MessageChannel();
    this.ports = channels.map(({ port1 }) => port1);
    this.queues = channels.map(() => []);
    this.deathPort = deaths.port1;
    const starts = channels.map(({ port2 }, workerId) => ({
      ...start,
      port: port2,
      control: this.control,
      workerId,
      entry,
      registrations,
    }));
    try {
      this.thread = new Worker(guardian, {
        eval: true,
        execArgv: [],
        workerData: {
          control: this.control,
          port: deaths.port2,
          bootstrap: workerBootstrap,
          starts,
          execArgv: loaderArguments(),
        },
        transferList: [deaths.port2, ...channels.map(({ port2 }) => port2)],
      });
    } catch (cause) {
      throw new ArgumentError(
        `DataLoader: datasetOptions cannot be sent to workers (${(cause as Error).message}); use plain data, no functions.`,
        { cause },
      );
    }
    // neither the thread nor its ports keep the process alive
    this.thread.unref();
    for (const port of [...this.ports, this.deathPort]) port.unref();
  }

  /** What the workers found: waits until their data sets are there. */
  ready(): { readonly length: number | undefined; readonly stream: boolean } {
    if (!this.readyState) for (let id = 0; id < this.size; id++) this.noteReady(this.wait(id));
    return this.readyState!;
  }
  async readyAsync(): Promise<{ readonly length: number | undefined; readonly stream: boolean }> {
    if (!this.readyState) for (let id = 0; id < this.size; id++) this.noteReady(await this.waitAsync(id));
    return this.readyState!;
  }
  private noteReady(reply: Reply): void {
    if (reply.type === "ready") this.readyState ??= { length: reply.length, stream: reply.stream };
  }

  /** Starts a pass: whatever was asked for before is dropped. */
  beginPass(): number {
    this.pass++;
    Atomics.store(this.control, places.pass, this.pass);
    return this.pass;
  }
  request(workerId: number, task: Task): void {
    this.ports[workerId]!.postMessage(task);
  }
  /** The next batch of a worker. */
  receive(workerId: number): Received {
    return this.result(this.wait(workerId));
  }
  async receiveAsync(workerId: number): Promise<Received> {
    return this.result(await this.waitAsync(workerId));
  }
  private result(reply: Reply): Received {
    if (reply.type === "ready") throw new InternalError("a batch was asked for before its worker was ready");
    return reply.type === "batch" ? { batch: decodeMessage(reply.payload) } : undefined;
  }

  /** Ends the threads, whatever they are doing. */
  close(): void {
    for (const port of [...this.ports, this.deathPort]) port.close();
    void this.thread.terminate();
  }

  /** A message that is there, of this pass; throws what a worker threw. */
  private take(workerId: number): Reply | undefined {
    for (;;) {
      const reply =
        this.queues[workerId]!.shift() ?? (receiveMessageOnPort(this.ports[workerId]!)?.message as Reply | undefined);
      if (!reply) return undefined;
      if (reply.type === "error" && (reply.pass === this.pass || reply.pass < 0))
        throw new DatasetError(workerId, reply.error);
      if (reply.type === "ready" || reply.pass === this.pass) return reply;
    }
  }
  /** Throws when the worker has ended without an answer; an answer that came before its end is given. */
  private lastWords(workerId: number): Reply | undefined {
    for (let death = receiveMessageOnPort(this.deathPort); death; death = receiveMessageOnPort(this.deathPort)) {
      this.noteDeath(death.message as Death);
    }
    const report = this.deaths.get(workerId);
    if (!report) return undefined;
    const reply = this.take(workerId);
    if (reply) return reply;
    throw new DatasetError(workerId, report);
  }
  private noteDeath({ workerId, error }: Death): void {
    this.deaths.set(workerId, error);
  }
  private timedOut(workerId: number): DataError {
    return new DataError(`DataLoader: worker ${workerId} gave no batch within the timeout of ${this.timeout} s.`);
  }

  private wait(workerId: number): Reply {
    const until = this.timeout > 0 ? performance.now() + this.timeout * 1000 : Number.POSITIVE_INFINITY;
    for (;;) {
      const seen = Atomics.load(this.control, places.signal);
      const reply = this.take(workerId) ?? this.lastWords(workerId);
      if (reply) return reply;
      const left = until - performance.now();
      if (left <= 0) throw this.timedOut(workerId);
      Atomics.wait(this.control, places.signal, seen, left);
    }
  }

  private async waitAsync(workerId: number): Promise<Reply> {
    this.listen();
    const until = this.timeout > 0 ? performance.now() + this.timeout * 1000 : Number.POSITIVE_INFINITY;
    for (;;) {
      const reply = this.take(workerId) ?? this.lastWords(workerId);
      if (reply) return reply;
      const left = until - performance.now();
      if (left <= 0) throw this.timedOut(workerId);
      await this.nextMessage(workerId, left);
    }
  }
  /** Resolves when any worker has said something; the process stays alive that long. */
  private async nextMessage(workerId: number, milliseconds: number): Promise<void> {
    const ports = [this.ports[workerId]!, this.deathPort];
    for (const port of ports) port.ref();
    let timer: NodeJS.Timeout | undefined;
    await new Promise<void>((resolve) => {
      this.wake = resolve;
      if (milliseconds !== Number.POSITIVE_INFINITY) timer = setTimeout(resolve, milliseconds);
    });
    clearTimeout(timer);
    for (const port of ports) port.unref();
  }
  private listen(): void {
    if (this.listening) return;
    this.listening = true;
    this.ports.forEach((port, id) => {
      port.on("message", (reply: Reply) => {
        this.queues[id]!.push(reply);
        this.wake?.();
      });
      port.unref();
    });
    this.deathPort.on("message", (death: Death) => {
      this.noteDeath(death);
      this.wake?.();
    });
    this.deathPort.unref();
  }
}
