/** Run by pool.test.ts: starts a pool, uses it, and comes to its end without disposing of anything. */
import { readdirSync, readFileSync } from "node:fs";
import { memory, rdi, rdx } from "../../../src/targets/x86/assembler/index.ts";
import { ThreadPool, writeWord64 } from "../../../src/targets/x86/pool.ts";
import { placeFunction, requireFunctions, TestProgram } from "./test-program.ts";

const functions = requireFunctions();
const before = new Set(readdirSync("/proc/self/task"));
const pool = new ThreadPool(functions, 4);
pool.start();
const mine = readdirSync("/proc/self/task").filter((thread) => !before.has(thread));
const blocked = mine.every((thread) => {
  const mask = /SigBlk:\s+(\w+)/.exec(readFileSync(`/proc/self/task/${thread}/status`, "utf8"))?.[1] ?? "0";
  // SIGINT (2) and SIGUSR2 (12) among them
  return (Number.parseInt(mask.slice(-4), 16) & 0x802) === 0x802;
});
const kernel = placeFunction(functions, (a) => {
  a.emit("mov", rdx, memory(rdi));
  a.emit("lock add", memory(rdx, 0, { bits: 32 }), 1);
  a.emit("ret");
});
const counter = new Int32Array(new ArrayBuffer(128));
const table = new ArrayBuffer(128);
writeWord64(new Uint32Array(table), 0, functions.addressOf(counter.buffer));
const step = { kernel, tasks: 50, arguments: functions.addressOf(table), participants: 4 };
const program = new TestProgram(functions, [step, step]);
// the process waits for the signal, however late a busy machine delivers it
const waiting = setTimeout(() => {}, 30_000);
process.once("SIGUSR2", () => {
  clearTimeout(waiting);
  pool.run(program.address);
  // the program knows its arguments by address only: the table is referenced until here
  void table;
  console.log(`${mine.length + 1} threads, signals blocked: ${blocked}, signal seen, result ${counter[0]}`);
});
process.kill(process.pid, "SIGUSR2");
