#!/usr/bin/env node
// A peer that answers for the tests: it does what the name of its setting says, in place of a Python interpreter.
import { createInterface } from "node:readline";

const say = (reply) => process.stdout.write(`${JSON.stringify(reply)}\n`);
const [, peer] = process.argv.slice(2);
if (process.env.FAKE_PEER_MISSING) {
  say({ missing: "No module named 'torch'" });
  process.exit(0);
}
if (process.env.FAKE_PEER_ENDS) {
  console.error("Traceback\nModuleNotFoundError: No module named 'numpy'");
  process.exit(1);
}
say({ versions: { [peer]: "1.0" } });
let setting = "";
let rounds = 0;
for await (const line of createInterface({ input: process.stdin })) {
  const request = JSON.parse(line);
  if (request.do === "close") process.exit(0);
  if (request.do === "setup") {
    setting = request.setting;
    if (setting === "broken") say({ error: "\nRuntimeError: index 5 is out of bounds\n  more" });
    else if (setting === "absent") say({ unavailable: "needs a compiler" });
    else if (setting === "babbling") process.stdout.write('{"check": [NaN]}\n');
    else if (setting === "dying") process.kill(process.pid, "SIGKILL");
    else say({ check: setting === "wrong" ? [1, 3] : [1, 2] });
  } else if (request.do === "round") {
    rounds++;
    if (setting === "tiring" && rounds > 6) say({ error: "RuntimeError: enough" });
    else say({ seconds: 0.01 * request.steps, cpu: 0 });
  } else say({});
}
